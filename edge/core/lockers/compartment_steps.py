# SPDX-License-Identifier: Apache-2.0
"""What people, boards and time do to one compartment, each as a step of its machine.

The law of the module: pure; a phase changes by :func:`step` alone. What cannot be
done now returns the same compartment and no effect.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.core.lockers.compartment import (
    Compartment,
    CompartmentInput,
    CompartmentPhase,
    Step,
    step,
)

if TYPE_CHECKING:
    from edge.core.lockers.rental import Rental

_I = CompartmentInput


def claim(compartment: Compartment, rental: Rental) -> Step:
    """Give it to a holder, if it is FREE and nobody is opening it."""
    if compartment.is_ordered:
        return compartment, ()
    changed, effects = step(compartment, _I.CLAIM)
    if changed is compartment:
        return compartment, ()
    return replace(changed, rental=rental), effects


def order(
    compartment: Compartment, *, cause: int, due_s: float, is_by_staff: bool = False
) -> Step:
    """Await the feedback of an order until ``due_s``.

    One that stands open already has nothing to await; but whoever shuts it after the
    staff has ordered it does not do so for its holder.
    """
    changed, effects = step(compartment, _I.OPEN_ORDERED)
    if changed is compartment:
        is_asked = compartment.is_asked and not is_by_staff
        return replace(compartment, cause=cause, is_asked=is_asked), ()
    ordered = replace(
        changed, cause=cause, feedback_due_s=due_s, is_by_staff=is_by_staff
    )
    return ordered, effects


def contact(
    compartment: Compartment,
    *,
    is_open: bool,
    left_open_at_s: float | None = None,
    now_s: float | None = None,
) -> Step:
    """Take the feedback's level; the same level again changes nothing.

    Without times it is replayed: then no timer runs.
    """
    if is_open == compartment.is_open:
        return compartment, ()
    rental = compartment.rental
    if is_open:
        changed, effects = step(compartment, _I.OPENED)
        opened = None if rental is None else replace(rental, was_opened=True)
        return replace(
            changed,
            rental=opened,
            left_open_at_s=left_open_at_s,
            closed_s=None,
            is_asked=compartment.is_ordered and not compartment.is_by_staff,
        ), effects
    changed, effects = step(compartment, _closing(compartment))
    # Shut after a key, a crowbar or a volunteer: that says nothing of its holder
    # having finished.
    is_own = rental is not None and compartment.is_asked
    return replace(changed, closed_s=now_s if is_own else None, is_asked=False), effects


def _closing(compartment: Compartment) -> CompartmentInput:
    if compartment.is_out_of_order:
        return _I.CLOSED_OUT_OF_ORDER
    rental = compartment.rental
    if rental is not None:
        return _I.CLOSED_OVERDUE if rental.is_overdue else _I.CLOSED
    return _I.CLOSED_UNCLEAN if compartment.needs_cleaning else _I.CLOSED_UNRENTED


def refuse(compartment: Compartment) -> Step:
    """Take back an order that was not carried out; the rental waits."""
    return step(compartment, _I.REFUSED)


def fail(compartment: Compartment) -> Step:
    """Take an order's failure; out of order is told again only after an order."""
    is_known = compartment.phase is CompartmentPhase.FAULT
    if is_known and not compartment.is_ordered:
        return compartment, ()
    return step(compartment, _I.DID_NOT_OPEN)


def take_out_of_order(compartment: Compartment) -> Step:
    """Take it out of use until it is mended, unless it is already."""
    if compartment.is_out_of_order:
        return compartment, ()
    return step(compartment, _I.OUT_OF_ORDER)


def mend(compartment: Compartment) -> Step:
    """Put what was out of order back to use, back to its holder, or to be cleaned."""
    if compartment.is_open:
        is_wanted = compartment.is_out_of_order
        return step(compartment, _I.MEND) if is_wanted else (compartment, ())
    rental = compartment.rental
    if rental is not None:
        is_overdue = rental.is_overdue
        return step(compartment, _I.MEND_OVERDUE if is_overdue else _I.MEND_RENTED)
    is_unclean = compartment.needs_cleaning
    return step(compartment, _I.MEND_UNCLEAN if is_unclean else _I.MEND)


def end(compartment: Compartment) -> Step:
    """End the rental; things that lie inside are no longer anybody's."""
    return step(compartment, _I.ENDED)


def dirty(compartment: Compartment) -> Step:
    """Have it looked after before it is given again."""
    if compartment.needs_cleaning:
        return compartment, ()
    return step(compartment, _I.DIRTIED)


def clean(compartment: Compartment) -> Step:
    """Note that it was looked after, if it was to be."""
    if not compartment.needs_cleaning:
        return compartment, ()
    return step(compartment, _I.CLEANED)


def fall_due(compartment: Compartment) -> Step:
    """Let the rental's time be over, once."""
    rental = compartment.rental
    if rental is None or rental.is_overdue:
        return compartment, ()
    return step(compartment, _I.FELL_DUE)


def prolong(compartment: Compartment) -> Compartment:
    """Take back that the rental is overdue or ends at the next closing."""
    rental = compartment.rental
    if rental is None or not (rental.is_overdue or rental.is_last):
        return compartment
    changed, _ = step(compartment, _I.PROLONGED)
    return replace(changed, rental=replace(rental, is_overdue=False, is_last=False))


def make_last(compartment: Compartment) -> Compartment:
    """Let the rental end when its holder next closes the leaf."""
    rental = compartment.rental
    if rental is None:
        return compartment
    return replace(compartment, rental=replace(rental, is_last=True))


def deposit(compartment: Compartment) -> Compartment:
    """Note that the parcel lies inside, behind a shut leaf."""
    rental = compartment.rental
    if rental is None or not rental.awaits_parcel:
        return compartment
    return replace(compartment, rental=replace(rental, is_deposited=True))


def retime(compartment: Compartment, left_open_at_s: float) -> Compartment:
    """Time an open leaf anew, after a restart."""
    if not compartment.is_open:
        return compartment
    return replace(compartment, left_open_at_s=left_open_at_s)


def expire(compartment: Compartment, now_s: float) -> Step:
    """Let the timer that ran out by ``now_s`` take effect."""
    due_s, left_open_at_s = compartment.feedback_due_s, compartment.left_open_at_s
    if due_s is not None and now_s >= due_s:
        return step(compartment, _I.DID_NOT_OPEN)
    if left_open_at_s is not None and now_s >= left_open_at_s:
        return step(compartment, _I.LEFT_OPEN)
    return compartment, ()
