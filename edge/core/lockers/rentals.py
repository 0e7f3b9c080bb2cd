# SPDX-License-Identifier: Apache-2.0
"""Scans at a bank of lockers: a compartment taken, opened again, or given back.

The law of the module: whose a compartment is gets written down before its opening is
wished for. The medicine box asks for no person, no roster and no clock: a stranger
may be bleeding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from edge.core.access.answers import Denied, person_of
from edge.core.access.rescans import AGAIN_S
from edge.core.command import Indication
from edge.core.event import EventKind, Facts, Person
from edge.core.lockers.locker_decision import (
    BankQuestion,
    Ending,
    Opening,
    decide_bank,
    is_over,
)
from edge.core.lockers.locker_state import rental_of

if TYPE_CHECKING:
    from edge.core.lockers.locker_state import Place
    from edge.core.lockers.lockers import Lockers
    from edge.core.moment import Moment
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.entries import Booking, Cardholder
    from edge.core.people.roster import Roster
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
        self._first_aid_again_s: dict[Place, float] = {}

    def scan(
        self, scan: Scan, holder: Cardholder | None, roster: Roster, now: Moment
    ) -> None:
        """Answer a credential at a bank's access point."""
        point = self._site.access_points[scan.access_point]
        bank = self._site.banks[point.bank_id]
        if point.is_medicine_box:
            self._first_aid(scan, bank, person_of(holder), now)
            return
        self._end_unused(bank, now)
        question = BankQuestion(
            credential=scan.credential,
            holder=holder,
            roster=roster,
            site=self._site,
            bank=bank,
            compartments=self._lockers.bank(bank.bank_id),
            now=now,
        )
        kind: Facts = (("kind", scan.credential.kind.value),)
        answer = decide_bank(question)
        match answer:
            case Denied():
                self._reception.deny(scan.access_point, answer, now, kind, roster)
            case Ending():
                facts = kind + self._reception.decided(answer.rule, roster)
                self._finish(scan.access_point, bank, answer, now, facts)
            case Opening():
                facts = kind + self._reception.decided(answer.rule, roster)
                self._open(scan.access_point, bank, answer, now, facts)
            case _:
                assert_never(answer)

    def _first_aid(
        self, scan: Scan, bank: BankPlan, person: Person, now: Moment
    ) -> None:
        """Open every medicine box of the bank; told anew after three seconds."""
        kind: Facts = (("kind", scan.credential.kind.value),)
        for number, plan in bank.compartments.items():
            if not plan.is_medicine_box:
                continue
            place = (bank.bank_id, number)
            cause = self._lockers.standing()[place].cause
            if now.monotonic_s >= self._first_aid_again_s.get(place, 0.0):
                cause = self._out.event(
                    EventKind.MEDICINE_BOX_OPENED,
                    bank.bank_id,
                    now,
                    facts=(("number", number), *kind),
                    person=person,
                ).seq
                self._first_aid_again_s[place] = now.monotonic_s + AGAIN_S
            self._lockers.first_aid(place, cause, now)
        self._reception.indicate(scan.access_point, Indication.GRANTED)

    def _open(
        self,
        access_point: str,
        bank: BankPlan,
        opening: Opening,
        now: Moment,
        facts: Facts,
    ) -> None:
        place = (bank.bank_id, opening.number)
        shown: Facts = (("number", opening.number),)
        self._reception.indicate(access_point, Indication.GRANTED, facts=shown)
        compartment = self._lockers.standing()[place]
        # Nothing to wish for while it is on its way or stands open; but a feedback
        # that has told "open" for too long may be stuck, with things inside.
        if compartment.is_ordered or compartment.left_open_at_s is not None:
            return
        if opening.claims is not None:
            self._rent(place, opening.claims, opening, now)
        facts += (("bank", bank.bank_id), *shown, *opening.facts)
        granted = self._out.event(
            EventKind.ACCESS_GRANTED,
            access_point,
            now,
            facts=(*facts, ("last", 1)) if opening.is_last else facts,
            person=opening.person,
        )
        self._lockers.open(place, granted, access_point, is_last=opening.is_last)

    def _rent(
        self, place: Place, booking: Booking, opening: Opening, now: Moment
    ) -> None:
        bank_id, number = place
        facts: Facts = (("end", booking.to_ms), ("number", number))
        if opening.moved_from is not None:
            facts += (("moved_from", opening.moved_from),)
            self._lockers.release((bank_id, opening.moved_from))
        started = self._out.event(
            EventKind.RENTAL_STARTED, bank_id, now, facts=facts, person=opening.person
        )
        self._lockers.rent(place, rental_of(started))

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

    def _end_unused(self, bank: BankPlan, now: Moment) -> None:
        """End rentals that never opened and whose time is over: nothing is inside."""
        for number, compartment in self._lockers.bank(bank.bank_id).items():
            rental = compartment.rental
            if rental is None or rental.was_opened or compartment.is_ordered:
                continue
            if is_over(rental.end_ms, bank, self._site, now):
                place = (bank.bank_id, number)
                self._lockers.end(place, now, (("why", "unused"),))
