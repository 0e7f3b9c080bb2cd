# SPDX-License-Identifier: Apache-2.0
"""The body of a command, read into a value.

The law of the module: dictionaries end here. What binds a command to its connection
is read first, so that a refusal can name the first thing that does not hold; what it
wants may then still be unknown to this gateway. Unknown fields are ignored.
Source: docs/commands.md; RFC 7519 (``jti``, ``iat``, ``exp`` in seconds).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from cloud_sync.refusal import RefusalKind, Refused
from cloud_sync.seals import SEALS, order_text
from edge.core.doors.door import DoorMode
from edge.core.moment import UNBOUNDED_MS
from edge.core.remote.command import REMOTE_MODES, Action, RemoteCommand

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Printable ASCII without spaces: a compact JWS is nothing else.
_SEAL = re.compile("[!-~]+")
_NAME = re.compile(r"[0-9a-f]{32}")
#: Names, reasons and numbers of compartments, as everywhere in the contract.
TEXT_CHARACTERS = 64
NUMBERS = range(1, 65)
#: What a volunteer reads at a glance.
MESSAGE_CHARACTERS = 140
_LAST_S = UNBOUNDED_MS // 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCommand:
    """A command as it came: what binds it, and what it wants or why that is nothing.

    ``issued_s`` and ``expires_s`` are UTC seconds.
    """

    jti: str
    nonce: str
    issued_s: int
    expires_s: int
    wish: RemoteCommand | Refused


def read_command(body: Mapping[str, Any]) -> SignedCommand | Refused:
    """Read an opened body of the channel for commands."""
    try:
        return SignedCommand(
            jti=_name(body, "jti"),
            nonce=_name(body, "nonce"),
            issued_s=_number(body, "iat", range(_LAST_S)),
            expires_s=_number(body, "exp", range(_LAST_S)),
            wish=_wish(body),
        )
    except _UnfitError as unfit:
        return Refused(kind=RefusalKind.BODY, why=str(unfit))


class _UnfitError(Exception):
    """A field is not what the contract says; never leaves this module."""


def _wish(body: Mapping[str, Any]) -> RemoteCommand | Refused:
    named = body.get("action")
    action = next((action for action in Action if action == named), None)
    if action is None:
        return Refused(kind=RefusalKind.ACTION, why="no such action here")
    try:
        return _command(body, action)
    except _UnfitError as unfit:
        return Refused(kind=RefusalKind.BODY, why=str(unfit))


def _command(body: Mapping[str, Any], action: Action) -> RemoteCommand:
    jti, by, reason = _name(body, "jti"), _text(body, "by"), _text(body, "reason")
    match action:
        case Action.RESIDENT_OPEN:
            booking = _text(body, "booking") if "booking" in body else ""
            more: dict[str, Any] = {"door": _text(body, "door"), "booking": booking}
        case Action.OPEN:
            more = {"door": _text(body, "door")}
        case Action.MODE:
            more = {"door": _text(body, "door"), "mode": _mode(body)}
            if more["mode"] is not DoorMode.LOCKED:
                more["until_ms"] = _number(body, "until", range(UNBOUNDED_MS))
        case Action.LOCKER_OPEN:
            number = _number(body, "number", NUMBERS)
            more = {"bank": _text(body, "bank"), "number": number}
        case Action.REVOKE_NOW:
            more = {"holder": _text(body, "holder")}
        case Action.MESSAGE:
            more = {"text": _text(body, "text", MESSAGE_CHARACTERS)}
        case Action.FEED_REFRESH:
            more = {}
        case Action.SHELTER:
            _text(body, "site")
            more = {"seals": _seals(body), "order_text": order_text(body)}
        case Action.ERASE:
            more = {"holder": _text(body, "holder")}
    wish = _name(body, "wish") if "wish" in body else ""
    return RemoteCommand(
        jti=jti, action=action, by=by, reason=reason, wish=wish, **more
    )


def _seals(body: Mapping[str, Any]) -> tuple[str, ...]:
    seals = body.get("seals")
    if not isinstance(seals, list) or len(seals) not in SEALS:
        _unfit("seals")
    if not all(isinstance(seal, str) and _SEAL.fullmatch(seal) for seal in seals):
        _unfit("seals")
    return tuple(seals)


def _mode(body: Mapping[str, Any]) -> DoorMode:
    named = body.get("mode")
    mode = next((mode for mode in REMOTE_MODES if mode == named), None)
    return mode if mode is not None else _unfit("mode")


def _name(body: Mapping[str, Any], field: str) -> str:
    value = body.get(field)
    is_name = isinstance(value, str) and _NAME.fullmatch(value) is not None
    return str(value) if is_name else _unfit(field)


def _text(body: Mapping[str, Any], field: str, longest: int = TEXT_CHARACTERS) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value.strip():
        _unfit(field)
    return value if len(value) <= longest and value.isprintable() else _unfit(field)


def _number(body: Mapping[str, Any], field: str, allowed: range) -> int:
    value = body.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or value not in allowed:
        _unfit(field)
    return value


def _unfit(field: str) -> NoReturn:
    raise _UnfitError(f"{field!r} is missing or not what the contract says")
