# SPDX-License-Identifier: Apache-2.0
"""Compartments written into a snapshot, and read back from it and the journal.

The law of the module: a replayed event takes the same step of the same table as the
live one did; timers and orders on their way do not survive, and nothing is ordered.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edge.core.credential import FIRST_KEY
from edge.core.event import Event, EventKind
from edge.core.lockers.compartment import Compartment, CompartmentPhase
from edge.core.lockers.compartment_steps import (
    claim,
    clean,
    contact,
    deposit,
    dirty,
    end,
    fail,
    fall_due,
    make_last,
    mend,
    prolong,
    take_out_of_order,
)
from edge.core.lockers.rental import Rental, RentalKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: A compartment's place: its bank and the number on its leaf.
Place = tuple[str, int]

#: What a COMPARTMENT_FAULT is about; MENDED is the end of one.
DID_NOT_OPEN = "did_not_open"
LEFT_OPEN = "left_open"
MENDED = "mended"
#: What a COMPARTMENT_CLEANING is about.
CLEANING_DUE = "due"
CLEANING_DONE = "done"

#: Kinds whose subject is a bank; a grant names its bank beside its access point.
_OF_BANK = frozenset(
    {
        EventKind.COMPARTMENT_OPENED,
        EventKind.COMPARTMENT_CLOSED,
        EventKind.COMPARTMENT_FAULT,
        EventKind.COMPARTMENT_OVERDUE,
        EventKind.COMPARTMENT_CLEANING,
        EventKind.COMPARTMENT_OUT_OF_ORDER,
        EventKind.RENTAL_STARTED,
        EventKind.RENTAL_ENDED,
        EventKind.PARCEL_DEPOSITED,
        EventKind.MEDICINE_BOX_OPENED,
    }
)
#: A rental's marks, as bits of one number in a snapshot.
_MARKS = ("was_opened", "is_last", "is_overdue", "is_deposited")


def dump(standing: Mapping[Place, Compartment]) -> dict[str, Any]:
    """Return what must survive a restart, as JSON values."""
    untouched = (CompartmentPhase.FREE, 0, None)
    return {
        "compartments": [
            [*place, kept.phase.value, kept.cause, *_dump_rental(kept.rental)]
            for place, kept in standing.items()
            if (kept.phase, kept.cause, kept.rental) != untouched
        ],
        "compartment_marks": [
            [*place, int(kept.needs_cleaning), int(kept.is_out_of_order)]
            for place, kept in standing.items()
            if kept.needs_cleaning or kept.is_out_of_order
        ],
    }


def load(state: dict[str, Any]) -> Iterator[tuple[Place, Compartment]]:
    """Read back what :func:`dump` returned; an older snapshot has no compartments."""
    marks = {
        (bank, number): (bool(needs_cleaning), bool(is_out_of_order))
        for bank, number, needs_cleaning, is_out_of_order in state.get(
            "compartment_marks", ()
        )
    }
    for bank, number, phase, cause, *rental in state.get("compartments", ()):
        needs_cleaning, is_out_of_order = marks.get((bank, number), (False, False))
        compartment = Compartment(
            phase=CompartmentPhase(phase),
            cause=cause,
            rental=_load_rental(rental),
            needs_cleaning=needs_cleaning,
            is_out_of_order=is_out_of_order,
        )
        yield (bank, number), compartment


def renumber(compartment: Compartment, shift: int) -> Compartment:
    """Move the number of the latest grant along with a new journal epoch."""
    if not compartment.cause:
        return compartment
    return replace(compartment, cause=compartment.cause + shift)


def places(event: Event) -> tuple[Place, ...]:
    """Return which compartments an event is about."""
    number = event.fact("number")
    if number is None:
        return ()
    if event.kind is EventKind.ACCESS_GRANTED:
        return ((str(event.fact("bank")), int(number)),)
    if event.kind not in _OF_BANK:
        return ()
    moved_from = event.fact("moved_from")
    here = (event.subject, int(number))
    return (here,) if moved_from is None else ((event.subject, int(moved_from)), here)


def follow(place: Place, compartment: Compartment, event: Event) -> Compartment:
    """Return the compartment as it was after the event."""
    match event.kind:
        case EventKind.ACCESS_GRANTED:
            return _granted(compartment, event)
        case EventKind.MEDICINE_BOX_OPENED:
            return replace(compartment, cause=event.seq)
        case EventKind.RENTAL_STARTED if event.fact("number") != place[1]:
            return end(compartment)[0]  # it did not open: the holder got another
        case EventKind.RENTAL_STARTED:
            return claim(compartment, rental_of(event))[0]
        case EventKind.RENTAL_ENDED:
            return end(compartment)[0]
        case EventKind.PARCEL_DEPOSITED:
            return deposit(compartment)
        case EventKind.COMPARTMENT_OPENED:
            return contact(compartment, is_open=True)[0]
        case EventKind.COMPARTMENT_CLOSED:
            return contact(compartment, is_open=False)[0]
        case _:
            return _seen_to(compartment, event)


def _granted(compartment: Compartment, event: Event) -> Compartment:
    granted = replace(compartment, cause=event.seq)
    if event.fact("actor") is not None:  # somebody in charge opened it
        return granted
    return prolong(granted) if event.fact("last") is None else make_last(granted)


def _seen_to(compartment: Compartment, event: Event) -> Compartment:
    """Take what time, wear and those who see to it did to a compartment."""
    what = event.fact("what")
    match event.kind:
        case EventKind.COMPARTMENT_FAULT if what == MENDED:
            return mend(compartment)[0]
        case EventKind.COMPARTMENT_FAULT if what == DID_NOT_OPEN:
            return fail(compartment)[0]
        case EventKind.COMPARTMENT_CLEANING if what == CLEANING_DUE:
            return dirty(compartment)[0]
        case EventKind.COMPARTMENT_CLEANING:
            return clean(compartment)[0]
        case EventKind.COMPARTMENT_OVERDUE:
            return fall_due(compartment)[0]
        case EventKind.COMPARTMENT_OUT_OF_ORDER:
            return take_out_of_order(compartment)[0]
        case _:
            return compartment


def rental_of(event: Event) -> Rental:
    """Return the rental that a RENTAL_STARTED tells; one erased is nobody's."""
    return Rental(
        holder=event.person.holder or "",
        booking=event.person.booking or "",
        end_ms=int(event.fact("end") or 0),
        kind=RentalKind(str(event.fact("what") or RentalKind.BOOKED.value)),
    )


def _dump_rental(rental: Rental | None) -> list[int | str]:
    if rental is None:
        return []
    marks = sum(getattr(rental, mark) << bit for bit, mark in enumerate(_MARKS))
    known = [rental.holder, rental.booking, rental.end_ms, marks]
    known += [rental.kind.value, rental.token.hex()]
    # Of the first key it is left out, as snapshots of before have it.
    return known if rental.key == FIRST_KEY else [*known, rental.key]


def _load_rental(told: list[Any]) -> Rental | None:
    """Read a rental; a snapshot of an older version knows bookings alone."""
    if not told:
        return None
    holder, booking, end_ms, marks, *more = told
    kind, token, *key = more or (RentalKind.BOOKED.value, "")
    return Rental(
        holder=holder,
        booking=booking,
        end_ms=end_ms,
        kind=RentalKind(kind),
        token=bytes.fromhex(token),
        key=key[0] if key else FIRST_KEY,
        **{mark: bool(marks >> bit & 1) for bit, mark in enumerate(_MARKS)},
    )
