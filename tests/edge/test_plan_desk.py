# SPDX-License-Identifier: Apache-2.0
"""The plan read at a real gateway: masked, and for managers what nobody took up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from edge.cli.panel.shift_stories import Story
from edge.cli.panel.week_plan import GRACE_MS, Standing, placed
from edge.cli.system_clock import wall_ms
from edge.core.duty.shift import ShiftState
from edge.core.people.shift_row import PlannedShift, ShiftRow
from tests.edge.panel_site import TabletOf, panel_site
from tests.edge.test_panel_desk import add
from tests.edge.test_shift_desk import manager_at

if TYPE_CHECKING:
    from pathlib import Path

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
#: Nine in the morning of a day, as local times are told.
NINE_MS = 1_795_310_400_000


def planned(
    name: str, who: str, from_ms: int, hours: float = 3, task: str = "前台"
) -> PlannedShift:
    return PlannedShift(
        row_id=name,
        holder_id=who,
        space_id="hall",
        from_ms=from_ms,
        minutes=int(hours * 60),
        task=task,
    )


def story(who: str, at_h: float, hours: float = 0, plan: str = "") -> Story:
    """Return a shift that began at so many hours after nine; of 0 it runs."""
    return Story(
        seq=1,
        holder=who,
        from_ms=NINE_MS + int(at_h * HOUR_MS),
        plan=plan,
        minutes=int(hours * 60),
        state=ShiftState.PROVISIONAL if hours else ShiftState.RUNNING,
    )


NINE = planned("p1", "h-chen", NINE_MS)
BESIDE = planned("p2", "h-lin", NINE_MS)


@pytest.mark.parametrize(
    ("stories", "now_h", "standing"),
    [
        ([], -1, Standing.COMING),
        ([], 0.24, Standing.COMING),
        ([], 0.25, Standing.WAITS),
        ([], 2.9, Standing.WAITS),
        ([], 3, Standing.NOBODY),
        ([story("h-chen", -0.5)], 0.5, Standing.TAKEN),
        ([story("h-chen", 2.9)], 2.95, Standing.TAKEN),  # late is not judged
        ([story("h-chen", -2, 1.5)], 4, Standing.NOBODY),
        ([story("h-chen", -0.5, 0.4, "p1")], 4, Standing.TAKEN),  # by its event
        ([story("h-chen", 3, 2)], 6, Standing.NOBODY),
        ([story("h-wu", 0, 3)], 4, Standing.COVERED),
        ([story("h-wu", 0)], 0.1, Standing.COMING),
        ([story("h-lin", 0, 3, "p2")], 4, Standing.NOBODY),  # had a shift of her own
        ([story("h-wu", 0, 3, "p1")], 4, Standing.COVERED),
    ],
)
def test_what_became_of_a_planned_shift(
    stories: list[Story], now_h: float, standing: Standing
) -> None:
    now_ms = NINE_MS + int(now_h * HOUR_MS)
    [first, _] = placed([NINE, BESIDE], stories, now_ms)
    assert first.standing is standing
    assert first.is_open is (standing in (Standing.WAITS, Standing.NOBODY))


def told(answer: dict[str, Any], of: str = "shifts") -> list[tuple[str, str]]:
    return [(each["name"] or each["mark"], each["task"]) for each in answer[of]]


async def test_who_is_on_duty_sees_the_week_and_who_came_is_tied_to_it(
    tmp_path: Path,
) -> None:
    async with panel_site(tmp_path) as site:
        now_ms = wall_ms()
        site.runtime.clock.bound(now_ms - 50, now_ms + 50)
        later = [
            planned("p9", "h-chen", now_ms + n * 24 * HOUR_MS, task=f"{n}")
            for n in (1, 7, 9)
        ]
        site.adopt(
            planned("p1", "h-chen", now_ms - HOUR_MS),
            planned("p2", "h-lin", now_ms - 2 * GRACE_MS, task="巡楼"),
            planned("p0", "h-wang", now_ms - 49 * HOUR_MS, task="厨房"),
            *later,
        )
        nobody = await TabletOf(site).pair()
        assert "error" in await nobody.ask("plan")
        await add(site, "陈姨", "VOLUNTEER", pin="528491", holder="h-chen")
        chen = await (await TabletOf(site).pair()).tap_in("h-chen")
        mine = await chen.ask("plan")
        assert told(mine) == [
            ("陈*", "前台"),
            ("-lin", "巡楼"),
            ("陈*", "1"),
            ("陈*", "7"),
        ]
        assert [each["is_own"] for each in mine["shifts"]] == [True, False, True, True]
        assert mine["shifts"][0]["space"] == "hall"
        assert "open" not in mine, "a volunteer hears of nobody's absence"
        assert (await site.until_told("DUTY_STARTED"))["plan"] == "p1"
        boss, _ = await manager_at(site)
        everything = await boss.ask("plan")
        assert told(everything, "open") == [("林叔", "巡楼"), ("wang", "厨房")]
        standings = [each["standing"] for each in everything["open"]]
        assert standings == ["WAITS", "NOBODY"]
        assert told(everything)[1] == ("林*", "巡楼"), "masked for the wall"
        assert "open" not in await boss.ask("plan", is_line=True)
        [done] = (await boss.ask("roster"))["shifts"]
        assert done["task"] == "前台"
        site.adopt()
        [done] = (await boss.ask("roster"))["shifts"]
        assert (done["task"], (await boss.ask("plan"))["shifts"]) == ("", [])


async def test_star_levels_are_told_where_the_site_file_asks_for_them(
    tmp_path: Path,
) -> None:
    async with panel_site(tmp_path) as site:

        def row(at_ms: int, total: int) -> ShiftRow:
            return ShiftRow(
                row_id=f"e:{at_ms}",
                holder_id="h-chen",
                boot="b",
                began_m=at_ms,
                minutes=60,
                by="李社工",
                at_ms=at_ms,
                number=1,
                total=total,
            )

        site.adopt(row(1, 0), row(2, 6_120), row(1, 9_000))
        chen = await (await TabletOf(site).pair()).tap_in("h-chen")
        assert "ever" not in await chen.ask("hours"), "off unless asked for"
        site.runtime.desk.shows_stars = True
        assert (await chen.ask("hours"))["ever"] == 6_120, "the newest word's"
        lin = await (await TabletOf(site).pair()).tap_in("h-lin")
        assert (await lin.ask("hours"))["ever"] == 0
