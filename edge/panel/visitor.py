# SPDX-License-Identifier: Apache-2.0
"""Who looks at a page, as the gateway says; the panel knows nobody by itself.

The law of the module: a tablet and a turn are two secrets in two cookies that no
script reads; whose they are is asked of the gateway for every request. While the
gateway is away its last word counts, for looking alone: nothing can be done then.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import Request, Response

    Ask = Callable[..., Awaitable[dict[str, Any]]]

#: Pages of which the gateway's last word is kept: tablets, and some forgotten tabs.
MAX_KNOWN = 64
#: A tablet is paired for a year; a turn's cookie goes with the browser at the latest.
TABLET_S = 365 * 24 * 3600
MAX_SECRET = 64


class Kind(StrEnum):
    """What somebody may be to a page."""

    STRANGER = "stranger"
    TABLET = "tablet"
    VOLUNTEER = "VOLUNTEER"
    MANAGER = "MANAGER"
    INSTALLER = "INSTALLER"


@dataclass(frozen=True, slots=True)
class Keys:
    """The two secrets that a browser brought; each may be missing."""

    tablet: str = field(default="", repr=False)
    session: str = field(default="", repr=False)

    @property
    def mark(self) -> str:
        """A name for what is kept of these secrets, none of them."""
        return sha256(f"{self.tablet}\0{self.session}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who looks, at which tablet; ``is_gone``: the gateway could not be asked.

    ``is_empty``: the box has no keys yet, so that there is nobody to log in to.
    """

    keys: Keys = field(default=Keys(), repr=False)
    kind: Kind = Kind.STRANGER
    name: str = ""
    account: str = ""
    tablet_name: str = ""
    is_first: bool = False
    is_empty: bool = False
    has_manager: bool = True
    has_reader: bool = False
    has_shift: bool = False
    is_asked: bool = False
    is_gone: bool = False

    @property
    def is_paired(self) -> bool:
        """Say whether the tablet is one of ours."""
        return self.kind is not Kind.STRANGER

    @property
    def is_logged_in(self) -> bool:
        """Say whether it is somebody's turn."""
        return self.kind not in (Kind.STRANGER, Kind.TABLET)

    @property
    def on_duty_page(self) -> bool:
        """Say whether the first page is the duty page."""
        return self.kind in (Kind.VOLUNTEER, Kind.MANAGER)


class Cookies:
    """The names of our cookies: bound to this host where the line is encrypted."""

    def __init__(self, *, is_secure: bool) -> None:
        self._is_secure = is_secure
        prefix = "__Host-" if is_secure else ""
        self.tablet, self.session = f"{prefix}tablet", f"{prefix}session"

    def read(self, request: Request) -> Keys:
        """Return the secrets of a request; what is too long is none."""

        def of(name: str) -> str:
            value = request.cookies.get(name, "")
            is_fit = len(value) <= MAX_SECRET and value.isascii()
            return value if is_fit else ""

        return Keys(of(self.tablet), of(self.session))

    def pair(self, response: Response, secret: str) -> None:
        """Give a tablet its secret."""
        self._set(response, self.tablet, secret, TABLET_S)

    def begin(self, response: Response, secret: str) -> None:
        """Give a turn its secret."""
        self._set(response, self.session, secret, None)

    def end(self, response: Response) -> None:
        """Take a turn's secret back."""
        self._set(response, self.session, "", 0)

    def _set(
        self, response: Response, name: str, value: str, life_s: int | None
    ) -> None:
        response.set_cookie(
            name,
            value,
            max_age=life_s,
            path="/",
            secure=self._is_secure,
            httponly=True,
            samesite="strict",
        )


class Visitors:
    """Asks the gateway who looks, and remembers what it said last."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._last: OrderedDict[str, Visitor] = OrderedDict()

    async def of(
        self, keys: Keys, *, is_quiet: bool = False, is_live: bool = True
    ) -> Visitor:
        """Return who these secrets stand for; ``is_quiet``: nobody pressed.

        A gateway that is known to be away is not asked.
        """
        told = {}
        if is_live:
            told = await self._ask("session", keys, is_quiet=is_quiet)
        if not told:
            known = self._last.get(keys.mark, Visitor(keys=keys))
            return replace(known, is_gone=True)
        visitor = _visitor(keys, told)
        if visitor.is_paired:
            self._last[keys.mark] = visitor
            self._last.move_to_end(keys.mark)
            while len(self._last) > MAX_KNOWN:
                self._last.popitem(last=False)
        else:
            self._last.pop(keys.mark, None)
        return visitor


def _visitor(keys: Keys, told: dict[str, Any]) -> Visitor:
    kind = Kind.TABLET if told.get("is_paired") is True else Kind.STRANGER
    role = told.get("role")
    if kind is Kind.TABLET and role in ("VOLUNTEER", "MANAGER", "INSTALLER"):
        kind = Kind(role)
    return Visitor(
        keys=keys,
        kind=kind,
        name=str(told.get("name") or ""),
        account=str(told.get("account") or ""),
        tablet_name=str(told.get("tablet_name") or ""),
        is_first=told.get("is_first") is True,
        is_empty=told.get("is_empty") is True,
        has_manager=told.get("has_manager") is not False,
        has_reader=told.get("has_reader") is True,
        has_shift=told.get("has_shift") is True,
        is_asked=told.get("is_asked") is True,
    )
