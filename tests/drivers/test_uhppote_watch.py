# SPDX-License-Identifier: Apache-2.0
"""Somebody else at a UHPPOTE controller: commands, passcodes, relays, its own cards."""

from __future__ import annotations

import pytest

from drivers.device import Pulse, Reachable, SetOutput, Signal, TamperChanged
from drivers.uhppote.watch import QUIET_S
from tests.drivers.uhppote_wire import (
    CLOCK,
    COUNT,
    STATUS,
    UhppoteWire,
    cards,
    event,
    get_event,
    open_door,
    packet,
    serving,
    set_door,
    status,
    wire,
)

OPEN = Pulse(unit=0, channel=1, duration_s=5.0)
COMMAND = "somebody else's command opened door 1"
PASSCODE = "a supervisor passcode was typed at door 1"
RELAY = "nobody ordered door 1 to be open"


def opened(index: int, *, door: int = 1, reason: int = 0x2C, card: int = 0) -> str:
    granted = event(
        index, kind=2, granted=True, door=door, direction=1, card=card, reason=reason
    )
    return status(granted)


def told(signals: list[Signal]) -> list[tuple[bool, str]]:
    found = [one for one in signals if isinstance(one, TamperChanged)]
    assert all(one.unit == 0 for one in found)
    return [(one.is_tampered, one.why) for one in found]


def stays(script: UhppoteWire, answer: str, *, for_s: float) -> list[Signal]:
    """Let the controller answer so for a while."""
    script.replies[STATUS] = answer
    return script.run(for_s)


# -- cards of its own --------------------------------------------------------------


@pytest.mark.parametrize(("count", "detail"), [(0, ""), (3, "; 3 cards of its own")])
def test_cards_of_its_own_are_told_at_the_beginning(count: int, detail: str) -> None:
    script = wire()
    script.replies[COUNT] = cards(count)
    script.open()
    [found] = [one for one in script.run(0.2) if isinstance(one, Reachable)]
    assert found.detail == f"version 8.92{detail}"


def test_the_controllers_list_is_never_changed() -> None:
    script = wire()
    script.replies[COUNT] = cards(3)
    script.open()
    script.run(60.0)
    assert not [one for _, one in script.sent if one[2:4] in ("50", "52", "54")]


# -- commands and passcodes --------------------------------------------------------


@pytest.mark.parametrize(("reason", "why"), [(0x2C, COMMAND), (0x19, PASSCODE)])
def test_an_opening_by_another_is_told_once_until_a_quiet_minute(
    reason: int, why: str
) -> None:
    script = serving()
    assert told(script.feed(opened(1, reason=reason))) == [(True, why)]
    script.run(30.0)
    assert told(script.feed(opened(2, reason=reason))) == []
    script.replies[STATUS] = opened(2, reason=reason)
    assert told(script.run(QUIET_S - 3.0)) == []
    assert told(script.run(6.0)) == [(False, why)]
    assert told(script.feed(opened(3, reason=reason))) == [(True, why)]


def test_an_opening_that_was_fetched_later_is_told_too() -> None:
    script = serving()
    script.replies[get_event(1)] = packet("b0", opened(1)[16:56])
    script.feed(status(event(2, kind=2, door=1, reason=0x17)))
    assert told(script.run(1.0)) == [(True, COMMAND)]


def test_each_of_our_openings_explains_one_event_of_its_door() -> None:
    script = serving()
    script.replies[STATUS] = opened(1)
    script.order(OPEN)
    assert told(script.run(1.0)) == []
    assert told(script.feed(opened(2))) == [(True, COMMAND)]
    script.order(OPEN)
    why = "somebody else's command opened door 2"
    assert told(script.feed(opened(3, door=2))) == [(True, why)]


def test_an_opening_without_an_answer_is_ours_as_well() -> None:
    script = serving()
    script.replies[open_door(1)] = None
    script.replies[STATUS] = opened(1)
    script.order(OPEN)
    assert told(script.run(3.0)) == []


def test_an_opening_of_long_ago_explains_nothing() -> None:
    script = serving()
    script.order(OPEN)
    script.run(31.0)
    assert told(script.feed(opened(1))) == [(True, COMMAND)]


def test_openings_while_we_were_away_are_not_judged() -> None:
    script = serving()
    script.order(OPEN)
    script.device.resumed(script.now)
    script.replies[STATUS] = opened(1)
    assert told(script.run(3.0)) == []
    # Its event is among those that are not judged, so it explains no later one.
    assert told(script.feed(opened(2))) == [(True, COMMAND)]


@pytest.mark.parametrize("door", [0, 5, 255])
def test_doors_that_it_has_not_are_passed_over(door: int) -> None:
    assert told(serving().feed(opened(1, door=door))) == []


# -- relays ------------------------------------------------------------------------


def test_a_relay_that_nobody_switched_is_told() -> None:
    script = serving()
    assert told(stays(script, status(relays=1), for_s=2.1)) == []
    assert told(script.run(2.1)) == [(True, RELAY)]
    assert told(script.run(2 * QUIET_S)) == [], "as long as it is on"
    assert told(stays(script, status(), for_s=QUIET_S + 3.0)) == [(False, RELAY)]


def test_the_all_clear_is_that_of_the_last_cause() -> None:
    script = serving()
    stays(script, status(relays=1), for_s=5.0)
    assert told(script.feed(opened(1, reason=0x19))) == [(True, PASSCODE)]
    again = status(event(1, kind=2, door=1, reason=0x19), relays=1)
    assert told(stays(script, again, for_s=80.0)) == []
    script.replies[STATUS] = opened(1, reason=0x19)
    assert told(script.run(QUIET_S + 3.0)) == [(False, RELAY)]


def test_our_own_pulse_explains_its_relay_and_no_longer() -> None:
    script = serving()
    script.replies[STATUS] = status(relays=1)
    script.order(OPEN)
    assert told(script.run(9.0)) == []
    assert told(script.run(8.0)) == [(True, RELAY)]


def test_a_door_that_stands_open_by_order_is_in_order() -> None:
    script = serving()
    script.order(SetOutput(unit=0, channel=1, is_on=True))
    assert told(stays(script, status(relays=1), for_s=60.0)) == []
    script.order(SetOutput(unit=0, channel=1, is_on=False))
    assert told(stays(script, status(), for_s=60.0)) == []


def test_a_door_of_which_nobody_knows_how_it_is_held_is_not_judged() -> None:
    script = serving()
    script.replies |= {set_door(1, 1, 5): None, packet("82", "01"): None}
    script.order(SetOutput(unit=0, channel=1, is_on=True))
    script.run(4.0)
    script.replies[set_door(1, 3, 5)] = None
    script.order(SetOutput(unit=0, channel=1, is_on=False))
    assert told(stays(script, status(relays=1), for_s=60.0)) == []


def test_a_button_explains_a_relay_by_its_level_and_by_its_event() -> None:
    script = serving()
    pressed = status(relays=1, are_pressed="01000000")
    assert told(stays(script, pressed, for_s=10.0)) == []
    assert told(stays(script, status(relays=1), for_s=4.0)) == []
    assert told(stays(script, status(), for_s=4.0)) == []
    let_out = status(event(2, kind=2, door=1, reason=0x17), relays=1)
    button = event(1, kind=2, granted=True, door=1, reason=0x14)
    script.replies[get_event(1)] = packet("b0", button)
    assert told(stays(script, let_out, for_s=9.0)) == []


def test_a_relay_is_not_judged_while_events_are_missing() -> None:
    script = serving(reply_timeout_s=2.0)
    button = event(1, kind=2, granted=True, door=1, reason=0x14)
    script.replies[get_event(1)] = [None, None, packet("b0", button)]
    let_out = status(event(2, kind=2, door=1, reason=0x17), relays=1)
    assert told(stays(script, let_out, for_s=8.0)) == []
    assert told(stays(script, status(), for_s=5.0)) == []


def test_what_was_on_at_the_beginning_is_not_judged_before_it_was_off() -> None:
    script = wire()
    script.replies[STATUS] = status(relays=1)
    script.open()
    assert told(script.run(30.0)) == []
    assert told(stays(script, status(), for_s=5.0)) == []
    assert told(stays(script, status(relays=1), for_s=5.0)) == [(True, RELAY)]


@pytest.mark.parametrize(("pc_control", "is_told"), [(True, True), (False, False)])
def test_a_card_of_its_list_opens_only_where_it_is_to_decide(
    pc_control: bool,  # noqa: FBT001
    is_told: bool,  # noqa: FBT001
) -> None:
    script = serving(pc_control=pc_control)
    card = event(
        1, kind=1, granted=True, door=1, direction=1, card=77, at=CLOCK, reason=1
    )
    found = told(stays(script, status(card, relays=1), for_s=7.0))
    assert found == ([(True, RELAY)] if is_told else [])
