# SPDX-License-Identifier: Apache-2.0
"""Cells and medicine boxes as values: states, worries, and whatever comes in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from edge.core.lockers.compartment import CompartmentPhase
from edge.panel.cell_view import Cell, cell
from edge.panel.cupboard_report import (
    BoxReport,
    CellReport,
    ItemReport,
    RentalReport,
    read_lockers,
    read_medicine,
    read_receivers,
)
from edge.panel.medicine_view import (
    NO_END_MS,
    THINGS,
    Box,
    box,
    end_of_month_ms,
    year_of,
)
from edge.panel.view import Shape, Tone
from edge.panel.words import Words
from tests.panel.readings import MINUTE_MS, NOW_MS, READINGS

WORDS = Words()
DAY_MS = 1440 * MINUTE_MS


def shown(phase: str, **more: Any) -> Cell:
    told = CellReport(
        bank="b", number=3, size="S", is_medicine=False, phase=phase, **more
    )
    return cell(told, WORDS, bank="柜", offset_hours=8)


def rental(kind: str = "BOOKED", **more: Any) -> RentalReport:
    known: dict[str, Any] = {"is_overdue": False, "is_deposited": False, "tail": "0031"}
    times = {"end_ms": NOW_MS, "over_ms": NOW_MS + 5 * MINUTE_MS}
    return RentalReport(kind=kind, **(known | times | more))


def test_every_phase_has_a_word_and_looks_like_no_other() -> None:
    looks = {(one.state.zh, one.shape) for one in map(shown, sorted(CompartmentPhase))}
    assert len(looks) == len(CompartmentPhase)
    assert WORDS.say("lockers.unknown").zh not in {word for word, _ in looks}


def test_what_nobody_knows_is_not_said_to_be_free() -> None:
    for phase in ("", "MELTED"):
        assert shown(phase).state == WORDS.say("lockers.unknown")


def test_an_opening_on_its_way_goes_before_all_else() -> None:
    opening = WORDS.say("lockers.opening")
    assert shown("FAULT", is_ordered=True, is_out_of_order=True).state == opening


def test_broken_and_put_aside_are_two_things() -> None:
    broken, aside = shown("FAULT"), shown("FAULT", is_out_of_order=True)
    assert (broken.shape, aside.shape) == (Shape.CROSS, Shape.HAND)
    assert "没弹开过" in broken.lines[-1].zh
    assert all("没弹开过" not in line.zh for line in aside.lines)


def test_an_overdue_cell_says_since_when_with_its_grace() -> None:
    lines = shown("OVERDUE", rental=rental(is_overdue=True)).lines
    assert [line.zh for line in lines][1:] == [
        "有人用着，预约尾号 0031",
        "11-22 14:37 起超时了",
    ]


def test_a_parcel_says_whether_it_is_inside() -> None:
    waits = shown("OPEN", rental=rental("PARCEL", tail="")).lines[1].zh
    lies = shown("OCCUPIED", rental=rental("PARCEL", is_deposited=True))
    assert waits == "等您放进去，关好门"
    assert lies.state.zh == "有包裹"
    assert lies.lines[1].zh.startswith("等收件人来拿")


ODD: list[Any] = [None, 7, -1, "x", [], [7], {}, {"banks": 7}, {"a": {"cells": 7}}]
ODD += [{"a": {"cells": [7, {"number": True}, {"number": 1, "rental": [1]}]}}]


@pytest.mark.parametrize("value", ODD)
def test_nothing_that_comes_in_can_fail(value: Any) -> None:
    for name in ("banks", "boxes", "found", "items"):
        answer = {"ok": True, name: value}
        for cells in read_lockers(answer).values():
            for one in cells:
                cell(one, WORDS, bank="", offset_hours=8)
        assert read_medicine(answer) is not None
        read_receivers(answer)


def test_who_may_not_see_the_boxes_sees_none() -> None:
    assert read_medicine({"ok": False, "boxes": {"a": {}}}) is None


def stocked(*items: ItemReport, now_ms: int | None = NOW_MS) -> Box:
    told = BoxReport(bank="b", cells=(), items=items)
    return box(told, WORDS, names={}, now_ms=now_ms, offset_hours=8)


def one(item: str, count: int = 9, expires_ms: int = NO_END_MS) -> ItemReport:
    return ItemReport(item=item, count=count, expires_ms=expires_ms)


def test_what_has_to_be_seen_to_stands_first() -> None:
    [medicine] = read_medicine({"ok": True, **READINGS["medicine"]}).boxes  # type: ignore[union-attr]
    found = stocked(*medicine.items)
    assert [each.tone for each in found.items] == [
        *(Tone.BAD, Tone.WARN, Tone.WARN, Tone.OK, Tone.OK)
    ]
    assert found.items[0].name.zh == "碘伏棉签"
    words = [line.words.zh for each in found.items for line in each.lines]
    assert "过期了，请换掉" in words
    assert "快过期，还有 9 天" in words
    assert words.count("该补了") == 1, "two left of the gauze; one meter is enough"
    assert found.unlisted == ("pressure", "other")


@pytest.mark.parametrize(
    ("left_ms", "word"),
    [(30 * DAY_MS, "快过期"), (30 * DAY_MS + 1, ""), (1, "快过期"), (0, "过期了")],
)
def test_an_item_is_told_thirty_days_before_its_end(left_ms: int, word: str) -> None:
    [item] = stocked(one("纱布", expires_ms=NOW_MS + left_ms)).items
    told = [line.words.zh for line in item.lines if line.tone]
    assert [each[: len(word)] for each in told] == ([word] if word else [])


def test_without_a_clock_and_without_anything_left_nothing_expires() -> None:
    [item] = stocked(one("纱布", expires_ms=1), now_ms=None).items
    assert item.tone is Tone.OK
    [item] = stocked(one("纱布", count=0, expires_ms=1)).items
    assert [line.words.zh for line in item.lines if line.tone] == ["该补了"]


def test_an_item_of_another_name_is_shown_by_it() -> None:
    [item] = stocked(one("<b>止血带</b>", expires_ms=0)).items
    assert (item.name.zh, item.picture) == ("<b>止血带</b>", "other")
    assert stocked(one("止血带")).unlisted == tuple(THINGS)


def test_a_month_ends_at_the_site_s_midnight() -> None:
    for year, month, after in ((2026, 12, (2027, 1)), (2028, 2, (2028, 3))):
        end_ms = end_of_month_ms(year, month, 8)
        utc = datetime.fromtimestamp(end_ms / 1000 + 8 * 3600, tz=UTC)
        assert (utc.year, utc.month, utc.day, utc.hour) == (*after, 1, 0)
    assert year_of(
        int(datetime(2026, 12, 31, 17, tzinfo=UTC).timestamp()) * 1000, 8
    ) == (2027)
    [item] = stocked(one("纱布", expires_ms=end_of_month_ms(2028, 2, 8))).items
    assert item.lines[-1].words.zh == "用到 2028-2-29"
