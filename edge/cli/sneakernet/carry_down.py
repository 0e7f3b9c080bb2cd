# SPDX-License-Identifier: Apache-2.0
"""``menshen sync import``: hands a file of the platform to the running gateway.

The law of the module: it reads the file with the rights of whoever calls, and hands on
pieces; what they are worth the gateway judges. A torn file is found before the first
piece is handed on.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from cloud_sync.stick_file import StickError, check_import, parts_of
from edge.cli.sneakernet.refusals import ADVICE, Verdict
from edge.control.client import ControlError, NoGatewayError, ask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

#: Putting 100,000 people in force takes some seconds on a small box.
APPLY_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a stick."""

    told: dict[str, Any]

    @property
    def ack(self) -> Verdict:
        """What became of the acknowledgement."""
        return Verdict(self.told["ack"])

    @property
    def feed(self) -> Verdict:
        """What became of the roster."""
        return Verdict(self.told["feed"])

    @property
    def is_good(self) -> bool:
        """Whether it had an effect, and nobody has to look into anything."""
        verdicts = (self.ack, self.feed)
        had_effect = any(verdict.has_effect for verdict in verdicts)
        return had_effect and not any(verdict.is_trouble for verdict in verdicts)

    def lines(self) -> Iterator[str]:
        """Yield what to tell whoever stands there."""
        signed = datetime.fromtimestamp(self.told["time_ms"] / 1000, UTC)
        yield f"signed       by the platform on {signed:%Y-%m-%d %H:%M} UTC"
        yield f"roster       {self._roster()}"
        yield f"events       {self._events()}"

    def _roster(self) -> str:
        cursor, feed = self.told["cursor"], self.feed
        match feed:
            case Verdict.ABSENT:
                return "none on this stick"
            case Verdict.TAKEN:
                return f"{cursor} is in force now"
            case Verdict.CONFIRMED:
                return f"{cursor} is in force already, and confirmed by this stick"
            case _:
                why = self.told.get("why")
                detail = f" ({why})" if why and feed is Verdict.TOO_BROKEN else ""
                return f"{feed}: {cursor} {ADVICE[feed]}{detail}"

    def _events(self) -> str:
        match self.ack:
            case Verdict.ABSENT:
                return "no acknowledgement on this stick"
            case Verdict.TAKEN:
                return f"the platform has stored all up to {self.told['acked']}"
            case verdict:
                return f"{verdict}: {ADVICE[verdict]}"


def import_file(file: Path, socket: Path) -> Imported:
    """Hand ``file`` to the gateway at ``socket``; StickError, ControlError if not."""
    try:
        with file.open("rb") as opened:
            return _import(opened, partial(_ask, socket))
    except OSError as fault:
        raise StickError(
            "NOT_READ",
            f"{file}: {fault.strerror}; is the stick plugged in, and is this its file? "
            "Nothing was changed",
        ) from fault


def _import(file: BinaryIO, ask_gateway: Any) -> Imported:
    told = ask_gateway("stick-begin", message=check_import(file))
    imported = Imported(told=told)
    if not (imported.ack.has_effect or imported.feed.has_effect):
        return imported
    stick = told["stick"]
    try:
        if told["wants_parts"]:
            for message in parts_of(file):
                ask_gateway("stick-part", stick=stick, message=message)
    except BaseException:
        with suppress(ControlError):
            ask_gateway("stick-drop", stick=stick)
        raise
    done = ask_gateway("stick-apply", stick=stick, within_s=APPLY_WITHIN_S)
    return Imported(told=done)


def _ask(socket: Path, verb: str, **arguments: Any) -> dict[str, Any]:
    try:
        return ask(socket, verb, **arguments)
    except NoGatewayError as absent:
        raise StickError(
            "NOT_RUNNING",
            f"{absent} Only a running gateway takes a stick: start it, then import "
            "again",
        ) from absent
