# SPDX-License-Identifier: Apache-2.0
"""Both scopes as one: the platform goes first, and what is local only adds."""

from __future__ import annotations

from dataclasses import replace

from edge.core.event import Event, EventKind, Person
from edge.core.people.entries import EVERYWHERE, Elder
from edge.core.people.local import LocalHolder, LocalRoster
from edge.core.people.rolls import Rolls
from edge.core.people.roster import EMPTY, Cursor
from edge.core.people.roster_row import PolicyRow, RevocationRow, RosterRow, TicketKey
from edge.core.schedule import read_hours
from tests.core.people.registry import PLACE
from tests.core.scene import booking, clock_ms, holder, moment, roster, token

UNTIL = clock_ms("18:00")


def rolls(*rows: RosterRow, local: LocalRoster | None = None) -> Rolls:
    return Rolls(PLACE, local, roster(*rows), confirmed_ms=5)


def with_local(**held: LocalHolder) -> LocalRoster:
    local = LocalRoster()
    local.holders.update(held)
    return local


def cash(booking_id: str, fen: int, due: int) -> LocalRoster:
    local = LocalRoster()
    event = Event(
        seq=1,
        kind=EventKind.CASH_NOTED,
        moment=moment(clock_ms("09:00")),
        subject="gateway",
        facts=(("due", due), ("fen", fen)),
        person=Person(booking=booking_id),
    )
    local.follow(event)
    return local


def test_nobody_is_known_before_the_first_roster() -> None:
    none = Rolls(PLACE)
    assert none.find(token("wang")) is None
    assert none.holder("holder-wang") is None
    assert none.policies(("VOLUNTEER",)) == ()
    assert (none.elders, none.ticket_keys, none.confirmed_ms) == ((), (), 0)
    assert none.cursor == EMPTY.cursor


def test_adopting_swaps_everything_and_leaves_what_is_local() -> None:
    local = with_local(guest=LocalHolder(roles=("GUEST",), until_ms=UNTIL))
    known = rolls(
        holder("wang"),
        PolicyRow(policy_id="p", role="GUEST", places=frozenset("k"), week=None),
        Elder(holder_id="holder-wang", order=1, route="east"),
        local=local,
    )
    assert known.policies(("GUEST",))
    assert known.elders
    known.adopt(roster(holder("li"), revision=8), 9)
    assert known.find(token("wang")) is None
    assert known.find(token("li")) is not None
    assert not known.policies(("GUEST",))
    assert not known.elders
    assert known.cursor == Cursor("0001-0a1b2c3d", 8)
    assert known.confirmed_ms == 9
    assert known.holder("guest") is not None


def test_being_confirmed_never_goes_back() -> None:
    known = rolls()
    known.confirm(7)
    known.confirm(6)
    assert known.confirmed_ms == 7


def test_a_local_holder_is_valid_until_his_day() -> None:
    local = with_local(guest=LocalHolder(roles=("GUEST",), until_ms=UNTIL))
    found = rolls(local=local).holder("guest")
    assert found is not None
    assert (found.roles, found.is_enabled, found.valid_to_ms) == (
        ("GUEST",),
        True,
        UNTIL,
    )


def test_a_local_role_is_added_to_what_the_platform_says() -> None:
    held = LocalHolder(roles=("VOLUNTEER", "RESIDENT"), until_ms=UNTIL)
    local = with_local(**{"holder-wang": held})
    known = rolls(holder("wang", is_enabled=False), local=local)
    for found in (known.find(token("wang")), known.holder("holder-wang")):
        assert found is not None
        assert found.roles == ("RESIDENT", "VOLUNTEER")
        assert not found.is_enabled
    assert known.is_local("holder-wang")
    assert not known.is_local("holder-li")


def test_a_bound_card_is_its_holders_in_both_scopes() -> None:
    local = with_local(guest=LocalHolder(roles=("GUEST",), until_ms=UNTIL))
    local.bind(token("bus"), "holder-wang")
    local.bind(token("id"), "guest")
    known = rolls(holder("wang"), local=local)
    for name, owner in (("bus", "holder-wang"), ("id", "guest")):
        found = known.find(token(name))
        assert found is not None
        assert found.holder_id == owner


def test_a_bound_card_of_a_holder_who_is_gone_opens_nothing() -> None:
    local = LocalRoster()
    local.bind(token("bus"), "holder-wang")
    assert rolls(holder("li"), local=local).find(token("bus")) is None


def test_the_platform_beats_a_bound_card() -> None:
    local = LocalRoster()
    local.bind(token("li"), "holder-wang")
    local.bind(token("bus"), "holder-wang")
    lost = RevocationRow(token=token("bus"), reason="LOST")
    known = rolls(holder("wang"), holder("li"), lost, local=local)
    assert known.revocation(token("bus")) == "LOST"
    found = known.find(token("li"))
    assert found is not None
    assert found.holder_id == "holder-li"


def test_a_token_that_the_platform_gave_to_two_is_no_bound_card_either() -> None:
    local = LocalRoster()
    local.bind(token("li"), "holder-wang")
    twice = replace(holder("li"), holder_id="holder-other")
    known = rolls(holder("wang"), holder("li"), twice, local=local)
    assert known.find(token("li")) is None
    assert known.lists(token("li"))


def test_revocations_by_holder_and_ticket() -> None:
    local = LocalRoster()
    local.revoked.update({"holder-wang": "here", "holder-li": "here"})
    rows = (
        RevocationRow(holder_id="holder-wang", reason="LEFT"),
        RevocationRow(ticket="0a0b", reason="MISUSE"),
        replace(booking("b1 wang kitchen 08:00-09:00 cancelled"), ticket="0c0d"),
    )
    known = rolls(*rows, local=local)
    assert known.holder_revocation("holder-wang") == "LEFT"
    assert known.holder_revocation("holder-li") == "here"
    assert known.holder_revocation("holder-zhao") is None
    assert known.ticket_revocation("0a0b") == "MISUSE"
    assert known.ticket_revocation("0c0d") == "CANCELLED"
    assert known.ticket_revocation("0e0f") is None


def test_policies_by_role_with_their_hours_in_local_time() -> None:
    week = read_hours("mon 09:00-18:00")
    always = PolicyRow(
        policy_id="all", role="MANAGER", places=frozenset({EVERYWHERE}), week=None
    )
    hours = PolicyRow(
        policy_id="day", role="VOLUNTEER", places=frozenset({"kitchen"}), week=week
    )
    more = replace(hours, policy_id="more", places=frozenset({"lounge"}))
    known = rolls(always, hours, more)
    assert [p.policy_id for p in known.policies(("VOLUNTEER",))] == ["day", "more"]
    both = known.policies(("GUEST", "VOLUNTEER", "MANAGER"))
    assert [p.policy_id for p in both] == ["day", "more", "all"]
    [policy] = known.policies(("MANAGER",))
    assert policy.schedule is None
    schedule = both[0].schedule
    assert schedule is not None
    assert schedule.closing_ms(clock_ms("10:00")) == clock_ms("18:00")


def test_a_week_without_hours_is_never_and_not_always() -> None:
    never = PolicyRow(
        policy_id="n", role="GUEST", places=frozenset({"k"}), week=read_hours(";")
    )
    [policy] = rolls(never).policies(("GUEST",))
    assert policy.schedule is not None
    assert policy.schedule.next_start_ms(clock_ms("09:00")) is None


def test_elders_come_in_their_order_and_keys_as_they_were_told() -> None:
    key = TicketKey(
        key_id=b"\1", public=bytes(32), from_ms=0, to_ms=1, issuer="", doors=()
    )
    elders = [Elder(holder_id=f"h{n}", order=n, route="r") for n in (3, 1, 2)]
    known = rolls(key, *elders)
    assert [elder.order for elder in known.elders] == [1, 2, 3]
    assert known.ticket_keys == (key,)


def test_cash_settles_what_was_due_until_the_platform_names_another_sum() -> None:
    kept = replace(booking("b1 wang kitchen 08:00-09:00"), due_fen=1500)
    [owed] = roster(holder("wang"), kept).bookings("holder-wang")
    assert not rolls().is_paid(owed)
    assert rolls().is_paid(replace(owed, due_fen=0))
    for fen in (1, 1500, 2000):
        assert rolls(local=cash("b1", fen, due=1500)).is_paid(owed)
    again = rolls(local=cash("b1", 1500, due=1500))
    for due in (1499, 1501, 300):
        assert not again.is_paid(replace(owed, due_fen=due))
    assert not again.is_paid(replace(owed, booking_id="b2"))


def test_cash_for_a_booking_not_yet_synced_counts_by_its_sum() -> None:
    kept = replace(booking("b1 wang kitchen 08:00-09:00"), due_fen=1500)
    [owed] = roster(holder("wang"), kept).bookings("holder-wang")
    assert rolls(local=cash("b1", 1500, due=0)).is_paid(owed)
    assert not rolls(local=cash("b1", 1499, due=0)).is_paid(owed)
