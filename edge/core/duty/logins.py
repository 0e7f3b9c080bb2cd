# SPDX-License-Identifier: Apache-2.0
"""A tablet awaits a card at the desk: whose card it is, it is his turn at the tablet.

The law of the module: a wish to log in holds for twenty seconds and for one tablet at
a desk; the first card of somebody who may is taken for it, every other scan is what it
would be at any time. It knows no secret and gives no right: the shell asks once who
came. A restart forgets it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from edge.core.credential import CredentialKind

if TYPE_CHECKING:
    from edge.core.moment import Moment
    from edge.core.order import LoginAwaited
    from edge.core.people.entries import Cardholder
    from edge.core.plan import SitePlan
    from edge.core.stimulus import Scan

#: How long somebody has to find the card, with old hands and a deep pocket.
WINDOW_S = 20.0
#: … and how long the tablet may take to hear that it was found.
KEPT_S = 30.0
CARDS = frozenset({CredentialKind.ID_CARD, CredentialKind.CARD})


class Turn(StrEnum):
    """How a tablet's wish stands."""

    WAITING = "waiting"
    TAKEN = "taken"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Awaited:
    """One tablet's wish; ``holder`` came, unless it is empty."""

    tablet: str
    welcome: frozenset[str]
    until_s: float
    holder: str = ""


class Logins:
    """Which tablet waits at which desk."""

    def __init__(self, site: SitePlan) -> None:
        self._site = site
        self._awaited: dict[str, _Awaited] = {}

    def begin(self, order: LoginAwaited, now: Moment) -> str:
        """Await a card for a tablet; return why not."""
        if not self._site.access_points[order.access_point].is_desk:
            return "people log in at a desk's reader"
        before = self._awaited.get(order.access_point)
        is_other = before is not None and before.tablet != order.tablet
        if is_other and before and self._turn(before, now) is Turn.WAITING:
            return "another tablet waits for a card there"
        self._awaited[order.access_point] = _Awaited(
            tablet=order.tablet,
            welcome=frozenset(order.welcome),
            until_s=now.monotonic_s + WINDOW_S,
        )
        return ""

    def is_awaited(self, now: Moment) -> bool:
        """Say whether any tablet waits for a card now."""
        turns = (self._turn(each, now) for each in self._awaited.values())
        return any(turn is Turn.WAITING for turn in turns)

    def has_taken(self, holder: str) -> bool:
        """Say whether somebody has just come for a tablet."""
        return any(each.holder == holder for each in self._awaited.values())

    def takes(
        self, scan: Scan, holder: Cardholder, roles: frozenset[str], now: Moment
    ) -> bool:
        """Take a sound holder's card if a tablet waits for it and he may.

        He may who has one of ``roles``, or is welcome by name.
        """
        awaited = self._awaited.get(scan.access_point)
        if awaited is None or self._turn(awaited, now) is not Turn.WAITING:
            return False
        if not scan.is_secure or scan.credential.kind not in CARDS:
            return False
        name = holder.holder_id
        if roles.isdisjoint(holder.roles) and name not in awaited.welcome:
            return False
        until_s = now.monotonic_s + KEPT_S
        self._awaited[scan.access_point] = replace(
            awaited, holder=name, until_s=until_s
        )
        return True

    def turn(self, tablet: str, now: Moment) -> Turn:
        """Return how a tablet's wish stands."""
        found = self._of(tablet)
        return Turn.OVER if found is None else self._turn(self._awaited[found], now)

    def claim(self, tablet: str, now: Moment) -> str:
        """Return who came for a tablet, once; "" for nobody."""
        found = self._of(tablet)
        if found is None or self._turn(self._awaited[found], now) is not Turn.TAKEN:
            return ""
        return self._awaited.pop(found).holder

    def _of(self, tablet: str) -> str | None:
        here = (p for p, each in self._awaited.items() if each.tablet == tablet)
        return next(here, None)

    @staticmethod
    def _turn(awaited: _Awaited, now: Moment) -> Turn:
        if now.monotonic_s >= awaited.until_s:
            return Turn.OVER
        return Turn.TAKEN if awaited.holder else Turn.WAITING
