# SPDX-License-Identifier: Apache-2.0
"""The site with every rule: its rows are read, its tickets hold, its scenes happen."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import get_args

import pytest

from edge.bindings.ticket_keys import TicketKey, TicketKeys
from edge.bindings.ticket_reader import TicketReader
from edge.cli.simulate.bylaws import adapted, is_laid_down, policies
from edge.cli.simulate.checking import EVERYTHING, Handled, Observation, Ordered, Rest
from edge.cli.simulate.command import site
from edge.cli.simulate.run import Run
from edge.cli.simulate.site import BEGAN_MS, SimulatedSite
from edge.cli.simulate.ticket_office import ticket_id_of
from edge.cli.simulate.village import HOUR_MS, booking, bookings_of_day
from edge.cli.simulate.weather import FAIR
from edge.core.access.answers import DenyReason
from edge.core.access.ticket import SpoiltTicket, Ticket
from edge.core.event import EventKind
from edge.core.order import Order
from edge.core.people.roster_row import TicketKey as KeyRow
from edge.core.people.roster_row import parse_row
from edge.core.stimulus import Scan

#: Enough of everything that a morning shows it.
BUSY = replace(
    FAIR,
    scans_a_day=1_500.0,
    roster_changes_a_day=40.0,
    orders_a_day=40.0,
    locker_orders_a_day=40.0,
    desk_orders_a_day=40.0,
    drills_a_day=20.0,
    tampers_a_day=30.0,
    emergencies_a_day=25.0,
)
MORNING_DAYS = 0.25
#: What has to be seen in the journals of a few such mornings.
KINDS = {
    EventKind.APPLIANCE_ON,
    EventKind.APPLIANCE_OFF,
    EventKind.CALL_RAISED,
    EventKind.CALL_ANSWERED,
    EventKind.CASH_NOTED,
    EventKind.CONFIRMATION_ASKED,
    EventKind.CONFIRMATION_GIVEN,
    EventKind.COMPARTMENT_CLEANING,
    EventKind.CONTACT_MARKED,
    EventKind.CREDENTIAL_BOUND,
    EventKind.DOOR_UNLOCKED_BY_SCHEDULE,
    EventKind.DRILL_ENDED,
    EventKind.DRILL_MARKED,
    EventKind.DRILL_STARTED,
    EventKind.DUTY_CONFIRMED,
    EventKind.DUTY_CORRECTED,
    EventKind.ELDER_MARKED,
    EventKind.LOCAL_CHANGED,
    EventKind.MEDICINE_STOCKED,
    EventKind.MEDICINE_USED,
    EventKind.NO_SHOW,
    EventKind.OCCUPANCY_SET,
    EventKind.PARCEL_COLLECTED,
    EventKind.PARCEL_DEPOSITED,
    EventKind.RENTAL_STARTED,
    EventKind.VISIT_CLOSED,
    EventKind.WRONG_TRIES,
}
REASONS = {
    DenyReason.ALREADY_REDEEMED,
    DenyReason.AWAITING_CONFIRMATION,
    DenyReason.DOOR_INTERLOCKED,
    DenyReason.DOOR_LOCKED_DOWN,
    DenyReason.INVALID_SIGNATURE,
    DenyReason.PAYMENT_DUE,
    DenyReason.QR_EXPIRED,
    DenyReason.READER_INSECURE,
    DenyReason.SECOND_PERSON_NEEDED,
    DenyReason.SPACE_FULL,
    DenyReason.STAFF_ABSENT,
    DenyReason.WRONG_SPACE,
}
RULES = {"booking", "policy", "ticket", "walk_in", "exit"}


class Seen:
    """Counts kinds of events, reasons, rules that grant, and orders."""

    name = "seen"
    heeds = EVERYTHING

    def __init__(self) -> None:
        self.kinds: Counter[EventKind] = Counter()
        self.reasons: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()
        self.orders: Counter[str] = Counter()
        self.tickets = 0

    def see(self, seen: Observation) -> None:
        if isinstance(seen, Ordered):
            self.orders[type(seen.order).__name__] += 1
        if not isinstance(seen, Handled):
            return
        if isinstance(seen.stimulus, Scan):
            self.tickets += seen.stimulus.ticket is not None
        for event in seen.events:
            self.kinds[event.kind] += 1
            self.reasons[str(event.fact("reason"))] += 1
            if event.kind is EventKind.ACCESS_GRANTED:
                self.rules[str(event.fact("rule"))] += 1

    def end(self, rest: Rest) -> None:
        assert rest.unstored == 0


@pytest.fixture(scope="module")
def seen() -> Seen:
    """Return what a few busy mornings at the site have brought about."""
    found = Seen()
    for seed in (1, 2, 3):
        run = Run(site("quarter"), seed, MORNING_DAYS, BUSY, checkers=[found])
        outcome = run.play()
        assert outcome.violation is None, f"{outcome.violation} {outcome.traceback}"
    return found


def test_every_kind_of_event_of_the_rules_happens(seen: Seen) -> None:
    assert set() == KINDS - set(seen.kinds)


def test_people_are_refused_for_every_reason_of_the_rules(seen: Seen) -> None:
    assert set() == {reason.value for reason in REASONS} - set(seen.reasons)


def test_every_order_there_is_is_given(seen: Seen) -> None:
    assert set() == {kind.__name__ for kind in get_args(Order)} - set(seen.orders)


def test_people_come_in_by_every_way(seen: Seen) -> None:
    assert set() == RULES - set(seen.rules)
    assert seen.tickets > 10


@pytest.mark.parametrize("name", ["demo", "quarter"])
def test_a_day_stays_about_as_busy_as_was_asked(name: str) -> None:
    found = Seen()
    run = Run(site(name), 4, 0.3, FAIR, checkers=[found])
    tally = run.play().tally
    # From nine until four: rather more than half of the day's curve.
    assert 0.4 * FAIR.scans_a_day < tally["scans"] < 0.75 * FAIR.scans_a_day


def test_every_row_is_one_that_the_roster_takes() -> None:
    place = SimulatedSite(site("quarter"), "rows", FAIR)
    rows = place.rows()
    kinds = {row.kind for row in rows}
    assert kinds == {"holder", "policy", "ticket_key", "elder", "contact"}
    for row in rows:
        assert parse_row(row.kind, row.id, row.body) is not None


def test_the_demonstration_stays_as_it_is() -> None:
    place = SimulatedSite(site("demo"), "rows", FAIR)
    assert not is_laid_down(place.plan)
    assert {row.kind for row in place.rows()} == {"holder"}
    chance = Random(1)
    rows = bookings_of_day(chance, place.village, 0, BEGAN_MS)
    assert adapted(rows, place.plan) == rows


@pytest.mark.parametrize("day", range(3))
def test_no_more_is_sold_than_there_is_room_for(day: int) -> None:
    place = SimulatedSite(site("quarter"), "rows", FAIR)
    rows = bookings_of_day(Random(day), place.village, day, BEGAN_MS)
    sold: Counter[tuple[str, int]] = Counter()
    for row in adapted(rows, place.plan):
        space, start, party = (row.body[name] for name in ("space", "from", "party"))
        assert parse_row(row.kind, row.id, row.body) is not None
        if "size" not in row.body:
            assert isinstance(start, int)
            assert isinstance(party, int)
            sold[str(space), start] += party
    assert len(sold) > 5
    for (space, _), persons in sold.items():
        assert persons <= place.plan.spaces[space].capacity


def test_a_policy_of_a_place_that_is_not_there_is_left_out() -> None:
    plan = site("quarter").plan()
    spaces = {name: one for name, one in plan.spaces.items() if name != "store"}
    fewer = policies(replace(plan, spaces=spaces))
    assert 0 < len(fewer) < len(policies(plan))


def reader_of(place: SimulatedSite) -> TicketReader:
    """Return a reader with the key that the feed brings."""
    [row] = [row for row in place.rows() if row.kind == "ticket_key"]
    key = parse_row(row.kind, row.id, row.body)
    assert isinstance(key, KeyRow)
    known = TicketKey(key_id=key.key_id, public=key.public, issuer=key.issuer)
    return TicketReader(TicketKeys(keys=(known,)))


def test_the_office_signs_what_the_box_can_read() -> None:
    place = SimulatedSite(site("quarter"), "tickets", FAIR)
    who = place.village.with_code[0]
    times_ms = (BEGAN_MS, BEGAN_MS + HOUR_MS)
    row = booking("b-1", who, "living-room", times_ms, party=3)
    text = place.ticket_office.of_booking(row, 2)
    read = reader_of(place).read(text.encode(), range(0))
    assert isinstance(read, Ticket)
    assert read.ticket_id == ticket_id_of("b-1").hex()
    assert (read.doors, read.uses, read.party) == ((2,), 1, 3)
    assert (read.not_before_ms, read.expires_ms) == times_ms
    assert read.audience == "hz-quarter"


def test_another_office_signs_in_vain() -> None:
    place = SimulatedSite(site("quarter"), "tickets", FAIR)
    other = SimulatedSite(site("quarter"), "others", FAIR)
    times_ms = (BEGAN_MS, BEGAN_MS + HOUR_MS)
    text = other.ticket_office.text(b"12345678", 2, times_ms)
    assert isinstance(reader_of(place).read(text.encode(), range(0)), SpoiltTicket)
