# SPDX-License-Identifier: Apache-2.0
"""Which tickets were used, how often, and the newest rotating code of each.

The law of the module: a use counts from its grant, is final once the door opened and
is given back if nobody came in; a code shown once opens nothing again. Everything here
can be rebuilt from the journal's events. A ticket is forgotten once it has expired;
one that has no limit and no code is never remembered at all.
Source: docs/tickets.md, "Used once, or n times".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.core.access.ticket import Rotation, TicketFlaw
from edge.core.access.ticket_rules import LATE_ALLOWANCE_MS
from edge.core.event import EventKind

if TYPE_CHECKING:
    from edge.core.access.ticket import Ticket
    from edge.core.event import Event, Facts
    from edge.core.moment import Moment

#: 14 days of tickets at 500 scans a day, and some: half a megabyte of snapshot.
MAX_TICKETS = 8_192
#: Somebody who did not push the door may show the same code again for so long.
AGAIN_S = 10.0
#: Entries with one ticket a day while the clock is unsure.
MAX_UNVERIFIED = 2
DAY_MS = 86_400_000
NO_STEP = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """A ticket's use.

    ``entries`` are grants not given back, ``unverified`` those of the day that began
    at ``day_ms`` on an unsure clock; ``step`` is the newest code shown.
    """

    expires_ms: int
    entries: int = 0
    unverified: int = 0
    day_ms: int = 0
    step: int = NO_STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketGrant:
    """A grant by ticket whose release still runs."""

    ticket_id: str
    access_point: str
    is_unverified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _LastScan:
    """Where and when a ticket was let in but nobody has been seen to enter."""

    access_point: str
    boot: str
    monotonic_s: float


def redemption_facts(ticket: Ticket, *, is_time_unsure: bool) -> Facts:
    """Return what a grant by this ticket must carry for :meth:`Redemptions.follow`."""
    if not _is_remembered(ticket) and not is_time_unsure:
        return ()
    facts: Facts = (("exp", ticket.expires_ms),)
    if ticket.rotation_step is not None:
        facts += (("step", ticket.rotation_step),)
    return facts


def _is_remembered(ticket: Ticket) -> bool:
    return ticket.uses > 0 or ticket.rotation_step is not None


class Redemptions:
    """The tickets that were used and have not expired."""

    def __init__(self) -> None:
        self.by_ticket: dict[str, Redemption] = {}
        #: As many as doors are released just now: each ends taken or not taken.
        self.open_grants: dict[int, TicketGrant] = {}
        self._last_scans: dict[str, _LastScan] = {}

    def running(self, ticket: Ticket, access_point: str) -> int | None:
        """Return the seq of this ticket's grant here whose release still runs.

        None for a code that is wrong or older than the newest: that is a copy.
        """
        used = self.by_ticket.get(ticket.ticket_id)
        if used is None or ticket.rotation is Rotation.WRONG:
            return None
        if ticket.rotation_step is not None and ticket.rotation_step < used.step:
            return None
        for seq, grant in self.open_grants.items():
            is_here = grant.access_point == access_point
            if is_here and grant.ticket_id == ticket.ticket_id:
                return seq
        return None

    def flaw(self, ticket: Ticket, access_point: str, now: Moment) -> TicketFlaw | None:
        """Return why its earlier use forbids another entry, or None."""
        used = self.by_ticket.get(ticket.ticket_id)
        if used is None:
            return None
        if ticket.uses and used.entries >= ticket.most_entries:
            return TicketFlaw.USED
        step = ticket.rotation_step
        if step is None or step > used.step:
            return None
        if step == used.step and self._is_again(ticket.ticket_id, access_point, now):
            return None
        return TicketFlaw.REPLAY

    def may_enter_unverified(self, ticket: Ticket, now: Moment) -> bool:
        """Say whether an unsure clock may let it in once more today."""
        used = self.by_ticket.get(ticket.ticket_id)
        if used is None or now.earliest_ms >= used.day_ms + DAY_MS:
            return True
        return used.unverified < MAX_UNVERIFIED

    def has_room(self, ticket: Ticket, *, is_time_unsure: bool) -> bool:
        """Say whether its use can be remembered; if not, it must not open."""
        if not redemption_facts(ticket, is_time_unsure=is_time_unsure):
            return True
        return ticket.ticket_id in self.by_ticket or len(self.by_ticket) < MAX_TICKETS

    def follow(self, event: Event) -> None:
        """Take one event into account, live or replayed; order is that of seq."""
        match event.kind:
            case EventKind.ACCESS_GRANTED:
                self._granted(event)
            case EventKind.ACCESS_TAKEN:
                grant = self.open_grants.pop(_cause(event), None)
                if grant is not None:
                    self._last_scans.pop(grant.ticket_id, None)
            case EventKind.ACCESS_NOT_TAKEN if event.fact("outcome") is not None:
                # A power cut hid whether the door opened: used once is used.
                self.open_grants.pop(_cause(event), None)
            case EventKind.ACCESS_NOT_TAKEN:
                self._not_taken(_cause(event))
            case _:
                pass

    def prune(self, earliest_ms: int) -> None:
        """Forget tickets that have surely expired."""
        expired = [
            ticket_id
            for ticket_id, used in self.by_ticket.items()
            if used.expires_ms + LATE_ALLOWANCE_MS <= earliest_ms
        ]
        for ticket_id in expired:
            self._forget(ticket_id)

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        self.open_grants = {s + shift: g for s, g in self.open_grants.items()}

    def dump(self) -> dict[str, list[list[int | str]]]:
        """Return the state as JSON values."""
        return {
            "tickets": [
                [name, u.expires_ms, u.entries, u.unverified, u.day_ms, u.step]
                for name, u in self.by_ticket.items()
            ],
            "ticket_grants": [
                [seq, grant.ticket_id, grant.access_point, int(grant.is_unverified)]
                for seq, grant in self.open_grants.items()
            ],
        }

    def load(self, state: dict[str, list[list[int | str]]]) -> None:
        """Take the state that :meth:`dump` returned."""
        for name, *numbers in state["tickets"]:
            expires_ms, entries, unverified, day_ms, newest = map(int, numbers)
            self.by_ticket[str(name)] = Redemption(
                expires_ms=expires_ms,
                entries=entries,
                unverified=unverified,
                day_ms=day_ms,
                step=newest,
            )
        for seq, ticket_id, access_point, is_unverified in state["ticket_grants"]:
            self.open_grants[int(seq)] = TicketGrant(
                ticket_id=str(ticket_id),
                access_point=str(access_point),
                is_unverified=bool(is_unverified),
            )

    def _is_again(self, ticket_id: str, access_point: str, now: Moment) -> bool:
        last = self._last_scans.get(ticket_id)
        if last is None or (last.access_point, last.boot) != (access_point, now.boot):
            return False
        return now.monotonic_s - last.monotonic_s < AGAIN_S

    def _granted(self, event: Event) -> None:
        ticket_id, expires_ms = event.person.ticket, event.fact("exp")
        if ticket_id is None or expires_ms is None:
            return
        if event.fact("bank") is not None or event.fact("free") is not None:
            return  # a compartment lets nobody in, and a free door asks for no ticket
        is_unverified = event.fact("time_unverified") is not None
        used = self._used(ticket_id, int(expires_ms))
        if is_unverified:
            used = _one_more_today(used, event.moment.earliest_ms)
        step = event.fact("step")
        self.by_ticket[ticket_id] = replace(
            used,
            entries=used.entries + 1,
            step=used.step if step is None else max(used.step, int(step)),
        )
        self.open_grants[event.seq] = TicketGrant(
            ticket_id=ticket_id,
            access_point=event.subject,
            is_unverified=is_unverified,
        )
        self._last_scans[ticket_id] = _LastScan(
            access_point=event.subject,
            boot=event.moment.boot,
            monotonic_s=event.moment.monotonic_s,
        )

    def _used(self, ticket_id: str, expires_ms: int) -> Redemption:
        used = self.by_ticket.get(ticket_id)
        if used is not None:
            return replace(used, expires_ms=max(used.expires_ms, expires_ms))
        if len(self.by_ticket) >= MAX_TICKETS:
            # Only a journal of another version can lead here: see has_room.
            self._forget(min(self.by_ticket, key=self._expiry))
        return Redemption(expires_ms=expires_ms)

    def _expiry(self, ticket_id: str) -> int:
        return self.by_ticket[ticket_id].expires_ms

    def _forget(self, ticket_id: str) -> None:
        del self.by_ticket[ticket_id]
        self._last_scans.pop(ticket_id, None)

    def _not_taken(self, cause: int) -> None:
        grant = self.open_grants.pop(cause, None)
        used = self.by_ticket.get(grant.ticket_id) if grant else None
        if grant is None or used is None:
            return
        self.by_ticket[grant.ticket_id] = replace(
            used,
            entries=used.entries - 1,
            unverified=max(0, used.unverified - grant.is_unverified),
        )


def _cause(event: Event) -> int:
    return int(event.fact("cause") or 0)


def _one_more_today(used: Redemption, earliest_ms: int) -> Redemption:
    """Count an entry on an unsure clock; its lower bound still counts out the day."""
    if used.unverified == 0 or earliest_ms >= used.day_ms + DAY_MS:
        return replace(used, unverified=1, day_ms=earliest_ms)
    return replace(used, unverified=used.unverified + 1)
