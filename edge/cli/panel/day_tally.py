# SPDX-License-Identifier: Apache-2.0
"""How many came and how many were in, day by day and hour by hour.

The law of the module: it follows the journal's events with the rules' own idea of who
is inside (``edge.core.spaces.presence``), so that chart and door never differ. Every
row is walked once, a piece at a time; what was counted stays. It knows nobody: a holder
is a hash under a key that dies with the process.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from edge.core.event import Event, EventKind, Person, decode
from edge.core.spaces.passages import Passages
from edge.core.spaces.presence import Presence
from edge.storage.lookback import PIECE_ROWS

if TYPE_CHECKING:
    from edge.core.plan import SitePlan
    from edge.core.spaces.presence import Listing
    from edge.storage.lookback import Lookback, Seen

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
HOURS = 24
#: The curve of a day has so many points: a quarter of an hour each.
QUARTER_MS = HOUR_MS // 4
QUARTERS = DAY_MS // QUARTER_MS
#: The week that is shown, and the evening before it, whose people may be in still.
DAYS = 7
LOOKED_DAYS = DAYS + 1
#: Rows followed between two turns of the loop: some 2 ms with a full house.
ROWS_A_TURN = 20
#: Reasons of one day: a panel has a handful, a command line may say anything.
MAX_REASONS = 16
MAX_REASON = 48

_FOLLOWED = frozenset(
    {
        *("ACCESS_GRANTED", "ACCESS_TAKEN", "ACCESS_NOT_TAKEN", "ACCESS_DENIED"),
        *("REQUEST_TO_EXIT", "DOOR_OPENED", "DOOR_CLOSED", "MANUAL_ENTRY"),
        *("VISIT_STARTED", "VISIT_CLOSED", "OCCUPANCY_SET", "STARTED"),
    }
)
#: What an entry by a card or a code is told by; any other was by hand.
_BY_CARD = frozenset({EventKind.ACCESS_TAKEN, EventKind.ACCESS_GRANTED})
#: After these as many are in as before.
_UNMOVED = frozenset(
    {
        *(EventKind.ACCESS_DENIED, EventKind.ACCESS_NOT_TAKEN),
        *(EventKind.DOOR_CLOSED, EventKind.VISIT_STARTED, EventKind.STARTED),
    }
)


@dataclass(slots=True)
class Day:
    """One local day; ``most`` is the highest count of each quarter of an hour.

    A quarter in which nothing happened has -1: the count before it went on.
    """

    came: list[int] = field(default_factory=lambda: [0] * HOURS)
    most: list[int] = field(default_factory=lambda: [-1] * QUARTERS)
    last: list[int] = field(default_factory=lambda: [-1] * QUARTERS)
    by_hand: int = 0
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def note(self, quarter: int, persons: int) -> None:
        """Take the count of people inside over, as it is after an event."""
        self.most[quarter] = max(self.most[quarter], persons)
        self.last[quarter] = persons


class DayTally:
    """The days of one journal, counted as they are asked for."""

    def __init__(self, journal: Lookback, site: SitePlan, rolls: Listing) -> None:
        self._journal = journal
        self._site = site
        self._rolls = rolls
        self._key = secrets.token_bytes(16)
        self._walking = asyncio.Lock()
        self._first = 0
        #: Up to which place all was followed; below 0 nothing was.
        self._reached = -1
        self._days: dict[int, Day] = {}
        self._presence = Presence(site, rolls)
        self._passages = Passages(site)

    def day_of(self, utc_ms: int) -> int:
        """Return the local day of an instant, counted from 1970."""
        return (utc_ms + self._site.utc_offset_ms) // DAY_MS

    def starts_ms(self, day: int) -> int:
        """Return when a local day begins (UTC ms)."""
        return day * DAY_MS - self._site.utc_offset_ms

    async def days(self, today: int) -> dict[int, Day]:
        """Return the week up to ``today``; a day on which nothing happened is empty."""
        async with self._walking:
            first = today - LOOKED_DAYS + 1
            if first < self._first or self._reached < self._journal.first:
                self._begin(first)
            if self._reached < 0:
                self._reached = await self._journal.before(self.starts_ms(first))
            await self._walk()
            for old in [day for day in self._days if day < first]:
                del self._days[old]
        return {
            day: self._days.get(day, Day())
            for day in range(today - DAYS + 1, today + 1)
        }

    def before(self, day: int) -> int:
        """Return how many were in when a day began, as far as is known."""
        for number in sorted((d for d in self._days if d < day), reverse=True):
            counts = [count for count in self._days[number].last if count >= 0]
            if counts:
                return counts[-1]
        return 0

    def _begin(self, first: int) -> None:
        self._first = first
        self._reached = -1
        self._days = {}
        self._presence = Presence(self._site, self._rolls)
        self._passages = Passages(self._site)

    async def _walk(self) -> None:
        """Follow all that was stored since, a piece at a time."""
        epochs, until = await self._journal.epochs(), self._journal.last
        while self._reached < until:
            upto = min(until, self._reached + PIECE_ROWS)
            piece = await self._journal.piece(self._reached, upto, _FOLLOWED, epochs)
            for number, row in enumerate(piece):
                self._follow(row)
                if number % ROWS_A_TURN == 0:
                    await asyncio.sleep(0)
            self._reached = upto

    def _follow(self, row: Seen) -> None:
        """Count an event; a row that somebody changed counts for nothing."""
        with suppress(ValueError, KeyError, TypeError):
            event = decode(row.seq, row.core, row.pii)
            self._count(replace(event, person=self._unnamed(event.person)))

    def _count(self, event: Event) -> None:
        at_ms = event.moment.earliest_ms + self._site.utc_offset_ms
        day = self._days.setdefault(at_ms // DAY_MS, Day())
        for passage in self._passages.follow(event):
            if passage.is_entry:
                day.came[at_ms % DAY_MS // HOUR_MS] += passage.persons
                if event.kind not in _BY_CARD:
                    day.by_hand += passage.persons
        self._presence.follow(event)
        _add(day, event)
        if event.kind not in _UNMOVED:
            inside = sum(self._presence.persons(space) for space in self._site.spaces)
            day.note(at_ms % DAY_MS // QUARTER_MS, inside)

    def _unnamed(self, person: Person) -> Person:
        def hidden(name: str | None) -> str | None:
            if name is None:
                return None
            return blake2b(name.encode(), key=self._key, digest_size=12).hexdigest()

        return Person(
            holder=hidden(person.holder),
            # Where somebody is known his booking adds nothing to a count.
            booking=None if person.holder else hidden(person.booking),
            ticket=hidden(person.ticket),
        )


def _add(day: Day, event: Event) -> None:
    if event.kind is EventKind.ACCESS_DENIED:
        count = event.fact("count")
        day.refused += count if isinstance(count, int) else 1
    if event.kind is EventKind.MANUAL_ENTRY:
        reason = str(event.fact("reason") or "")[:MAX_REASON]
        if reason in day.reasons or len(day.reasons) < MAX_REASONS:
            day.reasons[reason] += 1


def told(day: Day, inside: int, *, upto: int) -> dict[str, Any]:
    """Return a day for the panel; ``inside`` were in at its beginning.

    ``upto``: the quarters of the day that have begun; the rest is not told.
    """
    curve = []
    for most, last in zip(day.most[:upto], day.last[:upto], strict=True):
        curve.append(inside if most < 0 else max(inside, most))
        inside = inside if last < 0 else last
    return {
        "came": sum(day.came),
        "by_hour": day.came,
        "inside": curve,
        "by_hand": day.by_hand,
        "refused": day.refused,
        "reasons": dict(day.reasons),
    }
