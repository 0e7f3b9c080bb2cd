# SPDX-License-Identifier: Apache-2.0
"""A holder who proved himself taps a card at the desk, and the card is his.

The law of the module: a card is bound once, at the desk where its holder was
recognised by his code or by a volunteer, within 30 s of it, and only if nobody knows
it yet. Its token leaves this site in no event: it stands in the snapshot alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.access.answers import Denied, DenyReason, NextStep
from edge.core.command import Indication
from edge.core.credential import CredentialKind
from edge.core.event import EventKind, Person
from edge.core.moment import ClockVerdict
from edge.core.people.local import MAX_CARDS, MAX_CARDS_EACH

if TYPE_CHECKING:
    from edge.core.credential import Credential
    from edge.core.event import Facts
    from edge.core.moment import Moment
    from edge.core.order import BindBegun
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.entries import Cardholder
    from edge.core.people.local import LocalRoster
    from edge.core.people.rolls import Rolls
    from edge.core.plan import SitePlan
    from edge.core.reception import Reception
    from edge.core.stimulus import Scan

#: How long a holder has to find the card in his bag.
PATIENCE_S = 30.0
CARDS = frozenset({CredentialKind.ID_CARD, CredentialKind.CARD})
MAX_TEXT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """Whose card is awaited at a desk; ``facts`` say by whom he was recognised."""

    holder_id: str
    facts: Facts
    until_s: float


class Binding:
    """Who is about to bind a card, one at a desk; a restart forgets it."""

    def __init__(
        self,
        site: SitePlan,
        out: OutcomeBuilder,
        reception: Reception,
        rolls: Rolls,
        local: LocalRoster,
    ) -> None:
        self._site = site
        self._out = out
        self._reception = reception
        self._rolls = rolls
        self._local = local
        self._waiting: dict[str, _Waiting] = {}

    def begin(self, order: BindBegun, now: Moment) -> str:
        """Await a card of the holder for whom a volunteer vouches; say why not."""
        point = self._site.access_points.get(order.access_point)
        if point is None or not point.is_desk:
            return "cards are bound at a desk's reader"
        if not self._is_sound(self._rolls.holder(order.holder), now):
            return "there is no such holder, or nothing opens for him"
        facts: Facts = (("actor", order.actor[:MAX_TEXT]), ("how", "volunteer"))
        self._await(order.access_point, order.holder, facts, now)
        return ""

    def scan(self, scan: Scan, holder: Cardholder | None, now: Moment) -> bool:
        """Take a scan at a desk if it is about binding; False: it is for the duty."""
        if not scan.is_secure or scan.ticket is not None:
            return False
        kind = scan.credential.kind
        if kind in CARDS:
            return self._card(scan, holder, now)
        if kind is not CredentialKind.QR or holder is None:
            return False
        is_revoked = not self._is_free(scan.credential)
        if is_revoked or not self._is_sound(holder, now):
            return False
        self._await(scan.access_point, holder.holder_id, (("how", "qr"),), now)
        return True

    def deadline(self) -> float | None:
        """Return when somebody has waited too long."""
        return min((each.until_s for each in self._waiting.values()), default=None)

    def expire(self, now: Moment) -> None:
        """Give those up who found no card in time."""
        for point, waiting in list(self._waiting.items()):
            if now.monotonic_s >= waiting.until_s:
                del self._waiting[point]
                step = NextStep.SHOW_AGAIN.value
                self._reception.indicate(point, Indication.TRY_AGAIN, next_step=step)

    def _await(self, point: str, holder_id: str, facts: Facts, now: Moment) -> None:
        until_s = now.monotonic_s + PATIENCE_S
        waiting = _Waiting(holder_id=holder_id, facts=facts, until_s=until_s)
        self._waiting[point] = waiting
        self._reception.indicate(point, Indication.TAP_CARD)

    def _card(self, scan: Scan, holder: Cardholder | None, now: Moment) -> bool:
        waiting = self._waiting.pop(scan.access_point, None)
        if waiting is None or now.monotonic_s >= waiting.until_s:
            return False
        card = scan.credential
        if holder is not None:
            if holder.holder_id == waiting.holder_id and self._is_free(card):
                self._reception.indicate(scan.access_point, Indication.DONE)
                return True
            return False
        is_known = self._rolls.lists(*card.tokens) or not self._is_free(card)
        if is_known or not self._is_sound(self._rolls.holder(waiting.holder_id), now):
            return False
        flaw = self._make_room(waiting.holder_id)
        if flaw:
            self._refuse(scan, waiting, flaw, now)
        else:
            self._bind(scan, waiting, now)
        return True

    def _bind(self, scan: Scan, waiting: _Waiting, now: Moment) -> None:
        card = scan.credential
        self._local.bind(card.token, waiting.holder_id, card.key)
        facts: Facts = (("kind", scan.credential.kind.value), *waiting.facts)
        self._out.event(
            EventKind.CREDENTIAL_BOUND,
            scan.access_point,
            now,
            facts=facts,
            person=Person(holder=waiting.holder_id),
        )
        self._out.keep()
        self._reception.indicate(scan.access_point, Indication.DONE)

    def _make_room(self, holder_id: str) -> str:
        """Return why no card more can be bound; who is gone makes room for others."""
        if self._local.cards_of(holder_id) >= MAX_CARDS_EACH:
            return "too_many"
        if self._local.cards >= MAX_CARDS:
            gone = {o for o in self._local.owners() if self._rolls.holder(o) is None}
            self._local.unbind(gone)
            self._out.keep()
        return "full" if self._local.cards >= MAX_CARDS else ""

    def _refuse(self, scan: Scan, waiting: _Waiting, flaw: str, now: Moment) -> None:
        denied = Denied(
            rule="binding",
            reason=DenyReason.UNAUTHORIZED,
            person=Person(holder=waiting.holder_id),
            facts=(("detail", flaw),),
            step=NextStep.ASK_VOLUNTEER,
        )
        kind: Facts = (("kind", scan.credential.kind.value),)
        self._reception.deny(scan.access_point, denied, now, kind, self._rolls)

    def _is_free(self, shown: Credential) -> bool:
        """Say whether a card or code was not revoked."""
        return self._rolls.revocation(*shown.tokens) is None

    def _is_sound(self, holder: Cardholder | None, now: Moment) -> bool:
        """Say whether a card of the holder could open anything now."""
        if holder is None or not holder.is_enabled:
            return False
        if self._rolls.holder_revocation(holder.holder_id) is not None:
            return False
        verdict = now.against(holder.valid_from_ms, holder.valid_to_ms)
        return verdict in (ClockVerdict.INSIDE, ClockVerdict.UNSURE)
