# SPDX-License-Identifier: Apache-2.0
"""A card becomes the holder's who proved himself at the desk, once and in time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.access.answers import DenyReason
from edge.core.credential import CredentialKind
from edge.core.event import EventKind, encode_core, encode_person
from edge.core.order import BindBegun, LocalRevocationOrdered
from edge.core.people import binding
from edge.core.people.binding import PATIENCE_S
from edge.core.people.local import MAX_CARDS_EACH
from edge.core.people.roster import EMPTY
from edge.core.people.roster_row import HolderRow, RevocationRow
from tests.core.people.registry import DESK, DOOR, Registry, reasons, rebuilt
from tests.core.scene import clock_ms, holder, roster, token

QR, CARD, ID_CARD = CredentialKind.QR, CredentialKind.CARD, CredentialKind.ID_CARD
PIN = CredentialKind.PIN


def with_code(name: str, **more: object) -> HolderRow:
    """Return a holder with a card, and a code on the telephone."""
    row = holder(name)
    code = (QR, token(f"{name}-qr"))
    return replace(row, credentials=(*row.credentials, code), **more)  # type: ignore[arg-type]


PEOPLE = (with_code("wang"), with_code("li"))


@pytest.fixture
def site() -> Registry:
    return Registry(roster(*PEOPLE))


def vouched(site: Registry, name: str = "holder-wang", point: str = DESK) -> str:
    order = BindBegun(access_point=point, holder=name, actor="chen")
    why = site.binding.begin(order, site.now())
    site.take()
    return why


def bound(site: Registry) -> list[tuple[str | None, object]]:
    events = site.events(EventKind.CREDENTIAL_BOUND)
    return [(event.person.holder, event.fact("how")) for event in events]


@pytest.mark.parametrize("kind", [CARD, ID_CARD])
def test_a_code_and_then_a_card(site: Registry, kind: CredentialKind) -> None:
    assert site.scan("wang-qr", QR)
    assert site.shown() == ["TAP_CARD"]
    assert site.scan("bus", kind)
    assert site.shown() == ["DONE"]
    assert site.last.is_kept, "its token stands in the snapshot alone"
    assert bound(site) == [("holder-wang", "qr")]
    [event] = site.events(EventKind.CREDENTIAL_BOUND)
    assert (event.subject, event.fact("kind")) == (DESK, kind.value)
    assert site.whose("bus") == "holder-wang"


def test_a_volunteer_vouches(site: Registry) -> None:
    assert vouched(site) == ""
    assert site.shown() == ["TAP_CARD"]
    assert site.scan("bus", CARD)
    assert bound(site) == [("holder-wang", "volunteer")]
    [event] = site.events(EventKind.CREDENTIAL_BOUND)
    assert event.fact("actor") == "chen"


def test_the_token_stands_in_no_event(site: Registry) -> None:
    site.scan("wang-qr", QR)
    site.scan("bus", CARD)
    told = "".join(encode_core(e) + encode_person(e.person) for e in site.journal)
    assert token("bus").hex() not in told
    assert "bus" not in told
    assert token("bus").hex() in site.dump()


def test_it_opens_after_a_restart_from_its_own_snapshot(site: Registry) -> None:
    site.scan("wang-qr", QR)
    site.scan("bus", CARD)
    after = rebuilt(roster(*PEOPLE), site.dump(), [])
    assert after.whose("bus") == "holder-wang"
    assert rebuilt(EMPTY, site.dump(), []).whose("bus") is None


def test_one_card_for_one_code(site: Registry) -> None:
    site.scan("wang-qr", QR)
    site.scan("bus", CARD)
    assert not site.scan("tram", CARD)
    assert site.whose("tram") is None


@pytest.mark.parametrize(("after_s", "is_bound"), [(29.999, True), (30.0, False)])
def test_it_is_in_time_before_30_seconds_are_over(
    site: Registry, after_s: float, *, is_bound: bool
) -> None:
    site.scan("wang-qr", QR)
    assert site.binding.deadline() == site.now_s + PATIENCE_S
    site.wait(after_s)
    assert site.shown() == ([] if is_bound else ["TRY_AGAIN"])
    assert site.scan("bus", CARD) is is_bound
    assert (site.whose("bus") == "holder-wang") is is_bound
    assert site.binding.deadline() is None


def test_a_second_holders_code_replaces_the_first(site: Registry) -> None:
    site.scan("wang-qr", QR)
    site.scan("li-qr", QR)
    site.scan("bus", CARD)
    assert site.whose("bus") == "holder-li"


def test_a_known_card_ends_it_without_harm(site: Registry) -> None:
    site.scan("wang-qr", QR)
    assert not site.scan("li", CARD), "the duty's: li's card at the desk"
    assert site.whose("li") == "holder-li"
    assert not site.scan("bus", CARD)
    assert bound(site) == []


def test_the_holders_own_card_is_his_already(site: Registry) -> None:
    site.scan("wang-qr", QR)
    assert site.scan("wang", CARD)
    assert site.shown() == ["DONE"]
    assert bound(site) == []


def test_an_unknown_code_in_between_is_no_card(site: Registry) -> None:
    site.scan("wang-qr", QR)
    for kind in (QR, PIN):
        assert not site.scan("nonsense", kind)
    assert site.scan("bus", CARD)


def test_a_desk_knows_nothing_of_another(site: Registry) -> None:
    site.scan("wang-qr", QR)
    assert not site.scan("bus", CARD, point=DOOR)
    assert site.whose("bus") is None


def test_nothing_is_bound_by_a_reader_that_may_be_tampered_with(
    site: Registry,
) -> None:
    assert not site.scan("wang-qr", QR, safe=False)
    site.scan("wang-qr", QR)
    assert not site.scan("bus", CARD, safe=False)
    assert bound(site) == []


@pytest.mark.parametrize(
    "row",
    [
        with_code("wang", is_enabled=False),
        with_code("wang", valid_to_ms=clock_ms("08:00")),
        with_code("wang", valid_from_ms=clock_ms("10:00")),
        RevocationRow(holder_id="holder-wang", reason="LEFT"),
    ],
)
def test_who_may_not_enter_binds_nothing(
    site: Registry, row: HolderRow | RevocationRow
) -> None:
    known = [row] if isinstance(row, HolderRow) else [with_code("wang"), row]
    site.rolls.adopt(roster(*known), 1)
    assert not site.scan("wang-qr", QR)
    assert vouched(site) != ""
    assert not site.scan("bus", CARD)


def test_who_was_revoked_meanwhile_binds_nothing(site: Registry) -> None:
    site.scan("wang-qr", QR)
    lost = LocalRevocationOrdered(holder="holder-wang", actor="chen", reason="LOST")
    assert site.orders.revoke(lost, site.now()) == ""
    assert not site.scan("bus", CARD)
    assert site.whose("bus") is None


def test_a_code_or_card_that_was_revoked_binds_nothing(site: Registry) -> None:
    names = ("wang-qr", "bus")
    lost = [RevocationRow(token=token(name), reason="LOST") for name in names]
    site.rolls.adopt(roster(*PEOPLE, *lost), 1)
    assert not site.scan("wang-qr", QR)
    site.scan("li-qr", QR)
    assert not site.scan("bus", CARD)
    assert site.whose("bus") is None


def test_a_card_that_two_holders_claim_is_not_bound_to_a_third(site: Registry) -> None:
    twins = [replace(holder("bus"), holder_id=name) for name in ("a", "b")]
    site.rolls.adopt(roster(*PEOPLE, *twins), 1)
    site.scan("wang-qr", QR)
    assert not site.scan("bus", CARD)
    assert bound(site) == []


@pytest.mark.parametrize(
    ("name", "point"),
    [("holder-wang", DOOR), ("holder-wang", "nowhere"), ("ghost", DESK), ("", DESK)],
)
def test_a_volunteer_vouches_at_a_desk_for_somebody_known(
    site: Registry, name: str, point: str
) -> None:
    assert vouched(site, name, point) != ""
    assert site.last.commands == ()
    assert site.binding.deadline() is None


def test_a_holder_binds_so_many_cards_and_no_more(site: Registry) -> None:
    for number in range(MAX_CARDS_EACH):
        site.scan("wang-qr", QR)
        assert site.scan(f"card-{number}", CARD)
    site.scan("wang-qr", QR)
    assert site.scan("one-more", CARD)
    assert reasons(site.last) == [DenyReason.UNAUTHORIZED]
    assert site.last.events[0].fact("detail") == "too_many"
    assert site.whose("one-more") is None


def test_cards_of_those_who_are_gone_make_room(
    site: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binding, "MAX_CARDS", 2)
    site.local.bind(token("old-1"), "gone")
    site.local.bind(token("old-2"), "holder-li")
    site.scan("wang-qr", QR)
    site.scan("bus", CARD)
    assert site.whose("bus") == "holder-wang"
    assert site.local.owner(token("old-1")) is None
    site.scan("wang-qr", QR)
    site.scan("tram", CARD)
    assert site.last.events[0].fact("detail") == "full"
    assert site.whose("tram") is None
    assert site.local.cards == 2


def test_a_card_of_one_who_is_gone_may_become_anothers(site: Registry) -> None:
    site.local.bind(token("bus"), "gone")
    site.scan("wang-qr", QR)
    assert site.scan("bus", CARD)
    assert site.whose("bus") == "holder-wang"


def test_a_replay_from_the_snapshot_that_a_binding_asks_for_lacks_nothing(
    site: Registry,
) -> None:
    for who in ("wang", "li"):
        site.scan(f"{who}-qr", QR)
        site.scan(f"{who}-bus", CARD)
        assert site.last.is_kept
        count, snapshot = len(site.journal), site.dump()
        lost = LocalRevocationOrdered(holder=f"holder-{who}", actor="c", reason="LOST")
        assert site.orders.revoke(lost, site.now()) == ""
        site.take()
        after = rebuilt(roster(*PEOPLE), snapshot, site.journal[count:])
        assert after.dump() == site.dump()
        assert after.whose(f"{who}-bus") == f"holder-{who}"
        assert after.rolls.holder_revocation(f"holder-{who}") == "LOST"
