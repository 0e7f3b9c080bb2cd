# SPDX-License-Identifier: Apache-2.0
"""One decision, explained from its own event and what came of it.

The law of the module: values alone. What the event tells is told as it stands there;
what is known of the scene around it comes from the events before.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from edge.core.access.answers import NEXT_STEP, DenyReason, NextStep
from edge.core.access.ticket import TicketFlaw
from edge.core.access.ticket_rules import STEPS as TICKET_STEPS
from edge.core.event import EventKind
from edge.core.moment import UNBOUNDED_MS

if TYPE_CHECKING:
    from edge.core.event import Event, Facts, Person
    from edge.core.explain.kept import Kept
    from edge.core.explain.openers import Openers
    from edge.core.explain.retelling import Unknown
    from edge.core.explain.scene import Answer
    from edge.core.moment import Moment

#: Facts that stand in a field of their own.
_TOLD = frozenset({"age_s", "fr", "kind", "reason", "rule", "set"})


class Ending(StrEnum):
    """What came of a decision, as far as the journal tells."""

    TAKEN = "somebody came in"
    NOT_TAKEN = "nobody came in"
    #: A power cut lies between.
    HIDDEN = "nobody knows: the power was cut"
    FREE = "the door stood open anyway"
    REFUSED = "refused"
    OPEN = "not told yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the event alone tells of a decision; ``place`` counts over all epochs."""

    place: int
    epoch: str
    seq: int
    moment: Moment
    at: str
    rule: str
    reason: DenyReason | None
    step: NextStep | None
    kind: str
    person: Person
    is_erased: bool
    roster_revision: int | None
    roster_age_s: int | None
    settings_revision: str
    details: Facts

    @property
    def is_clock_known(self) -> bool:
        """Whether the clock had an upper bound at all."""
        return self.moment.latest_ms < UNBOUNDED_MS

    @property
    def is_flagged(self) -> bool:
        """Whether somebody was let in although the clock could not tell."""
        return ("time_unverified", 1) in self.details


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A decision, the scene in which it fell, and what came of it.

    ``anew``: what is decided today of what is kept; an Unknown says why nothing is.
    """

    told: Told
    mode: str
    standing: tuple[str, ...]
    ending: Ending
    is_late: bool
    anew: Answer | Unknown
    openers: Openers | None


def told_of(kept: Kept) -> Told:
    """Read a decision from its event."""
    event = kept.event
    reason = _reason(event)
    revision, age_s = event.fact("fr"), event.fact("age_s")
    return Told(
        place=event.seq,
        epoch=kept.epoch,
        seq=kept.seq,
        moment=event.moment,
        at=event.subject,
        rule=str(event.fact("rule") or ""),
        reason=reason,
        step=None if reason is None else _step(event, reason),
        kind=str(event.fact("kind") or ""),
        person=event.person,
        is_erased=kept.is_erased,
        roster_revision=None if revision is None else int(revision),
        roster_age_s=None if age_s is None else int(age_s),
        settings_revision=str(event.fact("set") or ""),
        details=tuple(each for each in event.facts if each[0] not in _TOLD),
    )


def first_ending(event: Event) -> Ending:
    """Return what is known of a decision's outcome by its own event."""
    if event.kind is EventKind.ACCESS_DENIED:
        return Ending.REFUSED
    return Ending.FREE if event.fact("free") is not None else Ending.OPEN


def ending(event: Event) -> tuple[int, Ending] | None:
    """Return whose outcome an event tells, and which."""
    if event.kind not in (EventKind.ACCESS_TAKEN, EventKind.ACCESS_NOT_TAKEN):
        return None
    cause = int(event.fact("cause") or 0)
    if event.kind is EventKind.ACCESS_TAKEN:
        return cause, Ending.TAKEN
    is_hidden = event.fact("outcome") == "unknown"
    return cause, Ending.HIDDEN if is_hidden else Ending.NOT_TAKEN


def _reason(event: Event) -> DenyReason | None:
    told = event.fact("reason")
    is_told = event.kind is EventKind.ACCESS_DENIED and told in list(DenyReason)
    return DenyReason(str(told)) if is_told else None


def _step(event: Event, reason: DenyReason) -> NextStep:
    """Return what the person was told to do; the event keeps what it follows from."""
    if reason is DenyReason.CLOSED and event.fact("from_ms") is None:
        return NextStep.ASK_VOLUNTEER
    flaw = event.fact("detail")
    if flaw in list(TicketFlaw):
        return TICKET_STEPS.get(TicketFlaw(str(flaw)), NEXT_STEP[reason])
    return NEXT_STEP[reason]
