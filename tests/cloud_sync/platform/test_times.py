# SPDX-License-Identifier: Apache-2.0
"""Events of a box that did not know the time are counted on the day they happened."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING

import pytest

from cloud_sync.platform import times
from cloud_sync.platform.reports.visits import visits
from edge.core.clock import DRIFT
from edge.core.event import Event, EventKind, Person, encode_core, encode_person
from edge.core.moment import UNBOUNDED_MS, Moment
from tests.cloud_sync.platform.desk import chained
from tests.cloud_sync.platform.test_reports import DAY_MS, HOUR_MS, answer, sent
from tests.cloud_sync.scripted_platform import EPOCH

if TYPE_CHECKING:
    from edge.core.record import Record
    from tests.cloud_sync.platform.desk import Desk

#: What a box knew when its battery was taken out: forty days before.
FLOOR_MS = DAY_MS - 40 * 24 * HOUR_MS
VISIT, FIXED = EventKind.VISIT_STARTED, EventKind.CLOCK_FIXED


class Box:
    """Tells events by its own seconds; the day begins at the 10,000th."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self._seqs = count(1)

    def tell(
        self, kind: EventKind, after_h: float, *, knows: bool, boot: str = "b2"
    ) -> None:
        since_s = 10_000 + after_h * 3600
        at_ms = DAY_MS + int(after_h * HOUR_MS)
        moment = Moment(
            monotonic_s=since_s,
            earliest_ms=at_ms if knows else FLOOR_MS + int(since_s * 1000),
            latest_ms=at_ms + 5 if knows else UNBOUNDED_MS,
            boot=boot,
        )
        facts = (("persons", 1),) if kind is VISIT else (("answer", "tightened"),)
        self.told.append(
            Event(
                seq=next(self._seqs),
                kind=kind,
                moment=moment,
                subject="kitchen" if kind is VISIT else "gateway",
                facts=facts,
                person=Person(holder="h-1") if kind is VISIT else Person(),
            )
        )

    def journal(self) -> list[Record]:
        cores = [json.loads(encode_core(event)) for event in self.told]
        people = [json.loads(encode_person(event.person)) for event in self.told]
        return chained(cores, people, EPOCH)


async def stored(desk: Desk) -> list[tuple[int, int]]:
    """Return by which time each event is asked for, and which it told itself."""
    async with desk.database.reading() as work:
        rows = await work.fetch("SELECT lo, core FROM event ORDER BY seq")
    return [(lo, json.loads(core)["lo"]) for lo, core in rows]


@pytest.mark.parametrize("alone", [False, True], ids=["one batch", "each alone"])
async def test_what_a_box_told_without_a_clock_is_counted_when_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, *, alone: bool
) -> None:
    monkeypatch.setattr(times, "_PAGE", 2)
    box = Box()
    box.tell(VISIT, 8.5, knows=False, boot="b1")  # a start that never knew
    for hour in (9.2, 9.7, 10.1):
        box.tell(VISIT, hour, knows=False)
    box.tell(FIXED, 12.0, knows=True)
    box.tell(VISIT, 13.0, knows=True)
    journal = box.journal()
    for end in range(1, len(journal) + 1) if alone else [len(journal)]:
        await sent(desk, journal[:end])
    found = await answer(desk, visits)
    assert [(str(row["hour"])[-5:], row["visits"]) for row in found] == [
        ("09:00", 2),
        ("10:00", 1),
        ("13:00", 1),
    ]
    rows = await stored(desk)
    assert [own for _, own in rows] == [event.moment.earliest_ms for event in box.told]
    assert rows[0][0] == rows[0][1], "nobody knows when that start was"
    for (lo, _), hour in zip(rows[1:4], (9.2, 9.7, 10.1), strict=True):
        true_ms = DAY_MS + int(hour * HOUR_MS)
        assert true_ms - 12 * HOUR_MS * DRIFT - 2 <= lo <= true_ms, "a lower bound"


async def test_a_clock_that_is_behind_what_it_told_lowers_nothing(desk: Desk) -> None:
    box = Box()
    box.tell(VISIT, 9.0, knows=True)
    box.tell(VISIT, 9.5, knows=False)
    box.told[-1] = ahead(box.told[-1])
    box.tell(FIXED, 10.0, knows=True)
    await sent(desk, box.journal())
    rows = await stored(desk)
    assert [lo for lo, _ in rows] == [own for _, own in rows]


def ahead(event: Event) -> Event:
    """Let an event have been told with a bound beyond what the clock says later."""
    told = event.moment
    moment = Moment(
        monotonic_s=told.monotonic_s,
        earliest_ms=DAY_MS + 20 * HOUR_MS,
        latest_ms=UNBOUNDED_MS,
        boot=told.boot,
    )
    return Event(
        seq=event.seq,
        kind=event.kind,
        moment=moment,
        subject=event.subject,
        facts=event.facts,
        person=event.person,
    )
