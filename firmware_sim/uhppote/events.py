# SPDX-License-Identifier: Apache-2.0
"""The event memory of a UHPPOTE controller: a ring whose oldest are overwritten.

The law of the module: an index counts from 1, is never given twice and outlives a
power cut. Asking for what was overwritten is answered with the mark FF and index 0.

Source: uhppoted/uhppote-core, events.go (reasons), get_event.go (FF: overwritten; index
0: none) and its test packets. That index 0 asks for the oldest and FFFFFFFF for the
newest is unverified.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from firmware_sim.uhppote import packets as wire

if TYPE_CHECKING:
    from datetime import datetime

OLDEST, NEWEST = 0, 0xFFFFFFFF


class Kind(IntEnum):
    """What sort of event it is."""

    NONE = 0
    REFUSED = 1
    DOOR = 2
    ALARM = 3
    OVERWRITTEN = 0xFF


class Reason(IntEnum):
    """Why a door did or did not open, or what else happened."""

    NONE = 0x00
    GRANTED = 0x01
    PC_CONTROL = 0x05
    NO_PRIVILEGE = 0x06
    WRONG_PIN = 0x07
    NORMALLY_CLOSED = 0x0B
    NOT_NOW = 0x0F
    UNKNOWN_CARD = 0x12
    BUTTON = 0x14
    DOOR_OPENED = 0x17
    DOOR_CLOSED = 0x18
    PASSCODE = 0x19
    POWER_ON = 0x1C
    BUTTON_LOCKED = 0x1F
    HELD_OPEN = 0x25
    FORCED_OPEN = 0x26
    REMOTE_OPEN = 0x2C


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event; ``at`` is the controller's own time, ``direction`` 1 for in."""

    index: int = 0
    kind: Kind = Kind.NONE
    is_granted: bool = False
    door: int = 0
    direction: int = 0
    card: int = 0
    at: datetime | None = None
    reason: Reason = Reason.NONE

    def fields(self) -> dict[int, bytes]:
        """Return what stands in a status, an event and a "get event" alike."""
        return {
            8: wire.number(self.index, 4),
            12: wire.number(self.kind),
            13: wire.flags(self.is_granted),
            14: wire.number(self.door),
            15: wire.number(self.direction),
            16: wire.number(self.card, 4),
            20: wire.moment(self.at),
            27: wire.number(self.reason),
        }


NOTHING = Event()
LOST = Event(kind=Kind.OVERWRITTEN)


class EventRing:
    """The latest ``capacity`` events, and the index that the host keeps there."""

    def __init__(self, capacity: int) -> None:
        self._events: deque[Event] = deque(maxlen=capacity)
        self.host_index = 0

    @property
    def next_index(self) -> int:
        """The index that the next event gets."""
        return self.newest.index + 1

    @property
    def newest(self) -> Event:
        """The latest event, or nothing."""
        return self._events[-1] if self._events else NOTHING

    def add(self, event: Event) -> None:
        """Keep an event; its index must be :attr:`next_index`."""
        self._events.append(event)

    def at(self, index: int) -> Event:
        """Return what is there: an event, nothing yet, or the mark of what was lost."""
        if not self._events:
            return NOTHING
        first = self._events[0].index
        if index == OLDEST:
            return self._events[0]
        if index == NEWEST:
            return self.newest
        if index < first:
            return LOST
        return self._events[index - first] if index < self.next_index else NOTHING

    def clear(self) -> None:
        """Forget everything, indices too."""
        self._events.clear()
        self.host_index = 0
