# SPDX-License-Identifier: Apache-2.0
"""What all families share: polls, silence, echo, openings that never repeat."""

from __future__ import annotations

import pytest

from drivers.device import (
    Cue,
    InputChanged,
    OpenLock,
    Order,
    OrderFailed,
    Pulse,
    Reachable,
    SetOutput,
    Show,
    Signal,
    Unreachable,
)
from drivers.errors import LocalError
from tests.drivers.lock_families import FAMILIES, Family, arrive

OPEN = OpenLock(unit=1, channel=1)
IT_OPENED = InputChanged(unit=1, channel=1, is_active=False)

each_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda one: one.name)


def closed(unit: int, count: int) -> list[Signal]:
    channels = range(1, count + 1)
    return [InputChanged(unit=unit, channel=n, is_active=True) for n in channels]


def refusals(signals: list[Signal]) -> list[tuple[Order, str]]:
    found = [signal for signal in signals if isinstance(signal, OrderFailed)]
    return [(signal.order, signal.why) for signal in found]


@each_family
def test_every_level_comes_before_reachable_and_no_lock_is_touched(
    family: Family,
) -> None:
    first, last = family.addresses
    script = family.wire(first, last)
    script.replies[family.query_all(last)] = family.levels(last, 2, family.channels)
    script.open()
    signals = script.run(1.0)
    size = family.channels + 1
    assert signals[:size] == [
        *closed(first, family.channels),
        Reachable(unit=first, detail=""),
    ]
    told = [signal.is_active for signal in signals if isinstance(signal, InputChanged)]
    assert told[family.channels :] == [True, False, *[True] * (size - 4), False]
    assert family.opened_frames(script) == []
    expected = [family.query_all(first), family.query_all(last)]
    assert script.sent_since(0.0)[:2] == expected


@each_family
def test_the_polarity_is_a_setting_of_the_board(family: Family) -> None:
    script = family.wire(1, closed_is=0)
    script.replies[family.query_all(1)] = family.levels(1, 2)
    script.open()
    told = [one for one in script.run(0.1) if isinstance(one, InputChanged)]
    assert [signal.channel for signal in told if signal.is_active] == [2]
    assert len(told) == family.channels


@each_family
def test_a_closed_bank_is_asked_every_two_seconds_an_open_one_more_often(
    family: Family,
) -> None:
    script = family.serving(1)
    start = script.now
    script.run(10.0)
    assert script.sent_since(start) == [family.query_all(1)] * 5
    script.replies[family.query_all(1)] = family.levels(1, 1)
    assert script.run(2.0) == [IT_OPENED]
    start = script.now
    script.run(3.0)
    assert len(script.sent_since(start)) == pytest.approx(10, abs=1)


@each_family
def test_an_opening_is_sent_once_and_its_feedback_tells(family: Family) -> None:
    script = family.serving(1)
    if family.accepted is not None:
        script.replies[family.open_one(1, 1)] = family.accepted(1, 1)
    script.order(OPEN)
    script.run(0.05)
    script.replies[family.query_all(1)] = family.levels(1, 1)
    assert script.run(5.0) == [IT_OPENED]
    sent = [frame for _, frame in family.opened_frames(script)]
    assert sent == [family.open_one(1, 1)]


@each_family
def test_a_missing_reply_and_a_closed_lock_are_an_unknown_outcome(
    family: Family,
) -> None:
    script = family.serving(1)
    script.order(OPEN)
    script.run(0.05)
    start = script.now
    assert refusals(script.run(5.0)) == [(OPEN, "unknown outcome")]
    after = script.sent_since(start)
    assert after
    assert family.open_one(1, 1) not in after
    assert len(family.opened_frames(script)) == 1


@each_family
def test_a_missing_reply_is_no_failure_when_the_lock_opened(family: Family) -> None:
    script = family.serving(1)
    script.order(OPEN)
    script.run(0.05)
    script.replies[family.query_all(1)] = family.levels(1, 1)
    assert script.run(5.0) == [IT_OPENED]
    assert len(family.opened_frames(script)) == 1


@each_family
def test_a_board_that_dies_at_an_opening_leaves_the_outcome_unknown(
    family: Family,
) -> None:
    script = family.serving(1)
    script.order(OPEN)
    script.run(0.05)
    script.replies = {}
    signals = script.run(10.0)
    assert signals == [
        OrderFailed(unit=1, order=OPEN, why="unknown outcome"),
        Unreachable(unit=1, why="no answer"),
    ]
    assert len(family.opened_frames(script)) == 1


@each_family
def test_three_missing_answers_make_a_board_unreachable_and_it_is_probed(
    family: Family,
) -> None:
    script = family.serving(1)
    script.replies = {}
    start = script.now
    assert script.run(10.0) == [Unreachable(unit=1, why="no answer")]
    assert script.sent_since(start).count(family.query_all(1)) == 3
    start = script.now
    assert script.run(90.0) == []
    assert script.sent_since(start).count(family.query_all(1)) == 3
    script.replies = family.board(1)
    assert script.run(31.0) == [
        *closed(1, family.channels),
        Reachable(unit=1, detail=""),
    ]


@each_family
def test_a_silent_board_does_not_starve_its_neighbour(family: Family) -> None:
    script = family.serving(1, 2)
    del script.replies[family.query_all(1)]
    script.run(5.0)
    start = script.now
    script.run(60.0)
    assert script.sent_since(start).count(family.query_all(2)) in (29, 30, 31)
    assert script.sent_since(start).count(family.query_all(1)) == 2


@each_family
def test_openings_keep_a_distance_over_all_boards(family: Family) -> None:
    script = family.serving(1, 2)
    start = script.now
    orders = [OPEN, OpenLock(unit=2, channel=1), OpenLock(unit=1, channel=8)]
    for order in orders:
        if family.accepted is not None:
            frame = family.open_one(order.unit, order.channel)
            script.replies[frame] = family.accepted(order.unit, order.channel)
        script.order(order)
    script.run(1.5)
    sent = [at - start for at, _ in family.opened_frames(script)]
    assert sent == pytest.approx([0.0, 0.4, 0.8], abs=0.02)
    assert sent[1] - sent[0] >= 0.4 - 1e-9
    assert sent[2] - sent[1] >= 0.4 - 1e-9


@each_family
def test_an_echo_is_found_at_the_opening_and_taken_off(family: Family) -> None:
    script = family.wire(1)
    script.replies[family.query_all(1)] = family.query_all(1) + family.levels(1)
    script.open()
    assert script.run(0.2) == [
        *closed(1, family.channels),
        Reachable(unit=1, detail="the line echoes"),
    ]
    script.replies[family.open_one(1, 1)] = family.open_one(1, 1)
    script.order(OPEN)
    script.run(0.05)
    opened = family.query_all(1) + family.levels(1, 1)
    script.replies[family.query_all(1)] = opened
    assert script.run(5.0) == [IT_OPENED]
    script.replies = {frame: frame for frame in script.replies}
    assert script.run(10.0) == [Unreachable(unit=1, why="no answer")]


@each_family
@pytest.mark.parametrize(
    "order",
    [
        OpenLock(unit=9, channel=1),
        OpenLock(unit=1, channel=0),
        OpenLock(unit=1, channel=-1),
        OpenLock(unit=1, channel=49),
        OpenLock(unit=1, channel=256),
        Pulse(unit=1, channel=1, duration_s=1.0),
        SetOutput(unit=1, channel=1, is_on=True),
    ],
)
def test_an_impossible_order_fails_and_sends_nothing(
    family: Family, order: Order
) -> None:
    script = family.serving(1)
    sent = len(script.sent)
    script.order(order)
    assert len(script.sent) == sent
    [(failed, why)] = refusals(script.run(0.0))
    assert failed is order
    assert why


@each_family
def test_what_a_board_cannot_show_is_dropped_in_silence(family: Family) -> None:
    script = family.serving(1)
    start = script.now
    script.order(Show(unit=1, cue=Cue.GRANTED, text="3"))
    assert script.run(0.1) == []
    assert script.sent_since(start) == []


@each_family
def test_an_old_order_is_dropped_and_never_sent(family: Family) -> None:
    script = family.serving(1)
    script.run_until_sent()
    script.order(OPEN)
    script.now += 2.0
    signals = script.device.tick(script.now) + script.run(3.0)
    assert refusals(signals) == [(OPEN, "the order grew too old")]
    assert family.opened_frames(script) == []


@each_family
def test_after_a_stall_feedback_decides_what_was_in_flight(family: Family) -> None:
    script = family.serving(1)
    script.order(OPEN)
    script.run(0.05)
    script.replies[family.query_all(1)] = family.levels(1, 1)
    script.now += 5.0
    script.device.resumed(script.now)
    signals = script.run(2.0)
    assert refusals(signals) == []
    assert IT_OPENED in signals
    assert len(family.opened_frames(script)) == 1


@each_family
@pytest.mark.parametrize("size", range(1, 34))
def test_a_reply_torn_anywhere_is_one_reply(family: Family, size: int) -> None:
    script = family.serving(1)
    script.replies = {}
    script.run_until_sent()
    reply = family.levels(1, 1)
    cut = 2 * min(size, len(reply) // 2 - 1)
    assert arrive(script, reply[:cut]) == []
    assert arrive(script, reply[cut:]) == [IT_OPENED]


@each_family
def test_units_beyond_the_addresses_are_refused(family: Family) -> None:
    first, last = family.addresses
    for address in (first - 1, last + 1, 256):
        with pytest.raises(LocalError, match=f"address {first} to {last}"):
            family.build({address: {}})
    for channels in (0, 49):
        with pytest.raises(LocalError, match="channels must be 1 to"):
            family.build({1: {"channels": channels}})
    with pytest.raises(LocalError, match="at least one board"):
        family.build({})
