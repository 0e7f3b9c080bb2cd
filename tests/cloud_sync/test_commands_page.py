# SPDX-License-Identifier: Apache-2.0
"""docs/commands.md says what the code does: names, limits and the example."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cloud_sync.command_body import MESSAGE_CHARACTERS
from cloud_sync.commands import AHEAD_S, LIFE_S, MAX_NAMES
from cloud_sync.door_code import CodeFlaw
from cloud_sync.platform.commanding.residents import Refusal
from cloud_sync.refusal import FEED_REFUSALS, KEY_REFUSALS, RefusalKind
from edge.core.remote.command import REMOTE_MODES, STATES, Action, Rejection
from edge.core.remote.messages import MAX_MESSAGES
from edge.core.remote.modes import TRY_AGAIN_S
from edge.core.remote.objections import ON_THE_SPOT, SHUTTING_MODES
from edge.core.remote.quota import (
    ACTS_AN_OPERATOR,
    NAMES,
    OPENINGS_A_LEAF,
    OPENINGS_AN_OPERATOR,
    OPENINGS_FOR_RESIDENTS,
    RESIDENT_EVERY_S,
)
from edge.core.remote.remote import MAX_KNOWN, MAX_PENDING, SINGLE_REJECTIONS

if TYPE_CHECKING:
    from edge.core.event import EventKind

FOLDER = Path(__file__).parent
PAGE = (FOLDER.parents[1] / "docs" / "commands.md").read_text(encoding="utf-8")
WORDS = {"three": 3, "five": 5}
#: Of messages that are no commands.
ELSEWHERE = (
    FEED_REFUSALS
    | KEY_REFUSALS
    | {RefusalKind.TOPIC, RefusalKind.EPOCH, RefusalKind.FEED_PULL}
)
ENROLMENT = (FOLDER.parents[1] / "docs" / "enrolment.md").read_text(encoding="utf-8")


def test_the_example_is_the_golden_one() -> None:
    vectors = json.loads((FOLDER / "vectors" / "command.json").read_text("utf-8"))
    example = re.search(r"```\n(\{.*?\})\n\n(.*?)\n```", PAGE, re.DOTALL)
    assert example is not None
    first = vectors["valid"][0]
    assert json.loads(example[1]) == first["body"]
    assert example[2].replace("\n", "") == first["jws"]
    refused = len(vectors["invalid"]) + len(vectors["unfit"])
    assert f"and {refused} that must be refused" in PAGE


@pytest.mark.parametrize(
    "name",
    [
        *Action,
        *Rejection,
        *Refusal,
        *CodeFlaw,
        *REMOTE_MODES,
        *(kind for kind in RefusalKind if kind not in ELSEWHERE),
    ],
)
def test_every_name_stands_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("kind", sorted(KEY_REFUSALS))
def test_every_refusal_of_a_key_stands_on_its_page(kind: RefusalKind) -> None:
    assert f"`{kind}`" in ENROLMENT


@pytest.mark.parametrize("kind", STATES)
def test_every_state_stands_beside_its_event(kind: EventKind) -> None:
    assert re.search(rf"\| `{STATES[kind]}` \|[^\n]*\| {kind} \|", PAGE)


@pytest.mark.parametrize(
    ("said", "number"),
    [
        (r"at most (\d+) s later", LIFE_S),
        (r"more than (\d+) s ahead", AHEAD_S),
        (r"at ([\d,]+) the gateway leaves", MAX_NAMES),
        (r"names of the last (\d+) commands", MAX_KNOWN),
        (r"1 to (\d+) characters\)", MESSAGE_CHARACTERS),
        (r"the last (\w+) of a day", MAX_MESSAGES),
        (r"`resident_open` one in (\d+) s and", RESIDENT_EVERY_S),
        (r"s and (\d+) an hour at each door", OPENINGS_FOR_RESIDENTS),
        (r"by operators (\d+) an hour at each leaf", OPENINGS_A_LEAF),
        (r"and (\d+) an hour for each operator", OPENINGS_AN_OPERATOR),
        (r"(\d+) commands an hour", ACTS_AN_OPERATOR),
        (r"(\d+) operators at a time", NAMES),
        (r"(\d+) wait for the disk", MAX_PENDING),
        (r"Beyond (\d+) a minute", SINGLE_REJECTIONS),
        (r"tried again every (\d+) s", TRY_AGAIN_S),
    ],
)
def test_every_limit_is_the_codes(said: str, number: float) -> None:
    found = re.search(said, PAGE)
    assert found is not None
    word = found[1].replace(",", "")
    assert WORDS.get(word, word) in (number, str(int(number)))


def test_the_emergencies_and_what_they_refuse_are_the_codes() -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith("| `EMERGENCY`"))
    stated, _, shelter = row.partition("Under SHELTER")
    assert (
        set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)*\b", stated)) - {"EMERGENCY"}
        == ON_THE_SPOT
    )
    assert set(re.findall(r"`([A-Z_]+)`", shelter)) == SHUTTING_MODES
