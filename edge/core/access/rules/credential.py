# SPDX-License-Identifier: Apache-2.0
"""Whether a credential is known, and good: not called back, enabled, in its time.

The law of the module: what a ticket is worth is judged by its own rules; here it is
only taken up. An unknown card passes where a space takes walk-ins, an unknown code
nowhere.
Source: ARCHITECTURE.md, "The decision", rules 3 and 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edge.core.access.answers import Denied, DenyReason
from edge.core.access.rules.findings import (
    TICKET,
    Entitlement,
    refuse,
    ticket_name,
    whom,
)
from edge.core.access.ticket_rules import TicketRefusal, judge_ticket, ticket_places
from edge.core.credential import CredentialKind
from edge.core.moment import ClockVerdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.access.answers import Decision
    from edge.core.access.question import Question
    from edge.core.access.rules.findings import Findings
    from edge.core.access.ticket_rules import TicketHolds, TicketPlace
    from edge.core.credential import Credential
    from edge.core.moment import Moment
    from edge.core.people.entries import Cardholder
    from edge.core.plan import SitePlan

#: What is held in the hand: never slowed, and enough for a walk-in.
CARDS = frozenset({CredentialKind.CARD, CredentialKind.ID_CARD})


class Revocations(Protocol):
    """What was called back (``edge.core.people.rolls``)."""

    def revocation(self, *tokens: bytes) -> str | None:
        """Return why a credential was called back by one of its tokens, or None."""

    def holder_revocation(self, holder_id: str) -> str | None:
        """Return why a holder was called back, or None."""


def is_card(credential: Credential) -> bool:
    """Say whether this is a card, no code."""
    return credential.kind in CARDS


def barred(
    credential: Credential,
    holder: Cardholder | None,
    rolls: Revocations,
    now: Moment | None = None,
) -> DenyReason | None:
    """Return why this credential opens nothing at all, or None.

    Without ``now`` the holder's validity is not asked after.
    """
    if rolls.revocation(*credential.tokens) is not None:
        return DenyReason.CREDENTIAL_REVOKED
    if holder is None:
        return DenyReason.CREDENTIAL_NOT_FOUND
    if rolls.holder_revocation(holder.holder_id) is not None:
        return DenyReason.CREDENTIAL_REVOKED
    if not holder.is_enabled:
        return DenyReason.CREDENTIAL_NOT_ENABLED
    if now is None:
        return None
    return _NOT_VALID.get(now.against(holder.valid_from_ms, holder.valid_to_ms))


_NOT_VALID = {
    ClockVerdict.BEFORE: DenyReason.CREDENTIAL_NOT_ACTIVE,
    ClockVerdict.AFTER: DenyReason.CREDENTIAL_EXPIRED,
}


def ticket(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Take a ticket that holds as what entitles its bearer; say why another does not.

    It needs no booking that was synced; one known as cancelled beats it.
    """
    judged = judged_ticket(question)
    if judged is None:
        return None
    if isinstance(judged, TicketRefusal):
        return Denied(
            rule=rule,
            reason=judged.reason,
            person=whom(question),
            facts=judged.facts,
            step=judged.step,
        )
    findings.entitlement = Entitlement(
        rule=TICKET,
        ticket=judged.ticket,
        end_ms=judged.ticket.expires_ms,
        is_unsure=judged.is_time_unsure,
    )
    return None


def judged_ticket(question: Question) -> TicketHolds | TicketRefusal | None:
    """Judge the ticket that is shown at this door now; None where none is."""
    if question.ticket is None:
        return None
    return judge_ticket(
        question.ticket,
        _place(question),
        question.now,
        is_revoked=_is_called_back(question),
    )


def _is_called_back(question: Question) -> bool:
    ticket_id = ticket_name(question.ticket)
    if ticket_id is None:
        return False
    return question.rolls.ticket_revocation(ticket_id) is not None


def _place(question: Question) -> TicketPlace:
    return _PLACES.of(question.site)[question.door.door_id]


class _Places:
    """The places of the site that was asked after last, by door or bank.

    A site never changes: a changed one is another, and puts its own places here.
    """

    def __init__(self) -> None:
        self._held: tuple[SitePlan, Mapping[str, TicketPlace]] | None = None

    def of(self, site: SitePlan) -> Mapping[str, TicketPlace]:
        """Return the places of a site."""
        held = self._held
        if held is None or held[0] is not site:
            spaces = site.spaces.items()
            numbers = {space.number: name for name, space in spaces if space.number}
            held = self._held = site, ticket_places(site, numbers)
        return held[1]


_PLACES = _Places()


def known(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Refuse what was called back, and what nobody knows where that is not enough."""
    rolls, holder = question.rolls, question.holder
    if rolls.revocation(*question.credential.tokens) is not None:
        return refuse(question, findings, rule, DenyReason.CREDENTIAL_REVOKED)
    if holder is None:
        if findings.entitlement is not None or _may_walk_in(question):
            return None
        return refuse(question, findings, rule, DenyReason.CREDENTIAL_NOT_FOUND)
    if rolls.holder_revocation(holder.holder_id) is not None:
        return refuse(question, findings, rule, DenyReason.CREDENTIAL_REVOKED)
    return None


def _may_walk_in(question: Question) -> bool:
    return question.space.allows_walk_in and is_card(question.credential)


def enabled(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Refuse a holder whom the platform has disabled."""
    if question.holder is None or question.holder.is_enabled:
        return None
    return refuse(question, findings, rule, DenyReason.CREDENTIAL_NOT_ENABLED)


def validity(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Refuse a holder whose time has surely not begun, or surely ended."""
    holder = question.holder
    if holder is None:
        return None
    judged = question.now.against(holder.valid_from_ms, holder.valid_to_ms)
    if judged is ClockVerdict.INSIDE:
        return None
    if judged is ClockVerdict.UNSURE:
        findings.is_validity_unsure = True
        return None
    is_early = judged is ClockVerdict.BEFORE
    edge = ("from_ms", holder.valid_from_ms), ("to_ms", holder.valid_to_ms)
    facts = (edge[0 if is_early else 1],)
    return refuse(question, findings, rule, _NOT_VALID[judged], facts)
