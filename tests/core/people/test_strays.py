# SPDX-License-Identifier: Apache-2.0
"""Rows without a place: of nobody, elsewhere, or beyond a table's bound."""

from __future__ import annotations

from edge.core.people.entries import Elder
from edge.core.people.roster import (
    MAX_ELDERS,
    MAX_POLICIES,
    MAX_TICKET_KEYS,
    NOWHERE,
    RosterBuilder,
)
from edge.core.people.roster_row import PolicyRow, RevocationRow, TicketKey
from tests.core.scene import booking, clock_ms, holder, roster, token


def test_a_booking_of_nobody_is_a_stray_and_keeps_no_room() -> None:
    builder = RosterBuilder()
    builder.add([booking("b1 ghost kitchen 08:00-09:00"), holder("wang")])
    builder.add([booking("b2 wang kitchen 08:00-09:00")])
    packed = builder.build(NOWHERE)
    assert list(builder.strays()) == [
        ("booking", "b1", "holder: there is no such holder")
    ]
    window = (clock_ms("08:00"), clock_ms("09:00"))
    assert [kept.booking_id for _, kept in packed.booked("kitchen", *window)] == ["b2"]
    assert packed.bookings("holder-ghost") == []
    assert packed.booking("b1") is None


def test_a_booking_elsewhere_and_an_unknown_elder_are_told_and_stay() -> None:
    builder = RosterBuilder({"kitchen"})
    builder.add([holder("wang"), booking("b1 wang cellar 08:00-09:00")])
    builder.add([booking("b2 ghost cellar 08:00-09:00")])
    builder.add([Elder(holder_id="holder-ghost", order=1, route="east")])
    packed = builder.build(NOWHERE)
    assert list(builder.strays()) == [
        ("booking", "b2", "holder: there is no such holder"),
        ("booking", "b1", "space: there is none such"),
        ("elder", "holder-ghost", "holder: there is no such holder"),
    ]
    assert [kept.booking_id for kept in packed.bookings("holder-wang")] == ["b1"]
    assert len(packed.tables.elders) == 1


def test_the_small_tables_are_bounded_and_say_what_is_beyond() -> None:
    builder = RosterBuilder()
    for number in range(MAX_ELDERS + 1):
        policy = PolicyRow(
            policy_id=f"p{number}", role="R", places=frozenset(), week=None
        )
        key = TicketKey(
            key_id=number.to_bytes(2, "big"),
            public=bytes(32),
            from_ms=0,
            to_ms=1,
            issuer="",
            doors=(),
        )
        elder = Elder(holder_id=f"h{number}", order=0, route="r")
        builder.add([policy, key, elder])
    tables = builder.build(NOWHERE).tables
    assert len(tables.policies) == MAX_POLICIES
    assert len(tables.ticket_keys) == MAX_TICKET_KEYS
    assert len(tables.elders) == MAX_ELDERS
    beyond = [kind for kind, _, why in builder.strays() if "already" in why]
    assert beyond.count("elder") == 1
    assert beyond.count("policy") == MAX_ELDERS + 1 - MAX_POLICIES
    assert beyond.count("ticket_key") == MAX_ELDERS + 1 - MAX_TICKET_KEYS


def test_a_loss_is_never_softened_by_another_reason() -> None:
    for reasons in (("LOST", "LEFT"), ("LEFT", "LOST")):
        rows = [RevocationRow(token=token("wang"), reason=why) for why in reasons]
        rows += [RevocationRow(holder_id="holder-li", reason=why) for why in reasons]
        packed = roster(*rows)
        assert packed.revocation(token("wang")) == "LOST"
        assert packed.tables.revoked_holders == {"holder-li": "LOST"}
