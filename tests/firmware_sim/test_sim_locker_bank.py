# SPDX-License-Identifier: Apache-2.0
"""The physics of simulated compartments, without a board."""

from __future__ import annotations

import pytest

from firmware_sim.errors import SimulationError
from firmware_sim.happening import Diary, Subject, What
from firmware_sim.lockers.locker_bank import (
    MAX_THING_CHARACTERS,
    MAX_THINGS,
    Compartment,
    Feedback,
    LockerBank,
)

OPENED, CLOSED = What.COMPARTMENT_OPENED, What.COMPARTMENT_CLOSED


def bank_of(
    channels: int = 2, feedback: Feedback = Feedback.LATCH
) -> tuple[LockerBank, Compartment, Diary]:
    diary = Diary(Subject.BOARD, "lockers")
    bank = LockerBank(channels, feedback, diary)
    return bank, bank.at(1), diary


def told(diary: Diary) -> list[tuple[float, What, int | None]]:
    return [(entry.at, entry.what, entry.channel) for entry in diary.entries()]


def test_a_pulse_opens_and_only_the_hand_shuts() -> None:
    bank, one, diary = bank_of()
    one.pulse(1.0, 0.3)
    bank.tick(9.0)
    assert one.snapshot().is_open
    assert not one.snapshot().feels_closed
    assert one.shut(10.0)
    assert one.snapshot().feels_closed
    assert told(diary) == [(1.0, OPENED, 1), (10.0, CLOSED, 1)]
    assert not bank.at(2).snapshot().is_open


def test_a_leaf_shut_during_the_pulse_springs_back() -> None:
    bank, one, diary = bank_of()
    one.pulse(1.0, 5.0)
    assert not one.shut(2.0)
    bank.tick(6.0)
    assert one.shut(6.0)
    assert told(diary) == [(1.0, OPENED, 1), (6.0, CLOSED, 1)]


def test_a_second_pulse_starts_its_time_anew_and_opens_nothing_twice() -> None:
    bank, one, diary = bank_of()
    one.pulse(1.0, 0.3)
    one.pulse(1.2, 0.3)
    assert bank.next_change() == 1.5
    bank.tick(1.4)
    assert bank.next_change() == 1.5
    seen = one.snapshot()
    assert (seen.pulses, seen.openings) == (2, 1)
    assert told(diary) == [(1.0, OPENED, 1)]


def test_a_jammed_latch_does_not_spring_until_it_is_mended() -> None:
    bank, one, diary = bank_of()
    one.jam(is_jammed=True)
    one.pulse(1.0, 0.3)
    assert one.feels_closed
    assert bank.next_change() is None
    one.jam(is_jammed=False)
    assert not one.snapshot().is_open, "mending opens nothing"
    one.pulse(2.0, 0.3)
    assert told(diary) == [(1.0, What.COMPARTMENT_JAMMED, 1), (2.0, OPENED, 1)]


@pytest.mark.parametrize(
    ("feedback", "feels_closed"), [(Feedback.LATCH, False), (Feedback.LEAF, True)]
)
def test_a_leaf_held_shut_is_latched_again_after_the_pulse(
    *, feedback: Feedback, feels_closed: bool
) -> None:
    bank, one, diary = bank_of(feedback=feedback)
    one.hold_shut(0.5, is_held=True)
    one.pulse(1.0, 0.3)
    assert one.feels_closed is feels_closed
    bank.tick(1.3)
    assert one.feels_closed
    one.hold_shut(2.0, is_held=False)
    assert told(diary) == [], "the latch holds it"


def test_a_leaf_let_go_during_the_pulse_pops_open() -> None:
    bank, one, diary = bank_of()
    one.hold_shut(0.5, is_held=True)
    one.pulse(1.0, 5.0)
    one.hold_shut(2.0, is_held=False)
    bank.tick(9.0)
    assert told(diary) == [(2.0, OPENED, 1)]


def test_a_leaf_pressed_shut_and_held_stays_though_the_coil_pulls() -> None:
    bank, one, _ = bank_of()
    one.pulse(1.0, 5.0)
    one.hold_shut(2.0, is_held=True)
    assert one.shut(2.0)
    assert not one.snapshot().is_latched
    bank.tick(6.0)
    assert one.snapshot().is_latched


@pytest.mark.parametrize("obstacle", ["none", "jam", "hold"])
def test_prying_opens_whatever_holds_and_the_leaf_shuts_again(obstacle: str) -> None:
    _, one, diary = bank_of()
    one.jam(is_jammed=obstacle == "jam")
    one.hold_shut(0.5, is_held=obstacle == "hold")
    assert one.pry(1.0)
    assert one.pry(2.0)
    assert not one.snapshot().feels_closed
    assert one.shut(3.0)
    assert one.snapshot().feels_closed
    assert told(diary) == [(1.0, OPENED, 1), (3.0, CLOSED, 1)]


def test_shutting_what_is_shut_changes_nothing() -> None:
    _, one, diary = bank_of()
    before = one.snapshot()
    assert one.shut(1.0)
    assert one.snapshot() == before
    assert told(diary) == []


def test_things_go_in_and_out_of_an_open_compartment_alone() -> None:
    _, one, _ = bank_of()
    assert not one.put_in("rice")
    one.pulse(1.0, 0.0)
    assert one.put_in("rice")
    assert one.put_in("米")
    one.end_pulse()
    one.shut(2.0)
    assert one.take_out() == ()
    assert one.snapshot().things == ("rice", "米")
    one.pry(3.0)
    assert one.take_out() == ("rice", "米")
    assert one.take_out() == ()


def test_a_compartment_holds_no_more_than_its_limit() -> None:
    _, one, _ = bank_of()
    one.pry(1.0)
    for _ in range(MAX_THINGS):
        assert one.put_in("x" * MAX_THING_CHARACTERS)
    with pytest.raises(SimulationError, match="take them out"):
        one.put_in("x")


@pytest.mark.parametrize("thing", ["", "x" * (MAX_THING_CHARACTERS + 1)])
def test_a_thing_has_a_short_name(thing: str) -> None:
    _, one, _ = bank_of()
    with pytest.raises(SimulationError, match="1 to 80 characters"):
        one.put_in(thing)


@pytest.mark.parametrize("channel", [0, -1, 3])
def test_a_channel_that_is_not_there_is_refused(channel: int) -> None:
    bank, _, _ = bank_of()
    with pytest.raises(SimulationError, match="this board has 1 to 2"):
        bank.at(channel)


def test_without_power_the_coils_fall_back() -> None:
    bank, one, _ = bank_of()
    bank.at(2).hold_shut(0.5, is_held=True)
    for compartment in bank.compartments:
        compartment.pulse(1.0, 5.0)
    bank.lose_power()
    assert bank.next_change() is None
    assert bank.feels_closed() == (False, True)
    assert one.shut(2.0)
