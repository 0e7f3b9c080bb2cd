# SPDX-License-Identifier: Apache-2.0
"""Staff plan shifts: versions that stay, whole files or none, and rows in the feed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.platform import feeds
from cloud_sync.platform.commanding.erasing import erase
from cloud_sync.platform.confirmations import confirm
from cloud_sync.platform.planning import Done, PlanError, Wish, call_off, plan
from cloud_sync.platform.plans import newest
from cloud_sync.platform.reports.plan import planned
from cloud_sync.platform.reports.shifts import shifts
from cloud_sync.platform.reports.stored import Span
from cloud_sync.platform.reports.table import local_time
from cloud_sync.platform.shift import ERASED
from edge.cli.system_clock import wall_ms
from edge.core.event import EventKind
from edge.core.people.roster_row import parse_row
from edge.core.people.shift_row import PlannedShift, ShiftRow
from tests.cloud_sync.platform.desk import NOW_MS, Desk
from tests.cloud_sync.platform.test_reports import DAY_MS, SPAN, sent, told
from tests.cloud_sync.platform.test_verbs import refused, typed
from tests.cloud_sync.scripted_platform import GATEWAY, SHARD

if TYPE_CHECKING:
    from pathlib import Path

HOUR_MS = 3_600_000
#: Nine in the morning of the day after.
NINE_MS = NOW_MS - NOW_MS % 86_400_000 + 25 * HOUR_MS
VOLUNTEERS = {
    ("holder", who): json.dumps({"roles": ["VOLUNTEER"]}) for who in ("v-1", "v-2")
}


@pytest.fixture
async def site(desk: Desk) -> Desk:
    """A platform with a feed of two volunteers and a resident."""
    rows = VOLUNTEERS | {("holder", "r-1"): json.dumps({"roles": ["RESIDENT"]})}
    async with desk.database.writing() as work:
        await feeds.change(work, GATEWAY, feeds.Change(put=rows), NOW_MS)
    return desk


def wish(holder: str = "v-1", at_h: int = 0, **fields: Any) -> Wish:
    begin = NINE_MS + at_h * HOUR_MS
    return Wish(
        **{"holder": holder, "space": "hall", "task": "前台"}
        | {"from_ms": begin, "to_ms": begin + 4 * HOUR_MS}
        | fields
    )


async def put(desk: Desk, *wishes: Wish, reason: str = "") -> Done:
    async with desk.database.writing() as work:
        return await plan(work, GATEWAY, wishes, "李社工", reason, NOW_MS)


async def rows_of(desk: Desk) -> dict[str, dict[str, Any]]:
    """Return the feed's shifts, each as its gateway will read it."""
    async with desk.database.reading() as work:
        found = {r[1]: json.loads(r[3]) for r in await feeds.rows(work, GATEWAY)}
    return {name: body for name, body in found.items() if "boot" in body}


async def test_a_plan_goes_into_the_feed_and_the_same_again_is_no_change(
    site: Desk,
) -> None:
    done = await put(site, wish(), wish("v-2", 4))
    assert ([each.name for each in done.written], done.is_told) == (["p1", "p2"], True)
    rows = await rows_of(site)
    row = parse_row("shift", "p1", rows["p1"])
    assert row == PlannedShift(
        row_id="p1",
        holder_id="v-1",
        space_id="hall",
        from_ms=NINE_MS,
        minutes=240,
        task="前台",
    )
    async with site.database.reading() as work:
        before = await feeds.cursor(work, GATEWAY)
    again = await put(site, wish(), wish("v-2", 4))
    assert (again.written, again.unchanged) == ((), 2)
    async with site.database.reading() as work:
        assert await feeds.cursor(work, GATEWAY) == before


async def test_a_change_needs_a_reason_and_leaves_the_version_before(
    site: Desk,
) -> None:
    await put(site, wish())
    other = wish("v-2", name="p1")
    with pytest.raises(PlanError, match="a change needs a --reason"):
        await put(site, other)
    await put(site, other, reason="换班")
    rows = await rows_of(site)
    assert (rows["p1"]["holder"], rows["p1"]["number"]) == ("v-2", 2)
    assert rows["p1"]["reason"] == "换班"
    async with site.database.reading() as work:
        versions = await work.fetch("SELECT holder FROM duty_plan ORDER BY number")
    assert [who for (who,) in versions] == ["v-1", "v-2"]


async def test_what_is_called_off_leaves_the_feed_and_stays_in_the_books(
    site: Desk,
) -> None:
    await put(site, wish(), wish("v-2"))
    async with site.database.writing() as work:
        with pytest.raises(PlanError, match="needs a --reason"):
            await call_off(work, GATEWAY, "p1", "李社工", "", NOW_MS)
        await call_off(work, GATEWAY, "p1", "李社工", "台风", NOW_MS)
        with pytest.raises(PlanError, match="no planned shift p1"):
            await call_off(work, GATEWAY, "p1", "李社工", "台风", NOW_MS)
        assert (await newest(work, GATEWAY))[GATEWAY, "p1"].is_off
    assert [*await rows_of(site)] == ["p2"]
    [again] = (await put(site, wish())).written
    assert again.name == "p3", "a shift that was called off is not called on again"


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (wish("v-9"), "v-9 is unknown"),
        (wish("r-1"), "r-1 is no volunteer"),
        (wish(at_h=2), "twice at once: p1 and p3"),
        (wish("v-2", to_ms=NINE_MS), "1 to 720 minutes, this one 0"),
        (wish("v-2", to_ms=NINE_MS + 13 * HOUR_MS), "this one 780"),
        (wish("v-2", -48), "it is over already"),
        (wish("v-2", 24 * 70), "more than 62 days ahead"),
        (wish("v-2", task="x" * 25), "task: 1 to 24"),
        (wish("v-2", space=""), "space: 1 to 64"),
    ],
)
async def test_a_flaw_is_told_and_nothing_of_the_file_is_planned(
    site: Desk, bad: Wish, why: str
) -> None:
    await put(site, wish())
    with pytest.raises(PlanError, match=why):
        await put(site, wish("v-2", 8), bad)
    assert [*await rows_of(site)] == ["p1"]


async def test_confirmed_and_planned_shifts_leave_each_other_in_the_feed(
    site: Desk,
) -> None:
    start, end = EventKind.DUTY_STARTED, EventKind.DUTY_ENDED
    did = (("cause", 1), ("minutes", 110)), (("cause", 3), ("minutes", 70))
    await sent(
        site,
        told(
            (start, "desk", 1.0, (("plan", "p1"),), "v-1"),
            (end, "desk", 3.0, did[0], "v-1"),
            (start, "desk", 4.0, (), "v-1"),
            (end, "desk", 5.0, did[1], "v-1"),
        ),
    )
    await put(site, wish())
    # … and one that came with a file of rows, which the platform's books do not know.
    foreign = (await rows_of(site))["p1"] | {"holder": "v-2"}
    async with site.database.writing() as work:
        row = {("shift", "x-1"): json.dumps(foreign)}
        await feeds.change(work, GATEWAY, feeds.Change(put=row), NOW_MS)
        for number, each in enumerate(await shifts(work, SPAN)):
            agreed = [(each, each.minutes)]
            at_ms = NOW_MS + number
            await confirm(work, GATEWAY, agreed, "李社工", "", at_ms)
    await put(site, wish("v-2", 4))
    rows = await rows_of(site)
    assert {"p1", "p2", "x-1"} < rows.keys()
    confirmed = [
        parse_row("shift", name, body)
        for name, body in sorted(rows.items())
        if "from" not in body
    ]
    assert all(isinstance(each, ShiftRow) for each in confirmed)
    totals = [each.total for each in confirmed if isinstance(each, ShiftRow)]
    assert totals == [0, 180], "all that was ever confirmed, once"


async def test_the_list_shows_by_which_shift_a_plan_was_taken_up(site: Desk) -> None:
    await put(site, wish())
    at_h = (NINE_MS - DAY_MS) / HOUR_MS
    start = EventKind.DUTY_STARTED
    await sent(site, told((start, "desk", at_h, (("plan", "p1"),), "v-1")))
    span = Span(from_ms=NOW_MS, to_ms=NOW_MS + 99 * HOUR_MS, utc_offset_ms=0)
    async with site.database.reading() as work:
        table = await planned(work, span)
        [shift] = await shifts(work, span)
    [row] = [dict(zip(table.columns, each, strict=True)) for each in table.rows]
    assert (row["plan"], row["state"], row["shifts"]) == ("p1", "PLANNED", shift.name)


async def test_who_is_erased_is_in_no_plan(site: Desk) -> None:
    await put(site, wish(), wish("v-2", 4))
    await put(site, wish(name="p1", at_h=1), reason="v-1 要看医生")
    async with site.database.writing() as work:
        await erase(work, GATEWAY, "v-1", NOW_MS)
    assert [*await rows_of(site)] == ["p2"]
    async with site.database.reading() as work:
        found = await work.fetch("SELECT holder, task, reason FROM duty_plan")
    assert (ERASED, "", "") in found
    assert "v-1" not in str(found)
    await put(site, wish("v-2", 24))
    assert [*await rows_of(site)] == ["p2", "p3"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator's folder with a gateway that has a feed of its people."""
    monkeypatch.chdir(tmp_path)
    assert typed("init").exit_code == 0
    assert typed("gateway", "add", GATEWAY, "--shard", SHARD).exit_code == 0
    body = {"roles": ["VOLUNTEER"], "language": "zh-CN", "enabled": 1, "extended": 0}
    lines = [
        json.dumps({"kind": "holder", "id": who, "body": body | {"credentials": []}})
        for who in ("v-1", "v-2")
    ]
    (tmp_path / "people.jsonl").write_text("\n".join(lines), "utf-8")
    imported = ("rows", "import", "people.jsonl", "--gateway", GATEWAY)
    assert typed(*imported).exit_code == 0
    return tmp_path


def test_a_week_is_planned_by_a_file_and_changed_by_hand(folder: Path) -> None:
    day = local_time(wall_ms() + 2 * 24 * HOUR_MS, 8 * HOUR_MS)[:10]
    lines = (
        "holder,space,from,to,task",
        f"v-1,hall,{day} 09:00,12:00,前台",
        f"v-2,hall,{day} 22:00,2:00,",
    )
    (folder / "week.csv").write_text("\n".join(lines), "utf-8")
    words = ("plan", "import", GATEWAY, "week.csv", "--by", "李社工")
    out = typed(*words).output
    assert f"{GATEWAY} p1: v-1 {day} 09:00 to {day} 12:00, in hall" in out
    assert "2 as before" in typed(*words).output
    changed = ("plan", "change", GATEWAY, "p2", "--by", "李社工", "--reason", "太晚")
    assert f"{day} 20:00 to" in typed(*changed, "--from", f"{day} 20:00").output
    more = ("--holder", "v-2", "--space", "hall", "--by", "李社工")
    clash = ("--from", f"{day} 21:00", "--to", "22:00")
    assert "twice at once" in refused("plan", "add", GATEWAY, *more, *clash)
    assert "cannot read 'noon'" in refused(
        "plan", "add", GATEWAY, *more, "--from", "noon", "--to", "12:00"
    )
    called = ("plan", "off", GATEWAY, "p1", "--by", "李社工", "--reason", "台风")
    assert "called off" in typed(*called).output
    listed = json.loads(typed("plan", "list", "--json").output)
    told_ = [(row["plan"], row["state"], row["version"]) for row in listed]
    assert told_ == [("p1", "OFF", 2), ("p2", "PLANNED", 2)]
    (folder / "week.csv").write_text("who,when\nv-1,9", "utf-8")
    assert "the first line names the columns" in refused(*words)
    (folder / "week.csv").write_text("holder,space,from,to\nv-1,hall,x,y", "utf-8")
    assert "week.csv:2: from: cannot read 'x'" in refused(*words)
    assert "no gateway gw-no" in refused("plan", "add", "gw-no", *more, *clash)
