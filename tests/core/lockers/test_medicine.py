# SPDX-License-Identifier: Apache-2.0
"""The medicine box's list: counted by two, used, and told before it expires."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.event import EventKind
from edge.core.lockers.medicine import MAX_COUNT, MAX_ITEMS, SOON_MS, WHOM
from edge.core.lockers.medicine_orders import (
    MedicineOrdered,
    MedicineStocked,
    MedicineUsed,
)
from edge.core.moment import UNBOUNDED_MS
from tests.core.lockers.wall import Wall
from tests.core.scene import DAY_MS, clock_ms

EXPIRING = "MEDICINE_EXPIRING"
#: A hundred days from the scene's day.
END_MS = clock_ms("15:00", days=100)


def count(
    wall: Wall,
    item: str = "gauze",
    how_many: int = 10,
    *,
    expires_ms: int = END_MS,
    bank: str = "hall",
    actor: str = "chen",
    second: str = "lin",
) -> str:
    """Take stock of an item; return why not."""
    order = MedicineStocked(
        bank=bank,
        item=item,
        count=how_many,
        expires_ms=expires_ms,
        actor=actor,
        second=second,
    )
    why = wall.parts.medicine.take_stock(order, wall.now())
    assert bool(wall.take()) != bool(why), "told, or said why not"
    return why


def use(wall: Wall, how_many: int, item: str = "gauze") -> str:
    """Take something out; return why not."""
    order = MedicineUsed(bank="hall", item=item, count=how_many, actor="chen")
    why = wall.parts.medicine.use(order, wall.now())
    wall.take()
    return why


def left(wall: Wall, item: str = "gauze") -> int | None:
    """Return how many of an item the list has."""
    held = wall.parts.medicine.stock("hall").get(item)
    return held.count if held else None


def test_two_persons_count_and_the_list_goes_down_never_below_nothing() -> None:
    wall = Wall()
    assert count(wall) == ""
    (stocked,) = wall.journal
    assert (stocked.fact("actor"), stocked.fact("second")) == ("chen", "lin")
    assert (stocked.fact("item"), stocked.fact("count")) == ("gauze", 10)
    assert use(wall, 3) == ""
    assert left(wall) == wall.journal[-1].fact("left") == 7
    assert use(wall, 8) == ""
    assert (left(wall), wall.journal[-1].fact("count")) == (0, 8)
    assert count(wall, how_many=5) == ""
    assert left(wall) == 5
    assert count(wall, how_many=0) == ""
    assert wall.parts.medicine.stock("hall") == {}
    assert use(wall, 1) == "no such item is on the list"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"second": "chen"}, "two different persons have to count"),
        ({"second": ""}, "two different persons have to count"),
        ({"actor": ""}, "two different persons have to count"),
        ({"bank": "yard"}, "there is no medicine box in this bank"),
        ({"item": ""}, "an item's name has 1 to 64 printable characters"),
        ({"item": "x" * 65}, "an item's name has 1 to 64 printable characters"),
        ({"item": "a\nb"}, "an item's name has 1 to 64 printable characters"),
        ({"how_many": -1}, "from 0 to 1000"),
        ({"how_many": MAX_COUNT + 1}, "from 0 to 1000"),
        ({"expires_ms": 0}, "until when is it good?"),
        ({"expires_ms": UNBOUNDED_MS}, "until when is it good?"),
        ({"how_many": MAX_COUNT, "item": "x" * 64}, ""),
    ],
)
def test_what_cannot_be_counted(changes: dict[str, object], why: str) -> None:
    wall = Wall()
    assert count(wall, **changes) == why  # type: ignore[arg-type]


@pytest.mark.parametrize("how_many", [0, -1, MAX_COUNT + 1])
def test_what_cannot_be_used(how_many: int) -> None:
    wall = Wall()
    count(wall)
    assert use(wall, how_many) == "from 1 to 1000"
    assert left(wall) == 10


def test_the_list_has_a_limit() -> None:
    wall = Wall()
    for number in range(MAX_ITEMS):
        assert count(wall, f"item {number}") == ""
    assert count(wall, "one more") == "200 items are on the list already"
    assert count(wall, "item 0", 3) == "", "what is on it is counted anew"


def test_thirty_days_before_and_at_the_end_it_is_told_once_each() -> None:
    wall = Wall()
    count(wall)
    soon_s = (END_MS - SOON_MS - wall.utc_ms) / 1000
    assert wall.wait(soon_s - 0.001) == []
    assert wall.wait(0.001) == [EXPIRING]
    told = wall.journal[-1]
    assert (told.subject, told.fact("item")) == ("hall", "gauze")
    assert (told.fact("what"), told.fact("expires")) == ("soon", END_MS)
    assert wall.wait(SOON_MS / 1000 - 0.001) == []
    assert wall.wait(0.001) == [EXPIRING]
    assert wall.journal[-1].fact("what") == "expired"
    assert wall.wait(DAY_MS / 1000) == []
    assert wall.parts.medicine.deadline() is None


def test_what_is_counted_anew_is_told_anew() -> None:
    wall = Wall()
    count(wall, expires_ms=clock_ms("15:00", days=1))
    assert wall.wait(1) == [EXPIRING]
    count(wall, expires_ms=clock_ms("14:00"))
    assert wall.wait(1) == [EXPIRING]
    assert wall.journal[-1].fact("what") == "expired", "no use in saying soon"
    assert wall.wait(SOON_MS / 1000) == []


def test_what_is_used_up_expires_no_more() -> None:
    wall = Wall()
    count(wall)
    use(wall, 10)
    assert wall.wait(200 * DAY_MS / 1000) == []


@pytest.mark.parametrize("spread_ms", [DAY_MS, -1])
def test_an_unsure_clock_tells_what_has_surely_come(spread_ms: int) -> None:
    wall = Wall()
    count(wall)
    wall.spread_ms = spread_ms
    soon_s = (END_MS - SOON_MS - wall.utc_ms) / 1000
    assert wall.wait(soon_s - 0.001) == []
    assert wall.wait(0.001) == [EXPIRING]


@pytest.mark.parametrize("back", [0, 1, 2, 99])
def test_the_list_survives_a_power_cut_and_tells_what_expired_meanwhile(
    back: int,
) -> None:
    wall = Wall()
    count(wall), use(wall, 4), count(wall, "plaster", 7)
    live = wall.parts.medicine.dump()
    assert wall.replayed(back).medicine.dump() == live
    wall.utc_ms = END_MS
    assert wall.restart(back) == [EXPIRING, EXPIRING]
    assert wall.restart(back) == []
    assert (left(wall), left(wall, "plaster")) == (6, 7)


def test_the_list_of_a_box_that_is_gone_goes_too() -> None:
    wall = Wall()
    wall.parts.medicine.load({"medicine": [["gone", "gauze", 1, END_MS, ""]]})
    wall.parts.medicine.load({})
    assert wall.parts.medicine.dump() == {"medicine": []}


def test_the_panel_opens_it_and_that_is_an_alert_too() -> None:
    wall = Wall()
    order = MedicineOrdered(bank="hall", actor="chen")
    assert wall.parts.medicine.open(order, wall.now()) == ""
    assert wall.take() == ["MEDICINE_BOX_OPENED", "open hall 5"]
    opened = wall.journal[-1]
    assert (opened.fact("actor"), opened.fact("kind")) == ("chen", "PANEL")
    assert wall.scan("wang", "aid") == ["open hall 5"], "the same three seconds"
    wall.wait(3)
    assert wall.scan("wang", "aid")[0] == "MEDICINE_BOX_OPENED"
    nowhere = MedicineOrdered(bank="yard", actor="chen")
    why = wall.parts.medicine.open(nowhere, wall.now())
    assert why == "there is no medicine box in this bank"
    assert len(wall.tell(EventKind.MEDICINE_BOX_OPENED)) == 2


@pytest.mark.parametrize("whom", WHOM)
def test_for_whom_it_is_opened_is_written_down_with_no_drill_running(whom: str) -> None:
    wall = Wall()
    order = MedicineOrdered(bank="hall", actor="chen", whom=whom)
    assert wall.parts.medicine.open(order, wall.now()) == ""
    assert wall.take() == ["MEDICINE_BOX_OPENED", "open hall 5"]
    assert wall.journal[-1].fact("whom") == whom


def test_for_whom_is_one_of_three_or_not_asked() -> None:
    wall = Wall()
    order = MedicineOrdered(bank="hall", actor="chen", whom="陈美英")
    why = wall.parts.medicine.open(order, wall.now())
    assert (why, wall.take()) == ("whom: one of resident, self, drill", [])
    wall.parts.medicine.open(replace(order, whom=""), wall.now())
    wall.take()
    assert wall.journal[-1].fact("whom") is None
