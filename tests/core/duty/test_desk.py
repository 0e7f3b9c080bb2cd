# SPDX-License-Identifier: Apache-2.0
"""Shifts: a volunteer's card at the desk, twice."""

from __future__ import annotations

import pytest

from edge.core.event import Person
from tests.core.scene import HOUR_MS, holder, neighbours, roster
from tests.core.stage import Stage

CHEN = Person(holder="holder-chen")


def test_a_shift_from_its_start_to_its_end() -> None:
    stage = Stage()
    assert stage.scan("chen", "desk") == ["DUTY_STARTED"]
    assert stage.said() == [("GRANTED", "", "")]
    assert list(stage.controller.on_duty) == ["holder-chen"]
    stage.wait(2 * 3600 + 59.9)
    assert stage.scan("chen", "desk") == ["DUTY_ENDED"]
    started, ended = stage.journal
    assert (started.subject, started.person, ended.person) == ("desk", CHEN, CHEN)
    assert (ended.fact("minutes"), ended.fact("time_unverified")) == (120, None)
    assert not stage.controller.on_duty


@pytest.mark.parametrize(("seconds", "is_again"), [(2.999, True), (3.0, False)])
def test_a_card_that_lies_too_long_does_not_end_what_it_began(
    seconds: float, *, is_again: bool
) -> None:
    stage = Stage()
    stage.scan("chen", "desk")
    stage.wait(seconds)
    assert stage.scan("chen", "desk") == ([] if is_again else ["DUTY_ENDED"])


@pytest.mark.parametrize(
    ("who", "lost", "reason"),
    [
        ("wang", (), "UNAUTHORIZED"),
        ("stranger", (), "CREDENTIAL_NOT_FOUND"),
        ("chen", ("chen",), "CREDENTIAL_REVOKED"),
    ],
)
def test_others_are_told_politely(who: str, lost: tuple[str, ...], reason: str) -> None:
    stage = Stage(neighbours(lost=lost))
    assert stage.scan(who, "desk") == ["ACCESS_DENIED"]
    assert stage.said() == [("DENIED", reason, "ASK_VOLUNTEER")]
    assert not stage.controller.on_duty


@pytest.mark.parametrize(("spread_ms", "flag"), [(0, None), (HOUR_MS, 1)])
def test_a_shift_over_a_power_cut_is_measured_by_the_clock(
    spread_ms: int, flag: int | None
) -> None:
    stage = Stage()
    stage.scan("chen", "desk")
    state, after = stage.standing(), len(stage.journal)
    stage.utc_ms += 3 * HOUR_MS
    stage.boot = "boot-2"
    stage.cut_power(state, after)
    stage.spread_ms = spread_ms
    assert stage.scan("chen", "desk") == ["DUTY_ENDED"]
    ended = stage.journal[-1]
    assert (ended.fact("minutes"), ended.fact("time_unverified")) == (180, flag)


def test_the_journal_gives_a_shift_back_to_the_millisecond() -> None:
    stage = Stage()
    stage.now_s = 1000.0009999  # rounding and cutting differ
    stage.scan("chen", "desk")
    before = stage.standing()
    stage.cut_power()
    assert stage.standing() == before


def test_who_is_no_longer_a_volunteer_may_still_end_his_shift() -> None:
    stage = Stage()
    stage.scan("chen", "desk")
    stage.wait(60)
    stage.controller.house.adopt(roster(holder("chen")), stage.utc_ms)
    assert stage.scan("chen", "desk") == ["DUTY_ENDED"]
    stage.wait(60)
    assert stage.scan("chen", "desk") == ["ACCESS_DENIED"]
