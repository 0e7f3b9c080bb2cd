# SPDX-License-Identifier: Apache-2.0
"""Orders: at once, before polls, repeated briefly, and never old."""

from __future__ import annotations

import math

import pytest

from drivers.device import (
    Cue,
    OpenLock,
    Order,
    OrderFailed,
    OutputChanged,
    Pulse,
    SetOutput,
    Show,
    Signal,
    Unreachable,
)
from drivers.errors import LocalError
from drivers.modbus.relay_board import MAX_ORDERS
from drivers.waiting import MAX_WAITING_SIGNALS
from tests.drivers.modbus_wire import (
    all_off,
    coils,
    pulse,
    read_coils,
    read_inputs,
    refusal,
    serving,
    switch,
    wire,
)

OPEN = Pulse(unit=1, channel=1, duration_s=1.0)
ON = SetOutput(unit=1, channel=1, is_on=True)


def refusals(signals: list[Signal]) -> list[tuple[Order, str]]:
    found = [signal for signal in signals if isinstance(signal, OrderFailed)]
    return [(signal.order, signal.why) for signal in found]


def test_an_order_leaves_at_once_when_the_line_is_free() -> None:
    script = serving(1)
    script.order(OPEN)
    assert script.sent[-1] == (script.now, pulse(1, 1, 10))
    assert script.run(0.02) == []


@pytest.mark.parametrize(
    ("duration_s", "units"),
    [(0.05, 1), (0.1, 1), (0.11, 2), (0.7, 7), (0.8, 8), (5.0, 50), (3276.7, 0x7FFF)],
)
def test_a_pulse_is_one_frame_rounded_up_to_tenths(
    duration_s: float, units: int
) -> None:
    script = serving(1)
    script.order(Pulse(unit=1, channel=8, duration_s=duration_s))
    assert script.sent[-1][1] == pulse(1, 8, units)


def test_outputs_are_switched_by_one_frame() -> None:
    script = serving(1)
    script.order(ON)
    assert script.sent[-1][1] == switch(1, 1, is_on=True)
    script.run(0.05)
    script.order(SetOutput(unit=1, channel=1, is_on=False))
    assert script.sent[-1][1] == switch(1, 1, is_on=False)


def test_an_order_waits_for_the_reply_and_goes_before_all_polls() -> None:
    script = serving(1, 2)
    script.run_until_sent()
    script.order(OPEN)
    assert script.sent[-1][1] != pulse(1, 1, 10)  # a poll is in flight
    before = script.now
    script.run(0.05)
    later = [entry for entry in script.sent if entry[0] > before]
    assert later[0][1] == pulse(1, 1, 10)
    assert later[0][0] - before < 0.01


def test_the_relay_is_read_back_after_the_order_and_after_the_pulse() -> None:
    script = serving(1)
    start = script.now
    script.replies[read_coils(1)] = coils(1, 1)
    script.order(OPEN)
    assert script.run(0.05) == [OutputChanged(unit=1, channel=1, is_on=True)]
    assert script.sent_since(start)[:2] == [pulse(1, 1, 10), read_coils(1)]
    script.run(0.9)
    script.replies[read_coils(1)] = coils(1, 0)
    assert script.run(0.2) == [OutputChanged(unit=1, channel=1, is_on=False)]


def test_an_order_without_an_answer_is_sent_three_times_within_a_second() -> None:
    script = serving(1)
    script.replies[pulse(1, 1, 10)] = None
    start = script.now
    script.order(OPEN)
    signals = script.run(3.0)
    sendings = [at for at, frame in script.sent if frame == pulse(1, 1, 10)]
    assert len(sendings) == 3
    assert sendings[-1] - start < 1.0
    assert refusals(signals) == [(OPEN, "no answer")]
    assert Unreachable(unit=1, why="no answer") in signals


def test_a_repeat_that_is_answered_is_no_failure() -> None:
    script = serving(1)
    script.replies[pulse(1, 1, 10)] = [None, pulse(1, 1, 10)]
    script.order(OPEN)
    assert script.run(3.0) == []


def test_no_repeat_begins_a_second_after_the_first_sending() -> None:
    script = serving(1, reply_timeout_s=0.6)
    script.replies[pulse(1, 1, 10)] = None
    script.order(OPEN)
    signals = script.run(1.9)
    sendings = [at for at, frame in script.sent if frame == pulse(1, 1, 10)]
    assert len(sendings) == 2
    assert refusals(signals) == [(OPEN, "no answer")]


def test_a_refused_order_fails_with_the_boards_reason() -> None:
    script = serving(1)
    script.replies[pulse(1, 1, 10)] = refusal(1, 5, 2)
    script.order(OPEN)
    signals = script.run(3.0)
    assert refusals(signals) == [(OPEN, "exception 02 (illegal data address)")]
    assert len(signals) == 1


def test_another_boards_answer_obeys_nothing() -> None:
    script = serving(1, 2)
    script.replies[pulse(1, 1, 10)] = pulse(2, 1, 10)
    script.order(OPEN)
    assert refusals(script.run(2.0)) == [(OPEN, "wrong address")]


@pytest.mark.parametrize(
    "order",
    [
        Pulse(unit=9, channel=1, duration_s=1.0),
        Pulse(unit=1, channel=0, duration_s=1.0),
        Pulse(unit=1, channel=9, duration_s=1.0),
        Pulse(unit=1, channel=1, duration_s=0.0),
        Pulse(unit=1, channel=1, duration_s=-1.0),
        Pulse(unit=1, channel=1, duration_s=3276.8),
        Pulse(unit=1, channel=1, duration_s=math.inf),
        Pulse(unit=1, channel=1, duration_s=math.nan),
        SetOutput(unit=1, channel=256, is_on=True),
    ],
)
def test_an_impossible_order_fails_and_sends_nothing(order: Order) -> None:
    script = serving(1)
    script.run(0.01)
    sent = len(script.sent)
    script.order(order)
    assert len(script.sent) == sent
    [(failed, why)] = refusals(script.run(0.0))
    assert failed is order
    assert why


def test_an_order_to_a_lost_board_fails_at_once() -> None:
    script = serving(1)
    script.replies = {}
    script.run(2.0)
    sent = len(script.sent)
    script.order(OPEN)
    assert refusals(script.run(0.0)) == [(OPEN, "the board is unreachable")]
    script.replies = wire(1).replies
    script.run(3.0)
    assert pulse(1, 1, 10) not in [frame for _, frame in script.sent[sent:]]


def test_an_order_that_waits_for_the_opening_is_sent_after_it() -> None:
    script = wire(1)
    script.open()
    script.order(OPEN)
    script.run(0.3)
    sent = script.sent_since(0.0)
    assert sent[:5] == [*sent[:4], pulse(1, 1, 10)]
    assert sent[0] == all_off(1)


def test_an_order_that_grows_old_is_dropped_and_never_sent() -> None:
    script = serving(1)
    # The process stands still with the order in the queue behind a poll.
    script.run_until_sent()
    script.order(OPEN)
    script.now += 2.0
    signals = script.device.tick(script.now) + script.run(3.0)
    assert refusals(signals) == [(OPEN, "the order grew too old")]
    assert pulse(1, 1, 10) not in script.sent_since(0.0)


def test_an_order_that_waits_for_a_board_that_never_comes_fails_in_time() -> None:
    script = wire(1, reply_timeout_s=2.0)
    script.replies = {}
    script.open()
    script.order(OPEN)
    assert refusals(script.run(1.9)) == []
    assert refusals(script.run(0.2)) == [(OPEN, "the order grew too old")]


def test_orders_in_flight_and_waiting_fail_when_the_link_is_lost() -> None:
    script = serving(1)
    script.order(OPEN)
    script.order(ON)
    signals = script.device.closed(script.now)
    why = "the link was lost"
    assert refusals(signals) == [(OPEN, why), (ON, why)]
    script.order(OPEN)
    assert refusals(script.device.tick(script.now)) == [
        (OPEN, "the board is unreachable")
    ]
    start = script.now = script.now + 0.5
    script.open()
    script.run(3.0)
    assert script.sent_since(start)[0] == all_off(1)
    assert pulse(1, 1, 10) not in script.sent_since(start)


def test_an_order_in_flight_fails_over_a_stall_and_is_not_repeated() -> None:
    script = serving(1)
    script.replies[pulse(1, 1, 10)] = None
    script.order(OPEN)
    script.now += 5.0
    script.device.resumed(script.now)
    start = script.now
    assert refusals(script.run(1.0)) == [(OPEN, "the process stood still")]
    assert pulse(1, 1, 10) not in script.sent_since(start)
    assert read_inputs(1) in script.sent_since(start)


def test_the_queue_of_orders_is_bounded() -> None:
    script = serving(1)
    for _ in range(MAX_ORDERS + 10):
        script.order(ON)
    failed = refusals(script.run(0.0))
    assert failed == [(ON, "too many orders wait")] * 9  # one is in flight


def test_orders_without_ticks_are_our_own_mistake() -> None:
    script = serving(1)
    wrong = Pulse(unit=9, channel=1, duration_s=1.0)
    for _ in range(MAX_WAITING_SIGNALS):
        script.device.order(wrong, script.now)
    with pytest.raises(LocalError, match="tick"):
        script.device.order(wrong, script.now)


def test_a_cue_is_dropped_and_a_lock_is_refused() -> None:
    script = serving(1)
    script.order(Show(unit=1, cue=Cue.DENIED))
    lock = OpenLock(unit=1, channel=1)
    script.order(lock)
    failed = refusals(script.run(0.0))
    assert failed == [(lock, "a relay board has outputs, not locks")]


def test_orders_to_two_boards_keep_their_order() -> None:
    script = serving(1, 2)
    start = script.now
    script.order(ON)
    script.order(Pulse(unit=2, channel=1, duration_s=1.0))
    script.order(SetOutput(unit=1, channel=1, is_on=False))
    script.run(0.1)
    assert script.sent_since(start)[:3] == [
        switch(1, 1, is_on=True),
        pulse(2, 1, 10),
        switch(1, 1, is_on=False),
    ]
