# SPDX-License-Identifier: Apache-2.0
"""Swipes at a UHPPOTE controller: which are left to us, once each, and never old."""

from __future__ import annotations

import pytest

from drivers.device import TagRead, Technology
from drivers.uhppote.record import MAX_MISSING
from tests.drivers.uhppote_wire import (
    CLOCK,
    STATUS,
    UhppoteWire,
    event,
    get_event,
    packet,
    serving,
    status,
    swipes,
    wire,
)

CARD = 10058400


def swiped(index: int, *, at: str = CLOCK, **changed: int) -> str:
    fields: dict[str, int] = {
        "kind": 1,
        "door": 1,
        "direction": 1,
        "card": CARD,
        "reason": 5,
        **changed,
    }
    return event(index, at=at, **fields)  # type: ignore[arg-type]


def fetched(swipe: str) -> str:
    return packet("b0", swipe)


def fetches(script: UhppoteWire) -> list[int]:
    asked = [frame for _, frame in script.sent if frame[2:4] == "B0"]
    return [int.from_bytes(bytes.fromhex(one[16:24]), "little") for one in asked]


# -- which swipes ------------------------------------------------------------------


def test_a_swipe_is_a_number_of_32_bits_with_its_highest_byte_first() -> None:
    script = serving(1)
    assert script.feed(status(swiped(1))) == [
        TagRead(
            unit=1,
            technology=Technology.WIEGAND,
            bits=32,
            number=bytes.fromhex("00997AA0"),
        )
    ]


@pytest.mark.parametrize(
    ("changed", "is_ours"),
    [
        ({"reason": 0x05}, True),
        ({"reason": 0x12}, True),
        ({"reason": 0x01}, False),
        ({"reason": 0x06}, False),
        ({"reason": 0x0F}, False),
        ({"reason": 0x14}, False),
        ({"reason": 0x2C}, False),
        ({"granted": 1}, False),
        ({"card": 0}, False),
        ({"door": 0}, False),
        ({"door": 5}, False),
        ({"kind": 0xFF}, False),
    ],
)
def test_only_what_the_controller_leaves_to_us_is_a_swipe(
    changed: dict[str, int],
    is_ours: bool,  # noqa: FBT001
) -> None:
    found = swipes(serving(1).feed(status(swiped(1, at=CLOCK, **changed))))
    assert found == ([(1, CARD)] if is_ours else [])


@pytest.mark.parametrize(
    ("door", "direction", "unit"),
    [(1, 1, 1), (2, 1, 2), (4, 1, None), (1, 2, 5), (2, 2, None), (1, 0, 1)],
)
def test_a_swipe_counts_at_readers_that_the_site_names_and_nowhere_else(
    door: int, direction: int, unit: int | None
) -> None:
    script = serving(1, 2, 5)
    told = script.feed(status(swiped(1, door=door, direction=direction)))
    assert swipes(told) == ([] if unit is None else [(unit, CARD)])
    assert not [one for one in told if isinstance(one, TagRead) and one.unit == 0]


# -- once --------------------------------------------------------------------------


def test_a_swipe_counts_once_by_whichever_way_it_comes() -> None:
    script = serving(1)
    report = status(swiped(1))
    assert swipes(script.feed(report)) == [(1, CARD)]
    assert swipes(script.feed(report)) == []
    script.replies[STATUS] = report
    assert swipes(script.run(5.0)) == []


def test_a_lost_report_is_seen_by_the_next_poll() -> None:
    script = serving(1)
    script.replies[STATUS] = status(swiped(1))
    assert swipes(script.run(2.1)) == [(1, CARD)]


def test_reports_that_overtake_each_other_count_once_each() -> None:
    script = serving(1)
    script.replies[get_event(1)] = fetched(swiped(1, card=77))
    assert swipes(script.feed(status(swiped(2)))) == [(1, CARD)]
    assert swipes(script.feed(status(swiped(1, card=77)))) == []
    assert swipes(script.run(0.1)) == [(1, 77)]
    assert fetches(script) == [1]


def test_a_gap_is_filled_as_far_as_it_may_matter() -> None:
    script = serving(1)
    for index in range(84, 100):
        script.replies[get_event(index)] = fetched(event(index, kind=2, reason=0x17))
    script.feed(status(swiped(100)))
    script.run(1.0)
    assert fetches(script) == list(range(100 - MAX_MISSING, 100))


def test_events_that_are_gone_or_never_told_do_not_hold_up_the_rest() -> None:
    script = serving(1)
    script.replies[get_event(1)] = packet("b0", "00000000FF")
    script.replies[get_event(2)] = None
    script.replies[get_event(3)] = fetched(swiped(3, card=77))
    script.feed(status(swiped(4)))
    assert swipes(script.run(3.0)) == [(1, 77)]
    assert fetches(script) == [1, 2, 2, 2, 3]


# -- never old ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        ("20260301081530", True),
        ("20260301081528", True),
        ("20260301081527", False),
        ("20260301081525", False),
        ("20260228235959", False),
        ("20260301081532", True),
        ("20260301081533", False),
        ("20260230081530", False),
        ("00000000000000", False),
    ],
)
def test_a_swipe_counts_for_two_seconds_by_the_controllers_clock(
    at: str,
    counts: bool,  # noqa: FBT001
) -> None:
    script = serving(1)
    script.replies[STATUS] = status(swiped(1, at=at))
    assert swipes(script.run(2.1)) == ([(1, CARD)] if counts else [])


def test_without_a_clock_of_the_controllers_no_swipe_counts() -> None:
    script = serving(1)
    assert swipes(script.feed(status(swiped(1), clock="20000000000000"))) == []


def test_a_clock_that_is_years_off_does_no_harm() -> None:
    script = serving(1)
    report = status(swiped(1, at="20000101000005"), clock="20000101000006")
    assert swipes(script.feed(report)) == [(1, CARD)]


def test_a_swipe_that_is_fetched_late_is_too_old() -> None:
    script = serving(1, reply_timeout_s=2.0)
    late = swiped(1, card=77, at="20260301081529")
    script.replies[get_event(1)] = [None, None, fetched(late)]
    clocks = ("20260301081531", "20260301081533")
    script.replies[STATUS] = [status(swiped(2), clock=clock) for clock in clocks]
    script.feed(status(swiped(2)))
    assert swipes(script.run(5.0)) == []
    assert fetches(script) == [1, 1, 1]


def test_what_happened_before_a_beginning_is_never_acted_upon() -> None:
    script = wire(1)
    script.replies[STATUS] = status(swiped(7))
    script.open()
    assert swipes(script.run(3.0)) == []
    assert fetches(script) == []
    assert swipes(script.feed(status(swiped(8, card=77)))) == [(1, 77)]


def test_a_swipe_while_the_link_was_lost_is_never_acted_upon() -> None:
    script = serving(1)
    script.feed(status(swiped(1)))
    script.device.closed(script.now)
    script.replies[STATUS] = status(swiped(3, card=77))
    script.open()
    assert swipes(script.run(3.0)) == []
    assert fetches(script) == []


def test_a_swipe_while_the_controller_was_silent_is_never_acted_upon() -> None:
    script = serving(1)
    replies, script.replies = script.replies, {}
    script.run(8.0)
    script.replies = {**replies, STATUS: status(swiped(1))}
    assert swipes(script.run(5.0)) == []
    assert swipes(script.feed(status(swiped(2, card=77)))) == [(1, 77)]


def test_swipes_of_a_standstill_never_count() -> None:
    script = serving(1)
    script.device.resumed(script.now)
    script.replies[STATUS] = status(swiped(3))
    assert swipes(script.run(0.1)) == []
    assert fetches(script) == []
    assert swipes(script.feed(status(swiped(4, card=77)))) == [(1, 77)]


# -- the mark in the record ---------------------------------------------------------


def test_the_mark_of_other_programs_is_left_alone() -> None:
    script = serving(1)
    script.feed(status(swiped(1)))
    script.run(60.0)
    assert not [one for _, one in script.sent if one[2:4] in ("B2", "B4")]
