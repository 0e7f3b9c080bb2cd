# SPDX-License-Identifier: Apache-2.0
"""Compartments written into a snapshot, and read back from it and the journal.

The law of the module: a replayed event takes the same step of the same table as the
live one did; timers and orders on their way do not survive, and nothing is ordered.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edge.core.event import Event, EventKind
from edge.core.lockers.compartment import (
    Compartment,
    CompartmentPhase,
    Rental,
    claim,
    contact,
    end,
    fail,
    make_last,
    mend,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: A compartment's place: its bank and the number on its leaf.
Place = tuple[str, int]

#: What a COMPARTMENT_FAULT is about; MENDED is the end of one.
DID_NOT_OPEN = "did_not_open"
LEFT_OPEN = "left_open"
MENDED = "mended"

#: Kinds whose subject is a bank; a grant names its bank beside its access point.
_OF_BANK = frozenset(
    {
        EventKind.COMPARTMENT_OPENED,
        EventKind.COMPARTMENT_CLOSED,
        EventKind.COMPARTMENT_FAULT,
        EventKind.RENTAL_STARTED,
        EventKind.RENTAL_ENDED,
        EventKind.MEDICINE_BOX_OPENED,
    }
)


def dump(standing: Mapping[Place, Compartment]) -> dict[str, Any]:
    """Return what must survive a restart, as JSON values."""
    untouched = (CompartmentPhase.FREE, 0, None)
    return {
        "compartments": [
            [*place, kept.phase.value, kept.cause, *_dump_rental(kept.rental)]
            for place, kept in standing.items()
            if (kept.phase, kept.cause, kept.rental) != untouched
        ]
    }


def load(state: dict[str, Any]) -> Iterator[tuple[Place, Compartment]]:
    """Read back what :func:`dump` returned; an older snapshot has no compartments."""
    for bank, number, phase, cause, *rental in state.get("compartments", ()):
        compartment = Compartment(
            phase=CompartmentPhase(phase), cause=cause, rental=_load_rental(rental)
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
        case EventKind.ACCESS_GRANTED | EventKind.MEDICINE_BOX_OPENED:
            granted = replace(compartment, cause=event.seq)
            return granted if event.fact("last") is None else make_last(granted)
        case EventKind.RENTAL_STARTED if event.fact("number") != place[1]:
            return end(compartment)[0]  # it did not open: the holder got another
        case EventKind.RENTAL_STARTED:
            return claim(compartment, rental_of(event))[0]
        case EventKind.RENTAL_ENDED:
            return end(compartment)[0]
        case EventKind.COMPARTMENT_OPENED:
            return contact(compartment, is_open=True)[0]
        case EventKind.COMPARTMENT_CLOSED:
            return contact(compartment, is_open=False)[0]
        case EventKind.COMPARTMENT_FAULT if event.fact("what") == MENDED:
            return mend(compartment)[0]
        case EventKind.COMPARTMENT_FAULT if event.fact("what") == DID_NOT_OPEN:
            return fail(compartment)[0]
        case _:
            return compartment


def rental_of(event: Event) -> Rental:
    """Return the rental that a RENTAL_STARTED tells; one erased is nobody's."""
    return Rental(
        holder=event.person.holder or "",
        booking=event.person.booking or "",
        end_ms=int(event.fact("end") or 0),
    )


def _dump_rental(rental: Rental | None) -> list[int | str]:
    if rental is None:
        return []
    flags = rental.was_opened | rental.is_last << 1
    return [rental.holder, rental.booking, rental.end_ms, flags]


def _load_rental(told: list[Any]) -> Rental | None:
    if not told:
        return None
    holder, booking, end_ms, flags = told
    return Rental(
        holder=holder,
        booking=booking,
        end_ms=end_ms,
        was_opened=bool(flags & 1),
        is_last=bool(flags & 2),
    )
