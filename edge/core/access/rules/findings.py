# SPDX-License-Identifier: Apache-2.0
"""What the rules before have found out, for those that come after.

The law of the module: findings begin with who stands there and grow rule by rule;
they live for one decision. They are built for every scan, so they are not frozen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from edge.core.access.answers import Denied
from edge.core.access.ticket import Ticket
from edge.core.event import NOBODY, Person
from edge.core.plan import PersonClass

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.access.answers import Decision, DenyReason
    from edge.core.access.question import Question
    from edge.core.access.ticket import SpoiltTicket
    from edge.core.event import Facts
    from edge.core.people.entries import Booking, Policy

#: Whom hours, payment, staff, capacity and passback bind. Volunteers and managers
#: follow their own policy's schedule instead, responders nothing.
BOUND = frozenset({PersonClass.RESIDENT, PersonClass.GUEST, PersonClass.COURIER})


@dataclass(slots=True, kw_only=True)
class Entitlement:
    """Why somebody may come in at all; ``rule`` names it in the events.

    One of ``booking``, ``policy`` and ``ticket``, or none of them for a walk-in.
    ``persons`` come in by this scan. ``is_unsure``: the clock cannot say that its
    time is now, only that it may be.
    """

    rule: str
    booking: Booking | None = None
    policy: Policy | None = None
    ticket: Ticket | None = None
    end_ms: int | None = None
    persons: int = 1
    is_unsure: bool = False

    @property
    def is_walk_in(self) -> bool:
        """Whether nothing entitles the person but the space's own rule."""
        return self.rule == WALK_IN


BOOKING, POLICY, TICKET, WALK_IN = "booking", "policy", "ticket", "walk_in"


@dataclass(slots=True)  # by keywords, building it would take twice as long
class Findings:
    """Who stands there, and what entitles the person.

    ``person_class`` of somebody unknown is a resident's. ``is_validity_unsure``: the
    clock cannot say whether the holder is valid yet, or still. ``is_flagged``: let in
    on an unsure clock, and counted. ``is_again``: inside already, as far as is known.
    """

    person_class: PersonClass
    is_bound: bool
    entitlement: Entitlement | None = None
    is_validity_unsure: bool = False
    is_flagged: bool = False
    is_again: bool = False


if TYPE_CHECKING:
    #: A rule refuses, admits, or passes on; it is told its own name.
    Rule = Callable[[Question, Findings, str], Decision | None]


def first_findings(question: Question) -> Findings:
    """Return what is known before the first rule."""
    return Findings(*_class_of(roles(question)))


def roles(question: Question) -> tuple[str, ...]:
    """Return the roles of who stands there; an emergency ticket is a responder's.

    That such a ticket holds here and now is judged by its own rule, as ever.
    """
    held = question.holder.roles if question.holder is not None else ()
    shown = question.ticket
    if shown is not None and isinstance(shown, Ticket) and shown.is_emergency:
        return (*held, PersonClass.RESPONDER.value)
    return held


# A site has few combinations of roles; looking for each class anew at every scan
# would take a tenth of the decision's time.
@lru_cache(maxsize=128)
def _class_of(held: tuple[str, ...]) -> tuple[PersonClass, bool]:
    person_class = next(
        (each for each in PersonClass if each in held), PersonClass.RESIDENT
    )
    return person_class, person_class in BOUND


def heads(question: Question, findings: Findings) -> int:
    """Return how many come in by this scan, the first of two persons among them."""
    persons = findings.entitlement.persons if findings.entitlement else 1
    return persons + question.door.needs_two_persons


def whom(question: Question, booking: Booking | None = None) -> Person:
    """Return whom an answer to this question is about."""
    holder, shown = question.holder, question.ticket
    if holder is None and shown is None:
        return NOBODY
    return Person(
        holder=None if holder is None else holder.holder_id,
        booking=None if booking is None else booking.booking_id,
        ticket=None if shown is None else ticket_name(shown),
    )


def ticket_name(shown: Ticket | SpoiltTicket | None) -> str | None:
    """Return a ticket's own id; a spoilt one has none that could be trusted."""
    return shown.ticket_id if isinstance(shown, Ticket) else None


def refuse(
    question: Question,
    findings: Findings,
    rule: str,
    reason: DenyReason,
    facts: Facts = (),
) -> Denied:
    """Return a rule's refusal, in the name of what would have entitled the person."""
    found = findings.entitlement
    person = whom(question, found.booking if found else None)
    return Denied(rule=rule, reason=reason, person=person, facts=facts)


def release_s(question: Question) -> float:
    """Return how long to release the door for this person."""
    holder, door = question.holder, question.door
    is_slow = holder is not None and holder.needs_extended_time
    return door.extended_release_s if is_slow else door.release_s
