# SPDX-License-Identifier: Apache-2.0
"""Under a checkpoint a scan waits 60 s for a volunteer, and is then decided anew."""

from __future__ import annotations

import pytest

from edge.core.access.confirmations import CONFIRM_S, Confirmations, may_confirm
from edge.core.credential import Credential, CredentialKind
from edge.core.people.rolls import Rolls
from edge.core.stimulus import Scan
from tests.core.scene import (
    SITE,
    card,
    clock_ms,
    holder,
    moment,
    revocation,
    roster,
    token,
)

NOW = moment(clock_ms("15:00"))


def _scan(who: str, access_point: str = "in") -> Scan:
    return Scan(access_point=access_point, credential=card(who), received_s=0.0)


def test_a_scan_waits_for_less_than_60_s() -> None:
    waits = Confirmations()
    assert waits.deadline() is None
    assert waits.confirm("in", 0.0) is None
    assert waits.ask(_scan("wang"), 100.0)
    assert waits.deadline() == 100.0 + CONFIRM_S
    assert waits.waiting("in", 159.999) == _scan("wang")
    assert waits.waiting("in", 160.0) is None
    assert waits.expire(159.999) == []
    assert waits.expire(160.0) == ["in"]
    assert waits.deadline() is None


def test_it_is_given_back_once() -> None:
    waits = Confirmations()
    waits.ask(_scan("wang"), 0.0)
    assert waits.confirm("yard", 1.0) is None
    assert waits.confirm("in", 1.0) == _scan("wang")
    assert waits.confirm("in", 1.0) is None


def test_too_late_it_is_not_given_back() -> None:
    waits = Confirmations()
    waits.ask(_scan("wang"), 0.0)
    assert waits.confirm("in", 60.0) is None


def test_the_same_card_again_is_no_news_and_waits_on() -> None:
    waits = Confirmations()
    assert waits.ask(_scan("wang"), 0.0)
    assert not waits.ask(_scan("wang"), 50.0)
    assert waits.waiting("in", 109.0) == _scan("wang")
    assert waits.ask(_scan("wang", "yard"), 50.0)


def test_whoever_comes_after_takes_the_place() -> None:
    waits = Confirmations()
    waits.ask(_scan("wang"), 0.0)
    assert waits.ask(_scan("li"), 10.0)
    assert waits.confirm("in", 11.0) == _scan("li")


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (("RESIDENT", "VOLUNTEER"), True),
        (("MANAGER",), True),
        (("RESPONDER",), True),
        (("RESIDENT",), False),
        (("COURIER",), False),
        ((), False),
    ],
)
def test_who_may_confirm(roles: tuple[str, ...], *, expected: bool) -> None:
    rolls = Rolls(SITE, roster=roster(holder("chen", roles=roles)))
    known = rolls.find(token("chen"))
    assert may_confirm(card("chen"), known, rolls, NOW) is expected


def test_a_lost_or_disabled_card_and_a_code_confirm_nothing() -> None:
    volunteer = ("VOLUNTEER",)
    lost = Rolls(
        SITE, roster=roster(holder("chen", roles=volunteer), revocation("chen"))
    )
    assert not may_confirm(card("chen"), lost.find(token("chen")), lost, NOW)
    left = Rolls(SITE, roster=roster(holder("chen", roles=volunteer, is_enabled=False)))
    assert not may_confirm(card("chen"), left.find(token("chen")), left, NOW)
    good = Rolls(SITE, roster=roster(holder("chen", roles=volunteer)))
    code = Credential(kind=CredentialKind.PIN, token=token("chen"))
    assert not may_confirm(code, good.find(token("chen")), good, NOW)
    assert not may_confirm(card("nobody"), None, good, NOW)
