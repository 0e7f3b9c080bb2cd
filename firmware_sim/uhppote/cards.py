# SPDX-License-Identifier: Apache-2.0
"""The card list and the weekly profiles in a UHPPOTE controller's flash.

The law of the module: it decides from the list alone, with the controller's own time;
whether the list is asked at all is the controller's matter. Slots keep their place: a
deleted one is marked, and given away again when all are taken.

Source: uhppoted/uhppote-core, messages put_card, get_card, set_time_profile;
uhppote-simulator README (a card without dates is refused). The size of the flash and
the order in which slots are given away are unverified.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_sim.uhppote import packets as wire
from firmware_sim.uhppote.events import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime, time

    from firmware_sim.uhppote.packets import Packet

DOORS = 4
MAX_PIN = 999_999
#: Profiles 0 and 1 are the words "never" and "always".
NEVER, ALWAYS, FIRST_PROFILE, LAST_PROFILE = 0, 1, 2, 254
DELETED = 0xFFFFFFFF
_SEGMENTS = 3
_WEEKDAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """``doors``: never, always or a profile for each of the four doors."""

    number: int
    begins: date
    ends: date
    doors: tuple[int, ...]
    pin: int = 0
    is_first_card: bool = False

    @classmethod
    def read(cls, packet: Packet) -> Card | None:
        """Return the card of "put card"; None for one that the device refuses."""
        begins, ends = packet.day(12), packet.day(16)
        card, pin = packet.number(8, 4), packet.number(24, 3)
        doors = tuple(packet.raw[20:24])
        is_possible = card not in (0, DELETED) and pin <= MAX_PIN
        if begins is None or ends is None or not is_possible:
            return None
        if max(doors) > LAST_PROFILE:
            return None
        return cls(
            number=card,
            begins=begins,
            ends=ends,
            doors=doors,
            pin=pin,
            is_first_card=packet.flag(27),
        )

    def fields(self) -> dict[int, bytes]:
        """Return what "get card" answers."""
        return {
            8: wire.number(self.number, 4),
            12: wire.day(self.begins),
            16: wire.day(self.ends),
            20: bytes(self.doors),
            24: wire.number(self.pin, 3),
            27: wire.flags(self.is_first_card),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """When a card counts; ``weekdays`` from Monday, ``linked`` 0 or another one."""

    number: int
    begins: date
    ends: date
    weekdays: tuple[bool, ...]
    segments: tuple[tuple[time, time], ...]
    linked: int = 0

    @classmethod
    def read(cls, packet: Packet) -> Profile | None:
        """Return the profile of "set time profile"; None for one that can't be."""
        begins, ends = packet.day(9), packet.day(13)
        segments = []
        for at in range(24, 24 + 4 * _SEGMENTS, 4):
            start, stop = packet.clock(at), packet.clock(at + 2)
            if start is None or stop is None:
                return None
            segments.append((start, stop))
        number = packet.number(8)
        if begins is None or ends is None:
            return None
        if not FIRST_PROFILE <= number <= LAST_PROFILE:
            return None
        return cls(
            number=number,
            begins=begins,
            ends=ends,
            weekdays=tuple(packet.flag(17 + day) for day in range(_WEEKDAYS)),
            segments=tuple(segments),
            linked=packet.number(36),
        )

    def fields(self) -> dict[int, bytes]:
        """Return what "get time profile" answers."""
        times = b"".join(
            wire.clock(start) + wire.clock(stop) for start, stop in self.segments
        )
        return {
            8: wire.number(self.number),
            9: wire.day(self.begins),
            13: wire.day(self.ends),
            17: wire.flags(*self.weekdays),
            24: times,
            36: wire.number(self.linked),
        }

    def holds(self, at: datetime) -> bool:
        """Whether it counts at this time; a segment that ends at its start is none."""
        if not self.begins <= at.date() <= self.ends:
            return False
        if not self.weekdays[at.weekday()]:
            return False
        clock = at.time().replace(second=0, microsecond=0)
        return any(start <= clock < stop for start, stop in self.segments)


class CardList:
    """The cards by slot; ``capacity`` bounds them."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._slots: list[Card | None] = []
        self._slot_of: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._slot_of)

    def get(self, number: int) -> Card | None:
        """Return the card of that number."""
        at = self._slot_of.get(number)
        return None if at is None else self._slots[at]

    def at(self, slot: int) -> Card | int:
        """Return the card in a slot (from 1), DELETED, or 0 beyond the last."""
        if not 1 <= slot <= len(self._slots):
            return 0
        return self._slots[slot - 1] or DELETED

    def put(self, card: Card) -> bool:
        """Keep a card, in place of one with its number; False if the list is full."""
        at = self._slot_of.get(card.number)
        if at is None and len(self) == self._capacity:
            return False
        if at is None and len(self._slots) == self._capacity:
            at = self._slots.index(None)
        if at is None:
            at = len(self._slots)
            self._slots.append(None)
        self._slots[at] = card
        self._slot_of[card.number] = at
        return True

    def delete(self, number: int) -> bool:
        """Mark the card's slot as deleted; False if there is none."""
        at = self._slot_of.pop(number, None)
        if at is None:
            return False
        self._slots[at] = None
        return True

    def clear(self) -> None:
        """Forget all cards."""
        self._slots.clear()
        self._slot_of.clear()


def decide(
    card: Card, door: int, at: datetime, profiles: Mapping[int, Profile]
) -> Reason:
    """Return GRANTED, or why the list refuses ``card`` at ``door`` (from 1)."""
    if not card.begins <= at.date() <= card.ends:
        return Reason.NO_PRIVILEGE
    profile = card.doors[door - 1]
    if profile == NEVER:
        return Reason.NO_PRIVILEGE
    if profile == ALWAYS:
        return Reason.GRANTED
    seen: set[int] = set()
    while profile not in seen and (rule := profiles.get(profile)) is not None:
        if rule.holds(at):
            return Reason.GRANTED
        seen.add(profile)
        profile = rule.linked
    return Reason.NOT_NOW
