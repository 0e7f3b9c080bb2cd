# SPDX-License-Identifier: Apache-2.0
"""The care signal: whom it is for, when it comes, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.event import EventKind, Facts, Person
from edge.core.order import CareAnswered
from tests.core.duty.desk import Desk

if TYPE_CHECKING:
    from edge.core.event import Event

DAY_H = 24.0


def come(desk: Desk, who: str = "grandma", days: int | None = 3) -> None:
    """Let somebody be granted at a door; ``days`` None: he agreed to nothing."""
    facts: Facts = () if days is None else (("care", days),)
    desk.out.event(
        EventKind.ACCESS_GRANTED,
        "kitchen-in",
        desk.now(),
        facts=facts,
        person=Person(holder=who, booking="b1"),
    )


def signals(desk: Desk) -> list[Event]:
    """Return the signals so far."""
    return [e for e in desk.journal if e.kind is EventKind.CARE_SIGNAL]


def answer(desk: Desk, who: str = "grandma") -> str:
    """Let a volunteer look after somebody."""
    return desk.care.answer(CareAnswered(holder=who, actor="chen"), desk.now())


def test_who_was_not_seen_for_so_many_days_is_asked_after_once() -> None:
    desk = Desk()
    come(desk)
    desk.wait(2.3 * DAY_H)
    assert signals(desk) == []
    desk.wait(10 * DAY_H)
    [signal] = signals(desk)
    assert (signal.person, signal.facts) == (Person(holder="grandma"), (("days", 3),))
    assert desk.care.waiting == ("grandma",)


def test_whoever_did_not_agree_is_not_even_remembered() -> None:
    desk = Desk()
    come(desk, days=None)
    desk.wait(100 * DAY_H)
    assert signals(desk) == []
    assert desk.care.dump() == {"care": []}


def test_coming_again_begins_anew() -> None:
    desk = Desk()
    for _ in range(5):
        come(desk)
        desk.wait(2 * DAY_H)
    assert signals(desk) == []


def test_after_an_answer_it_is_silent_for_as_long_again() -> None:
    desk = Desk()
    assert answer(desk)
    come(desk)
    desk.wait(4 * DAY_H)
    assert answer(desk) == ""
    assert answer(desk)
    desk.wait(1.5 * DAY_H)
    assert len(signals(desk)) == 1
    desk.wait(2 * DAY_H)
    assert len(signals(desk)) == 2


def test_an_unsure_clock_signals_nothing_and_a_sure_one_counts_from_then() -> None:
    desk = Desk()
    desk.spread_ms = -1
    come(desk)
    desk.wait(30 * DAY_H)
    assert signals(desk) == []
    desk.spread_ms = 0
    desk.wait(2 * DAY_H)
    assert signals(desk) == []
    desk.wait(2 * DAY_H)
    assert len(signals(desk)) == 1


def test_the_signal_outlives_a_restart_and_is_not_repeated() -> None:
    desk = Desk()
    come(desk)
    desk.wait(4 * DAY_H)
    for cut in (0, 1, 2):
        desk.restart(cut=cut, away_h=30.0)
    assert len(signals(desk)) == 1


def test_what_is_kept_is_the_day_alone() -> None:
    desk = Desk()
    come(desk)
    [[who, day, days, is_signalled]] = desk.care.dump()["care"]
    assert (who, days, is_signalled) == ("grandma", 3, 0)
    assert day == (desk.utc_ms + 8 * 3_600_000) // 86_400_000
