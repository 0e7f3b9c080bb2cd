# SPDX-License-Identifier: Apache-2.0
"""The first of two persons waits 30 s at the same access point, in memory alone."""

from __future__ import annotations

from edge.core.access.answers import Denied, DenyReason, Granted
from edge.core.access.decision import decide
from edge.core.access.pairs import PAIR_S, Pairs, pair_identity
from edge.core.credential import Credential, CredentialKind
from tests.core.access.asking import TICKET, two_person_site
from tests.core.decision_case import question
from tests.core.scene import card, clock_ms, moment, neighbours, token

NOW = moment(clock_ms("15:00"))
BOOKED = ("b1 wang kitchen 14:00-16:00", "b2 li kitchen 14:00-16:00")


def test_the_first_waits_for_less_than_30_s() -> None:
    pairs = Pairs()
    assert pairs.first("in", 0.0) == ""
    assert pairs.deadline() is None
    pairs.wait("in", "holder-wang", 100.0)
    assert pairs.deadline() == 100.0 + PAIR_S
    assert pairs.first("in", 129.999) == "holder-wang"
    assert pairs.first("in", 130.0) == ""
    assert pairs.expire(129.999) == []
    assert pairs.expire(130.0) == ["in"]
    assert pairs.deadline() is None


def test_each_access_point_has_its_own() -> None:
    pairs = Pairs()
    pairs.wait("in", "holder-wang", 0.0)
    assert pairs.first("yard", 1.0) == ""
    pairs.wait("yard", "holder-li", 1.0)
    pairs.end("in")
    assert (pairs.first("in", 2.0), pairs.first("yard", 2.0)) == ("", "holder-li")
    pairs.end("in")


def test_shown_again_the_time_begins_anew() -> None:
    pairs = Pairs()
    pairs.wait("in", "holder-wang", 0.0)
    pairs.wait("in", "holder-wang", 20.0)
    assert pairs.first("in", 49.0) == "holder-wang"


def test_two_come_in_and_one_does_not() -> None:
    site, known, pairs = two_person_site(), neighbours(*BOOKED), Pairs()

    def scan(who: str, now_s: float) -> bool:
        asked = question(
            known, card(who), NOW, site=site, first_holder=pairs.first("in", now_s)
        )
        answer = decide(asked)
        if isinstance(answer, Granted):
            pairs.end("in")
            assert dict(answer.facts)["pair"] == 1
            assert dict(answer.facts)["persons"] == 2
            return True
        assert isinstance(answer, Denied)
        if answer.reason is DenyReason.SECOND_PERSON_NEEDED:
            pairs.wait("in", pair_identity(asked), now_s)
        return False

    assert not scan("wang", 0.0)
    assert not scan("wang", 5.0), "the same person twice is one"
    assert not scan("zhao", 6.0), "who may not come in is no second person"
    assert scan("li", 7.0)
    assert not scan("wang", 8.0), "the pair is used up"
    assert not scan("li", 38.0), "too late"
    assert scan("wang", 39.0)


def test_people_are_told_apart_by_what_they_show() -> None:
    known = neighbours(*BOOKED)
    stranger, other = card("stranger"), card("other")
    by_ticket = Credential(kind=CredentialKind.QR, token=token("some code"))
    named = [
        pair_identity(question(known, card("wang"), NOW)),
        pair_identity(question(known, stranger, NOW)),
        pair_identity(question(known, other, NOW)),
        pair_identity(question(known, by_ticket, NOW, ticket=TICKET)),
    ]
    assert len(set(named)) == len(named)
    assert named[0] == "holder-wang"
