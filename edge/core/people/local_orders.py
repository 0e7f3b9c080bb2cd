# SPDX-License-Identifier: Apache-2.0
"""What people in charge change on the site's own roster.

The law of the module: an order is checked, then told as an event, and the event makes
the change. Whoever is put on the roster has two persons to vouch for him and a day on
which that ends; a revocation needs one person and lasts until it is lifted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.core.event import EventKind, Person
from edge.core.people.local import (
    CASH_LIFE_MS,
    MAX_CASH,
    MAX_HOLDERS,
    MAX_REVOKED,
    LocalRoster,
)
from edge.core.people.roster_row import MAX_FEN
from edge.core.people.row_body import is_text
from edge.core.plan import DAY_MS

if TYPE_CHECKING:
    from edge.core.event import Event, Facts
    from edge.core.moment import Moment
    from edge.core.order import CashNoted, LocalHolderOrdered, LocalRevocationOrdered
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.rolls import Rolls

#: How far ahead two persons may vouch: by then the platform knows, or has said no.
MAX_LIFE_MS = 31 * DAY_MS
#: All roles of an order, joined by spaces; an event stays small.
MAX_ROLES_TEXT = 64
MAX_TEXT = 64


class LocalOrders:
    """Keeps the local roster and carries out what changes it."""

    def __init__(self, out: OutcomeBuilder, rolls: Rolls, local: LocalRoster) -> None:
        self._out = out
        self._rolls = rolls
        self._local = local
        #: When the next local holder's time is over; 0: to be found out at once.
        self._due_s: float | None = 0.0

    def hold(self, order: LocalHolderOrdered, now: Moment) -> str:
        """Put somebody on the local roster or take him off; say why not."""
        flaw = _unvouched(order) or self._unfit(order, now)
        if flaw:
            return flaw
        is_held = order.until_ms > 0
        facts: Facts = (
            ("actor", order.actor[:MAX_TEXT]),
            ("second", order.second[:MAX_TEXT]),
            ("what", "held" if is_held else "released"),
        )
        if is_held:
            facts += (("roles", " ".join(order.roles)), ("until", order.until_ms))
        self._change(order.holder, facts, now)
        return ""

    def revoke(self, order: LocalRevocationOrdered, now: Moment) -> str:
        """Let a holder's cards open nothing, or lift that; say why not."""
        is_revoked = order.holder in self._local.revoked
        if order.is_lifted and not is_revoked:
            return "nothing of this holder was revoked here"
        if not order.is_lifted and self._rolls.holder(order.holder) is None:
            return "there is no such holder"
        if not is_revoked and len(self._local.revoked) >= MAX_REVOKED:
            return f"{MAX_REVOKED} holders are revoked here already"
        facts: Facts = (
            ("actor", order.actor[:MAX_TEXT]),
            ("reason", order.reason[:MAX_TEXT]),
            ("what", "restored" if order.is_lifted else "revoked"),
        )
        self._change(order.holder, facts, now)
        return ""

    def note_cash(self, order: CashNoted, now: Moment) -> str:
        """Note cash for a booking, which may not have been synced yet; say why not."""
        flaw = self.cash_flaw(order, now)
        if flaw:
            return flaw
        known = self._rolls.booking(order.booking)
        facts: Facts = (
            ("actor", order.actor[:MAX_TEXT]),
            ("due", known[1].due_fen if known else 0),
            ("fen", order.fen),
        )
        person = Person(booking=order.booking)
        self._out.event(
            EventKind.CASH_NOTED, "gateway", now, facts=facts, person=person
        )
        return ""

    def cash_flaw(self, order: CashNoted, now: Moment) -> str:
        """Say why this cash cannot be noted, before anything is done for it."""
        if not is_text(order.booking):
            return "for which booking?"
        if not 0 < order.fen <= MAX_FEN:
            return f"from 1 to {MAX_FEN} fen"
        cash = self._local.cash
        kept = sum(now.earliest_ms - c.noted_ms < CASH_LIFE_MS for c in cash.values())
        if order.booking not in cash and kept >= MAX_CASH:
            return f"cash is noted for {MAX_CASH} bookings already"
        return ""

    def follow(self, event: Event) -> None:
        """Take an event into account, live or replayed."""
        self._local.follow(event)
        if event.kind is EventKind.LOCAL_CHANGED:
            self._due_s = 0.0

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        return self._local.dump()

    def load(self, state: dict[str, Any]) -> None:
        """Take the state that :meth:`dump` returned."""
        self._local.load(state)
        self._due_s = 0.0

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch: no seq is held here."""

    def deadline(self) -> float | None:
        """Return when somebody's time on the local roster is over."""
        return self._due_s if self._local.holders else None

    def expire(self, now: Moment) -> None:
        """Take those off the local roster whose time is surely over."""
        held = self._local.holders.items()
        for name in [n for n, each in held if each.until_ms <= now.earliest_ms]:
            self._change(name, (("what", "ended"),), now)
        next_ms = min((each.until_ms for _, each in held), default=None)
        self._due_s = None
        if next_ms is not None:
            self._due_s = now.monotonic_s + (next_ms - now.earliest_ms) / 1000

    def _unfit(self, order: LocalHolderOrdered, now: Moment) -> str:
        """Say why this holder cannot be put on the roster, or taken off it."""
        is_held = order.holder in self._local.holders
        if order.until_ms == 0:
            return "" if is_held else "this holder is not on the local roster"
        if not is_text(order.holder):
            return f"a holder's name has 1 to {MAX_TEXT} printable characters"
        roles = " ".join(order.roles)
        are_roles = all(is_text(role) and " " not in role for role in order.roles)
        if not roles or not are_roles or len(roles) > MAX_ROLES_TEXT:
            return (
                f"roles: one to {MAX_ROLES_TEXT} characters in all, none with a space"
            )
        if not now.earliest_ms < order.until_ms <= now.earliest_ms + MAX_LIFE_MS:
            return f"the end has to lie within {MAX_LIFE_MS // DAY_MS} days"
        if not is_held and len(self._local.holders) >= MAX_HOLDERS:
            return f"{MAX_HOLDERS} holders are on the local roster already"
        return ""

    def _change(self, holder_id: str, facts: Facts, now: Moment) -> None:
        kind, person = EventKind.LOCAL_CHANGED, Person(holder=holder_id)
        self._out.event(kind, "gateway", now, facts=facts, person=person)


def _unvouched(order: LocalHolderOrdered) -> str:
    if not order.actor or not order.second or order.second == order.actor:
        return "two different persons have to vouch"
    return ""
