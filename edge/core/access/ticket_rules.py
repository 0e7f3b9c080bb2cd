# SPDX-License-Identifier: Apache-2.0
"""Does this ticket hold here and now? Rules in their order, the first flaw tells.

The law of the module: pure judgement of a ticket's own claims against a place and an
interval of time; whether it was used before is asked of ``Redemptions``, and whether
the room is open of the rules that follow. Intervals are half-open. Where the clock is
unsure, a ticket is not refused: it holds, and the answer says so.
Source: docs/tickets.md, "What the gateway checks".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.core.access.answers import DenyReason, NextStep
from edge.core.access.ticket import Rotation, SpoiltTicket, TicketFlaw
from edge.core.moment import ClockVerdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from edge.core.access.ticket import ShownTicket, Ticket
    from edge.core.event import Facts
    from edge.core.moment import Moment
    from edge.core.plan import SitePlan

#: The issuer's clock and ours may differ so much before a ticket begins …
EARLY_ALLOWANCE_MS = 120_000
#: … and after it ends.
LATE_ALLOWANCE_MS = 90_000
#: A ticket may have been issued so far in our future; beyond it somebody is lying.
ISSUED_AHEAD_MS = 120_000
#: A rotating code changes this often.
STEP_MS = 30_000
#: A code shown is good for so many steps after its own, and before it.
STEPS_OLD, STEPS_AHEAD = 2, 1
#: A clock less sure than this expects no code: each step more is a code more to guess.
MOST_UNSURE_MS = 600_000

REASONS: dict[TicketFlaw, DenyReason] = {
    TicketFlaw.FORMAT: DenyReason.INVALID_SIGNATURE,
    TicketFlaw.TOO_LONG: DenyReason.INVALID_SIGNATURE,
    TicketFlaw.PREFIX: DenyReason.INVALID_SIGNATURE,
    TicketFlaw.BASE45: DenyReason.INVALID_SIGNATURE,
    TicketFlaw.CBOR: DenyReason.INVALID_SIGNATURE,
    TicketFlaw.ALG: DenyReason.INVALID_SIGNATURE,
    TicketFlaw.KID_UNKNOWN: DenyReason.INVALID_SIGNATURE,
    TicketFlaw.KID_EXPIRED: DenyReason.INVALID_SIGNATURE,
    TicketFlaw.SIGNATURE: DenyReason.INVALID_SIGNATURE,
    TicketFlaw.NOT_YET: DenyReason.TOO_EARLY,
    TicketFlaw.EXPIRED: DenyReason.QR_EXPIRED,
    TicketFlaw.DOOR: DenyReason.WRONG_SPACE,
    TicketFlaw.REVOKED: DenyReason.CREDENTIAL_REVOKED,
    TicketFlaw.USED: DenyReason.ALREADY_REDEEMED,
    TicketFlaw.REPLAY: DenyReason.ALREADY_REDEEMED,
    TicketFlaw.ROTATION: DenyReason.QR_EXPIRED,
    TicketFlaw.CLOCK_UNKNOWN: DenyReason.CLOCK_UNTRUSTED,
    TicketFlaw.RATE_LIMITED: DenyReason.READER_PAUSED,
}
#: Where the usual next step of the reason is not the one that helps.
STEPS: dict[TicketFlaw, NextStep] = {
    # The phone shows another code within half a minute.
    TicketFlaw.REPLAY: NextStep.SHOW_NEW_CODE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPlace:
    """Where a ticket is shown.

    ``names`` is what a ticket may call this door; ``spaces`` leads from every such
    name of the site to its space, to tell where a ticket would open.
    """

    site_id: str
    names: frozenset[int | str]
    spaces: Mapping[int | str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRefusal:
    """Why a ticket does not open: ``facts`` carry its flaw and what would help."""

    reason: DenyReason
    flaw: TicketFlaw
    facts: Facts
    #: Where the usual next step of the reason would lead nowhere.
    step: NextStep | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketHolds:
    """The ticket holds; surely, or as far as an unsure clock can tell."""

    ticket: Ticket
    is_time_unsure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    ticket: Ticket
    place: TicketPlace
    now: Moment
    is_revoked: bool


def judge_ticket(
    shown: ShownTicket, place: TicketPlace, now: Moment, *, is_revoked: bool = False
) -> TicketHolds | TicketRefusal:
    """Judge a ticket at a place; ``is_revoked``: it or its booking was called back."""
    if isinstance(shown, SpoiltTicket):
        return refusal(shown.flaw)
    refused = next(refusals(shown, place, now, is_revoked=is_revoked), None)
    if refused is not None:
        return refused
    window = _window(shown, now)
    is_unsure = window is ClockVerdict.UNSURE or shown.rotation is Rotation.UNCHECKED
    return TicketHolds(ticket=shown, is_time_unsure=is_unsure)


def refusals(
    ticket: Ticket, place: TicketPlace, now: Moment, *, is_revoked: bool = False
) -> Iterator[TicketRefusal]:
    """Yield everything that speaks against a ticket, in the order of the rules."""
    case = _Case(ticket=ticket, place=place, now=now, is_revoked=is_revoked)
    for rule in _RULES:
        refused = rule(case)
        if refused is not None:
            yield refused


def refusal(
    flaw: TicketFlaw,
    *facts: tuple[str, int | str],
    reason: DenyReason | None = None,
    step: NextStep | None = None,
) -> TicketRefusal:
    """Return the refusal of a flaw, with what would help the person."""
    return TicketRefusal(
        reason=reason or REASONS[flaw],
        flaw=flaw,
        facts=(("detail", flaw.value), *facts),
        step=step or STEPS.get(flaw),
    )


def candidate_steps(now: Moment) -> range:
    """Return the rotation steps whose code is good now; none if nobody can tell."""
    if now.latest_ms - now.earliest_ms > MOST_UNSURE_MS:
        return range(0)
    oldest = max(0, now.earliest_ms // STEP_MS - STEPS_OLD)
    newest = now.latest_ms // STEP_MS + STEPS_AHEAD
    return range(oldest, newest + 1)


def clock_floor_ms(ticket: Ticket) -> int | None:
    """Return the earliest that it can be, since this ticket was issued; else None.

    Only ``iat`` is evidence (``nbf`` lies in the future by design), only within its
    key's life, and less what the issuer's clock may be ahead.
    """
    issued_ms = ticket.issued_ms
    if issued_ms is None or not ticket.key_from_ms <= issued_ms < ticket.key_to_ms:
        return None
    return issued_ms - ISSUED_AHEAD_MS


def ticket_places(
    site: SitePlan, numbers: Mapping[int, str] | None = None
) -> dict[str, TicketPlace]:
    """Return the place of each door and bank of a site, by its id.

    ``numbers`` are the site file's short names: number to id of a door, bank or space.
    """
    homes = {door.door_id: door.space_id for door in site.doors.values()}
    homes |= {bank.bank_id: bank.space_id for bank in site.banks.values()}
    spaces: dict[int | str, str] = {space_id: space_id for space_id in site.spaces}
    spaces.update(homes)
    known = {number: name for number, name in (numbers or {}).items() if name in spaces}
    spaces.update({number: spaces[name] for number, name in known.items()})
    places = {}
    for home, space_id in homes.items():
        ids = {home, space_id}
        short = {number for number, name in known.items() if name in ids}
        names = frozenset[int | str](ids | short)
        places[home] = TicketPlace(site_id=site.site_id, names=names, spaces=spaces)
    return places


def _window(ticket: Ticket, now: Moment) -> ClockVerdict:
    start_ms = ticket.not_before_ms - EARLY_ALLOWANCE_MS
    return now.against(start_ms, ticket.expires_ms + LATE_ALLOWANCE_MS)


def _complete(case: _Case) -> TicketRefusal | None:
    ticket = case.ticket
    if ticket.audience is None or ticket.issued_ms is None or not ticket.doors:
        return refusal(TicketFlaw.FORMAT)
    return None


def _key(case: _Case) -> TicketRefusal | None:
    ticket = case.ticket
    alive = case.now.against(ticket.key_from_ms, ticket.key_to_ms)
    if alive in (ClockVerdict.BEFORE, ClockVerdict.AFTER):
        return refusal(TicketFlaw.KID_EXPIRED)
    return None


def _site(case: _Case) -> TicketRefusal | None:
    if case.ticket.audience == case.place.site_id:
        return None
    site = ("site", case.ticket.audience or "")
    # Which of that site's rooms, its own gateway knows.
    return refusal(TicketFlaw.DOOR, site, step=NextStep.ASK_VOLUNTEER)


def _issued(case: _Case) -> TicketRefusal | None:
    issued_ms = case.ticket.issued_ms
    if issued_ms is None or issued_ms - ISSUED_AHEAD_MS <= case.now.latest_ms:
        return None  # a clock without an upper bound contradicts nobody
    return refusal(TicketFlaw.NOT_YET, reason=DenyReason.INVALID_SIGNATURE)


def _revoked(case: _Case) -> TicketRefusal | None:
    return refusal(TicketFlaw.REVOKED) if case.is_revoked else None


def _begun(case: _Case) -> TicketRefusal | None:
    if _window(case.ticket, case.now) is not ClockVerdict.BEFORE:
        return None
    return refusal(TicketFlaw.NOT_YET, ("from_ms", case.ticket.not_before_ms))


def _ended(case: _Case) -> TicketRefusal | None:
    if _window(case.ticket, case.now) is not ClockVerdict.AFTER:
        return None
    return refusal(TicketFlaw.EXPIRED, ("to_ms", case.ticket.expires_ms))


def _code(case: _Case) -> TicketRefusal | None:
    is_wrong = case.ticket.rotation is Rotation.WRONG
    return refusal(TicketFlaw.ROTATION) if is_wrong else None


def _door(case: _Case) -> TicketRefusal | None:
    ticket, place = case.ticket, case.place
    if not place.names.isdisjoint(ticket.doors):
        return None
    for name in ticket.doors:
        if name in place.spaces:
            return refusal(TicketFlaw.DOOR, ("space", place.spaces[name]))
    return refusal(TicketFlaw.DOOR, step=NextStep.ASK_VOLUNTEER)


#: The order in which a ticket is judged; the first refusal is the one told.
_RULES: tuple[Callable[[_Case], TicketRefusal | None], ...] = (
    _complete,
    _key,
    _site,
    _issued,
    _revoked,
    _begun,
    _ended,
    _code,
    _door,
)
