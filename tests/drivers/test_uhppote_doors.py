# SPDX-License-Identifier: Apache-2.0
"""How a UHPPOTE controller's doors are held: taken back late, and never in a fire."""

from __future__ import annotations

import pytest

from drivers.device import OrderFailed, Pulse, Reachable, SetOutput
from tests.drivers.uhppote_wire import (
    STATUS,
    UhppoteWire,
    get_door,
    held,
    open_door,
    serving,
    set_door,
    sound,
    status,
    wire,
)

OPEN = Pulse(unit=0, channel=1, duration_s=5.0)
STAND_OPEN = SetOutput(unit=0, channel=1, is_on=True)
SHUT = SetOutput(unit=0, channel=1, is_on=False)


def moved(script: UhppoteWire, at: float = 0.0) -> list[str]:
    """What was sent since then that moves a relay."""
    return [one for one in script.sent_since(at) if one[2:4] in ("40", "80")]


def lost_and_found(script: UhppoteWire, *, mode: int) -> float:
    """Let the controller be silent and come back with door 1 held so; return when."""
    replies, script.replies = script.replies, {}
    script.run(8.0)
    script.replies = {**replies, get_door(1): held(1, mode, 5)}
    return script.now


# -- held by itself ----------------------------------------------------------------


@pytest.mark.parametrize(("mode", "delay_s"), [(1, 5), (2, 3), (4, 0)])
def test_a_door_that_is_held_by_itself_is_taken_back(mode: int, delay_s: int) -> None:
    script = wire()
    script.replies[get_door(2)] = held(2, mode, delay_s)
    script.replies[set_door(2, 3, 3)] = set_door(2, 3, 3)
    script.open()
    script.run(1.9)
    assert moved(script) == []
    script.run(8.0)
    assert moved(script) == [set_door(2, 3, delay_s or 5)]


def test_a_door_that_never_answers_is_not_taken_back_for_ever() -> None:
    script = wire()
    script.replies[get_door(1)] = held(1, 1, 5)
    script.replies[set_door(1, 3, 5)] = None
    script.open()
    script.run(30.0)
    assert moved(script) == [set_door(1, 3, 5)] * 3


def test_a_pulse_takes_a_door_back_that_the_house_never_wanted_open() -> None:
    script = wire()
    script.replies[get_door(1)] = held(1, 1, 5)
    script.open()
    script.run(0.2)
    script.order(OPEN)
    script.run(8.0)
    assert moved(script) == [set_door(1, 3, 5), open_door(1)]


# -- a fire ------------------------------------------------------------------------


def test_a_controller_that_flaps_during_a_fire_shuts_no_door() -> None:
    script = serving()
    script.order(STAND_OPEN)
    script.run(1.0)
    back_at = lost_and_found(script, mode=1)
    assert any(isinstance(one, Reachable) for one in script.run(10.0))
    assert moved(script, back_at) == []


def test_a_link_that_flaps_during_a_fire_shuts_no_door() -> None:
    script = serving()
    script.order(STAND_OPEN)
    script.run(1.0)
    script.device.closed(script.now)
    script.replies[get_door(1)] = held(1, 1, 5)
    back_at = script.now
    script.open()
    script.run(10.0)
    assert moved(script, back_at) == []


def test_a_gateway_that_starts_during_a_fire_shuts_no_door() -> None:
    script = wire()
    script.replies[get_door(1)] = held(1, 1, 5)
    script.open()
    assert any(isinstance(one, Reachable) for one in script.run(0.2))
    script.order(STAND_OPEN)  # the house says so as soon as it is reachable
    script.run(10.0)
    assert moved(script) == [set_door(1, 1, 5)]


def test_a_door_that_was_not_held_open_in_time_is_not_shut_for_it() -> None:
    script = wire()
    script.replies |= {get_door(1): held(1, 1, 5), set_door(1, 1, 5): None}
    script.open()
    script.run(0.2)
    script.order(STAND_OPEN)
    script.run(10.0)
    assert moved(script) == [set_door(1, 1, 5)] * 3


def test_the_houses_word_counts_though_it_grew_old() -> None:
    script = wire(reply_timeout_s=2.0)
    script.replies |= {get_door(1): held(1, 1, 5), STATUS: [None, None, status()]}
    script.open()
    script.run(0.1)
    script.order(STAND_OPEN)
    signals = script.run(15.0)
    assert [one for one in signals if isinstance(one, OrderFailed)]
    assert [one for one in signals if isinstance(one, Reachable)]
    assert moved(script) == []


def test_the_houses_word_counts_though_it_is_lost() -> None:
    script = serving()
    replies, script.replies = script.replies, {}
    script.run(8.0)
    script.order(STAND_OPEN)
    assert [one for one in script.run(0.0) if isinstance(one, OrderFailed)]
    script.replies = {**replies, get_door(1): held(1, 1, 5)}
    back_at = script.now
    script.run(10.0)
    assert moved(script, back_at) == []


def test_what_is_wanted_shut_since_is_taken_back() -> None:
    script = serving()
    script.order(STAND_OPEN)
    script.run(1.0)
    script.order(SHUT)
    script.run(1.0)
    back_at = lost_and_found(script, mode=1)
    script.run(10.0)
    assert moved(script, back_at) == [set_door(1, 3, 5)]


# -- settings that nobody knows of -------------------------------------------------


def test_after_an_unanswered_setting_the_door_is_asked_anew() -> None:
    script = serving()
    script.order(STAND_OPEN)
    script.run(1.0)
    script.replies |= {set_door(1, 3, 5): None, get_door(1): held(1, 1, 5)}
    script.order(SHUT)
    failed_at = script.now
    signals = script.run(20.0)
    assert [one.why for one in signals if isinstance(one, OrderFailed)] == ["no answer"]
    assert script.sent_since(failed_at).count(get_door(1)) == 1
    # Asked alone: it is the house that says it again.
    assert moved(script, failed_at) == [set_door(1, 3, 5)] * 3
    script.replies = sound()
    again_at = script.now
    script.order(OPEN)
    script.run(1.0)
    assert moved(script, again_at) == [set_door(1, 3, 5), open_door(1)]


def test_until_it_answers_a_door_that_is_to_stand_open_is_not_shut_by_a_pulse() -> None:
    script = serving()
    script.replies |= {set_door(1, 1, 5): None, get_door(1): None}
    script.order(STAND_OPEN)
    script.run(4.0)
    asked_at = script.now
    script.order(OPEN)
    script.run(1.0)
    assert moved(script, asked_at) == [open_door(1)]


def test_a_late_answer_to_another_setting_is_not_believed() -> None:
    script = serving()
    script.replies[set_door(1, 3, 5)] = None
    script.replies[get_door(1)] = held(1, 3, 5)
    script.order(STAND_OPEN)
    script.run(0.5)
    script.order(SHUT)
    script.feed(set_door(1, 1, 5))
    before = script.now
    script.run(1.0)
    assert get_door(1) in script.sent_since(before)


def test_a_standstill_in_a_setting_asks_the_door_anew() -> None:
    script = serving()
    script.replies[set_door(1, 1, 5)] = None
    script.order(STAND_OPEN)
    before = script.now
    script.device.resumed(script.now)
    script.run(1.0)
    assert get_door(1) in script.sent_since(before)
