# SPDX-License-Identifier: Apache-2.0
"""Openings: sent once, decided by feedback alone, spaced, and never old."""

from __future__ import annotations

import pytest

from drivers.device import (
    InputChanged,
    OpenLock,
    Order,
    OrderFailed,
    Pulse,
    SetOutput,
    Signal,
    Unreachable,
)
from drivers.errors import LocalError
from drivers.locks.lock_boards import MAX_ORDERS
from drivers.waiting import MAX_WAITING_SIGNALS
from tests.drivers.locker_8a_wire import (
    arrive,
    board,
    levels,
    open_one,
    openings,
    query_all,
    serving,
    status,
    wire,
)

OPEN = OpenLock(unit=1, channel=1)
IT_OPENED = InputChanged(unit=1, channel=1, is_active=False)


def refusals(signals: list[Signal]) -> list[tuple[Order, str]]:
    found = [signal for signal in signals if isinstance(signal, OrderFailed)]
    return [(signal.order, signal.why) for signal in found]


@pytest.mark.parametrize("kind", ["8A", "80", "81"])
@pytest.mark.parametrize("state", ["00", "11"])
@pytest.mark.parametrize("late_s", [0.0, 0.5, 1.2, 1.49])
def test_any_reply_is_taken_and_feedback_tells_that_it_opened(
    kind: str, state: str, late_s: float
) -> None:
    script = serving(1)
    start = script.now
    script.order(OPEN)
    assert script.sent_since(start) == ["8A0101119B"]
    assert script.run(late_s) == []
    # Nothing else is on the line as long as the reply may come.
    assert script.sent_since(start) == ["8A0101119B"]
    script.replies[query_all(1)] = "8001FFFFFE334C"
    assert arrive(script, status(kind, 1, 1, state)) == []
    assert script.run(1.5) == [IT_OPENED]
    assert script.sent_since(start)[:2] == ["8A0101119B", "80010033B2"]
    assert len(openings(script)) == 1


def test_a_lock_that_is_slower_than_its_boards_reply_is_looked_at_again() -> None:
    script = serving(1)
    closed, opened = levels(1, "FFFFFF"), levels(1, "FFFFFE")
    script.replies[open_one(1, 1)] = status("80", 1, 1, "11")
    script.replies[query_all(1)] = [closed, closed, closed, opened]
    script.order(OPEN)
    assert script.run(1.4) == [IT_OPENED]
    assert len(openings(script)) == 1


def test_a_reply_like_the_request_is_no_success_by_itself() -> None:
    script = serving(1)
    script.replies[open_one(1, 1)] = "8A0101119B"
    script.order(OPEN)
    start = script.now
    signals = script.run(5.0)
    assert refusals(signals) == [(OPEN, "the lock did not open")]
    assert len(signals) == 1
    at = next(at for at, signal in script.signals if signal is signals[0])
    assert 1.5 <= at - start <= 2.0
    assert len(openings(script)) == 1


def test_a_missing_reply_is_no_failure_when_the_lock_opened() -> None:
    script = serving(1)
    start = script.now
    script.order(OPEN)
    script.replies[query_all(1)] = levels(1, "FFFFFE")
    assert script.run(5.0) == [IT_OPENED]
    first, second = [at for at, _ in script.sent if at >= start][:2]
    assert second - first >= 1.5
    assert len(openings(script)) == 1


def test_a_missing_reply_and_a_closed_lock_are_an_unknown_outcome() -> None:
    script = serving(1)
    start = script.now
    script.order(OPEN)
    assert refusals(script.run(5.0)) == [(OPEN, "unknown outcome")]
    assert script.sent_since(start)[:2] == [open_one(1, 1), query_all(1)]
    assert len(openings(script)) == 1


def test_a_board_that_dies_at_an_opening_leaves_the_outcome_unknown() -> None:
    script = serving(1)
    script.replies = {}
    script.order(OPEN)
    signals = script.run(5.0)
    assert signals == [
        OrderFailed(unit=1, order=OPEN, why="unknown outcome"),
        Unreachable(unit=1, why="no answer"),
    ]
    assert len(openings(script)) == 1


def test_a_lock_that_is_open_already_is_no_failure() -> None:
    script = serving(1)
    script.replies[query_all(1)] = levels(1, "FFFFFE")
    assert script.run(3.0) == [IT_OPENED]
    script.replies[open_one(1, 1)] = status("8A", 1, 1, "00")
    script.order(OPEN)
    assert script.run(5.0) == []


def test_a_reply_for_another_lock_does_not_end_the_wait() -> None:
    script = serving(1, 2)
    start = script.now
    script.order(OPEN)
    for other in (status("8A", 1, 2, "00"), status("8A", 2, 1, "00"), "8A0101018B"):
        assert arrive(script, other) == []
        script.run(0.1)
    assert script.sent_since(start) == [open_one(1, 1)]


@pytest.mark.parametrize("cut", range(1, 5))
def test_a_torn_reply_is_one_reply(cut: int) -> None:
    script = serving(1)
    start = script.now
    script.order(OPEN)
    reply = status("80", 1, 1, "00")
    script.run(0.6)
    arrive(script, reply[: 2 * cut])
    script.run(0.05)
    assert script.sent_since(start) == [open_one(1, 1)]
    script.replies[query_all(1)] = levels(1, "FFFFFE")
    arrive(script, reply[2 * cut :])
    assert script.run(0.02) == [IT_OPENED]


def test_on_an_echoing_line_the_echo_ends_no_wait() -> None:
    script = wire(1)
    for frame, reply in board(1).items():
        script.replies[frame] = f"{frame}{reply}"
    script.open()
    script.run(0.5)
    script.replies[open_one(1, 1)] = open_one(1, 1)  # the adapter's copy
    start = script.now
    script.order(OPEN)
    script.run(1.0)
    assert script.sent_since(start) == [open_one(1, 1)]
    opened = levels(1, "FFFFFE")
    script.replies[query_all(1)] = query_all(1) + opened
    arrive(script, open_one(1, 1))  # the board's reply
    assert script.run(0.1) == [IT_OPENED]


def test_openings_keep_a_distance_over_all_boards() -> None:
    script = serving(1, 2)
    start = script.now
    orders = [OPEN, OpenLock(unit=2, channel=1), OpenLock(unit=1, channel=24)]
    for order in orders:
        frame = open_one(order.unit, order.channel)
        script.replies[frame] = status("8A", order.unit, order.channel, "00")
        script.order(order)
    script.run(1.5)
    sent = [(round(at - start, 3), frame) for at, frame in openings(script)]
    assert sent == [(0.0, "8A0101119B"), (0.4, "8A02011198"), (0.8, "8A01181182")]


def test_the_distance_outlasts_a_link_that_is_opened_anew() -> None:
    script = serving(1)
    script.replies[open_one(1, 1)] = status("8A", 1, 1, "00")
    script.order(OPEN)
    script.run(0.01)
    script.device.closed(script.now)
    script.open()
    script.run(0.05)
    script.order(OPEN)
    script.run(1.0)
    first, second = [at for at, _ in openings(script)]
    assert second - first >= 0.4


def test_a_fresh_link_waits_for_the_reply_to_the_last_ones_opening() -> None:
    script = serving(1)
    start = script.now
    script.order(OPEN)
    script.run(0.1)
    assert refusals(script.device.closed(script.now)) == [(OPEN, "unknown outcome")]
    script.open()
    script.run(2.0)
    first, second = [at for at, _ in script.sent if at >= start][:2]
    assert second - first == pytest.approx(1.5)


def test_an_order_goes_before_polls() -> None:
    script = serving(1, 2)
    script.run_until_sent()
    start = script.now
    script.order(OPEN)
    assert openings(script) == []  # a poll is in flight
    script.run(0.05)
    later = [frame for at, frame in script.sent if at > start]
    assert later[0] == open_one(1, 1)


def test_an_order_goes_before_polls_that_are_overdue() -> None:
    script = serving(1, 2)
    script.now += 3.0
    script.order(OPEN)
    assert script.sent[-1] == (script.now, open_one(1, 1))


def test_a_board_is_looked_at_between_two_openings() -> None:
    script = serving(1)
    start = script.now
    script.order(OPEN)
    script.order(OpenLock(unit=1, channel=2))
    script.run(1.9)
    assert script.sent_since(start)[:3] == [
        open_one(1, 1),
        query_all(1),
        open_one(1, 2),
    ]


@pytest.mark.parametrize(
    "order",
    [
        OpenLock(unit=9, channel=1),
        OpenLock(unit=1, channel=0),
        OpenLock(unit=1, channel=-1),
        OpenLock(unit=1, channel=25),
        OpenLock(unit=1, channel=256),
        Pulse(unit=1, channel=1, duration_s=1.0),
        SetOutput(unit=1, channel=1, is_on=True),
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


def test_an_order_to_a_lost_board_fails_at_once_and_is_forgotten() -> None:
    script = serving(1)
    script.replies = {}
    script.run(5.0)
    script.order(OPEN)
    assert refusals(script.run(0.0)) == [(OPEN, "the board is unreachable")]
    script.replies = board(1)
    script.run(60.0)
    assert openings(script) == []


def test_orders_that_wait_when_their_board_is_lost_fail_at_once() -> None:
    script = serving(1)
    script.replies = {}
    script.order(OPEN)
    second = OpenLock(unit=1, channel=2)
    script.run(1.0)
    script.order(second)
    signals = script.run(1.5)
    assert set(refusals(signals)) == {
        (OPEN, "unknown outcome"),
        (second, "the board is unreachable"),
    }
    assert len(openings(script)) == 1


def test_an_order_waits_for_the_opening_of_the_line() -> None:
    script = wire(1)
    script.open()
    script.order(OPEN)
    script.run(0.2)
    assert [frame for _, frame in openings(script)] == [open_one(1, 1)]


def test_an_order_that_grows_old_behind_others_opens_nothing() -> None:
    script = serving(1)
    orders = [OpenLock(unit=1, channel=channel) for channel in (1, 2, 3)]
    for order in orders:
        script.order(order)  # the board answers no opening: 1.5 s each
    failed = refusals(script.run(10.0))
    assert (orders[2], "the order grew too old") in failed
    assert len(failed) == 3
    assert open_one(1, 3) not in script.sent_since(0.0)


def test_a_late_tick_drops_an_old_order_and_never_sends_it() -> None:
    script = serving(1)
    script.run_until_sent()
    script.order(OPEN)
    script.now += 2.0
    signals = script.device.tick(script.now) + script.run(3.0)
    assert refusals(signals) == [(OPEN, "the order grew too old")]
    assert openings(script) == []


def test_orders_fail_when_the_link_is_lost() -> None:
    script = serving(1)
    waiting = OpenLock(unit=1, channel=2)
    script.order(OPEN)
    script.order(waiting)
    signals = script.device.closed(script.now)
    assert refusals(signals) == [
        (OPEN, "unknown outcome"),
        (waiting, "the link was lost"),
    ]
    script.order(OPEN)
    assert refusals(script.device.tick(script.now)) == [
        (OPEN, "the board is unreachable")
    ]


@pytest.mark.parametrize("is_closed_first", [True, False])
def test_an_opening_that_is_not_decided_yet_is_not_forgotten(
    *, is_closed_first: bool
) -> None:
    script = serving(1)
    script.replies[open_one(1, 1)] = status("8A", 1, 1, "11")
    script.order(OPEN)
    script.run(0.5)
    signals = script.device.closed(script.now) if is_closed_first else []
    script.open()
    assert refusals(signals + script.run(1.0)) == [(OPEN, "unknown outcome")]


@pytest.mark.parametrize(
    ("groups", "failed"),
    [("FFFFFE", []), ("FFFFFF", [(OPEN, "unknown outcome")])],
)
def test_after_a_stall_feedback_decides_what_was_in_flight(
    groups: str, failed: list[tuple[Order, str]]
) -> None:
    script = serving(1)
    script.replies[query_all(1)] = levels(1, groups)
    script.order(OPEN)
    script.now += 5.0
    script.device.resumed(script.now)
    signals = script.run(1.0)
    assert refusals(signals) == failed
    assert len(openings(script)) == 1
    is_closed = [s.is_active for s in signals if isinstance(s, InputChanged)]
    assert is_closed == [groups == "FFFFFF", *[True] * 23]


def test_the_queue_of_orders_is_bounded() -> None:
    script = serving(1)
    for _ in range(MAX_ORDERS + 10):
        script.order(OPEN)
    failed = refusals(script.run(0.0))
    assert failed == [(OPEN, "too many orders wait")] * 9  # one is in flight


def test_orders_without_ticks_are_our_own_mistake() -> None:
    script = serving(1)
    wrong = OpenLock(unit=9, channel=1)
    for _ in range(MAX_WAITING_SIGNALS):
        script.device.order(wrong, script.now)
    with pytest.raises(LocalError, match="tick"):
        script.device.order(wrong, script.now)
