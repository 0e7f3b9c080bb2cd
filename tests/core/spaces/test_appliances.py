# SPDX-License-Identifier: Apache-2.0
"""The stove: on inside a slot with its holder there, off by anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.core.command import SwitchAppliance
from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind
from edge.core.moment import UNBOUNDED_MS
from tests.core.scene import MINUTE_MS, clock_ms
from tests.core.spaces.house import House

if TYPE_CHECKING:
    from collections.abc import Callable

SLOT = "b1 wang kitchen 15:00-16:00"
ON, OFF = EventKind.APPLIANCE_ON, EventKind.APPLIANCE_OFF


def cooking() -> House:
    house = House(SLOT)
    house.enter("kitchen", "wang", "b1")
    assert house.stove() == ["on"]
    return house


def test_an_entry_inside_the_slot_switches_it_on_after_its_commit() -> None:
    house = House(SLOT)
    cause = house.grant("kitchen", "wang", "b1")
    taken = house.take("kitchen", "wang", "b1", cause)
    (on,) = house.told(ON)
    assert (on.fact("cause"), on.fact("end")) == (taken, clock_ms("16:00"))
    assert (on.person.holder, on.person.booking) == ("wang", "b1")


def test_the_order_to_switch_on_names_the_event_it_waits_for() -> None:
    house = House(SLOT)
    house.grant("kitchen", "wang", "b1", free=1)
    (on,) = house.told(ON)
    assert house.last.commands == (
        SwitchAppliance(appliance="stove", is_on=True, cause=on.seq),
    )


def test_who_comes_early_waits_for_his_slot() -> None:
    house = House("b1 wang kitchen 15:05-16:00")
    house.enter("kitchen", "wang", "b1")
    house.at("15:04:59")
    assert house.stove() == []
    house.at("15:05:01")
    assert house.stove() == ["on"]


def test_nobody_else_switches_it_on() -> None:
    house = House(SLOT, "b2 li lounge 15:00-16:00")
    house.enter("kitchen", "chen")
    house.enter("kitchen", "")
    house.enter("lounge", "li", "b2")
    house.by_hand("kitchen", 1)
    house.swing("kitchen")
    assert house.stove() == []


def test_it_goes_off_at_the_slots_end_before_the_visit_does() -> None:
    house = cooking()
    house.at("15:59:59")
    assert house.stove() == ["on"]
    house.at("16:00")
    assert house.stove() == ["on", "slot_end"]
    assert house.switched() == [False]


def test_an_inexact_clock_ends_the_slot_early_rather_than_late() -> None:
    house = cooking()
    house.spread_ms = 900
    house.event(EventKind.CLOCK_FIXED, "gateway")
    house.at("15:59:59.000")
    assert house.stove() == ["on"]
    house.at("15:59:59.150")
    assert house.stove() == ["on", "slot_end"]


def test_it_goes_off_when_nobody_is_inside_any_more() -> None:
    house = cooking()
    house.wait(60)
    house.walk_out("kitchen")
    assert house.stove() == ["on", "nobody"]


def test_it_stays_on_while_somebody_of_the_slot_may_be_inside() -> None:
    house = House(SLOT, "b2 li kitchen 15:00-15:30")
    house.enter("kitchen", "wang", "b1")
    house.enter("kitchen", "li", "b2")
    house.wait(60)
    house.walk_out("kitchen")
    assert house.stove() == ["on"]
    house.at("15:31")
    assert house.stove() == ["on"]
    house.at("16:01")
    assert house.stove() == ["on", "slot_end"]


def test_a_count_of_nobody_puts_it_off() -> None:
    house = cooking()
    house.count("kitchen", 0)
    assert house.stove() == ["on", "nobody"]


@pytest.mark.parametrize("state", [EmergencyState.FIRE, EmergencyState.LOCK_DOWN])
def test_an_emergency_puts_it_off_and_its_end_leaves_it_off(
    state: EmergencyState,
) -> None:
    house = cooking()
    house.emergency(state)
    assert house.switched() == [False]
    house.emergency()
    house.wait(60)
    assert house.stove() == ["on", state.value.lower()]


@pytest.mark.parametrize("state", [EmergencyState.SHELTER, EmergencyState.CHECKPOINT])
def test_other_emergencies_leave_it_on(state: EmergencyState) -> None:
    house = cooking()
    house.emergency(state)
    assert house.stove() == ["on"]


def test_a_clock_that_becomes_unsure_puts_it_off_for_good() -> None:
    house = cooking()
    house.spread_ms = UNBOUNDED_MS
    house.event(EventKind.DOOR_CLOSED, "hall-door")
    house.spread_ms = 0
    house.event(EventKind.CLOCK_FIXED, "gateway")
    house.wait(60)
    assert house.stove() == ["on", "clock"]


def test_an_unsure_clock_does_not_switch_it_on() -> None:
    house = House(SLOT)
    house.spread_ms = 2 * 60 * MINUTE_MS
    house.enter("kitchen", "wang", "b1")
    assert house.stove() == []
    assert house.switch(is_on=True) != ""


def test_a_booking_that_is_taken_away_takes_the_gas_with_it() -> None:
    house = cooking()
    house.rebook()
    assert house.stove() == ["on", "slot_end"]


def test_a_prolonged_booking_keeps_it_on() -> None:
    house = cooking()
    house.rebook("b1 wang kitchen 15:00-17:00")
    house.at("16:30")
    assert house.stove() == ["on"]
    house.at("17:01")
    assert house.stove() == ["on", "slot_end"]


def test_its_board_puts_it_off_by_going_and_by_coming() -> None:
    house = cooking()
    house.spaces.board_changed(["stove", "no-such"], house.now())
    house.tell()
    assert house.switched() == [False]
    assert house.stove() == ["on", "board"]
    house.spaces.board_changed(["stove"], house.now())
    house.tell()
    assert house.switched() == [False]  # to make sure; there is nothing to tell
    assert house.stove() == ["on", "board"]


def test_a_restart_puts_it_off_and_says_so_once() -> None:
    house = cooking()
    house.cut_power()
    assert house.switched() == [False]
    house.wait(60)
    house.cut_power()
    assert house.switched() == [False]
    assert house.stove() == ["on", "restart"]


def test_a_restart_before_the_slot_leaves_it_off_in_the_slot() -> None:
    house = House("b1 wang kitchen 15:05-16:00")
    house.enter("kitchen", "wang", "b1")
    house.cut_power()
    house.at("15:30")
    assert house.stove() == []


def ordered_off(house: House) -> None:
    assert house.switch(is_on=False) == ""


def restarted(house: House) -> None:
    house.cut_power()


def board_lost(house: House) -> None:
    house.spaces.board_changed(["stove"], house.now())
    house.tell()


def fire_over(house: House) -> None:
    house.emergency(EmergencyState.LOCK_DOWN)
    house.emergency()


@pytest.mark.parametrize("off", [ordered_off, restarted, board_lost, fire_over])
def test_only_a_new_entry_or_a_volunteer_brings_it_back(
    off: Callable[[House], None],
) -> None:
    for come_back in ("entry", "order"):
        house = cooking()
        off(house)
        house.wait(120)
        assert house.stove()[1:] != []
        assert house.stove()[-1] != "on"
        if come_back == "entry":
            house.enter("kitchen", "wang", "b1")
        else:
            assert house.switch(is_on=True) == ""
        assert house.stove()[-1] == "on"


def test_an_order_on_counts_only_inside_a_slot_with_its_holder_there() -> None:
    house = House(SLOT, "b2 li kitchen 17:00-18:00")
    assert house.switch(is_on=True) != ""
    house.enter("kitchen", "chen")
    assert house.switch(is_on=True) != ""
    house.enter("kitchen", "li", "b2")
    assert house.switch(is_on=True) != ""
    house.enter("kitchen", "wang", "b1")
    assert "already" in house.switch(is_on=True)
    house.switch(is_on=False)
    house.emergency(EmergencyState.FIRE)
    assert "FIRE" in house.switch(is_on=True)
    assert house.stove() == ["on", "ordered"]


def test_an_order_is_told_with_who_gave_it_and_why() -> None:
    house = cooking()
    house.switch(is_on=False)
    house.switch(is_on=True)
    off, on = house.told(OFF)[-1], house.told(ON)[-1]
    for event in (off, on):
        assert (event.fact("actor"), event.fact("reason")) == ("chen", "soup")


def test_an_order_off_is_carried_out_whatever_is_thought_of_it() -> None:
    house = House()
    assert house.switch(is_on=False) == ""
    assert house.switched() == [False]
    assert house.stove() == []
