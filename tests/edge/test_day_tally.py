# SPDX-License-Identifier: Apache-2.0
"""Days in numbers: who came, who was in, and that nobody is known by it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from edge.cli.files import config_folder
from edge.cli.load_site import load_site
from edge.cli.panel.day_tally import DAY_MS, DAYS, HOUR_MS, DayTally, told
from edge.core.event import Event, EventKind, Facts, Person
from edge.core.moment import Moment
from edge.core.people.roster import Cursor, RosterBuilder
from edge.storage.connection import open_inline
from tests.storage.samples import opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from edge.storage.journal import Journal

#: Midnight in Guangzhou, when 2025-10-08 begins there.
MIDNIGHT_MS = 1_759_852_800_000
TODAY = (MIDNIGHT_MS + 8 * HOUR_MS) // DAY_MS
DOOR, POINT = "kitchen-door", "kitchen-front"


class Bench:
    """A journal of the demonstration's site, and who counts its days."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        site = load_site(config_folder() / "demo.toml").plan()
        roster = RosterBuilder().build(Cursor("0001-00000000", 1))
        self.tally = DayTally(journal.lookback(), site, roster)

    async def tell(
        self,
        hours: float,
        kind: EventKind,
        subject: str,
        facts: Facts = (),
        holder: str = "",
    ) -> int:
        lo = MIDNIGHT_MS + int(hours * HOUR_MS)
        moment = Moment(monotonic_s=1.0, earliest_ms=lo, latest_ms=lo, boot="b")
        seq = self.journal.next_seq
        person = Person(holder=holder or None)
        event = Event(
            seq=seq,
            kind=kind,
            moment=moment,
            subject=subject,
            facts=facts,
            person=person,
        )
        await self.journal.append([event])
        return seq

    async def enter(self, hours: float, holder: str, *, is_used: bool = True) -> int:
        """Let somebody in; return the entry's number. Unused grants open nothing."""
        facts: Facts = (("kind", "QR"), ("persons", 1))
        granted = await self.tell(
            hours, EventKind.ACCESS_GRANTED, POINT, facts, holder=holder
        )
        kind = EventKind.ACCESS_TAKEN if is_used else EventKind.ACCESS_NOT_TAKEN
        taken = await self.tell(hours, kind, DOOR, (("cause", granted),))
        if is_used:
            facts = (("cause", taken), ("persons", 1))
            begun = EventKind.VISIT_STARTED
            return await self.tell(hours, begun, "kitchen", facts, holder=holder)
        return 0

    async def leave(self, hours: float, visit: int) -> None:
        facts: Facts = (("how", "exit"), ("minutes", 9), ("visit", visit))
        await self.tell(hours, EventKind.VISIT_CLOSED, "kitchen", facts)


@asynccontextmanager
async def bench(folder: Path) -> AsyncIterator[Bench]:
    async with opened(open_inline, folder / "journal.db") as journal:
        yield Bench(journal)


async def test_who_came_through_the_door_counts_and_nobody_else(tmp_path: Path) -> None:
    async with bench(tmp_path) as site:
        first = await site.enter(8.2, "h-1")
        await site.enter(9.1, "h-2")
        await site.enter(9.2, "h-3", is_used=False)
        facts: Facts = (("kind", "QR"), ("reason", "TOO_EARLY"))
        await site.tell(9.3, EventKind.ACCESS_DENIED, POINT, facts)
        facts = (("count", 4), ("reason", "TOO_EARLY"))
        await site.tell(9.4, EventKind.ACCESS_DENIED, POINT, facts)
        facts = (("actor", "acc-1"), ("count", 3), ("reason", "no_booking"))
        await site.tell(10.0, EventKind.MANUAL_ENTRY, DOOR, facts)
        await site.tell(10.0, EventKind.DOOR_OPENED, DOOR)
        await site.leave(10.5, first)
        day = (await site.tally.days(TODAY))[TODAY]
        assert [day.came[hour] for hour in (8, 9, 10)] == [1, 1, 3]
        assert (day.by_hand, day.refused) == (3, 5)
        assert day.reasons == {"no_booking": 1}
        shown = told(day, 0, upto=44)
        assert shown["came"] == 5
        assert [shown["inside"][q] for q in (31, 32, 36, 40, 42, 43)] == [
            *(0, 1, 2, 5, 5, 4),
        ]


async def test_a_day_begins_at_local_midnight_with_who_is_still_in(
    tmp_path: Path,
) -> None:
    async with bench(tmp_path) as site:
        await site.enter(-2.0, "h-1")
        visit = await site.enter(-0.1, "h-2")
        await site.leave(0.1, visit)
        await site.enter(7.0, "h-3")
        days = await site.tally.days(TODAY)
        assert (sum(days[TODAY - 1].came), sum(days[TODAY].came)) == (2, 1)
        assert site.tally.before(TODAY) == 2
        assert told(days[TODAY], 2, upto=30)["inside"][0] == 2
        assert told(days[TODAY], 2, upto=30)["inside"][-1] == 2
        assert len(days) == DAYS


async def test_each_row_is_walked_once_and_an_old_one_never(tmp_path: Path) -> None:
    async with bench(tmp_path) as site:
        await site.enter(-24.0 * 30, "h-0")
        await site.enter(8.0, "h-1")
        assert sum((await site.tally.days(TODAY))[TODAY].came) == 1
        reached = site.tally._reached
        await site.enter(9.0, "h-2")
        assert sum((await site.tally.days(TODAY))[TODAY].came) == 2
        assert site.tally._reached == reached + 3
        tomorrow = await site.tally.days(TODAY + 1)
        assert (sum(tomorrow[TODAY].came), sum(tomorrow[TODAY + 1].came)) == (2, 0)
        assert site.tally._reached == reached + 3


async def test_nobody_s_name_stays_in_what_was_counted(tmp_path: Path) -> None:
    async with bench(tmp_path) as site:
        await site.enter(8.0, "h-secret")
        await site.tally.days(TODAY)
        kept = str(site.tally._presence.dump()) + str(site.tally._passages.dump())
        assert "h-secret" not in kept
        assert '"h-' not in kept


async def test_a_spoilt_row_counts_for_nothing(tmp_path: Path) -> None:
    async with bench(tmp_path) as site:
        facts: Facts = (("how", "by magic"), ("visit", 1))
        await site.tell(7.0, EventKind.VISIT_CLOSED, "kitchen", facts)
        await site.enter(8.0, "h-1")
        assert sum((await site.tally.days(TODAY))[TODAY].came) == 1
