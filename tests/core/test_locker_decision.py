# SPDX-License-Identifier: Apache-2.0
"""Who gets a compartment when: the clock's locker column, and who is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from edge.core.access.answers import Denied
from edge.core.lockers.compartment import Compartment, CompartmentPhase
from edge.core.lockers.locker_decision import RULES, decide_bank
from edge.core.lockers.locker_question import (
    BankDecision,
    BankQuestion,
    Ending,
    Opening,
)
from edge.core.lockers.rental import Rental
from edge.core.moment import UNBOUNDED_MS
from edge.core.people.rolls import Rolls
from tests.core.scene import SITE, card, clock_ms, holder, moment, neighbours, roster
from tests.core.scene import booking as booked

if TYPE_CHECKING:
    from edge.core.people.roster import Roster

C1 = "c1 wang lounge 14:00-16:00 S"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A scan at the hall's lockers and its answer, shortly."""

    name: str
    told: str
    at: str = "15:00"
    until: str | None = None
    who: str = "wang"
    bookings: tuple[str, ...] = (C1,)
    own: str = ""  # phase of compartment 2, rented under c1


#: Lead is 10 minutes, grace 5; answers are rule, then what was decided.
CASES = (
    Case(name="inside", told="booking: open 1 anew"),
    Case(name="first instant of the lead", at="13:50", told="booking: open 1 anew"),
    Case(name="1 ms before the lead", at="13:49:59.999", told="refusal: TOO_EARLY"),
    Case(name="last instant", at="16:04:59.999", told="booking: open 1 anew"),
    Case(name="the grace has ended", at="16:05", told="refusal: TOO_LATE"),
    Case(
        name="perhaps before the lead",
        at="13:49",
        until="13:51",
        told="clock: CLOCK_UNTRUSTED",
    ),
    Case(
        name="perhaps after the grace",
        at="16:04",
        until="16:06",
        told="clock: CLOCK_UNTRUSTED",
    ),
    Case(name="no upper bound", until="?", told="clock: CLOCK_UNTRUSTED"),
    Case(name="a stranger", who="stranger", told="credential: CREDENTIAL_NOT_FOUND"),
    Case(name="nothing booked", bookings=(), told="refusal: UNAUTHORIZED"),
    Case(
        name="a room is no compartment",
        bookings=("b1 wang lounge 14:00-16:00",),
        told="refusal: UNAUTHORIZED",
    ),
    Case(
        name="the other bank's",
        bookings=("c1 wang kitchen 14:00-16:00 S",),
        told="refusal: WRONG_SPACE",
    ),
    Case(name="one's own", own="OCCUPIED", told="own: open 2"),
    Case(name="one's own, unsure", own="OCCUPIED", until="?", told="own: open 2"),
    Case(name="one's own, over", own="OCCUPIED", at="18:00", told="own: open 2 last"),
    Case(
        name="one's own, perhaps over",
        own="OCCUPIED",
        at="16:04",
        until="16:06",
        told="own: open 2",
    ),
    Case(
        name="one's own, the booking is gone",
        own="OCCUPIED",
        bookings=(),
        told="own: open 2",
    ),
    Case(name="claimed, not opened", own="HELD", told="waiting: open 2"),
    Case(name="claimed, unsure", own="HELD", until="?", told="waiting: open 2"),
    Case(name="did not open", own="FAULT", told="waiting: open 1 instead of 2"),
    Case(
        name="did not open, the booking is gone",
        own="FAULT",
        bookings=(),
        told="waiting: NO_FREE_COMPARTMENT",
    ),
    Case(
        name="a second booking first",
        own="OCCUPIED",
        bookings=(C1, "c2 wang lounge 14:00-16:00 L"),
        told="booking: open 4 anew",
    ),
)


def _answer(case: Case, known: Roster | None = None) -> BankDecision:
    compartments = {n: Compartment() for n in SITE.banks["hall"].compartments}
    if case.own:
        rental = Rental(
            holder="holder-wang",
            booking="c1",
            end_ms=clock_ms("16:00"),
            was_opened=case.own == "OCCUPIED",
        )
        phase = CompartmentPhase(case.own)
        compartments[2] = Compartment(phase=phase, rental=rental, cause=3)
    latest_ms = clock_ms(case.until or case.at) if case.until != "?" else UNBOUNDED_MS
    known = known or neighbours(*case.bookings)
    return decide_bank(
        BankQuestion(
            credential=card(case.who),
            holder=known.find(card(case.who).token),
            rolls=Rolls(SITE, roster=known),
            site=SITE,
            bank=SITE.banks["hall"],
            compartments=compartments,
            now=moment(clock_ms(case.at), latest_ms),
        )
    )


def _told(answer: BankDecision) -> str:
    match answer:
        case Denied():
            return f"{answer.rule}: {answer.reason}"
        case Ending():
            return f"{answer.rule}: end {answer.number}"
        case Opening():
            told = f"{answer.rule}: open {answer.number}"
            if answer.moved_from is not None:
                return f"{told} instead of {answer.moved_from}"
            anew = " anew" if answer.claims is not None else ""
            return told + anew + (" last" if answer.is_last else "")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    assert _told(_answer(case)) == case.told


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ("OCCUPIED", "own: open 2 last"),
        *[(own, "credential: CREDENTIAL_NOT_ENABLED") for own in ("", "HELD", "FAULT")],
    ],
)
def test_who_is_disabled_fetches_only_what_lies_inside(own: str, told: str) -> None:
    known = roster(holder("wang", is_enabled=False), booked(C1))
    assert _told(_answer(Case(name="", told="", own=own), known)) == told


def test_the_rules_stand_in_their_order() -> None:
    names = ["reader", "emergency", "credential", "parcel", "finished", "waiting"]
    names += ["booking", "own", "payment", "walk_in", "refusal"]
    assert [name for name, _ in RULES] == names
    met = {case.told.partition(":")[0] for case in CASES}
    elsewhere = {"finished", "reader", "emergency", "parcel", "payment", "walk_in"}
    assert met == {*names, "clock"} - elsewhere, "see test_lockers and lockers/"
