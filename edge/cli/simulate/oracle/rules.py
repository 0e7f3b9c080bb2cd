# SPDX-License-Identifier: Apache-2.0
"""The rules of entry, a second time: every answer that would be right for a scan.

The law of the module: one function a rule, in the order of ARCHITECTURE.md, "The
decision"; each says what must be refused and what may be. The text leaves a choice,
or the answer cannot be known from outside, in these places, and both are taken:

* the lock before its board was first heard of; secure wire or sound lock first;
* which of several bookings is used; booking or policy while the clock is unsure;
  whether volunteers who come by a booking then enter by it more than twice;
* whether a pair still stands once one of the two waits for a confirmation, and for
  how long: no longer than the confirmation does;
* a booking that is used up beside one that may just have begun;
* the roster's age, when the platform may have confirmed it since;
* who is inside, and whether a room is full already, once somebody came or went
  without a name (by the handle, the button, by hand, or as a walk-in);
* whoever was put on the local roster, and cards bound here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.simulate.oracle.entitlement import (
    MOST_UNVERIFIED,
    Entitlement,
    entitlements,
    is_one_full,
    refusals,
)
from edge.cli.simulate.oracle.hours import Lies, lies
from edge.cli.simulate.oracle.picture import PAUSE_S, WRONG_TRIES
from edge.cli.simulate.oracle.question import Asked
from edge.cli.simulate.oracle.ruling import (
    BOUND,
    OPEN,
    PASS,
    Ruling,
    answers,
    class_of,
    either,
    refuse,
    weighed,
)
from edge.cli.simulate.oracle.tickets import judged
from edge.core.access.answers import DenyReason
from edge.core.access.ticket import SpoiltTicket, Ticket
from edge.core.doors.door import DoorMode
from edge.core.emergency.state import EmergencyState
from edge.core.plan import (
    ROSTER_AGE_MS,
    Direction,
    EntryRule,
    Passback,
    PersonClass,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.cli.simulate.oracle.picture import Picture
    from edge.core.moment import Moment
    from edge.core.stimulus import Scan

PAIR_S = 30.0
CONFIRM_S = 60.0
#: Timers of memory are judged to the tenth of a second only.
_BLUR_S = 0.1
_STAFF_PASSES = {
    DoorMode.BLOCKED: (DenyReason.DOOR_BLOCKED, {PersonClass.RESPONDER}),
    DoorMode.LOCKED_DOWN: (
        DenyReason.DOOR_LOCKED_DOWN,
        {PersonClass.RESPONDER, PersonClass.MANAGER},
    ),
}


def ask(picture: Picture, scan: Scan, now: Moment, at_s: float) -> Asked:
    """Return a scan at a door as the oracle sees it."""
    plan = picture.plan
    point = plan.access_points[scan.access_point]
    door = plan.doors[point.door_id]
    token = scan.credential.tokens[-1]
    holder = picture.whose(token)
    if holder is None and token in picture.local.bound:
        holder = picture.book.holders.get(picture.local.bound[token])
    person = class_of(holder.roles if holder else ())
    if isinstance(scan.ticket, Ticket) and scan.ticket.is_emergency:
        person = PersonClass.RESPONDER
    return Asked(
        point=point,
        door=door,
        space=plan.spaces[door.space_id],
        kind=scan.credential.kind,
        token=token,
        holder=holder,
        person=person,
        ticket=scan.ticket,
        is_secure=scan.is_secure,
        lo_ms=now.earliest_ms,
        hi_ms=now.latest_ms,
        now_s=now.monotonic_s,
        at_s=at_s,
    )


def right_answers(picture: Picture, asked: Asked) -> frozenset[str]:
    """Return ``OPEN``, or reasons, or both: whatever would be right."""
    if asked.point.direction is Direction.OUT:
        return frozenset({OPEN})
    pause = _paused(picture, asked)
    if not pause.may_pass:
        return answers([pause])
    if _is_in_doubt(picture, asked):
        return frozenset({OPEN, *(reason.value for reason in DenyReason)})
    # In a free mode everybody is admitted and recorded.
    if picture.leaves.is_free(asked.door.door_id):
        return answers([_sound(picture, asked)]) | {OPEN}
    if picture.standing.first is EmergencyState.SHELTER:
        return answers(_in_shelter(picture, asked)) | pause.refusals
    before = [pause, _sound(picture, asked), _mode(picture, asked)]
    before += list(_known(picture, asked))
    if OPEN not in answers(before):
        return answers(before)
    ways = _ways(picture, asked)
    if not ways:
        return (answers(before) - {OPEN}) | refusals(asked, picture.register)
    found: set[str] = set()
    for way in ways:
        found |= answers([*before, *_after(picture, asked, way)])
    if not any(way.is_sure for way in ways) and is_one_full(asked, picture.register):
        found.add(DenyReason.PARTY_FULL.value)
    return frozenset(found)


def _is_in_doubt(picture: Picture, asked: Asked) -> bool:
    """Say whether what was settled at the site itself decides: it is not judged."""
    holder = asked.holder.holder_id if asked.holder else ""
    return holder in picture.local.held or asked.token in picture.local.bound


def _paused(picture: Picture, asked: Asked) -> Ruling:
    """Ruling 29: unknown codes and PINs wait after five wrong ones in a row."""
    is_known = asked.holder is not None or isinstance(asked.ticket, Ticket)
    if asked.is_card or (is_known and asked.kind.value != "PIN"):
        return PASS
    row = picture.memory.rows.get(asked.point.access_point_id)
    if row is None or row.surely < WRONG_TRIES:
        return PASS
    waited_s = asked.at_s - row.last_s
    return weighed(
        DenyReason.READER_PAUSED,
        must=waited_s < PAUSE_S - _BLUR_S and row.surely == WRONG_TRIES,
        may=waited_s < PAUSE_S + _BLUR_S,
    )


def _sound(picture: Picture, asked: Asked) -> Ruling:
    """Rule 1: the lock answers and the reader's wire is secure."""
    is_online = picture.memory.boards.get(asked.door.door_id)
    reasons = () if asked.is_secure else (DenyReason.READER_INSECURE,)
    if is_online is False:
        return refuse(DenyReason.STRIKE_FAULT, *reasons)
    if reasons:
        return refuse(*reasons)
    return PASS if is_online else either(DenyReason.STRIKE_FAULT)


def _mode(picture: Picture, asked: Asked) -> Ruling:
    """Rule 2: BLOCKED and LOCKED_DOWN admit only the roles named for them."""
    named = _STAFF_PASSES.get(picture.standing.mode(asked.door.door_id))
    if named is None or asked.person in named[1]:
        return PASS
    return refuse(named[0])


def _known(picture: Picture, asked: Asked) -> Iterator[Ruling]:
    """Rules 3 and 4: it is known, neither revoked nor barred, and valid now."""
    book, holder, shown = picture.book, asked.holder, asked.ticket
    if shown is not None:
        name = "" if isinstance(shown, SpoiltTicket) else shown.ticket_id
        yield from judged(
            asked,
            picture.plan,
            is_called_back=name in book.revoked_tickets,
            used=picture.entries.ticket_used(name),
        )
    elif holder is None:
        is_open = asked.space.entry is not EntryRule.BOOKING and asked.is_card
        if not is_open:
            yield refuse(DenyReason.CREDENTIAL_NOT_FOUND)
    is_lost = asked.token in book.revoked_tokens
    if holder is not None:
        revoked = book.revoked_holders | picture.local.revoked
        is_lost = is_lost or holder.holder_id in revoked
    if is_lost:
        yield refuse(DenyReason.CREDENTIAL_REVOKED)
    if holder is None:
        return
    if not holder.is_enabled:
        yield refuse(DenyReason.CREDENTIAL_NOT_ENABLED)
    if asked.is_surely_before(holder.valid_from_ms):
        yield refuse(DenyReason.CREDENTIAL_NOT_ACTIVE)
    if asked.is_surely_past(holder.valid_to_ms):
        yield refuse(DenyReason.CREDENTIAL_EXPIRED)
    if asked.lies_to(holder.valid_from_ms, holder.valid_to_ms) is Lies.PARTLY:
        yield either(DenyReason.CLOCK_UNTRUSTED) if asked.person in BOUND else PASS


def _ways(picture: Picture, asked: Asked) -> list[Entitlement]:
    """Rule 5: what entitles; a ticket that holds is its own entitlement."""
    if isinstance(asked.ticket, Ticket):
        return [Entitlement()]
    return entitlements(asked, picture.register)


def _after(picture: Picture, asked: Asked, way: Entitlement) -> Iterator[Ruling]:
    """Rules 6 to 13, for one way in."""
    if asked.person in BOUND:
        yield _open_hours(asked, way)
        yield _paid(picture, way)
    yield _fresh(picture, asked, way)
    yield _sure_of_time(picture, asked, way)
    if asked.person in BOUND:
        if asked.space.entry is EntryRule.STAFFED and not picture.standing.shifts:
            yield refuse(DenyReason.STAFF_ABSENT)
        yield _room(picture, asked, way, asked.space.capacity)
        yield _passback(picture, asked, way)
    yield _second_person(picture, asked)
    yield _interlock(picture, asked)
    if picture.standing.first is EmergencyState.CHECKPOINT:
        # Who was confirmed is asked anew; confirmations are judged by themselves.
        yield refuse(DenyReason.AWAITING_CONFIRMATION)


def _open_hours(asked: Asked, way: Entitlement) -> Ruling:
    if asked.space.hours is None:
        return PASS
    where = lies(asked.space.hours, asked.lo_ms, asked.hi_ms)
    if where is Lies.OUTSIDE:
        return refuse(DenyReason.CLOSED)
    if where is Lies.PARTLY and way.is_walk_in:
        return refuse(DenyReason.CLOCK_UNTRUSTED, DenyReason.ROSTER_STALE)
    return PASS


def _paid(picture: Picture, way: Entitlement) -> Ruling:
    booking = way.booking
    if booking is None or booking.due_fen == 0:
        return PASS
    cash = picture.local.cash
    if booking.booking_id not in cash:
        return refuse(DenyReason.PAYMENT_DUE)
    is_settled = cash[booking.booking_id] == booking.due_fen
    return PASS if is_settled else either(DenyReason.PAYMENT_DUE)


def _fresh(picture: Picture, asked: Asked, way: Entitlement) -> Ruling:
    """Rule 8: bookings and tickets are good to their end, however old the list."""
    is_unknown_walk_in = way.is_walk_in and asked.holder is None
    if not (way.is_policy or is_unknown_walk_in):
        return PASS
    limits = [ROSTER_AGE_MS[asked.person], asked.space.roster_age_ms.get(asked.person)]
    told = [limit for limit in limits if limit is not None]
    if asked.person is PersonClass.RESPONDER or not told:
        return PASS
    age_ms = asked.hi_ms - picture.confirmed_ms
    return PASS if age_ms <= min(told) else either(DenyReason.ROSTER_STALE)


def _sure_of_time(picture: Picture, asked: Asked, way: Entitlement) -> Ruling:
    if way.booking is not None and way.is_unsure:
        seen = picture.entries.unverified(way.booking.booking_id)
        is_over = seen >= MOST_UNVERIFIED
        must = is_over and asked.person in BOUND
        return weighed(DenyReason.CLOCK_UNTRUSTED, must=must, may=is_over)
    is_by_day = way.is_policy and way.is_unsure and asked.person in BOUND
    if is_by_day or isinstance(asked.ticket, Ticket):
        is_ticket_unsure = isinstance(asked.ticket, Ticket) and (
            asked.lies_to(asked.ticket.not_before_ms, asked.ticket.expires_ms)
            is not Lies.INSIDE
        )
        if is_by_day or is_ticket_unsure:
            return either(DenyReason.CLOCK_UNTRUSTED)
    return PASS


def _room(picture: Picture, asked: Asked, way: Entitlement, capacity: int) -> Ruling:
    if capacity == 0:
        return PASS
    space, entries = asked.space.space_id, picture.entries
    persons = way.persons if entries.most[space] or way.persons > 1 else 1
    kept = _awaited(picture, asked) if way.is_walk_in else 0
    return weighed(
        DenyReason.SPACE_FULL,
        must=entries.least[space] + persons > capacity,
        may=space in entries.doubtful
        or entries.most[space] + persons + kept > capacity,
    )


def _awaited(picture: Picture, asked: Asked) -> int:
    """Return how many may still be expected by their bookings, at most."""
    space = asked.space
    return sum(
        booking.party
        for _, booking in picture.book.bookings
        if booking.space_id == space.space_id
        and booking.size is None
        and booking.from_ms - space.lead_ms <= asked.hi_ms
        and asked.lo_ms <= booking.from_ms + space.no_show_ms
    )


def _passback(picture: Picture, asked: Asked, way: Entitlement) -> Ruling:
    if asked.space.passback is not Passback.HARD or asked.holder is None:
        return PASS
    if way.booking is not None and way.booking.party > 1:
        return PASS  # members may share a card
    space, holder = asked.space.space_id, asked.holder.holder_id
    return weighed(
        DenyReason.ALREADY_INSIDE,
        must=picture.entries.is_surely_inside(space, holder),
        may=picture.entries.may_be_inside(space, holder),
    )


def _second_person(picture: Picture, asked: Asked) -> Ruling:
    if not asked.door.needs_two_persons:
        return PASS
    reason = DenyReason.SECOND_PERSON_NEEDED
    first = picture.memory.alone.get(asked.point.access_point_id)
    if first is None or first[0] == asked.token:
        return refuse(reason)
    other = picture.whose(first[0])
    if other is not None and other == asked.holder:
        return refuse(reason)  # a code and a card are not two persons
    waited_s = asked.at_s - first[1]
    asked_s = picture.memory.asked_s.get(asked.point.access_point_id, -CONFIRM_S)
    is_confirming = first[1] <= asked_s and asked.at_s - asked_s < CONFIRM_S + _BLUR_S
    if waited_s > PAIR_S + _BLUR_S and is_confirming:
        return either(reason)
    if waited_s > PAIR_S + _BLUR_S:
        return refuse(reason)
    is_surely_waiting = waited_s < PAIR_S - _BLUR_S
    is_surely_waiting &= picture.standing.first is not EmergencyState.CHECKPOINT
    return PASS if is_surely_waiting else either(reason)


def _interlock(picture: Picture, asked: Asked) -> Ruling:
    if picture.standing.is_fire:
        return PASS
    for partner in sorted(asked.door.interlocked_with):
        surely, perhaps = picture.leaves.blocks_partners(partner, asked.at_s)
        if surely:
            return refuse(DenyReason.DOOR_INTERLOCKED)
        if perhaps:
            return either(DenyReason.DOOR_INTERLOCKED)
    return PASS


def _in_shelter(picture: Picture, asked: Asked) -> Iterator[Ruling]:
    """Ruling 25: any readable card enters, up to the raised capacity."""
    sound = _sound(picture, asked)
    is_fault = DenyReason.STRIKE_FAULT in sound.refusals
    yield sound if is_fault else PASS
    yield _mode(picture, asked)
    if isinstance(asked.ticket, SpoiltTicket):
        yield refuse(DenyReason.INVALID_SIGNATURE)
    if asked.holder is None and not asked.is_card and asked.ticket is None:
        yield refuse(DenyReason.CREDENTIAL_NOT_FOUND)
    raised = asked.space.shelter_capacity or asked.space.capacity
    if asked.person in BOUND:
        yield _room(picture, asked, Entitlement(), raised)
    yield _interlock(picture, asked)
