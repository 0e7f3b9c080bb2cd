# SPDX-License-Identifier: Apache-2.0
"""What each door is meant to do, in layers: imposed, by schedule, by order.

The law of the module: the first layer that speaks is the door's mode; a layer that is
taken away gives back what lies beneath. All of it survives a power cut, and nothing
here moves a lock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edge.core.doors.door import DoorMode
from edge.core.event import EventKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.event import Event
    from edge.core.plan import SitePlan

#: What a schedule did; an unlocking whose schedule is gone since counts as its end.
SCHEDULED = frozenset(
    {EventKind.DOOR_UNLOCKED_BY_SCHEDULE, EventKind.DOOR_RELOCKED_BY_SCHEDULE}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One door's layers; times are UTC ms.

    ``ordered`` goes before the schedule until ``ordered_until_ms``; it is over for
    good at ``ends_ms`` if whoever ordered it chose an end. ``is_unlocked``: the
    schedule has unlocked it. ``opened_until_ms``: the end of the opening in which
    the schedule last did, for the first person need not come in twice.
    """

    ordered: DoorMode = DoorMode.LOCKED
    ordered_until_ms: int = 0
    ends_ms: int = 0
    is_unlocked: bool = False
    opened_until_ms: int = 0
    imposed: DoorMode | None = None

    @property
    def own(self) -> DoorMode:
        """The mode beneath what an emergency imposes."""
        return DoorMode.UNLOCKED if self.is_unlocked else self.ordered

    @property
    def mode(self) -> DoorMode:
        """The mode that counts."""
        return self.own if self.imposed is None else self.imposed

    @property
    def free_until_ms(self) -> int:
        """Until when it is free by schedule or by an order with an end; 0: neither."""
        return self.opened_until_ms if self.is_unlocked else self.ends_ms

    def order(self, mode: DoorMode, until_ms: int, ends_ms: int = 0) -> Intent:
        """Return what it is once somebody in charge has ordered a mode."""
        return replace(
            self,
            ordered=mode,
            ordered_until_ms=until_ms,
            ends_ms=ends_ms,
            is_unlocked=False,
        )

    def unlock(self, until_ms: int) -> Intent:
        """Return what it is once the schedule has unlocked it."""
        return replace(self.relock(), is_unlocked=True, opened_until_ms=until_ms)

    def relock(self) -> Intent:
        """Return what it is once the schedule has locked it: orders have lapsed."""
        return self.order(DoorMode.LOCKED, 0)


class Intents:
    """The intents of all doors of a site."""

    def __init__(self, site: SitePlan) -> None:
        self._site = site
        self._intents = {door_id: Intent() for door_id in site.doors}

    def of(self, door_id: str) -> Intent:
        """Return a door's intent."""
        return self._intents[door_id]

    def all(self) -> Mapping[str, Intent]:
        """Return all doors' intents, to be read."""
        return self._intents

    def change(self, door_id: str, intent: Intent) -> bool:
        """Take another intent; False if it is the same, or no such door is there."""
        if self._intents.get(door_id) in (None, intent):
            return False
        self._intents[door_id] = intent
        return True

    def impose(self, door_id: str, mode: DoorMode | None) -> bool:
        """Lay a mode over the door's own, or lift it; False if that changes nothing."""
        intent = self._intents.get(door_id)
        return intent is not None and self.change(
            door_id, replace(intent, imposed=mode)
        )

    def follow(self, event: Event) -> str:
        """Take a replayed event into account; return the door whose intent it is."""
        door_id = event.subject
        if door_id not in self._intents:
            return ""
        intent, until_ms = self.of(door_id), int(event.fact("until") or 0)
        match event.kind:
            case EventKind.DOOR_MODE_CHANGED:
                mode = DoorMode(str(event.fact("mode")))
                ends_ms = until_ms if event.fact("timed") else 0
                intent = intent.order(mode, until_ms, ends_ms)
            case EventKind.DOOR_UNLOCKED_BY_SCHEDULE if self._has_schedule(door_id):
                intent = intent.unlock(until_ms)
            case kind if kind in SCHEDULED:
                intent = intent.relock()
            case _:
                return ""
        self.change(door_id, intent)
        return door_id

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        intents = self._intents.items()
        return {
            "modes": {door_id: intent.ordered for door_id, intent in intents},
            "imposed": {d: i.imposed for d, i in intents if i.imposed is not None},
            "ends": {d: i.ends_ms for d, i in intents if i.ends_ms},
            "unlocking": {
                d: [i.ordered_until_ms, int(i.is_unlocked), i.opened_until_ms]
                for d, i in intents
                if self._has_schedule(d)
            },
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take the state that :meth:`dump` returned; doors no longer there go.

        A snapshot from before modes were imposed kept a door's own beside it.
        """
        modes = state.get("modes", {}) | state.get("before_fire", {})
        imposed, unlocking = state.get("imposed", {}), state.get("unlocking", {})
        ends = state.get("ends", {})
        for door_id, intent in self._intents.items():
            ordered = DoorMode(modes.get(door_id, intent.ordered))
            laid = imposed.get(door_id)
            rest = unlocking.get(door_id) if self._has_schedule(door_id) else None
            until_ms, is_unlocked, opened_until_ms = rest or (0, 0, 0)
            self._intents[door_id] = Intent(
                ordered=ordered,
                ordered_until_ms=until_ms,
                ends_ms=ends.get(door_id, 0),
                is_unlocked=bool(is_unlocked),
                opened_until_ms=opened_until_ms,
                imposed=None if laid is None else DoorMode(laid),
            )

    def _has_schedule(self, door_id: str) -> bool:
        return self._site.doors[door_id].unlock is not None
