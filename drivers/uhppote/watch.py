# SPDX-License-Identifier: Apache-2.0
"""Whether somebody else moves the doors of a UHPPOTE controller.

The law of the module: packets have no secret, so what the doors did is held against
what we ordered. Told as tampering are an opening by command that was not ours, a
supervisor passcode, and a relay that is on though neither we nor a button switched it.
What was on at a beginning is not judged before it was off. A cause is told when it
begins; the all-clear comes when the last one is a quiet minute ago.

Source: uhppoted/uhppote-core, events.go (reasons 14 button, 19 supervisor passcode,
2C remote open).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from drivers.device import TamperChanged
from drivers.uhppote.wire import Reason

if TYPE_CHECKING:
    from collections.abc import Collection

    from drivers.device import Signal
    from drivers.uhppote.wire import Event, Status

QUIET_S = 60.0
#: An opening's own event is told within so long: by the third poll of the slowest.
TOLD_WITHIN_S = 30.0
#: Openings of one door whose event is awaited; as many as orders wait.
MAX_OPENINGS = 16
#: A relay may lag behind its packet, and a status behind both.
GRACE_S = 5.0
#: A relay counts when it is seen so long after it was first seen: a button's event may
#: follow the level.
SEEN_FOR_S = 1.0


class Watch:
    """What is known of the doors' movements; ``unit`` is the one that is tampered with.

    ``admits_cards``: the controller opens for cards of its own list.
    """

    def __init__(self, *, unit: int, doors: int, admits_cards: bool) -> None:
        self._unit = unit
        self._doors = range(1, doors + 1)
        self._admits_cards = admits_cards
        self._causes: dict[str, float] = {}
        self._openings = {
            door: deque[float](maxlen=MAX_OPENINGS) for door in self._doors
        }
        self._explained_until: dict[int, float] = {}
        self._seen_at: dict[int, float] = {}
        self._from_before = set(self._doors)

    def begin(self) -> None:
        """Know nothing of the doors' past, as after a silence; causes stand."""
        for openings in self._openings.values():
            openings.clear()
        self._explained_until.clear()
        self._seen_at.clear()
        self._from_before = set(self._doors)

    def opens(self, door: int, now: float) -> None:
        """Take note that we send an opening: one event of it is ours."""
        self._openings[door].append(now)

    def explains(self, door: int, until: float) -> None:
        """Take note why a door's relay is on until then."""
        known = self._explained_until.get(door, until)
        self._explained_until[door] = max(known, until)

    def heed(self, event: Event, delay_s: float, now: float) -> list[Signal]:
        """Take an event that is news; ``delay_s``: how long its door is released."""
        door = event.door
        if door not in self._doors:
            return []
        match event.reason:
            case Reason.PASSCODE:
                return self._told(
                    f"a supervisor passcode was typed at door {door}", now
                )
            case Reason.REMOTE_OPEN if not self._is_ours(door, now):
                return self._told(f"somebody else's command opened door {door}", now)
            case Reason.BUTTON:
                self.explains(door, now + delay_s + GRACE_S)
            case _ if event.is_granted and event.card and self._admits_cards:
                self.explains(door, now + delay_s + GRACE_S)
        return []

    def look(self, status: Status, free: Collection[int], now: float) -> list[Signal]:
        """Take all levels; ``free``: doors whose relay may be on by their mode."""
        signals: list[Signal] = []
        for door in self._doors:
            is_on = status.relays[door - 1]
            if not is_on:
                self._from_before.discard(door)
            if status.are_pressed[door - 1]:
                self.explains(door, now + GRACE_S)
            is_explained = now < self._explained_until.get(door, now)
            is_free = door in free or door in self._from_before
            if not is_on or is_free or is_explained:
                self._seen_at.pop(door, None)
            elif now - self._seen_at.setdefault(door, now) >= SEEN_FOR_S:
                signals += self._told(f"nobody ordered door {door} to be open", now)
        return [*signals, *self._calm(now)]

    def _is_ours(self, door: int, now: float) -> bool:
        openings = self._openings[door]
        while openings and now - openings[0] > TOLD_WITHIN_S:
            openings.popleft()
        if not openings:
            return False
        openings.popleft()
        return True

    def _told(self, why: str, now: float) -> list[Signal]:
        is_news = why not in self._causes
        self._causes[why] = now
        if not is_news:
            return []
        return [TamperChanged(unit=self._unit, is_tampered=True, why=why)]

    def _calm(self, now: float) -> list[Signal]:
        over = [why for why, at in self._causes.items() if now - at >= QUIET_S]
        for why in over:
            del self._causes[why]
        if not over or self._causes:
            return []
        return [TamperChanged(unit=self._unit, is_tampered=False, why=over[-1])]
