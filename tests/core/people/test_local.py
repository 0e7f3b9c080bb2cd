# SPDX-License-Identifier: Apache-2.0
"""What people in charge change here: checked, told as events, bounded, replayed."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge.core.event import EventKind
from edge.core.order import CashNoted, LocalHolderOrdered, LocalRevocationOrdered
from edge.core.people.local import CASH_LIFE_MS, MAX_CASH, MAX_HOLDERS, MAX_REVOKED
from edge.core.people.local_orders import MAX_LIFE_MS
from edge.core.people.roster import EMPTY
from edge.core.people.roster_row import MAX_FEN
from tests.core.people.registry import Registry, rebuilt
from tests.core.scene import booking, holder, moment, neighbours, roster

if TYPE_CHECKING:
    from edge.core.event import Event

HOUR_S = 3600.0


@pytest.fixture
def site() -> Registry:
    return Registry(neighbours("b1 wang kitchen 10:00-11:00"))


def held(
    site: Registry,
    name: str = "guest-1",
    *,
    hours: float = 8,
    roles: tuple[str, ...] = ("GUEST",),
    actor: str = "chen",
    second: str = "zhou",
) -> str:
    """Put somebody on the local roster for some hours; 0 takes him off."""
    until_ms = site.utc_ms + round(hours * 3_600_000) if hours else 0
    order = LocalHolderOrdered(
        holder=name, roles=roles, until_ms=until_ms, actor=actor, second=second
    )
    why = site.orders.hold(order, site.now())
    site.take()
    return why


def revoked(
    site: Registry, name: str, *, reason: str = "LOST", is_lifted: bool = False
) -> str:
    order = LocalRevocationOrdered(
        holder=name, actor="chen", reason=reason, is_lifted=is_lifted
    )
    why = site.orders.revoke(order, site.now())
    site.take()
    return why


def noted(site: Registry, name: str, fen: int = 500) -> str:
    order = CashNoted(booking=name, fen=fen, actor="chen")
    why = site.orders.note_cash(order, site.now())
    site.take()
    return why


def test_two_persons_put_somebody_on_the_roster_and_it_ends(site: Registry) -> None:
    assert held(site) == ""
    [event] = site.events(EventKind.LOCAL_CHANGED)
    assert event.person.holder == "guest-1"
    assert [event.fact(name) for name in ("what", "actor", "second", "roles")] == [
        *("held", "chen", "zhou", "GUEST")
    ]
    assert site.rolls.is_local("guest-1")
    site.wait(8 * HOUR_S - 0.001)
    assert site.rolls.holder("guest-1") is not None
    site.wait(0.001)
    assert site.rolls.holder("guest-1") is None
    assert site.events(EventKind.LOCAL_CHANGED)[-1].fact("what") == "ended"
    site.wait(HOUR_S)
    assert len(site.events(EventKind.LOCAL_CHANGED)) == 2


def test_the_deadline_is_the_next_end(site: Registry) -> None:
    assert site.orders.deadline() is None
    held(site, "late", hours=2)
    held(site, "early", hours=1)
    site.wait(0)
    assert site.orders.deadline() == pytest.approx(site.now_s + HOUR_S)
    site.wait(HOUR_S)
    assert site.orders.deadline() == pytest.approx(site.now_s + HOUR_S)
    site.wait(HOUR_S)
    assert site.orders.deadline() is None


def test_nobodys_time_is_over_while_the_clock_does_not_say_so(site: Registry) -> None:
    held(site, hours=1)
    for latest_ms in (site.utc_ms + 10**9, 1 << 52):
        site.orders.expire(moment(site.utc_ms, latest_ms, s=site.now_s + 9 * HOUR_S))
    assert site.rolls.is_local("guest-1")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"second": ""}, "two different persons have to vouch"),
        ({"second": "chen"}, "two different persons have to vouch"),
        ({"actor": ""}, "two different persons have to vouch"),
        ({"name": ""}, "a holder's name has"),
        ({"name": "x" * 65}, "a holder's name has"),
        ({"name": "a\0b"}, "a holder's name has"),
        ({"roles": ()}, "roles: "),
        ({"roles": ("",)}, "roles: "),
        ({"roles": ("two words",)}, "roles: "),
        ({"roles": ("x" * 33, "y" * 33)}, "roles: "),
        ({"hours": -1}, "the end has to lie within 31 days"),
        ({"hours": MAX_LIFE_MS / 3_600_000 + 0.001}, "the end has to lie within"),
        ({"hours": 0}, "this holder is not on the local roster"),
    ],
)
def test_an_order_that_does_not_fit_changes_nothing(
    site: Registry, change: dict[str, object], why: str
) -> None:
    before = site.dump()
    assert held(site, **change).startswith(why)  # type: ignore[arg-type]
    assert site.dump() == before
    assert site.journal == []


def test_taking_somebody_off_needs_two_as_well(site: Registry) -> None:
    held(site)
    assert held(site, hours=0, second="chen") != ""
    assert site.rolls.is_local("guest-1")
    assert held(site, hours=0) == ""
    assert not site.rolls.is_local("guest-1")
    assert site.events(EventKind.LOCAL_CHANGED)[-1].fact("what") == "released"


def test_a_revocation_needs_one_person_and_lasts_until_lifted(site: Registry) -> None:
    assert revoked(site, "holder-wang") == ""
    assert site.rolls.holder_revocation("holder-wang") == "LOST"
    site.rolls.adopt(neighbours(), 1)  # a feed never touches local
    assert site.rolls.holder_revocation("holder-wang") == "LOST"
    assert revoked(site, "holder-wang", is_lifted=True) == ""
    assert site.rolls.holder_revocation("holder-wang") is None
    facts = [event.fact("what") for event in site.events(EventKind.LOCAL_CHANGED)]
    assert facts == ["revoked", "restored"]


def test_a_name_nobody_bears_cannot_be_revoked_by_a_slip(site: Registry) -> None:
    assert revoked(site, "holder-wagn") == "there is no such holder"
    assert revoked(site, "holder-li", is_lifted=True) != ""
    assert site.journal == []
    revoked(site, "holder-wang")
    site.rolls.adopt(EMPTY, 1)
    assert revoked(site, "holder-wang", is_lifted=True) == ""


def test_cash_is_noted_with_what_was_due(site: Registry) -> None:
    owed = replace(booking("b1 wang kitchen 10:00-11:00"), due_fen=900)
    site.rolls.adopt(roster(holder("wang"), owed), 1)
    assert noted(site, "b1", 700) == ""
    assert noted(site, "not-synced", 1) == ""
    known, other = site.events(EventKind.CASH_NOTED)
    assert known.person.booking == "b1"
    assert (known.fact("fen"), known.fact("due")) == (700, 900)
    assert (other.person.booking, other.fact("due")) == ("not-synced", 0)
    [kept] = site.rolls.bookings("holder-wang")
    assert site.rolls.is_paid(kept)
    assert noted(site, "b1", 300) == ""
    assert site.local.cash["b1"].fen == 1000


@pytest.mark.parametrize(
    ("name", "fen"), [("", 5), ("x" * 65, 5), ("b1", 0), ("b1", -1)]
)
def test_cash_that_makes_no_sense_is_not_noted(
    site: Registry, name: str, fen: int
) -> None:
    assert noted(site, name, fen) != ""
    assert noted(site, "b1", MAX_FEN + 1) != ""
    assert site.journal == []


def test_every_table_is_bounded_and_says_so() -> None:
    site = Registry(roster(*(holder(f"n{n}") for n in range(MAX_REVOKED + 1))))
    for number in range(MAX_HOLDERS):
        assert held(site, f"guest-{number}") == ""
    assert held(site, "one-more").startswith(str(MAX_HOLDERS))
    assert held(site, "guest-0", hours=9) == ""
    for number in range(MAX_REVOKED):
        assert revoked(site, f"holder-n{number}") == ""
    assert revoked(site, f"holder-n{MAX_REVOKED}").startswith(str(MAX_REVOKED))
    assert revoked(site, "holder-n0", reason="LEFT") == ""
    for number in range(MAX_CASH):
        assert noted(site, f"b{number}") == ""
    assert noted(site, "one-more") != ""
    assert noted(site, "b0") == ""


def test_old_cash_makes_room(site: Registry) -> None:
    for number in range(MAX_CASH):
        noted(site, f"b{number}")
    site.wait(CASH_LIFE_MS / 1000)
    assert noted(site, "one-more") == ""
    assert site.local.cash.keys() == {"one-more"}


def test_an_older_snapshot_knows_nobody(site: Registry) -> None:
    held(site)
    site.orders.load({})
    assert not site.rolls.is_local("guest-1")
    assert site.local.cards == 0


def test_what_fell_due_while_the_box_was_off_is_settled_first(site: Registry) -> None:
    held(site, hours=1)
    after = rebuilt(EMPTY, site.dump(), [])
    after.utc_ms = site.utc_ms + 7_200_000
    due_s = after.orders.deadline()
    assert due_s is not None
    assert due_s <= after.now_s
    after.wait(0)
    assert not after.rolls.is_local("guest-1")
    assert len(after.events(EventKind.LOCAL_CHANGED)) == 1


@pytest.mark.parametrize("seed", range(10))
def test_a_replay_gives_what_the_day_gave(seed: int) -> None:
    chance = random.Random(seed)
    known = neighbours("b1 wang kitchen 10:00-11:00", "b2 li kitchen 10:00-11:00")
    site = Registry(known)
    dumps: list[tuple[int, str]] = [(0, site.dump())]
    names = ("guest-1", "guest-2", "holder-wang", "holder-li")
    for _ in range(120):
        match chance.randrange(5):
            case 0:
                held(site, chance.choice(names), hours=chance.choice((0, 1, 5, -1)))
            case 1:
                lifted = chance.random() < 0.5
                revoked(site, chance.choice(names), is_lifted=lifted)
            case 2:
                noted(site, chance.choice(("b1", "b2", "b9")), chance.randrange(900))
            case 3:
                site.wait(chance.choice((1.0, HOUR_S, 30 * 24 * HOUR_S)))
            case _:
                dumps.append((len(site.journal), site.dump()))
    assert len(site.journal) > 20, seed
    for count, snapshot in dumps:
        tail: list[Event] = site.journal[count:]
        assert rebuilt(known, snapshot, tail).dump() == site.dump(), (seed, count)
