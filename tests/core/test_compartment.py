# SPDX-License-Identifier: Apache-2.0
"""The compartment machine: every phase with every input, and its timers."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from edge.core.lockers.compartment import (
    TABLE,
    Compartment,
    CompartmentInput,
    CompartmentPhase,
    step,
)
from edge.core.lockers.compartment_steps import (
    claim,
    clean,
    contact,
    deposit,
    dirty,
    end,
    expire,
    fail,
    fall_due,
    make_last,
    mend,
    order,
    prolong,
    refuse,
    retime,
    take_out_of_order,
)
from edge.core.lockers.rental import Rental, RentalKind

#: phase, input -> phase: effects. What is not told here must change nothing.
TOLD = """
FREE      CLAIM                HELD
FREE      OPEN_ORDERED         FREE
FREE      REFUSED              FREE
FREE      OPENED               OPEN      OPENED
FREE      DID_NOT_OPEN         FAULT     FAULT
FREE      DIRTIED              CLEANING  CLEANING
FREE      OUT_OF_ORDER         FAULT     OUT_OF_ORDER
HELD      OPEN_ORDERED         HELD
HELD      REFUSED              HELD
HELD      OPENED               OPEN      OPENED
HELD      DID_NOT_OPEN         FAULT     FAULT
HELD      ENDED                FREE      ENDED
HELD      OUT_OF_ORDER         FAULT     OUT_OF_ORDER
OCCUPIED  OPEN_ORDERED         OCCUPIED
OCCUPIED  REFUSED              OCCUPIED
OCCUPIED  OPENED               OPEN      OPENED
OCCUPIED  DID_NOT_OPEN         FAULT     FAULT
OCCUPIED  FELL_DUE             OVERDUE   OVERDUE
OCCUPIED  ENDED                FREE      ENDED
OCCUPIED  OUT_OF_ORDER         FAULT     OUT_OF_ORDER
OVERDUE   OPEN_ORDERED         OVERDUE
OVERDUE   REFUSED              OVERDUE
OVERDUE   OPENED               OPEN      OPENED
OVERDUE   DID_NOT_OPEN         FAULT     FAULT
OVERDUE   PROLONGED            OCCUPIED
OVERDUE   ENDED                FREE      ENDED
OVERDUE   OUT_OF_ORDER         FAULT     OUT_OF_ORDER
OPEN      CLOSED               OCCUPIED  CLOSED
OPEN      CLOSED_OVERDUE       OVERDUE   CLOSED
OPEN      CLOSED_UNRENTED      FREE      CLOSED
OPEN      CLOSED_UNCLEAN       CLEANING  CLOSED
OPEN      CLOSED_OUT_OF_ORDER  FAULT     CLOSED
OPEN      LEFT_OPEN            OPEN      LEFT_OPEN
OPEN      FELL_DUE             OPEN      OVERDUE
OPEN      PROLONGED            OPEN
OPEN      ENDED                OPEN      ENDED
OPEN      DIRTIED              OPEN      CLEANING
OPEN      CLEANED              OPEN      CLEANED
OPEN      OUT_OF_ORDER         OPEN      OUT_OF_ORDER
OPEN      MEND                 OPEN      MENDED
FAULT     OPEN_ORDERED         FAULT
FAULT     REFUSED              FAULT
FAULT     OPENED               OPEN      OPENED
FAULT     DID_NOT_OPEN         FAULT     FAULT
FAULT     FELL_DUE             FAULT     OVERDUE
FAULT     PROLONGED            FAULT
FAULT     ENDED                FAULT     ENDED
FAULT     DIRTIED              FAULT     CLEANING
FAULT     CLEANED              FAULT     CLEANED
FAULT     OUT_OF_ORDER         FAULT     OUT_OF_ORDER
FAULT     MEND                 FREE      MENDED
FAULT     MEND_RENTED          OCCUPIED  MENDED
FAULT     MEND_OVERDUE         OVERDUE   MENDED
FAULT     MEND_UNCLEAN         CLEANING  MENDED
CLEANING  OPEN_ORDERED         CLEANING
CLEANING  REFUSED              CLEANING
CLEANING  OPENED               OPEN      OPENED
CLEANING  DID_NOT_OPEN         FAULT     FAULT
CLEANING  CLEANED              FREE      CLEANED
CLEANING  OUT_OF_ORDER         FAULT     OUT_OF_ORDER
"""
EXPECTED = {
    (line.split()[0], line.split()[1]): (line.split()[2], tuple(line.split()[3:]))
    for line in TOLD.strip().splitlines()
}
EVERY_STEP = tuple(product(CompartmentPhase, CompartmentInput))
OURS = Rental(holder="holder-wang", booking="c1", end_ms=9)
LATE = replace(OURS, is_overdue=True, is_last=True)
THEIRS = Rental(holder="holder-li", booking="c2", end_ms=9)
_P, _I = CompartmentPhase, CompartmentInput
#: What lies in each phase: nobody's, or ours, in time or not.
RENTALS: dict[CompartmentPhase, tuple[Rental | None, ...]] = {
    _P.FREE: (None,),
    _P.HELD: (OURS,),
    _P.OCCUPIED: (OURS,),
    _P.OVERDUE: (LATE,),
    _P.OPEN: (None, OURS, LATE),
    _P.FAULT: (None, OURS, LATE),
    _P.CLEANING: (None,),
}


def _marks(phase: CompartmentPhase, rental: Rental | None) -> list[tuple[bool, bool]]:
    """Return whether it needs cleaning, and is out of order by somebody's word."""
    if phase not in (_P.OPEN, _P.FAULT):
        return [(phase is _P.CLEANING, False)]
    uncleans = (False,) if rental is not None else (False, True)
    return list(product(uncleans, (False, True)))


def _standings() -> list[Compartment]:
    """Return a compartment in every phase, with every rental, mark and order."""
    made = []
    for phase, rentals in RENTALS.items():
        is_open = phase is _P.OPEN
        for rental, due_s in product(rentals, (None,) if is_open else (None, 50.0)):
            made += [
                Compartment(
                    phase=phase,
                    rental=rental,
                    cause=7,
                    feedback_due_s=due_s,
                    left_open_at_s=80.0 if is_open else None,
                    needs_cleaning=is_unclean,
                    is_out_of_order=is_out,
                )
                for is_unclean, is_out in _marks(phase, rental)
            ]
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
        assert changed.rental == _rental_after(before, happened)


def _rental_after(before: Compartment, happened: CompartmentInput) -> Rental | None:
    rental = before.rental
    if rental is None or happened is _I.ENDED:
        return None
    if happened is _I.FELL_DUE:
        return replace(rental, is_overdue=True)
    if happened is _I.PROLONGED:
        return replace(rental, is_overdue=False, is_last=False)
    return rental


def test_the_table_has_no_row_beside_those_told() -> None:
    rows = {(p.value, i.value) for p, row in TABLE.items() for i in row}
    assert rows == EXPECTED.keys()
    assert len(EXPECTED) == len(TOLD.strip().splitlines()), "told twice"
    assert TABLE.keys() == set(CompartmentPhase)


@pytest.mark.parametrize("before", STANDINGS)
def test_only_a_free_compartment_can_be_claimed(before: Compartment) -> None:
    changed, effects = claim(before, THEIRS)
    assert effects == ()
    is_free = before.phase is CompartmentPhase.FREE and not before.is_ordered
    assert before.is_vacant == is_free
    if is_free:
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
    closed = _closing(before)
    told = EXPECTED[before.phase.value, "OPENED" if is_open else closed]
    assert (changed.phase.value, tuple(e.value for e in effects)) == told
    assert not changed.is_ordered
    assert changed.left_open_at_s == (99 if is_open else None)
    assert changed.is_asked == (is_open and before.is_ordered)
    if changed.rental is not None:
        assert changed.rental.was_opened == is_open


def _closing(before: Compartment) -> str:
    if before.is_out_of_order:
        return "CLOSED_OUT_OF_ORDER"
    if before.rental is not None:
        return "CLOSED_OVERDUE" if before.rental.is_overdue else "CLOSED"
    return "CLOSED_UNCLEAN" if before.needs_cleaning else "CLOSED_UNRENTED"


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
    assert not changed.is_ordered


@pytest.mark.parametrize("before", STANDINGS)
def test_mending_gives_back_what_was_out_of_order(before: Compartment) -> None:
    changed, effects = mend(before)
    is_fault = before.phase is CompartmentPhase.FAULT
    if not is_fault and not before.is_out_of_order:
        assert changed is before
        return
    assert [effect.value for effect in effects] == ["MENDED"]
    assert not changed.is_out_of_order
    assert changed.rental == before.rental
    if not is_fault:
        assert changed.phase is CompartmentPhase.OPEN
    elif before.rental is None:
        free = _P.CLEANING if before.needs_cleaning else _P.FREE
        assert changed.phase is free
    else:
        is_late = before.rental.is_overdue
        assert changed.phase is (_P.OVERDUE if is_late else _P.OCCUPIED)


@pytest.mark.parametrize("before", STANDINGS)
def test_out_of_order_is_told_once_and_lasts_until_mended(before: Compartment) -> None:
    changed, effects = take_out_of_order(before)
    assert [e.value for e in effects] == (
        [] if before.is_out_of_order else ["OUT_OF_ORDER"]
    )
    assert changed.is_out_of_order
    assert changed.rental == before.rental
    opened, _ = contact(changed, is_open=True)
    closed, _ = contact(opened, is_open=False)
    assert closed.phase is CompartmentPhase.FAULT
    mended, _ = mend(closed)
    assert mended.phase is not CompartmentPhase.FAULT


@pytest.mark.parametrize("before", STANDINGS)
def test_a_rental_falls_due_once_and_prolonging_takes_it_back(
    before: Compartment,
) -> None:
    due, effects = fall_due(before)
    rental = before.rental
    is_held = before.phase is CompartmentPhase.HELD
    if rental is None or rental.is_overdue or is_held:
        assert (due, effects) == (before, ())
    else:
        assert [effect.value for effect in effects] == ["OVERDUE"]
        assert fall_due(due) == (due, ())
        assert due.is_ordered == before.is_ordered, "an order goes on"
        assert prolong(due) == prolong(before)
    again = prolong(due)
    assert again.phase is not CompartmentPhase.OVERDUE
    assert again.rental is None or not (again.rental.is_overdue or again.rental.is_last)


@pytest.mark.parametrize("before", STANDINGS)
def test_what_needs_cleaning_is_nobody_s_until_it_was_done(before: Compartment) -> None:
    dirtied, effects = dirty(before)
    if before.phase not in (_P.FREE, _P.OPEN, _P.FAULT) or before.needs_cleaning:
        assert (dirtied, effects) == (before, ())
    else:
        assert [effect.value for effect in effects] == ["CLEANING"]
        assert dirtied.needs_cleaning
        assert not dirtied.is_vacant
    cleaned, effects = clean(dirtied)
    assert bool(effects) == dirtied.needs_cleaning
    assert not cleaned.needs_cleaning


def test_a_parcel_lies_inside_once_the_leaf_was_shut_on_it() -> None:
    parcel = replace(OURS, kind=RentalKind.PARCEL, booking="")
    held, _ = claim(Compartment(), parcel)
    assert deposit(Compartment()) == Compartment()
    assert deposit(claim(Compartment(), OURS)[0]).rental == OURS
    inside = deposit(held)
    assert inside.rental is not None
    assert inside.rental.is_deposited
    assert deposit(inside) is inside


def test_what_the_staff_opens_says_nothing_of_its_holder() -> None:
    held, _ = claim(Compartment(), OURS)
    ordered, _ = order(held, cause=1, due_s=2, is_by_staff=True)
    opened, _ = contact(ordered, is_open=True, left_open_at_s=60)
    assert (opened.is_asked, opened.is_by_staff) == (False, False)
    shut, _ = contact(opened, is_open=False, now_s=5)
    assert shut.closed_s is None


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
