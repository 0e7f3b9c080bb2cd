# SPDX-License-Identifier: Apache-2.0
"""The compartment machine: what a locker's leaf and its rental go through.

The law of the module: everything that changes a compartment's phase stands in
``TABLE``; what is not in the table changes nothing. Only a FREE compartment can be
claimed, and a rental leaves it by ENDED alone: so no two holders ever share one.
What did not open is out of order until it opens once or is mended; what somebody took
out of use until it is mended. A rental in it stays its holder's.
Source: design decisions in ARCHITECTURE.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.core.lockers.rental import Rental


class CompartmentPhase(StrEnum):
    """Leaf and rental together."""

    FREE = "FREE"
    HELD = "HELD"
    OCCUPIED = "OCCUPIED"
    OVERDUE = "OVERDUE"
    OPEN = "OPEN"
    FAULT = "FAULT"
    CLEANING = "CLEANING"


class CompartmentInput(StrEnum):
    """What can happen to a compartment."""

    CLAIM = "CLAIM"
    OPEN_ORDERED = "OPEN_ORDERED"
    REFUSED = "REFUSED"
    OPENED = "OPENED"
    CLOSED = "CLOSED"
    CLOSED_OVERDUE = "CLOSED_OVERDUE"
    CLOSED_UNRENTED = "CLOSED_UNRENTED"
    CLOSED_UNCLEAN = "CLOSED_UNCLEAN"
    CLOSED_OUT_OF_ORDER = "CLOSED_OUT_OF_ORDER"
    DID_NOT_OPEN = "DID_NOT_OPEN"
    LEFT_OPEN = "LEFT_OPEN"
    FELL_DUE = "FELL_DUE"
    PROLONGED = "PROLONGED"
    ENDED = "ENDED"
    DIRTIED = "DIRTIED"
    CLEANED = "CLEANED"
    OUT_OF_ORDER = "OUT_OF_ORDER"
    MEND = "MEND"
    MEND_RENTED = "MEND_RENTED"
    MEND_OVERDUE = "MEND_OVERDUE"
    MEND_UNCLEAN = "MEND_UNCLEAN"


class CompartmentEffect(StrEnum):
    """What a step asks of the controller."""

    OPENED = "OPENED"
    CLOSED = "CLOSED"
    FAULT = "FAULT"
    LEFT_OPEN = "LEFT_OPEN"
    OVERDUE = "OVERDUE"
    ENDED = "ENDED"
    CLEANING = "CLEANING"
    CLEANED = "CLEANED"
    OUT_OF_ORDER = "OUT_OF_ORDER"
    MENDED = "MENDED"


_P, _I, _E = CompartmentPhase, CompartmentInput, CompartmentEffect
Effects = tuple[CompartmentEffect, ...]
Row = dict[CompartmentInput, tuple[CompartmentPhase, Effects]]


def _shut(phase: CompartmentPhase) -> Row:
    """Return what every shut compartment does, whoever's it is."""
    return {
        _I.OPEN_ORDERED: (phase, ()),
        _I.REFUSED: (phase, ()),
        _I.OPENED: (_P.OPEN, (_E.OPENED,)),
        _I.DID_NOT_OPEN: (_P.FAULT, (_E.FAULT,)),
        _I.OUT_OF_ORDER: (_P.FAULT, (_E.OUT_OF_ORDER,)),
    }


TABLE: dict[CompartmentPhase, Row] = {
    # An order without a claim is the staff's or the medicine box's; an opening
    # without an order is somebody with a key.
    _P.FREE: _shut(_P.FREE)
    | {
        _I.CLAIM: (_P.HELD, ()),
        _I.DIRTIED: (_P.CLEANING, (_E.CLEANING,)),
    },
    # Claimed and not opened yet: refused for a slow disk it waits for its holder.
    _P.HELD: _shut(_P.HELD) | {_I.ENDED: (_P.FREE, (_E.ENDED,))},
    _P.OCCUPIED: _shut(_P.OCCUPIED)
    | {
        _I.FELL_DUE: (_P.OVERDUE, (_E.OVERDUE,)),
        _I.ENDED: (_P.FREE, (_E.ENDED,)),
    },
    # Its time and its grace are over; it still opens for its holder, and then ends.
    _P.OVERDUE: _shut(_P.OVERDUE)
    | {
        _I.PROLONGED: (_P.OCCUPIED, ()),
        _I.ENDED: (_P.FREE, (_E.ENDED,)),
    },
    _P.OPEN: {
        _I.CLOSED: (_P.OCCUPIED, (_E.CLOSED,)),
        _I.CLOSED_OVERDUE: (_P.OVERDUE, (_E.CLOSED,)),
        _I.CLOSED_UNRENTED: (_P.FREE, (_E.CLOSED,)),
        _I.CLOSED_UNCLEAN: (_P.CLEANING, (_E.CLOSED,)),
        _I.CLOSED_OUT_OF_ORDER: (_P.FAULT, (_E.CLOSED,)),
        _I.LEFT_OPEN: (_P.OPEN, (_E.LEFT_OPEN,)),
        _I.FELL_DUE: (_P.OPEN, (_E.OVERDUE,)),
        _I.PROLONGED: (_P.OPEN, ()),
        _I.ENDED: (_P.OPEN, (_E.ENDED,)),
        _I.DIRTIED: (_P.OPEN, (_E.CLEANING,)),
        _I.CLEANED: (_P.OPEN, (_E.CLEANED,)),
        _I.OUT_OF_ORDER: (_P.OPEN, (_E.OUT_OF_ORDER,)),
        _I.MEND: (_P.OPEN, (_E.MENDED,)),
    },
    # It may open late, or at the next try for the things in it: then it works.
    _P.FAULT: _shut(_P.FAULT)
    | {
        _I.FELL_DUE: (_P.FAULT, (_E.OVERDUE,)),
        _I.PROLONGED: (_P.FAULT, ()),
        _I.ENDED: (_P.FAULT, (_E.ENDED,)),
        _I.DIRTIED: (_P.FAULT, (_E.CLEANING,)),
        _I.CLEANED: (_P.FAULT, (_E.CLEANED,)),
        _I.MEND: (_P.FREE, (_E.MENDED,)),
        _I.MEND_RENTED: (_P.OCCUPIED, (_E.MENDED,)),
        _I.MEND_OVERDUE: (_P.OVERDUE, (_E.MENDED,)),
        _I.MEND_UNCLEAN: (_P.CLEANING, (_E.MENDED,)),
    },
    _P.CLEANING: _shut(_P.CLEANING) | {_I.CLEANED: (_P.FREE, (_E.CLEANED,))},
}

#: What settles an order that was on its way.
_SETTLING = frozenset({_I.OPENED, _I.REFUSED, _I.DID_NOT_OPEN})
_MENDING = frozenset({_I.MEND, _I.MEND_RENTED, _I.MEND_OVERDUE, _I.MEND_UNCLEAN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Compartment:
    """A compartment's standing: monotonic seconds for its timers.

    ``cause`` is the seq of its latest grant. ``feedback_due_s`` stands while an order
    is on its way (``is_by_staff``: not its holder's), ``closed_s`` since its holder
    closed it; ``is_asked`` while it stands open because its holder asked.
    ``needs_cleaning`` and ``is_out_of_order`` outlast an open leaf.
    """

    phase: CompartmentPhase = CompartmentPhase.FREE
    rental: Rental | None = None
    cause: int = 0
    feedback_due_s: float | None = None
    left_open_at_s: float | None = None
    closed_s: float | None = None
    is_asked: bool = False
    is_by_staff: bool = False
    needs_cleaning: bool = False
    is_out_of_order: bool = False

    @property
    def is_open(self) -> bool:
        """Say whether the leaf stands open."""
        return self.phase is CompartmentPhase.OPEN

    @property
    def is_ordered(self) -> bool:
        """Say whether an order to open is on its way."""
        return self.feedback_due_s is not None

    @property
    def is_busy(self) -> bool:
        """Say whether it opens or has just opened: another order would be in vain.

        A feedback that has told "open" for too long may be stuck, with things inside:
        that is not busy any more.
        """
        return self.is_ordered or self.left_open_at_s is not None

    @property
    def is_vacant(self) -> bool:
        """Say whether somebody may be given it now."""
        return self.phase is CompartmentPhase.FREE and not self.is_ordered

    def deadline(self) -> float | None:
        """Return when one of its timers runs out."""
        times = (self.feedback_due_s, self.left_open_at_s)
        return min((t for t in times if t is not None), default=None)


Step = tuple[Compartment, Effects]


def step(compartment: Compartment, happened: CompartmentInput) -> Step:
    """Look the input up; an input without an entry returns the same compartment."""
    entry = TABLE[compartment.phase].get(happened)
    if entry is None:
        return compartment, ()
    phase, effects = entry
    changed = replace(compartment, phase=phase)
    if happened in _SETTLING:
        changed = replace(changed, feedback_due_s=None, is_by_staff=False)
    if phase is not CompartmentPhase.OPEN or happened is _I.LEFT_OPEN:
        changed = replace(changed, left_open_at_s=None)
    return _marked(changed, happened), effects


def _marked(changed: Compartment, happened: CompartmentInput) -> Compartment:
    """Note what an input means beyond the phase."""
    rental = changed.rental
    if happened in _MENDING:
        return replace(changed, is_out_of_order=False)
    match happened:
        case _I.ENDED:
            return replace(changed, rental=None, closed_s=None)
        case _I.DIRTIED | _I.CLEANED:
            return replace(changed, needs_cleaning=happened is _I.DIRTIED)
        case _I.OUT_OF_ORDER:
            return replace(changed, is_out_of_order=True)
        case _I.FELL_DUE if rental is not None:
            return replace(changed, rental=replace(rental, is_overdue=True))
        case _I.PROLONGED if rental is not None:
            again = replace(rental, is_overdue=False, is_last=False)
            return replace(changed, rental=again)
        case _:
            return changed
