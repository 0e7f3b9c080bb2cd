# SPDX-License-Identifier: Apache-2.0
"""The door machine: every phase with every input in every mode, and its timers."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from edge.core.doors.door import (
    OPEN_PHASES,
    RELEASED_PHASES,
    TABLE,
    Door,
    DoorEffect,
    DoorInput,
    DoorMode,
    DoorPhase,
    contact,
    expire,
    intend,
    lock,
    release,
    step,
)

#: phase, input -> phase: effects. What is not told here must change nothing.
TOLD = """
SECURE          RELEASE                  RELEASED
SECURE          OPENED                   FORCED          OPENED FORCED
SECURE          OPENED_FREELY            OPEN            OPENED
RELEASED        RELEASE                  RELEASED
RELEASED        OPENED                   OPEN            OPENED TAKEN
RELEASED        OPENED_FREELY            OPEN            OPENED TAKEN
RELEASED        RELEASE_OVER             SECURE          NOT_TAKEN
RELEASED        RELEASE_OVER_UNSENSED    SECURE          TAKEN
OPEN            RELEASE                  OPEN_RELEASED
OPEN            CLOSED                   SECURE          CLOSED RELOCK
OPEN            WARN_OVER                OPEN            WARN
OPEN            HELD_OVER                OPEN_TOO_LONG   TOO_LONG
OPEN_RELEASED   RELEASE                  OPEN_RELEASED
OPEN_RELEASED   CLOSED                   RELEASED        CLOSED TAKEN
OPEN_RELEASED   RELEASE_OVER             OPEN            TAKEN
OPEN_RELEASED   WARN_OVER                OPEN_RELEASED   WARN
OPEN_RELEASED   HELD_OVER                OPEN_TOO_LONG   TAKEN TOO_LONG
OPEN_TOO_LONG   RELEASE                  OPEN_RELEASED
OPEN_TOO_LONG   CLOSED                   SECURE          CLOSED RELOCK
FORCED          RELEASE                  OPEN_RELEASED
FORCED          CLOSED                   SECURE          CLOSED RELOCK
"""
EXPECTED = {
    (line.split()[0], line.split()[1]): (line.split()[2], tuple(line.split()[3:]))
    for line in TOLD.strip().splitlines()
}
LEGAL_TIMERS = {  # phase: (released_until_s, held_at_s) that it may have
    DoorPhase.SECURE: (None, None),
    DoorPhase.RELEASED: (50.0, None),
    DoorPhase.OPEN: (None, 80.0),
    DoorPhase.OPEN_RELEASED: (50.0, 80.0),
    DoorPhase.OPEN_TOO_LONG: (None, None),
    DoorPhase.FORCED: (None, None),
}
FREE = (DoorMode.UNLOCKED, DoorMode.LOCKED_OPEN)
EVERY_MODE = tuple(DoorMode)
EVERY_STEP = tuple(product(DoorPhase, DoorInput))
EVERY_STANDING = tuple(product(DoorPhase, DoorMode))
LOCKING = tuple(mode for mode in DoorMode if mode not in FREE)


def _door(phase: DoorPhase, mode: DoorMode = DoorMode.LOCKED) -> Door:
    released_until_s, held_at_s = LEGAL_TIMERS[phase]
    return Door(
        mode=mode,
        phase=phase,
        released_until_s=released_until_s,
        held_at_s=None if mode in FREE else held_at_s,
        causes=(7,) if phase in RELEASED_PHASES else (),
    )


@pytest.mark.parametrize("mode", EVERY_MODE)
@pytest.mark.parametrize(("phase", "happened"), EVERY_STEP)
def test_every_phase_with_every_input_in_every_mode(
    phase: DoorPhase, happened: DoorInput, mode: DoorMode
) -> None:
    door = _door(phase, mode)
    changed, effects = step(door, happened)
    expected = EXPECTED.get((phase.value, happened.value))
    if expected is None:
        assert changed is door, "an illegal transition changed something"
        assert effects == ()
        return
    assert (changed.phase.value, tuple(e.value for e in effects)) == expected
    assert (changed.mode, changed.causes) == (mode, door.causes)


def test_the_table_has_no_row_beside_those_told() -> None:
    rows = {(p.value, i.value) for p, row in TABLE.items() for i in row}
    assert rows == EXPECTED.keys()
    assert len(EXPECTED) == 21
    assert TABLE.keys() == set(DoorPhase)


def test_open_and_released_are_what_they_are_called() -> None:
    assert {phase.value for phase in OPEN_PHASES} == {
        "OPEN",
        "OPEN_RELEASED",
        "OPEN_TOO_LONG",
        "FORCED",
    }
    assert {phase.value for phase in RELEASED_PHASES} == {"RELEASED", "OPEN_RELEASED"}


@pytest.mark.parametrize(("phase", "happened"), EVERY_STEP)
def test_a_timer_never_outlives_its_phase(
    phase: DoorPhase, happened: DoorInput
) -> None:
    changed, _ = step(_door(phase), happened)
    if changed.phase not in RELEASED_PHASES:
        assert changed.released_until_s is None
    if changed.phase not in (DoorPhase.OPEN, DoorPhase.OPEN_RELEASED):
        assert changed.held_at_s is None


@pytest.mark.parametrize(("phase", "mode"), EVERY_STANDING)
def test_a_release_works_in_every_phase_and_every_mode(
    phase: DoorPhase, mode: DoorMode
) -> None:
    changed, effects = release(_door(phase, mode), cause=9, until_s=60, held_at_s=90)
    assert effects == ()
    assert changed.phase in RELEASED_PHASES
    assert changed.is_open == (phase in OPEN_PHASES)
    assert changed.released_until_s == 60
    assert changed.causes[-1] == 9
    is_timed = changed.is_open and mode not in FREE
    assert changed.held_at_s == (90 if is_timed else None)


def test_a_second_release_prolongs_and_never_shortens() -> None:
    door, _ = release(Door(), cause=1, until_s=60, held_at_s=90)
    shorter, _ = release(door, cause=None, until_s=55, held_at_s=85)
    assert (shorter.released_until_s, shorter.causes) == (60, (1,))
    longer, _ = release(door, cause=2, until_s=65, held_at_s=95)
    assert (longer.released_until_s, longer.causes) == (65, (1, 2))
    again, _ = release(longer, cause=2, until_s=66, held_at_s=96)
    assert again.causes == (1, 2)


@pytest.mark.parametrize(("phase", "mode"), EVERY_STANDING)
@pytest.mark.parametrize("is_open", [True, False])
def test_the_contact(phase: DoorPhase, mode: DoorMode, *, is_open: bool) -> None:
    door = _door(phase, mode)
    changed, effects = contact(door, is_open=is_open, held_at_s=70)
    if is_open == (phase in OPEN_PHASES):
        assert changed is door, "the same level again changed something"
        assert effects == ()
        return
    opened = "OPENED_FREELY" if mode in FREE else "OPENED"
    expected = EXPECTED[(phase.value, opened if is_open else "CLOSED")]
    assert (changed.phase.value, tuple(e.value for e in effects)) == expected
    is_timed = changed.phase is DoorPhase.OPEN and mode not in FREE
    assert changed.held_at_s == (70 if is_timed else None)


@pytest.mark.parametrize("mode", FREE)
def test_a_free_door_is_never_forced_and_never_open_too_long(mode: DoorMode) -> None:
    door, effects = contact(Door(mode=mode), is_open=True, held_at_s=30)
    assert DoorEffect.FORCED not in effects
    door, _ = release(door, cause=None, until_s=5, held_at_s=35)
    door, effects = expire(door, 10_000, has_contact=True)
    assert DoorEffect.TOO_LONG not in effects
    assert door.deadline() is None


@pytest.mark.parametrize("mode", LOCKING)
def test_a_locked_door_opened_without_a_release_is_forced(mode: DoorMode) -> None:
    door, effects = contact(Door(mode=mode), is_open=True, held_at_s=30)
    assert effects == (DoorEffect.OPENED, DoorEffect.FORCED)
    door, effects = contact(door, is_open=False, held_at_s=30)
    assert effects == (DoorEffect.CLOSED, DoorEffect.RELOCK)
    assert door == Door(mode=mode)


@pytest.mark.parametrize(
    ("now_s", "phase", "effects"),
    [
        (49.999, "RELEASED", ()),
        (50.0, "SECURE", ("NOT_TAKEN",)),
        (9999.0, "SECURE", ("NOT_TAKEN",)),
    ],
)
def test_an_unused_release_ends_at_its_time(
    now_s: float, phase: str, effects: tuple[str, ...]
) -> None:
    changed, happened = expire(_door(DoorPhase.RELEASED), now_s, has_contact=True)
    assert (changed.phase.value, tuple(e.value for e in happened)) == (phase, effects)


def test_without_a_contact_a_release_counts_as_taken_at_its_end() -> None:
    changed, effects = expire(_door(DoorPhase.RELEASED), 50, has_contact=False)
    assert (changed.phase, effects) == (DoorPhase.SECURE, (DoorEffect.TAKEN,))


@pytest.mark.parametrize(
    ("now_s", "phase", "effects"),
    [
        (79.999, "OPEN", ()),
        (80.0, "OPEN_TOO_LONG", ("TOO_LONG",)),
    ],
)
def test_a_held_leaf_is_told_at_its_time_and_once(
    now_s: float, phase: str, effects: tuple[str, ...]
) -> None:
    changed, happened = expire(_door(DoorPhase.OPEN), now_s, has_contact=True)
    assert (changed.phase.value, tuple(e.value for e in happened)) == (phase, effects)
    again, more = expire(changed, 80.0 if effects else now_s, has_contact=True)
    assert (again, more) == (changed, ())


def test_both_timers_at_once_take_effect_in_their_order() -> None:
    door = _door(DoorPhase.OPEN_RELEASED)
    changed, effects = expire(door, 100, has_contact=True)
    assert effects == (DoorEffect.TAKEN, DoorEffect.TOO_LONG)
    assert (changed.phase, changed.deadline()) == (DoorPhase.OPEN_TOO_LONG, None)


@pytest.mark.parametrize(("phase", "mode"), EVERY_STANDING)
def test_the_deadline_is_the_nearest_timer_and_is_over_once_expired(
    phase: DoorPhase, mode: DoorMode
) -> None:
    door = _door(phase, mode)
    timers = [t for t in (door.released_until_s, door.held_at_s) if t is not None]
    deadline = door.deadline()
    assert deadline == (min(timers) if timers else None)
    for now_s in (0.0, *timers):
        before, effects = expire(door, now_s - 0.001, has_contact=True)
        if deadline is None or now_s <= deadline:
            assert (before, effects) == (door, ())
        after, _ = expire(door, now_s, has_contact=True)
        rest = after.deadline()
        assert rest is None or rest > now_s
        assert after.mode is mode


@pytest.mark.parametrize(
    ("phase", "after", "effects"),
    [
        ("SECURE", "SECURE", ()),
        ("RELEASED", "SECURE", ("NOT_TAKEN",)),
        ("OPEN", "OPEN", ()),
        ("OPEN_RELEASED", "OPEN", ("TAKEN",)),
        ("OPEN_TOO_LONG", "OPEN_TOO_LONG", ()),
        ("FORCED", "FORCED", ()),
    ],
)
def test_a_mode_that_locks_ends_the_release(
    phase: str, after: str, effects: tuple[str, ...]
) -> None:
    door = _door(DoorPhase(phase))
    changed, happened = lock(door, held_at_s=95, has_contact=True)
    assert (changed.phase.value, tuple(e.value for e in happened)) == (after, effects)
    assert changed.released_until_s is None
    assert changed.held_at_s == (80 if after == "OPEN" else None), "held no longer"


def test_locking_a_door_that_stood_open_freely_times_it_from_now() -> None:
    stood_open = _door(DoorPhase.OPEN, DoorMode.UNLOCKED)
    door = replace(stood_open, mode=DoorMode.LOCKED)
    changed, _ = lock(door, held_at_s=95, has_contact=True)
    assert (changed.phase, changed.held_at_s) == (DoorPhase.OPEN, 95)


def test_locking_a_door_without_a_contact_counts_its_grant_as_taken() -> None:
    door = _door(DoorPhase.RELEASED)
    _, effects = lock(door, held_at_s=95, has_contact=False)
    assert effects == (DoorEffect.TAKEN,)


@pytest.mark.parametrize("phase", [DoorPhase.OPEN, DoorPhase.OPEN_RELEASED])
@pytest.mark.parametrize(
    ("now_s", "effects"), [(69.999, ()), (70.0, ("WARN",)), (79.999, ("WARN",))]
)
def test_an_open_leaf_warns_before_it_is_held(
    phase: DoorPhase, now_s: float, effects: tuple[str, ...]
) -> None:
    door = replace(_door(phase), warn_before_s=10.0, released_until_s=None)
    assert door.deadline() == 70.0
    changed, happened = expire(door, now_s, has_contact=True)
    assert tuple(e.value for e in happened) == effects
    assert changed.phase is phase
    assert changed.deadline() == (80.0 if effects else 70.0), "warned once"


def test_a_tick_that_comes_too_late_tells_the_alarm_and_no_warning() -> None:
    door = replace(_door(DoorPhase.OPEN), warn_before_s=10.0)
    changed, effects = expire(door, 80.0, has_contact=True)
    assert effects == (DoorEffect.TOO_LONG,)
    assert changed.deadline() is None


def test_a_release_that_gives_more_time_arms_the_warning_anew() -> None:
    door = replace(_door(DoorPhase.OPEN), warn_before_s=10.0)
    door, _ = expire(door, 70.0, has_contact=True)
    same, _ = release(door, cause=None, until_s=75.0, held_at_s=80.0)
    assert same.is_warned
    longer, _ = release(door, cause=None, until_s=75.0, held_at_s=100.0)
    assert (longer.is_warned, longer.warn_at_s) == (False, 90.0)


@pytest.mark.parametrize("mode", FREE)
def test_a_door_that_becomes_free_neither_warns_nor_alarms(mode: DoorMode) -> None:
    door = replace(_door(DoorPhase.OPEN), warn_before_s=10.0)
    free = intend(door, mode)
    assert (free.mode, free.deadline()) == (mode, None)
    locked, _ = lock(intend(free, DoorMode.LOCKED), held_at_s=95.0, has_contact=True)
    assert (locked.warn_at_s, locked.held_at_s) == (85.0, 95.0)


def test_who_is_slow_may_also_hold_the_leaf_longer_and_the_next_may_not() -> None:
    door, _ = release(Door(), cause=1, until_s=60, held_at_s=90, extra_s=7.0)
    door, _ = contact(door, is_open=True, held_at_s=70)
    assert door.held_at_s == 77
    door, _ = contact(door, is_open=False, held_at_s=70)
    assert door.extra_s == 0.0


@pytest.mark.parametrize("mode", LOCKING)
def test_who_is_expected_to_leave_forces_nothing_but_may_not_hold_the_leaf(
    mode: DoorMode,
) -> None:
    door = Door(mode=mode)
    changed, effects = contact(door, is_open=True, held_at_s=30, is_expected=True)
    assert effects == (DoorEffect.OPENED,)
    assert (changed.phase, changed.held_at_s) == (DoorPhase.OPEN, 30)


@pytest.mark.parametrize(("phase", "mode"), EVERY_STANDING)
def test_a_mode_alone_moves_no_leaf_and_ends_no_release(
    phase: DoorPhase, mode: DoorMode
) -> None:
    door = _door(phase)
    changed = intend(door, mode)
    assert (changed.mode, changed.phase) == (mode, phase)
    assert changed.released_until_s == door.released_until_s
    assert changed.causes == door.causes
