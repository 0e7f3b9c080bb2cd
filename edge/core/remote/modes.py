# SPDX-License-Identifier: Apache-2.0
"""Modes that the platform laid upon doors, and when each is over.

The law of the module: what was ordered from afar ends by itself. A door that stands
free is locked as soon as its time may be over; one that is shut is given back once it
surely is. Whatever is ordered here meanwhile ends the matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.core.doors.door import DoorMode
from edge.core.doors.intents import SCHEDULED
from edge.core.event import EventKind

if TYPE_CHECKING:
    from edge.core.event import Event
    from edge.core.moment import Moment

#: The clock may be set right meanwhile, so it is asked again after so long.
ASK_AGAIN_S = 60.0


class RemoteModes:
    """Doors in a mode that the platform ordered, until when (UTC ms)."""

    def __init__(self) -> None:
        self._until: dict[str, tuple[DoorMode, int]] = {}
        self._due_s: dict[str, float] = {}

    def holds(self, door: str) -> bool:
        """Say whether the door's mode is the platform's."""
        return door in self._until

    def deadline(self) -> float | None:
        """Return when :meth:`over` may name a door."""
        return min(self._due_s.values(), default=None)

    def over(self, now: Moment) -> list[str]:
        """Return the doors whose time is over, once each; they are forgotten."""
        ended = []
        for door, (mode, until_ms) in list(self._until.items()):
            is_free = mode is DoorMode.UNLOCKED
            bound_ms = now.latest_ms if is_free else now.earliest_ms
            left_s = (until_ms - bound_ms) / 1000
            if left_s <= 0:
                ended.append(door)
                self._forget(door)
            else:
                self._due_s[door] = now.monotonic_s + min(left_s, ASK_AGAIN_S)
        return ended

    def follow(self, event: Event) -> None:
        """Learn of modes, the platform's and others'."""
        door = event.subject
        if event.kind is EventKind.DOOR_MODE_CHANGED or event.kind in SCHEDULED:
            self._forget(door)
        elif event.kind is EventKind.COMMAND_EXECUTED and event.fact("until"):
            mode = DoorMode(str(event.fact("mode")))
            self._until[door] = (mode, int(event.fact("until") or 0))
            self._due_s[door] = 0.0

    def dump(self) -> dict[str, list[Any]]:
        """Return them as JSON values."""
        return {door: [mode, until] for door, (mode, until) in self._until.items()}

    def load(self, told: dict[str, list[Any]]) -> None:
        """Take what :meth:`dump` returned."""
        self._until = {d: (DoorMode(mode), until) for d, (mode, until) in told.items()}
        self._due_s = dict.fromkeys(self._until, 0.0)

    def _forget(self, door: str) -> None:
        self._until.pop(door, None)
        self._due_s.pop(door, None)
