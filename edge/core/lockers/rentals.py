# SPDX-License-Identifier: Apache-2.0
"""Scans at a bank of lockers: a compartment taken, opened again, or given back.

The law of the module: whose a compartment is gets written down before its opening is
wished for. At the medicine box's reader nothing is decided.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from edge.core.access.answers import Denied, person_of
from edge.core.command import Indication
from edge.core.event import EventKind, Facts
from edge.core.lockers.first_aid import FirstAid
from edge.core.lockers.locker_decision import decide_bank
from edge.core.lockers.locker_question import BankQuestion, Ending, Opening
from edge.core.lockers.locker_state import rental_of
from edge.core.lockers.rental import RentalKind
from edge.core.reception import language_of

if TYPE_CHECKING:
    from edge.core.credential import Credential
    from edge.core.lockers.locker_state import Place
    from edge.core.lockers.lockers import Lockers
    from edge.core.lockers.rental import Claim
    from edge.core.moment import Moment
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.entries import Cardholder
    from edge.core.people.rolls import Rolls
    from edge.core.plan import BankPlan, SitePlan
    from edge.core.reception import Reception
    from edge.core.stimulus import Scan


class Rentals:
    """Answers at the banks' access points."""

    def __init__(
        self,
        site: SitePlan,
        out: OutcomeBuilder,
        reception: Reception,
        lockers: Lockers,
    ) -> None:
        self._site = site
        self._out = out
        self._reception = reception
        self._lockers = lockers
        #: Shared with the panel's order, so that both know of the three seconds.
        self.first_aid = FirstAid(out, lockers)

    def scan(
        self,
        scan: Scan,
        holder: Cardholder | None,
        rolls: Rolls,
        now: Moment,
        *,
        closes_lockers: bool = False,
    ) -> None:
        """Answer a credential at a bank's access point."""
        point = self._site.access_points[scan.access_point]
        bank = self._site.banks[point.bank_id]
        kind: Facts = (("kind", scan.credential.kind.value),)
        if point.is_medicine_box:
            self.first_aid.open(bank, now, kind, person_of(holder))
            self._reception.indicate(scan.access_point, Indication.GRANTED)
            return
        self._lockers.end_unused(bank.bank_id, now)
        question = BankQuestion(
            credential=scan.credential,
            holder=holder,
            rolls=rolls,
            site=self._site,
            bank=bank,
            compartments=self._lockers.bank(bank.bank_id),
            now=now,
            is_reader_sound=scan.is_secure,
            closes_lockers=closes_lockers,
        )
        self._answer(question, scan.access_point, kind)

    def _answer(self, question: BankQuestion, access_point: str, kind: Facts) -> None:
        rolls, now = question.rolls, question.now
        answer = decide_bank(question)
        match answer:
            case Denied():
                language = language_of(question.holder)
                self._reception.deny(
                    access_point, answer, now, kind, rolls, language=language
                )
            case Ending():
                facts = kind + self._reception.decided(answer.rule, rolls, now)
                self._finish(access_point, question.bank, answer, now, facts)
            case Opening():
                facts = kind + self._reception.decided(answer.rule, rolls, now)
                self._open(access_point, question, answer, facts)
            case _:
                assert_never(answer)

    def _open(
        self, access_point: str, question: BankQuestion, opening: Opening, facts: Facts
    ) -> None:
        bank, now = question.bank, question.now
        place = (bank.bank_id, opening.number)
        number: Facts = (("number", opening.number),)
        self._reception.indicate(
            access_point,
            Indication.GRANTED,
            facts=(*number, *opening.shown),
            language=language_of(question.holder),
        )
        if self._lockers.standing()[place].is_busy:
            return  # nothing to wish for while it is on its way or stands open
        if opening.claims is not None:
            # Who is not known by name is known by the card alone.
            card = None if question.holder else question.credential
            self._rent(place, opening.claims, opening, card, now)
        facts += (("bank", bank.bank_id), *number, *opening.facts)
        granted = self._out.event(
            EventKind.ACCESS_GRANTED,
            access_point,
            now,
            facts=(*facts, ("last", 1)) if opening.is_last else facts,
            person=opening.person,
        )
        self._lockers.open(place, granted, access_point, is_last=opening.is_last)

    def _rent(
        self,
        place: Place,
        claim: Claim,
        opening: Opening,
        card: Credential | None,
        now: Moment,
    ) -> None:
        bank_id, number = place
        facts: Facts = (("end", claim.end_ms), ("number", number))
        if claim.kind is not RentalKind.BOOKED:
            facts += (("what", claim.kind.value),)
        if opening.moved_from is not None:
            facts += (("moved_from", opening.moved_from),)
            self._lockers.release((bank_id, opening.moved_from))
        started = self._out.event(
            EventKind.RENTAL_STARTED, bank_id, now, facts=facts, person=opening.person
        )
        rental = rental_of(started)
        if card is not None:
            rental = replace(rental, token=card.token, key=card.key)
        self._lockers.rent(place, rental)

    def _finish(
        self,
        access_point: str,
        bank: BankPlan,
        ending: Ending,
        now: Moment,
        facts: Facts,
    ) -> None:
        place = (bank.bank_id, ending.number)
        self._lockers.end(place, now, (("why", "finished"), *facts))
        shown: Facts = (("ended", 1), ("number", ending.number))
        self._reception.indicate(access_point, Indication.GRANTED, facts=shown)
