# SPDX-License-Identifier: Apache-2.0
"""Modes that the platform laid upon doors, and when each is over.

The law of the module: what was ordered from afar ends by itself. A door that stands
free is locked as soon as its time may be over, and at once where the site lets nobody
unlock from afar; one that is shut is given back once it surely is. Whatever is ordered
here meanwhile ends the matter.

The end is known from the command's record, which is on disk before anything moves,
and counts from the moment the door takes the mode: nothing that fails afterwards, and
no power cut, can leave a mode without an end. A door is named until it has another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from edge.core.doors.door import DoorMode
from edge.core.doors.intents import SCHEDULED
from edge.core.event import EventKind
from edge.core.remote.command import ENDS, Rejection

if TYPE_CHECKING:
    from edge.core.event import Event
    from edge.core.moment import Moment
    from edge.core.plan import SitePlan

#: The clock may be set right meanwhile, so it is asked again after so long.
ASK_AGAIN_S = 60.0
#: An end that did not go through is tried again after so long.
TRY_AGAIN_S = 5.0


class Wish(NamedTuple):
    """A mode whose command is recorded, as the order for it will be told."""

    door: str
    mode: DoorMode
    until_ms: int
    actor: str
    reason: str


class RemoteModes:
    """Doors in a mode that the platform ordered, until when (UTC ms)."""

    def __init__(self, site: SitePlan) -> None:
        self._site = site
        #: By the command's own name, from its record to its end.
        self._wishes: dict[str, Wish] = {}
        self._until: dict[str, tuple[DoorMode, int]] = {}
        self._due_s: dict[str, float] = {}

    def holds(self, door: str) -> bool:
        """Say whether the door's mode is the platform's."""
        return door in self._until

    def until_ms(self, door: str) -> int:
        """Return when the platform's mode of a door ends; 0: it has none."""
        return self._until[door][1] if door in self._until else 0

    def deadline(self) -> float | None:
        """Return when :meth:`over` may name a door."""
        return min(self._due_s.values(), default=None)

    def over(self, now: Moment) -> list[tuple[str, str]]:
        """Return doors to lock, and why: each until it has another mode.

        One that is no longer of the site is forgotten.
        """
        ended = []
        for door, (mode, until_ms) in list(self._until.items()):
            if door not in self._site.doors:
                self._forget(door)
                continue
            why, again_s = self._judge(mode, until_ms, now)
            if why:
                ended.append((door, why))
            self._due_s[door] = now.monotonic_s + again_s
        return ended

    def follow(self, event: Event) -> None:
        """Learn of modes, the platform's and others'."""
        door, jti = event.subject, str(event.fact("jti"))
        match event.kind:
            case EventKind.COMMAND_RECEIVED if event.fact("until"):
                self._wishes[jti] = _wish(event)
            case EventKind.DOOR_MODE_CHANGED:
                self._forget(door)
                self._fulfil(event)
            case kind if kind in SCHEDULED:
                self._forget(door)
            case kind if kind in ENDS and event.fact("reason") != Rejection.REPLAY:
                self._wishes.pop(jti, None)

    def dump(self) -> dict[str, Any]:
        """Return them as JSON values, under names of their own."""
        until = {door: [mode, until] for door, (mode, until) in self._until.items()}
        return {"modes": until, "wishes": {j: list(w) for j, w in self._wishes.items()}}

    def load(self, told: dict[str, Any]) -> None:
        """Take what :meth:`dump` returned."""
        until = told.get("modes", {}).items()
        self._until = {door: (DoorMode(mode), end_ms) for door, (mode, end_ms) in until}
        self._due_s = dict.fromkeys(self._until, 0.0)
        for jti, (door, mode, *rest) in told.get("wishes", {}).items():
            self._wishes[jti] = Wish(door, DoorMode(mode), *rest)

    def _judge(self, mode: DoorMode, until_ms: int, now: Moment) -> tuple[str, float]:
        """Return why a mode is over, "" if it is not, and when to ask again (s)."""
        is_free = mode is DoorMode.UNLOCKED
        if is_free and not self._site.allows_remote_unlock:
            return "remote_unlock is off", TRY_AGAIN_S
        left_s = (until_ms - (now.latest_ms if is_free else now.earliest_ms)) / 1000
        return ("", min(left_s, ASK_AGAIN_S)) if left_s > 0 else ("until", TRY_AGAIN_S)

    def _fulfil(self, event: Event) -> None:
        """Note the end of a mode that was wished so; no hand orders just this."""
        told = _wish(event)
        for wish in self._wishes.values():
            if wish._replace(until_ms=0) == told._replace(until_ms=0):
                self._until[wish.door] = (wish.mode, wish.until_ms)
                self._due_s[wish.door] = 0.0
                return

    def _forget(self, door: str) -> None:
        self._until.pop(door, None)
        self._due_s.pop(door, None)


def _wish(event: Event) -> Wish:
    """Return what a command's record wishes, or what a change of mode has told."""
    return Wish(
        door=event.subject,
        mode=DoorMode(str(event.fact("mode"))),
        until_ms=int(event.fact("until") or 0),
        actor=str(event.fact("actor")),
        reason=str(event.fact("reason")),
    )
