# SPDX-License-Identifier: Apache-2.0
"""What staff ask, from events as gateways tell them, on both databases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cloud_sync.platform.reports.care import care
from cloud_sync.platform.reports.drills import drills
from cloud_sync.platform.reports.hours import hours
from cloud_sync.platform.reports.medicine import medicine
from cloud_sync.platform.reports.reconciliation import reconciliation
from cloud_sync.platform.reports.stored import Span
from cloud_sync.platform.reports.table import Table, csv_bytes, harmless
from cloud_sync.platform.reports.trouble import trouble
from cloud_sync.platform.reports.visits import visits
from edge.core.event import Event, EventKind, Person, encode_core, encode_person
from edge.core.moment import Moment
from tests.cloud_sync.driving import Gateway
from tests.cloud_sync.platform.desk import Desk, batch, chained, journal
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cloud_sync.platform.database import Work
    from edge.core.event import Facts
    from edge.core.record import Record

HOUR_MS = 3_600_000
#: Local midnight, by the offset below, of 2026-03-02.
DAY_MS = 1_772_380_800_000
OFFSET_MS = 8 * HOUR_MS
SPAN = Span(
    from_ms=DAY_MS, to_ms=DAY_MS + 24 * HOUR_MS, utc_offset_ms=OFFSET_MS, gateway=""
)
#: (kind, subject, hours after midnight, facts, holder)
Told = tuple[EventKind, str, float, "Facts", str]


def told(*events: Told, epoch: str = EPOCH) -> list[Record]:
    """Return a journal of these events, as the gateway's own codec writes them."""
    cores, people = [], []
    for seq, (kind, at, after_h, facts, holder) in enumerate(events, 1):
        at_ms = DAY_MS + int(after_h * HOUR_MS)
        moment = Moment(
            monotonic_s=float(seq), earliest_ms=at_ms, latest_ms=at_ms + 5, boot="b"
        )
        event = Event(
            seq=seq,
            kind=kind,
            moment=moment,
            subject=at,
            facts=facts,
            person=Person(holder=holder or None, booking="b-1" if holder else None),
        )
        cores.append(parsed(encode_core(event)))
        people.append(parsed(encode_person(event.person)))
    return chained(cores, people, epoch)


def parsed(text: str) -> dict[str, object]:
    value: dict[str, object] = json.loads(text)
    return value


async def answer(
    desk: Desk, question: Callable[[Work, Span], Awaitable[Table]], span: Span = SPAN
) -> list[dict[str, int | str]]:
    async with desk.database.reading() as work:
        table = await question(work, span)
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


async def sent(desk: Desk, records: list[Record], epoch: str = EPOCH) -> None:
    gateway = Gateway(records)
    gateway.epoch = epoch
    gateway.connect()
    await desk.converse(gateway)
    assert gateway.acked == len(records)


async def test_visits_are_counted_by_space_and_hour_and_name_nobody(desk: Desk) -> None:
    begun, closed = EventKind.VISIT_STARTED, EventKind.VISIT_CLOSED
    await sent(
        desk,
        told(
            (begun, "kitchen", -0.5, (("persons", 1),), "h-0"),
            (begun, "kitchen", 9.1, (("persons", 1),), "h-1"),
            (begun, "kitchen", 9.9, (("persons", 2),), "h-2"),
            (begun, "hall", 9.5, (("persons", 1),), "h-3"),
            (
                closed,
                "kitchen",
                10.4,
                (("fare_fen", 300), ("minutes", 30), ("persons", 4), ("visit", 3)),
                "h-2",
            ),
            (
                closed,
                "kitchen",
                30.0,
                (("fare_fen", 0), ("minutes", 60), ("persons", 1), ("visit", 2)),
                "h-1",
            ),
            (begun, "kitchen", 24.0, (("persons", 1),), "h-4"),
        ),
    )
    found = await answer(desk, visits)
    assert found == [
        {
            "hour": "2026-03-02 09:00",
            "gateway": GATEWAY,
            "space": space,
            "visits": count,
            "persons": persons,
            "running": running,
            "minutes": minutes,
            "fare_fen": fen,
        }
        for space, count, persons, running, minutes, fen in (
            ("hall", 1, 1, 1, 0, 0),
            ("kitchen", 2, 5, 0, 90, 300),
        )
    ]
    assert "h-" not in str([list(row.values()) for row in found])


async def test_hours_count_by_month_and_what_was_settled_last_counts(
    desk: Desk,
) -> None:
    start, end = EventKind.DUTY_STARTED, EventKind.DUTY_ENDED
    confirmed, corrected = EventKind.DUTY_CONFIRMED, EventKind.DUTY_CORRECTED
    await sent(
        desk,
        told(
            (start, "desk", 1, (), "v-1"),
            (start, "desk", 2, (), "v-2"),
            (end, "desk", 3, (("cause", 1), ("minutes", 50)), "v-1"),
            (start, "desk", 4, (), "v-1"),
            (
                end,
                "desk",
                5,
                (("cause", 2), ("minutes", 720), ("to_confirm", 1)),
                "v-2",
            ),
            (end, "desk", 6, (("cause", 4), ("minutes", 75)), "v-1"),
            # The seventh of a made journal is erased: a shift of nobody's.
            (start, "desk", 7, (), "v-3"),
            (corrected, "panel", 80, (("cause", 2), ("minutes", 130)), "v-2"),
            (confirmed, "panel", 90, (("cause", 1), ("minutes", 45)), "v-1"),
            (start, "desk", 91, (), "v-1"),
        ),
    )
    found = await answer(desk, hours)
    rows = [tuple(row.values()) for row in found]
    assert rows == [
        ("2026-03", "(erased)", 1, 0, 0, 0, 0, 0, 0, 1),
        ("2026-03", "v-1", 2, 120, 2, 45, 0, 75, 0, 0),
        ("2026-03", "v-2", 1, 130, 2, 0, 0, 130, 0, 0),
    ]


async def test_a_shift_that_ends_in_the_next_epoch_is_one_shift(desk: Desk) -> None:
    await sent(
        desk,
        told(
            (EventKind.STARTED, "gateway", 1, (), ""),
            (EventKind.DUTY_STARTED, "desk", 2, (), "v-1"),
            (EventKind.STOPPED, "gateway", 3, (), ""),
        ),
    )
    # In a new epoch, numbered from 1, the cause before it counts 0 and below.
    ended = (("cause", -1), ("minutes", 60))
    await sent(
        desk,
        told((EventKind.DUTY_ENDED, "desk", 4, ended, "v-1"), epoch="0002-00c0ffee"),
        "0002-00c0ffee",
    )
    [row] = await answer(desk, hours)
    assert (row["minutes"], row["running"]) == (60, 0)


async def test_drills_tell_their_stages_in_seconds(desk: Desk) -> None:
    mark = EventKind.DRILL_MARKED
    await sent(
        desk,
        told(
            (EventKind.DRILL_STARTED, "site", 15, (("drill", "fire"),), ""),
            (mark, "site", 15.1, (("after_s", 50), ("cause", 1), ("stage", "a")), ""),
            (
                mark,
                "site",
                15.2,
                (("after_s", 200), ("cause", 1), ("is_late", 1), ("stage", "b")),
                "",
            ),
            (
                EventKind.DRILL_ENDED,
                "site",
                15.3,
                (
                    ("action", "=cmd"),
                    ("cause", 1),
                    ("duration_s", 260),
                    ("missing", "c"),
                    ("outcome", "done"),
                    ("owner", "张"),
                    ("previous_s", 300),
                ),
                "",
            ),
            (EventKind.DRILL_STARTED, "site", 20, (("drill", "flood"),), ""),
        ),
    )
    fire, flood = await answer(desk, drills)
    assert fire == {
        "began": "2026-03-02 15:00:00",
        "gateway": GATEWAY,
        "drill": "fire",
        "stages": "a=50 b=200!",
        "outcome": "done",
        "duration_s": 260,
        "missing": "c",
        "previous_s": "300",
        "best_s": "",
        "action": "=cmd",
        "owner": "张",
    }
    assert (flood["drill"], flood["outcome"], flood["stages"]) == (
        "flood",
        "running",
        "",
    )


async def test_care_signals_wait_until_somebody_looked(desk: Desk) -> None:
    signal, looked = EventKind.CARE_SIGNAL, EventKind.CARE_ANSWERED
    await sent(
        desk,
        told(
            (signal, "site", 1, (("days", 3),), "h-1"),
            (signal, "site", 2, (("days", 5),), "h-2"),
            (looked, "site", 50, (("actor", "social"),), "h-2"),
        ),
    )
    first, second = await answer(desk, care)
    assert (first["holder"], first["days"], first["answered"]) == ("h-1", 3, "")
    assert (second["answered"], second["by"]) == ("2026-03-04 02:00:00", "social")


async def test_the_medicine_box_tells_no_patient(desk: Desk) -> None:
    opening = (("number", 3), ("whom", "drill"))
    stocked = (("actor", "a"), ("count", 9), ("expires", DAY_MS), ("item", "plaster"))
    await sent(
        desk,
        told(
            (EventKind.MEDICINE_BOX_OPENED, "bank", 1, opening, "h-1"),
            (EventKind.MEDICINE_STOCKED, "bank", 2, stocked, ""),
        ),
    )
    opened, counted = await answer(desk, medicine)
    assert (opened["what"], opened["for_whom"]) == ("opened", "drill")
    assert "h-1" not in opened.values()
    told_of = ("count", "good_until", "by")
    assert [counted[name] for name in told_of] == ["9", "2026-03-02", "a"]


async def test_a_day_is_reconciled_from_what_is_stored(desk: Desk) -> None:
    opened = EventKind.DOOR_OPENED
    records = told(*((opened, "door", hour, (), "h-1") for hour in range(-3, 30)))
    await sent(desk, records)
    [row] = await answer(desk, reconciliation)
    # Three of the day before, 24 of the day, the rest of the day after.
    assert row == {
        "gateway": GATEWAY,
        "epoch": EPOCH,
        "count": 24,
        "first": 4,
        "last": 27,
        "missing": 0,
        "hash": records[26].hash.hex(),
        "chain": "whole",
        "waiting": 0,
        "told": "not told yet",
        "good": "yes",
    }
    elsewhere = Span(
        from_ms=DAY_MS, to_ms=DAY_MS + 1, utc_offset_ms=OFFSET_MS, gateway="gw-other"
    )
    assert await answer(desk, reconciliation, elsewhere) == []


@pytest.mark.parametrize(
    ("spoilt", "missing", "chain"),
    [
        ("DELETE FROM event WHERE seq = 10", 1, "BROKEN at 11"),
        ("UPDATE event SET core = '{}' WHERE seq = 12", 0, "BROKEN at 12"),
        ("UPDATE event SET pii = '{}' WHERE seq = 13", 0, "BROKEN at 13"),
        ("DELETE FROM event WHERE seq = 3", 0, "BROKEN at 4"),
    ],
)
async def test_what_somebody_did_to_the_database_is_seen(
    desk: Desk, spoilt: str, missing: int, chain: str
) -> None:
    opened = EventKind.DOOR_OPENED
    await sent(desk, told(*((opened, "d", hour, (), "h") for hour in range(-3, 20))))
    async with desk.database.writing() as work:
        await work.execute(spoilt)
    [row] = await answer(desk, reconciliation)
    assert (row["missing"], row["chain"], row["good"]) == (missing, chain, "NO")


async def test_trouble_names_alarms_quarantine_and_refusals(desk: Desk) -> None:
    good = journal(20)
    forked = journal(20, salt=b"another-16-bytes")
    await desk.events(batch(good, 1, 20))
    await desk.events(batch(forked, 1, 5))
    poison = batch(journal(21), 21, 1).replace(b'"ACCESS_GRANTED"', b'"odd"')
    await desk.events(poison)
    await desk.take([("mn/v1/up/09/gw-nobody/evt", b"{}")])
    async with desk.database.reading() as work:
        table = await trouble(work, OFFSET_MS)
    kinds = sorted((row[1], row[2], row[3]) for row in table.rows)
    assert kinds == [
        ("alarm", GATEWAY, "FORK"),
        ("alarm", GATEWAY, "UNPROVEN"),
        ("quarantine", GATEWAY, "POISON"),
        ("refused", "?", "UNKNOWN_GATEWAY"),
        ("refused", GATEWAY, "FORK"),
    ]


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r", " =", "＝"])
def test_a_formula_in_a_cell_is_text_in_a_spreadsheet(begins: str) -> None:
    assert harmless(f"{begins}1+1") == f"'{begins}1+1"
    assert harmless(-5) == -5
    assert harmless("a-b") == "a-b"


def test_a_csv_has_its_mark_and_its_quotes() -> None:
    table = Table(columns=("a", "门"), rows=[(1, 'x,"y'), (2, "=cmd|' /C calc'!A0")])
    text = csv_bytes(table)
    assert text.startswith(b"\xef\xbb\xbf")
    lines = text.decode("utf-8-sig").split("\r\n")
    assert lines == ["a,门", '1,"x,""y"', "2,'=cmd|' /C calc'!A0", ""]
