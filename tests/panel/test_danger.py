# SPDX-License-Identifier: Apache-2.0
"""What the emergency pages make of what the gateway says: times, sheets, reminders."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from edge.core.emergency.drill_plan import STAGES, DrillKind
from edge.core.emergency.drills import DrillOutcome
from edge.core.emergency.effects import Origin
from edge.core.emergency.state import EmergencyState
from edge.panel import danger
from edge.panel.drill_pages import KINDS
from edge.panel.emergency_report import (
    STATES,
    read_care,
    read_drills,
    read_elders,
    read_now,
    read_street,
)
from edge.panel.report import read_status
from edge.panel.standing import Standing, reported
from edge.panel.street_pages import leaf
from edge.panel.troubles import troubles
from edge.panel.words import Words
from tests.panel.readings import NOW_MS, READINGS
from tests.panel.scripted_gateway import CALM

WORDS = Words()
READERS = {
    "emergency-now": read_now,
    "emergency-contacts": read_street,
    "elders": read_elders,
    "care": read_care,
    "drills": read_drills,
}


def test_every_word_of_the_gateway_has_words_here() -> None:
    assert tuple(EmergencyState) == STATES
    assert tuple(DrillKind) == KINDS
    stages = {stage.name for several in STAGES.values() for stage in several}
    for table, words in (
        ("stands", EmergencyState),
        ("began", Origin),
        ("outcome", DrillOutcome),
        ("drill_kind", DrillKind),
        ("stage", stages),
    ):
        for word in words:
            assert f"{table}.{word}" in WORDS, (table, word)


@pytest.mark.parametrize("verb", READERS)
def test_the_edge_reads_what_it_knows_and_never_raises(verb: str) -> None:
    assert READERS[verb](READINGS[verb]) != READERS[verb]({}) or verb == "drills"
    random = Random(f"edge {verb}")
    for _ in range(300):
        told = {name: spoilt(each, random) for name, each in READINGS[verb].items()}
        READERS[verb](told)


def spoilt(value: Any, random: Random) -> Any:
    """Return a value with some of its parts replaced by something odd."""
    if random.random() < 0.15:
        return random.choice([None, True, -1, 10**30, "\ud800", [], {}, [None], 1.5])
    if isinstance(value, dict):
        return {name: spoilt(each, random) for name, each in value.items()}
    if isinstance(value, list):
        return [spoilt(each, random) for each in value]
    return value


def drill(seq: int, seconds: int, **stages: int | None) -> dict[str, Any]:
    return {
        "seq": seq,
        "drill": "fire",
        "began_ms": NOW_MS,
        "duration_s": seconds,
        "outcome": "done",
        "stages": [
            {"name": name, "within_s": 60, "after_s": after_s}
            for name, after_s in stages.items()
        ],
    }


def test_a_sheet_stands_beside_the_three_before_of_its_kind() -> None:
    other = drill(6, 9) | {"drill": "flood"}
    told = [drill(9, 3725, responded=61), other]
    told += [drill(seq, 100 + seq, responded=seq) for seq in (5, 4, 3, 2)]
    sheet = danger.sheet(read_drills({"drills": told}), "9", 8)
    assert sheet is not None
    assert (sheet.day, sheet.total) == ("11-22 14:32", "1:02:05")
    assert sheet.totals == ("1:45", "1:44", "1:43")
    [line] = sheet.lines
    assert (line.within, line.now, line.is_late) == ("1:00", "1:01", True)
    assert line.before == ("0:05", "0:04", "0:03")
    assert danger.sheet(read_drills({"drills": told}), "8", 8) is None


@pytest.mark.parametrize(
    ("days", "title"),
    [(89, None), (90, "90 天没有演练了"), (400, "400 天没有演练了"), (None, None)],
)
def test_a_rehearsal_is_due_after_ninety_days(
    days: int | None, title: str | None
) -> None:
    last_ms = None if days is None else NOW_MS - days * danger.DAY_MS
    assert titles(last_drill_ms=last_ms) == ([title] if title else [])


def test_who_was_not_seen_is_told_on_the_duty_page() -> None:
    assert titles(care=2) == ["有 2 位老人几天没见到"]
    assert titles(care=0) == []


def titles(**status: Any) -> list[str]:
    report = read_status(CALM | status)
    assert report is not None
    standing = reported(Standing(), report, 1.0)
    return [each.title.zh for each in troubles(standing, WORDS, 1.0)]


@pytest.mark.parametrize(
    ("standing", "title"),
    [
        ((), None),
        (("SHELTER", "LOCK_DOWN"), "暂停进入"),
        (("SHELTER",), "台风避险：开放中"),
        (("TIDAL_WAVE",), None),
    ],
)
def test_the_duty_page_tells_the_first_of_what_stands(
    standing: tuple[str, ...], title: str | None
) -> None:
    found = danger.first(standing, WORDS)
    assert (found and found.title.zh) == title


def test_who_began_it_is_named_and_what_is_not_known_is_left_out() -> None:
    [known] = read_now({"standing": [{"state": "FIRE", "since_ms": NOW_MS}]}).standing
    assert danger.since(known, WORDS, 8).zh == "从 11-22 14:32 起 · 不知道是谁"
    named = replace(known, by="panel", who="陈姨")
    assert danger.since(named, WORDS, 8).zh == "从 11-22 14:32 起 · 在平板上 · 陈姨"
    assert danger.since(replace(named, since_ms=None), WORDS, 8).zh == "在平板上"


@pytest.mark.parametrize(
    ("number", "rows", "before", "after"),
    [
        (1, [0, 1, 2], None, 2),
        (2, [3, 4, 5], 1, 3),
        (3, [6], 2, None),
        (99, [6], 2, None),
        (-1, [0, 1, 2], None, 2),
    ],
)
def test_a_list_has_pages(
    number: int, rows: list[int], before: int | None, after: int | None
) -> None:
    shown = leaf(range(7), number, 3)
    assert (list(shown.rows), shown.before, shown.after) == (rows, before, after)
    assert list(leaf((), 1, 3).rows) == []
