# SPDX-License-Identifier: Apache-2.0
"""The physics of a simulated door, without a board."""

from __future__ import annotations

import pytest

from firmware_sim.door import Door, LockKind
from firmware_sim.happening import What


def told(door: Door) -> list[tuple[float, What]]:
    return [(entry.at, entry.what) for entry in door.diary.entries()]


def test_a_locked_door_stays_shut_when_pushed() -> None:
    door = Door()
    assert not door.push(1.0)
    assert door.snapshot().contact_is_closed
    assert told(door) == []


def test_a_released_strike_lets_the_leaf_open_and_its_contact_tells() -> None:
    door = Door()
    door.relay_changed(1.0, is_on=True)
    assert door.push(1.5)
    assert not door.snapshot().contact_is_closed
    door.relay_changed(2.0, is_on=False)
    assert door.snapshot().is_open, "relocking does not shut a leaf"
    assert door.pull_shut(3.0)
    assert not door.push(4.0)
    assert told(door) == [
        (1.0, What.STRIKE_RELEASED),
        (1.5, What.LEAF_OPENED),
        (2.0, What.STRIKE_RELOCKED),
        (3.0, What.LEAF_CLOSED),
    ]


def test_force_opens_whatever_the_lock_does() -> None:
    door = Door()
    assert door.force(1.0)
    assert told(door) == [(1.0, What.LEAF_OPENED)]
    assert door.snapshot().openings == 1


def test_the_same_act_twice_happens_once() -> None:
    door = Door()
    door.relay_changed(1.0, is_on=True)
    door.relay_changed(1.1, is_on=True)
    door.push(1.2)
    door.push(1.3)
    assert door.pull_shut(1.4)
    assert not door.pull_shut(1.5)
    assert [at for at, _ in told(door)] == [1.0, 1.2, 1.4]


@pytest.mark.parametrize(
    ("lock", "without_power"), [(LockKind.STRIKE, False), (LockKind.MAGLOCK, True)]
)
def test_without_power_a_magnet_lets_go_and_a_strike_holds(
    *, lock: LockKind, without_power: bool
) -> None:
    door = Door(lock)
    door.relay_changed(1.0, is_on=True)
    assert door.snapshot().is_released
    door.relay_changed(2.0, is_on=False)
    assert not door.snapshot().is_released
    door.set_lock_power(3.0, is_on=False)
    assert door.push(3.5) is without_power
    door.relay_changed(4.0, is_on=True)
    assert door.snapshot().is_released is without_power


def test_the_exit_button_springs_back_after_its_time() -> None:
    door = Door()
    door.press_exit(1.0, hold_s=0.5)
    assert door.snapshot().button_is_pressed
    assert door.next_change() == 1.5
    door.tick(9.0)
    assert not door.snapshot().button_is_pressed
    assert told(door) == [(1.0, What.EXIT_PRESSED), (1.5, What.EXIT_RELEASED)]


def test_a_button_held_stays_pressed_until_it_is_let_go() -> None:
    door = Door()
    door.press_exit(1.0)
    door.tick(99.0)
    assert door.snapshot().button_is_pressed
    door.release_exit(100.0)
    assert not door.snapshot().button_is_pressed


def test_a_stuck_contact_tells_the_same_for_ever() -> None:
    door = Door()
    door.stick_contact(1.0, is_closed=True)
    door.force(2.0)
    assert door.snapshot().contact_is_closed
    door.stick_contact(3.0, is_closed=None)
    assert not door.snapshot().contact_is_closed
