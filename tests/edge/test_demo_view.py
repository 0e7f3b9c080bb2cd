# SPDX-License-Identifier: Apache-2.0
"""What the terminal says of an event is said in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from edge.cli.demo.journal_file import JournalEvent
from edge.cli.demo.view import line
from edge.core.access.answers import DenyReason

NOON_MS = 1_795_320_000_000
HOW = {"fr": 1, "kind": "QR", "rule": "finished", "set": "27b0534e"}


def told(kind: str, at: str, /, **facts: Any) -> str:
    core = {
        "k": kind,
        "at": at,
        "lo": NOON_MS,
        "hi": NOON_MS,
        "m": 1,
        "b": "aa",
        **facts,
    }
    event = JournalEvent(place=1, core=core, person={"holder": "h-1"})
    return line(event, timedelta(hours=8))


@pytest.mark.parametrize(
    ("kind", "facts", "words"),
    [
        ("ACCESS_GRANTED", {"bank": "lockers", "number": 7}, "compartment 7 · h-1"),
        ("COMPARTMENT_OPENED", {"number": 7}, "compartment 7 opened"),
        (
            "RENTAL_ENDED",
            {"number": 7, "why": "finished"},
            "compartment 7 is free again",
        ),
        ("MEDICINE_BOX_OPENED", {"number": 12}, "medicine box opened (compartment 12)"),
        ("DEVICE_OFFLINE", {"detail": "cut"}, "device offline detail=cut"),
    ],
)
def test_a_line_says_what_happened_and_not_how_it_was_decided(
    kind: str, facts: dict[str, Any], words: str
) -> None:
    assert (
        told(kind, "somewhere", **facts, **HOW)
        == f"12:00:00  somewhere          {words}"
    )


@pytest.mark.parametrize("reason", DenyReason)
def test_every_refusal_is_told_with_what_to_do_next(reason: DenyReason) -> None:
    said = told("ACCESS_DENIED", "door", reason=reason.value)
    assert said.split(" · ")[2] == reason.value
    assert said.split(" · ")[3].strip()
