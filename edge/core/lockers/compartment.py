# SPDX-License-Identifier: Apache-2.0
"""The compartment machine: what a locker's leaf and its rental go through.

The law of the module: everything that changes a compartment's phase stands in
``TABLE``; what is not in the table changes nothing. Only a FREE compartment can be
claimed, and a rental leaves it by ENDED alone: so no two holders ever share one.
What did not open is out of order until it opens once or is mended; a rental in it
stays its holder's. An open leaf without a rental is FREE again when it closes.
Source: design decisions in ARCHITECTURE.md. OVERDUE and CLEANING will be phases of
their own between OCCUPIED and FREE.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from edge.core.event import Person


class CompartmentPhase(StrEnum):
    """Leaf and rental together."""

    FREE = "FREE"
    HELD = "HELD"
    OCCUPIED = "OCCUPIED"
    OPEN = "OPEN"
    FAULT = "FAULT"


class CompartmentInput(StrEnum):
    """What can happen to a compartment."""

    CLAIM = "CLAIM"
    OPEN_ORDERED = "OPEN_ORDERED"
    REFUSED = "REFUSED"
    OPENED = "OPENED"
    CLOSED = "CLOSED"
    CLOSED_UNRENTED = "CLOSED_UNRENTED"
    DID_NOT_OPEN = "DID_NOT_OPEN"
    LEFT_OPEN = "LEFT_OPEN"
    ENDED = "ENDED"
    MEND = "MEND"
    MEND_RENTED = "MEND_RENTED"


class CompartmentEffect(StrEnum):
    """What a step asks of the controller."""

    OPENED = "OPENED"
    CLOSED = "CLOSED"
    FAULT = "FAULT"
    LEFT_OPEN = "LEFT_OPEN"
    ENDED = "ENDED"
    MENDED = "MENDED"


_P, _I, _E = CompartmentPhase, CompartmentInput, CompartmentEffect
Effects = tuple[CompartmentEffect, ...]

TABLE: dict[
    CompartmentPhase, dict[CompartmentInput, tuple[CompartmentPhase, Effects]]
] = {
    # An order without a claim is the medicine box's; an opening without an order is
    # somebody with a key.
    _P.FREE: {
        _I.CLAIM: (_P.HELD, ()),
        _I.OPEN_ORDERED: (_P.FREE, ()),
        _I.OPENED: (_P.OPEN, (_E.OPENED,)),
        _I.DID_NOT_OPEN: (_P.FAULT, (_E.FAULT,)),
    },
    # Claimed and not opened yet: refused for a slow disk it waits for its holder.
    _P.HELD: {
        _I.OPEN_ORDERED: (_P.HELD, ()),
        _I.REFUSED: (_P.HELD, ()),
        _I.OPENED: (_P.OPEN, (_E.OPENED,)),
        _I.DID_NOT_OPEN: (_P.FAULT, (_E.FAULT,)),
        _I.ENDED: (_P.FREE, (_E.ENDED,)),
    },
    _P.OCCUPIED: {
        _I.OPEN_ORDERED: (_P.OCCUPIED, ()),
        _I.REFUSED: (_P.OCCUPIED, ()),
        _I.OPENED: (_P.OPEN, (_E.OPENED,)),
        _I.DID_NOT_OPEN: (_P.FAULT, (_E.FAULT,)),
        _I.ENDED: (_P.FREE, (_E.ENDED,)),
    },
    _P.OPEN: {
        _I.CLOSED: (_P.OCCUPIED, (_E.CLOSED,)),
        _I.CLOSED_UNRENTED: (_P.FREE, (_E.CLOSED,)),
        _I.LEFT_OPEN: (_P.OPEN, (_E.LEFT_OPEN,)),
        _I.ENDED: (_P.OPEN, (_E.ENDED,)),
    },
    # It may open late, or at the next try for the things in it: then it works.
    _P.FAULT: {
        _I.OPEN_ORDERED: (_P.FAULT, ()),
        _I.REFUSED: (_P.FAULT, ()),
        _I.OPENED: (_P.OPEN, (_E.OPENED,)),
        _I.DID_NOT_OPEN: (_P.FAULT, (_E.FAULT,)),
        _I.ENDED: (_P.FAULT, (_E.ENDED,)),
        _I.MEND: (_P.FREE, (_E.MENDED,)),
        _I.MEND_RENTED: (_P.OCCUPIED, (_E.MENDED,)),
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rental:
    """Whose it is and until when (UTC ms, without grace).

    ``was_opened``: things may lie inside. ``is_last``: it ends at the next closing.
    """

    holder: str
    booking: str
    end_ms: int
    was_opened: bool = False
    is_last: bool = False

    @property
    def person(self) -> Person:
        """Whom its events are about."""
        return Person(holder=self.holder or None, booking=self.booking or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compartment:
    """A compartment's standing: monotonic seconds for its timers.

    ``cause`` is the seq of its latest grant. ``feedback_due_s`` stands while an order
    is on its way, ``closed_s`` since its holder closed it; ``is_asked`` while it
    stands open because its holder asked.
    """

    phase: CompartmentPhase = CompartmentPhase.FREE
    rental: Rental | None = None
    cause: int = 0
    feedback_due_s: float | None = None
    left_open_at_s: float | None = None
    closed_s: float | None = None
    is_asked: bool = False

    @property
    def is_open(self) -> bool:
        """Say whether the leaf stands open."""
        return self.phase is CompartmentPhase.OPEN

    @property
    def is_ordered(self) -> bool:
        """Say whether an order to open is on its way."""
        return self.feedback_due_s is not None

    def deadline(self) -> float | None:
        """Return the monotonic time at which :func:`expire` has something to do."""
        times = (self.feedback_due_s, self.left_open_at_s)
        return min((t for t in times if t is not None), default=None)


Step = tuple[Compartment, Effects]


def step(compartment: Compartment, happened: CompartmentInput) -> Step:
    """Look the input up; an input without an entry returns the same compartment."""
    entry = TABLE[compartment.phase].get(happened)
    if entry is None:
        return compartment, ()
    phase, effects = entry
    changed = replace(compartment, phase=phase, feedback_due_s=None)
    if phase is not CompartmentPhase.OPEN or happened is _I.LEFT_OPEN:
        changed = replace(changed, left_open_at_s=None)
    if happened is _I.ENDED:
        changed = replace(changed, rental=None, closed_s=None)
    return changed, effects


def claim(compartment: Compartment, rental: Rental) -> Step:
    """Give it to a holder, if it is FREE."""
    changed, effects = step(compartment, _I.CLAIM)
    if changed is compartment:
        return compartment, ()
    return replace(changed, rental=rental), effects


def order(compartment: Compartment, *, cause: int, due_s: float) -> Step:
    """Await the feedback of an order until ``due_s``."""
    changed, effects = step(compartment, _I.OPEN_ORDERED)
    if changed is compartment:  # it stands open already
        return replace(compartment, cause=cause), ()
    return replace(changed, cause=cause, feedback_due_s=due_s), effects


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
            is_asked=compartment.is_ordered,
        ), effects
    changed, effects = step(compartment, _I.CLOSED if rental else _I.CLOSED_UNRENTED)
    # Shut after a key or a crowbar: that says nothing of its holder having finished.
    is_own = rental is not None and compartment.is_asked
    return replace(changed, closed_s=now_s if is_own else None, is_asked=False), effects


def refuse(compartment: Compartment) -> Step:
    """Take back an order that was not carried out; the rental waits."""
    return step(compartment, _I.REFUSED)


def fail(compartment: Compartment) -> Step:
    """Take an order's failure; out of order is told again only after an order."""
    is_known = compartment.phase is CompartmentPhase.FAULT
    if is_known and not compartment.is_ordered:
        return compartment, ()
    return step(compartment, _I.DID_NOT_OPEN)


def mend(compartment: Compartment) -> Step:
    """Put what was out of order back to use, or back to its holder."""
    return step(compartment, _I.MEND_RENTED if compartment.rental else _I.MEND)


def end(compartment: Compartment) -> Step:
    """End the rental; things that lie inside are no longer anybody's."""
    return step(compartment, _I.ENDED)


def make_last(compartment: Compartment) -> Compartment:
    """Let the rental end when its holder next closes the leaf."""
    rental = compartment.rental
    if rental is None:
        return compartment
    return replace(compartment, rental=replace(rental, is_last=True))


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
