# SPDX-License-Identifier: Apache-2.0
"""A rule that raises opens no entry, and keeps nobody in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from edge.core.access import decision
from edge.core.access.answers import Denied, DenyReason, Granted
from edge.core.access.decision import RULES, decide
from edge.core.doors.door import DoorMode
from edge.core.plan import AccessPointPlan, Direction
from tests.core.decision_case import B1, question
from tests.core.scene import EXTENDED_S, RELEASE_S, card, clock_ms, moment, neighbours

if TYPE_CHECKING:
    from edge.core.access.question import Question

NOW = moment(clock_ms("15:00"))
WAY_OUT = AccessPointPlan(
    access_point_id="out", door_id="kitchen-door", direction=Direction.OUT
)


class PlantedError(Exception):
    """Raised where a rule must not rely on anything."""


def _raise(*_: object) -> NoReturn:
    raise PlantedError("with holder-wang in its text")


class Broken:
    """Raises whatever it is asked."""

    def __getattr__(self, name: str) -> NoReturn:
        raise PlantedError(name)


def _question(**fields: Any) -> Question:
    return question(neighbours(B1), card("wang"), NOW, **fields)


def _break(monkeypatch: pytest.MonkeyPatch, at: int) -> str:
    name, _ = RULES[at]
    rules = (*RULES[:at], (name, _raise), *RULES[at + 1 :])
    monkeypatch.setattr(decision, "RULES", rules)
    return name


@pytest.mark.parametrize("at", range(len(RULES)))
def test_whichever_rule_raises_the_entry_stays_shut(
    monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    assert isinstance(decide(_question()), Granted)
    name = _break(monkeypatch, at)
    answer = decide(_question())
    assert isinstance(answer, Denied)
    assert (answer.rule, answer.reason) == (name, DenyReason.RULE_FAULT)
    assert answer.facts == (("error", "PlantedError"),)
    assert answer.person.holder == "holder-wang"


@pytest.mark.parametrize("at", range(len(RULES)))
@pytest.mark.parametrize("mode", DoorMode)
def test_whichever_rule_raises_the_way_out_is_open(
    monkeypatch: pytest.MonkeyPatch, at: int, mode: DoorMode
) -> None:
    _break(monkeypatch, at)
    answer = decide(_question(point=WAY_OUT, mode=mode))
    assert isinstance(answer, Granted)
    is_free = mode in (DoorMode.UNLOCKED, DoorMode.LOCKED_OPEN)
    assert answer.release_s == (0.0 if is_free else RELEASE_S)


def test_a_fault_on_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    name = _break(monkeypatch, 0)
    answer = decide(_question(point=WAY_OUT))
    assert (answer.rule, answer.facts) == (name, (("error", "PlantedError"),))


@pytest.mark.parametrize("part", ["rolls", "admissions"])
def test_a_part_that_breaks_shuts_the_entry_alone(part: str) -> None:
    asked = _question(**{part: Broken()} if part == "admissions" else {})
    if part == "rolls":
        asked = replace(asked, rolls=Broken())  # type: ignore[arg-type]
    answer = decide(asked)
    assert isinstance(answer, Denied)
    assert answer.reason is DenyReason.RULE_FAULT
    assert isinstance(decide(replace(asked, point=WAY_OUT)), Granted)


def test_a_broken_count_of_people_shuts_a_space_that_counts() -> None:
    asked = _question(presence=Broken())
    assert isinstance(decide(asked), Granted), "nobody asked it"
    counted = replace(asked, space=replace(asked.space, capacity=4))
    answer = decide(counted)
    assert isinstance(answer, Denied)
    assert (answer.rule, answer.reason) == ("capacity", DenyReason.RULE_FAULT)


@pytest.mark.parametrize("who", ["wang", "stranger"])
@pytest.mark.parametrize("mode", DoorMode)
def test_an_exit_reader_never_refuses(who: str, mode: DoorMode) -> None:
    asked = question(
        neighbours(lost=("wang",)),
        card(who),
        NOW,
        point=WAY_OUT,
        mode=mode,
        is_reader_sound=False,
        is_strike_sound=False,
        interlocked_by="store-door",
    )
    answer = decide(asked)
    assert isinstance(answer, Granted)
    assert answer.rule == "exit"
    assert answer.person.booking is None
    assert answer.person.holder == ("holder-wang" if who == "wang" else None)


def test_a_slow_walker_has_more_time_out_too() -> None:
    asked = _question(point=WAY_OUT)
    assert asked.holder is not None
    slow = replace(asked, holder=replace(asked.holder, needs_extended_time=True))
    answer = decide(slow)
    assert isinstance(answer, Granted)
    assert answer.release_s == EXTENDED_S
