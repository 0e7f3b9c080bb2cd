# SPDX-License-Identifier: Apache-2.0
"""The compartment machine: every phase with every input, and its timers."""

from __future__ import annotations

from itertools import product

import pytest

from edge.core.lockers.compartment import (
    TABLE,
    Compartment,
    CompartmentInput,
    CompartmentPhase,
    Rental,
    claim,
    contact,
    end,
    expire,
    fail,
    make_last,
    mend,
    order,
    refuse,
    retime,
    step,
)

#: phase, input -> phase: effects. What is not told here must change nothing.
TOLD = """
FREE      CLAIM            HELD
FREE      OPEN_ORDERED     FREE
FREE      OPENED           OPEN      OPENED
FREE      DID_NOT_OPEN     FAULT     FAULT
HELD      OPEN_ORDERED     HELD
HELD      REFUSED          HELD
HELD      OPENED           OPEN      OPENED
HELD      DID_NOT_OPEN     FAULT     FAULT
HELD      ENDED            FREE      ENDED
OCCUPIED  OPEN_ORDERED     OCCUPIED
OCCUPIED  REFUSED          OCCUPIED
OCCUPIED  OPENED           OPEN      OPENED
OCCUPIED  DID_NOT_OPEN     FAULT     FAULT
OCCUPIED  ENDED            FREE      ENDED
OPEN      CLOSED           OCCUPIED  CLOSED
OPEN      CLOSED_UNRENTED  FREE      CLOSED
OPEN      LEFT_OPEN        OPEN      LEFT_OPEN
OPEN      ENDED            OPEN      ENDED
FAULT     OPEN_ORDERED     FAULT
FAULT     REFUSED          FAULT
FAULT     OPENED           OPEN      OPENED
FAULT     DID_NOT_OPEN     FAULT     FAULT
FAULT     ENDED            FAULT     ENDED
FAULT     MEND             FREE      MENDED
FAULT     MEND_RENTED      OCCUPIED  MENDED
"""
EXPECTED = {
    (line.split()[0], line.split()[1]): (line.split()[2], tuple(line.split()[3:]))
    for line in TOLD.strip().splitlines()
}
EVERY_STEP = tuple(product(CompartmentPhase, CompartmentInput))
OURS = Rental(holder="holder-wang", booking="c1", end_ms=9)
THEIRS = Rental(holder="holder-li", booking="c2", end_ms=9)
#: Phases that belong to somebody, and those that may.
RENTED = (CompartmentPhase.HELD, CompartmentPhase.OCCUPIED)
EITHER = (CompartmentPhase.OPEN, CompartmentPhase.FAULT)


def _standings() -> list[Compartment]:
    """Return a compartment in every phase, rented and not, ordered and not."""
    made = []
    for phase, rental, due_s in product(CompartmentPhase, (None, OURS), (None, 50.0)):
        if rental is None and phase in RENTED:
            continue
        if rental is not None and phase not in (*RENTED, *EITHER):
            continue
        is_open = phase is CompartmentPhase.OPEN
        made.append(
            Compartment(
                phase=phase,
                rental=rental,
                cause=7,
                feedback_due_s=None if is_open else due_s,
                left_open_at_s=80.0 if is_open else None,
            )
        )
    return made


STANDINGS = _standings()


@pytest.mark.parametrize(("phase", "happened"), EVERY_STEP)
def test_every_phase_with_every_input(
    phase: CompartmentPhase, happened: CompartmentInput
) -> None:
    for before in (each for each in STANDINGS if each.phase is phase):
        changed, effects = step(before, happened)
        expected = EXPECTED.get((phase.value, happened.value))
        if expected is None:
            assert changed is before, "an illegal transition changed something"
            assert effects == ()
            continue
        assert (changed.phase.value, tuple(e.value for e in effects)) == expected
        is_ended = happened is CompartmentInput.ENDED
        assert changed.rental == (None if is_ended else before.rental)


def test_the_table_has_no_row_beside_those_told() -> None:
    rows = {(p.value, i.value) for p, row in TABLE.items() for i in row}
    assert rows == EXPECTED.keys()
    assert len(EXPECTED) == 25
    assert TABLE.keys() == set(CompartmentPhase)


@pytest.mark.parametrize("before", STANDINGS)
def test_only_a_free_compartment_can_be_claimed(before: Compartment) -> None:
    changed, effects = claim(before, THEIRS)
    assert effects == ()
    if before.phase is CompartmentPhase.FREE:
        assert (changed.phase, changed.rental) == (CompartmentPhase.HELD, THEIRS)
    else:
        assert changed is before


@pytest.mark.parametrize("before", STANDINGS)
def test_an_order_awaits_its_feedback_unless_the_leaf_stands_open(
    before: Compartment,
) -> None:
    changed, effects = order(before, cause=9, due_s=60)
    assert effects == ()
    assert (changed.phase, changed.cause) == (before.phase, 9)
    assert changed.feedback_due_s == (None if before.is_open else 60)


@pytest.mark.parametrize("before", STANDINGS)
@pytest.mark.parametrize("is_open", [True, False])
def test_the_feedback(before: Compartment, *, is_open: bool) -> None:
    changed, effects = contact(before, is_open=is_open, left_open_at_s=99, now_s=30)
    if is_open == before.is_open:
        assert changed is before, "the same level again changed something"
        assert effects == ()
        return
    closed = "CLOSED" if before.rental else "CLOSED_UNRENTED"
    told = EXPECTED[before.phase.value, "OPENED" if is_open else closed]
    assert (changed.phase.value, tuple(e.value for e in effects)) == told
    assert not changed.is_ordered
    assert changed.left_open_at_s == (99 if is_open else None)
    assert changed.is_asked == (is_open and before.is_ordered)
    if changed.rental is not None:
        assert changed.rental.was_opened == is_open


def test_only_a_closing_that_its_holder_began_is_remembered() -> None:
    held, _ = claim(Compartment(), OURS)
    ordered, _ = order(held, cause=1, due_s=2)
    opened, _ = contact(ordered, is_open=True, left_open_at_s=60)
    shut, _ = contact(opened, is_open=False, now_s=5)
    assert shut.closed_s == 5
    pried, _ = contact(shut, is_open=True, left_open_at_s=90)
    again, _ = contact(pried, is_open=False, now_s=7)
    assert again.closed_s is None


@pytest.mark.parametrize("before", STANDINGS)
def test_a_failure_is_told_once_an_order(before: Compartment) -> None:
    changed, effects = fail(before)
    is_known = before.phase is CompartmentPhase.FAULT and not before.is_ordered
    is_told = not (before.is_open or is_known)
    assert [e.value for e in effects] == (["FAULT"] if is_told else [])
    assert changed.rental == before.rental, "what lies inside stays its holder's"
    assert fail(changed) == (changed, ())


@pytest.mark.parametrize("before", STANDINGS)
def test_a_refused_order_is_no_longer_awaited(before: Compartment) -> None:
    changed, effects = refuse(before)
    assert effects == ()
    assert (changed.phase, changed.rental) == (before.phase, before.rental)
    if before.phase is not CompartmentPhase.FREE:  # the medicine box is not refused
        assert not changed.is_ordered


@pytest.mark.parametrize("before", STANDINGS)
def test_mending_gives_back_what_was_out_of_order(before: Compartment) -> None:
    changed, _ = mend(before)
    if before.phase is not CompartmentPhase.FAULT:
        assert changed is before
    elif before.rental is None:
        assert changed.phase is CompartmentPhase.FREE
    else:
        assert changed.phase is CompartmentPhase.OCCUPIED


@pytest.mark.parametrize("before", STANDINGS)
def test_the_deadline_is_its_timer_and_is_over_once_expired(
    before: Compartment,
) -> None:
    deadline = before.deadline()
    timer_s = before.left_open_at_s if before.is_open else before.feedback_due_s
    assert deadline == timer_s
    if deadline is None:
        assert expire(before, 1e9) == (before, ())
        return
    assert expire(before, deadline - 0.001) == (before, ())
    changed, effects = expire(before, deadline)
    expected = "LEFT_OPEN" if before.is_open else "FAULT"
    assert [effect.value for effect in effects] == [expected]
    assert changed.deadline() is None


def test_the_end_of_a_rental_and_its_last_opening() -> None:
    held, _ = claim(Compartment(), OURS)
    last = make_last(held)
    assert last.rental is not None
    assert last.rental.is_last
    ended, _ = end(last)
    assert ended == Compartment()
    assert make_last(ended) is ended
    assert retime(ended, 99) is ended
    opened, _ = contact(ended, is_open=True)
    assert retime(opened, 99).left_open_at_s == 99
