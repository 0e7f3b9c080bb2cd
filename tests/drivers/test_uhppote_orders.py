# SPDX-License-Identifier: Apache-2.0
"""Opening doors by a UHPPOTE controller: once, in time, and never twice."""

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
from drivers.uhppote.controller import MAX_ORDERS
from tests.drivers.uhppote_wire import (
    STATUS,
    UhppoteWire,
    event,
    open_door,
    packet,
    serving,
    set_door,
    status,
    wire,
)

OPEN = Pulse(unit=0, channel=1, duration_s=5.0)
OPEN_LONGER = Pulse(unit=0, channel=1, duration_s=8.0)
OPEN_SECOND = Pulse(unit=0, channel=2, duration_s=5.0)
STAND_OPEN = SetOutput(unit=0, channel=1, is_on=True)
SHUT = SetOutput(unit=0, channel=1, is_on=False)


def refusals(signals: list[Signal]) -> list[tuple[Order, str]]:
    found = [signal for signal in signals if isinstance(signal, OrderFailed)]
    return [(signal.order, signal.why) for signal in found]


def since(script: UhppoteWire, count: int) -> list[str]:
    return [frame for _, frame in script.sent[count:]]


# -- the opening -------------------------------------------------------------------


def test_a_door_with_the_right_delay_is_opened_by_one_packet_at_once() -> None:
    script = serving()
    script.order(OPEN)
    assert script.sent[-1] == (script.now, open_door(1))
    assert script.run(1.0) == []
    assert [frame for _, frame in script.sent].count(open_door(1)) == 1


def test_the_delay_is_set_where_it_differs_and_only_there() -> None:
    script = serving()
    before = len(script.sent)
    for order in (OPEN_LONGER, OPEN_LONGER, OPEN):
        script.order(order)
        script.run(0.05)
    orders = [one for one in since(script, before) if one != STATUS]
    assert orders == [
        set_door(1, 3, 8),
        open_door(1),
        open_door(1),
        set_door(1, 3, 5),
        open_door(1),
    ]


@pytest.mark.parametrize(
    ("duration_s", "delay_s"),
    [(1e-9, 1), (0.3, 1), (1.0, 1), (2.1, 3), (2.9999999999, 3), (255.0, 255)],
)
def test_a_pulse_is_rounded_up_to_whole_seconds(
    duration_s: float, delay_s: int
) -> None:
    script = serving()
    script.order(Pulse(unit=0, channel=2, duration_s=duration_s))
    assert script.sent[-1][1] == set_door(2, 3, delay_s)


def test_the_relay_is_looked_at_after_the_opening_and_after_its_end() -> None:
    script = serving()
    script.replies[STATUS] = status(relays=1)
    script.order(OPEN)
    assert script.run(0.1) == [OutputChanged(unit=0, channel=1, is_on=True)]
    script.run(5.0)
    script.replies[STATUS] = status()
    assert script.run(0.2) == [OutputChanged(unit=0, channel=1, is_on=False)]


def test_an_order_waits_for_the_beginning_to_end() -> None:
    script = wire()
    script.open()
    script.order(OPEN)
    script.run(0.2)
    assert open_door(1) in [frame for _, frame in script.sent]
    assert script.sent[0][1] != open_door(1)


def test_an_order_goes_before_the_repeat_of_a_poll() -> None:
    script = serving()
    script.replies[STATUS] = None
    script.run(1.9)
    script.run_until_sent()
    assert script.sent[-1][1] == STATUS
    before = len(script.sent)
    script.order(OPEN)
    script.run(0.6)
    assert since(script, before)[0] == open_door(1)


# -- what goes wrong ---------------------------------------------------------------


def test_an_opening_is_never_repeated_and_its_outcome_is_unknown() -> None:
    script = serving()
    script.replies[open_door(1)] = None
    before = len(script.sent)
    script.order(OPEN)
    signals = script.run(10.0)
    assert refusals(signals) == [(OPEN, "unknown outcome")]
    assert since(script, before)[:2] == [open_door(1), STATUS]
    assert since(script, before).count(open_door(1)) == 1
    assert not [one for one in signals if isinstance(one, Unreachable)]


def test_a_relay_that_is_on_is_an_answer() -> None:
    script = serving()
    script.replies[open_door(1)] = None
    script.replies[STATUS] = status(relays=1)
    script.order(OPEN)
    assert script.run(3.0) == [OutputChanged(unit=0, channel=1, is_on=True)]


def test_without_any_answer_the_outcome_is_unknown_and_the_controller_lost() -> None:
    script = serving()
    script.replies = {}
    script.order(OPEN)
    signals = script.run(6.0)
    assert refusals(signals) == [(OPEN, "unknown outcome")]
    assert Unreachable(unit=0, why="no answer") in signals
    script.order(OPEN)
    assert refusals(script.run(0.1)) == [(OPEN, "the controller is unreachable")]


def test_a_late_answer_opens_nothing_more() -> None:
    script = serving()
    script.replies[open_door(1)] = None
    script.order(OPEN)
    script.run(1.0)
    assert script.feed(packet("40", "01")) == []
    assert [frame for _, frame in script.sent].count(open_door(1)) == 1


def test_a_relay_that_was_on_before_is_no_answer() -> None:
    script = serving()
    script.replies[STATUS] = status(relays=1)
    script.order(OPEN)
    script.run(1.0)
    script.replies[open_door(1)] = None
    script.order(OPEN)
    assert refusals(script.run(3.0)) == [(OPEN, "unknown outcome")]


def test_a_late_answer_of_one_door_is_none_of_another() -> None:
    script = serving()
    script.replies |= {open_door(1): None, open_door(2): None}
    script.order(OPEN)
    script.order(OPEN_SECOND)
    script.run(0.6)
    assert script.sent[-1][1] == open_door(2)
    script.feed(packet("40", "01"))  # door 1's, late; door 2's packet was lost
    unknown = [(OPEN, "unknown outcome"), (OPEN_SECOND, "unknown outcome")]
    script.run(5.0)
    assert refusals([signal for _, signal in script.signals]) == unknown
    assert [frame for _, frame in script.sent].count(open_door(2)) == 1


def test_while_answers_may_be_late_the_relay_is_looked_at_each_time() -> None:
    script = serving()
    script.replies[open_door(1)] = None
    script.order(OPEN)
    script.run(1.0)
    before = len(script.sent)
    script.replies[STATUS] = status(relays=2)
    script.order(OPEN_SECOND)
    assert refusals(script.run(1.0)) == []
    assert since(script, before)[:2] == [open_door(2), STATUS]
    script.run(8.0)
    script.replies[STATUS] = status()
    script.run(2.0)
    script.order(OPEN_SECOND)
    assert refusals(script.run(3.0)) == [], "its answer is believed again"


@pytest.mark.parametrize("verb", ["resumed", "closed"])
def test_an_opening_that_was_given_up_may_be_answered_late(verb: str) -> None:
    script = serving()
    script.replies |= {open_door(1): None, open_door(2): None}
    script.order(OPEN)
    if verb == "resumed":
        script.device.resumed(script.now)
    else:
        script.device.closed(script.now)
        script.open()
    script.run(0.1)
    script.order(OPEN_SECOND)
    script.feed(packet("40", "01"))
    failed = (OPEN_SECOND, "unknown outcome")
    assert failed in refusals(script.run(3.0))


def test_a_report_of_before_is_no_look_at_the_relay() -> None:
    script = serving()
    script.replies |= {open_door(1): None, STATUS: None}
    script.order(OPEN)
    script.run(0.51)
    assert script.sent[-1][1] == STATUS
    moved = event(1, kind=2, door=1, reason=0x17)
    assert refusals(script.feed(status(moved))) == []
    assert refusals(script.feed(status(moved, relays=1))) == []
    script.replies[STATUS] = status(moved, relays=1)
    assert refusals(script.run(5.0)) == []


def test_news_in_the_answer_to_a_look_is_no_harm() -> None:
    script = serving()
    script.replies[open_door(1)] = None
    script.replies[STATUS] = status(event(1, kind=2, door=1, reason=0x17))
    script.order(OPEN)
    assert refusals(script.run(5.0)) == [(OPEN, "unknown outcome")]


def test_a_refusal_is_told() -> None:
    script = serving()
    script.replies[open_door(1)] = packet("40", "00")
    script.order(OPEN)
    assert refusals(script.run(0.1)) == [(OPEN, "the controller refused to open")]


def test_a_delay_that_is_not_taken_opens_nothing() -> None:
    script = serving()
    script.replies[set_door(1, 3, 8)] = set_door(1, 3, 5)
    script.order(OPEN_LONGER)
    failed = (OPEN_LONGER, "the controller refused to set the door")
    assert refusals(script.run(0.1)) == [failed]
    assert open_door(1) not in [frame for _, frame in script.sent]


def test_a_setting_is_repeated_twice_and_then_the_order_fails() -> None:
    script = serving()
    script.replies[set_door(1, 3, 8)] = None
    script.order(OPEN_LONGER)
    assert refusals(script.run(3.0)) == [(OPEN_LONGER, "no answer")]
    sent = [frame for _, frame in script.sent]
    assert sent.count(set_door(1, 3, 8)) == 3
    assert open_door(1) not in sent


def test_a_setting_that_is_answered_late_opens_nothing_old() -> None:
    script = serving(reply_timeout_s=2.0)
    script.replies[set_door(1, 3, 8)] = None
    script.order(OPEN_LONGER)
    script.run(0.1)
    script.now += 2.0
    failed = refusals(script.feed(set_door(1, 3, 8)))
    assert failed == [(OPEN_LONGER, "the order grew too old")]
    assert open_door(1) not in [frame for _, frame in script.sent]


def test_an_order_that_grew_old_behind_others_is_dropped() -> None:
    script = serving(reply_timeout_s=1.0)
    for channel in (1, 2, 3):
        script.replies[open_door(channel)] = None
    orders = [Pulse(unit=0, channel=n, duration_s=5.0) for n in (1, 2, 3)]
    for order in orders:
        script.order(order)
    failed = refusals(script.run(6.0))
    assert (orders[2], "the order grew too old") in failed
    assert open_door(3) not in [frame for _, frame in script.sent]


def test_a_standstill_fails_what_was_in_flight() -> None:
    script = serving()
    script.replies[open_door(1)] = None
    script.order(OPEN)
    script.device.resumed(script.now)
    assert refusals(script.run(0.1)) == [(OPEN, "the process stood still")]


def test_a_closed_link_fails_all_that_waits() -> None:
    script = serving()
    script.replies[open_door(1)] = None
    script.order(OPEN)
    script.order(OPEN)
    failed = refusals(script.device.closed(script.now))
    assert failed == [(OPEN, "the link was lost")] * 2
    script.order(OPEN)
    assert refusals(script.device.tick(script.now)) == [
        (OPEN, "the controller is unreachable")
    ]


# -- doors that stand open ---------------------------------------------------------


def test_a_door_stands_open_by_its_mode_and_a_pulse_does_not_shut_it() -> None:
    script = serving()
    before = len(script.sent)
    script.order(STAND_OPEN)
    script.run(0.05)
    script.order(OPEN)
    script.run(0.05)
    script.order(SHUT)
    script.run(0.05)
    sent = [one for one in since(script, before) if one != STATUS]
    assert sent == [set_door(1, 1, 5), open_door(1), set_door(1, 3, 5)]


# -- orders that can't be ----------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (Pulse(unit=0, channel=5, duration_s=1.0), "the controller has doors 1 to 4"),
        (Pulse(unit=0, channel=0, duration_s=1.0), "the controller has doors 1 to 4"),
        (Pulse(unit=1, channel=1, duration_s=1.0), "a reader moves nothing; its"),
        (Pulse(unit=0, channel=1, duration_s=0.0), "a pulse lasts up to 255 s"),
        (Pulse(unit=0, channel=1, duration_s=255.1), "a pulse lasts up to 255 s"),
        (Pulse(unit=0, channel=1, duration_s=math.nan), "a pulse lasts up to 255 s"),
        (OpenLock(unit=0, channel=1), "a controller has doors, neither locks nor"),
    ],
)
def test_impossible_orders_are_refused(order: Order, why: str) -> None:
    script = serving()
    before = len(script.sent)
    script.order(order)
    ((refused, told),) = refusals(script.run(0.1))
    assert refused == order
    assert told.startswith(why)
    assert since(script, before) == []


def test_what_cannot_be_shown_is_dropped_in_silence() -> None:
    script = serving(1)
    script.order(Show(unit=1, cue=Cue.GRANTED))
    assert script.run(0.1) == []


def test_too_many_orders_are_refused() -> None:
    script = serving()
    script.replies[open_door(1)] = None
    for _ in range(MAX_ORDERS + 2):
        script.order(OPEN)
    assert refusals(script.run(0.0)) == [(OPEN, "too many orders wait")]
