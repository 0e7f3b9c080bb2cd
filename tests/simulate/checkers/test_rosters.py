# SPDX-License-Identifier: Apache-2.0
"""Rosters against the platform's own rows, by hand and through a whole morning."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge.cli.simulate.checkers.roster_is_feed import RosterIsFeed
from edge.cli.simulate.command import ground as ground_of
from edge.cli.simulate.command import site
from edge.cli.simulate.run import Run
from edge.cli.simulate.weather import FAIR
from edge.core.people.roster import RosterBuilder
from tests.core.scene import clock_ms, neighbours, token
from tests.simulate.checkers.story import Story, caught, ground

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Violation

NAME = "the roster is a revision of the feed"
MORNING = replace(FAIR, scans_a_day=100.0, roster_changes_a_day=1_500.0)


def rows(*more: dict[str, object], revoked: str = "") -> list[str]:
    """Return the scene's neighbours as the platform writes them."""
    people = {name: ["RESIDENT"] for name in ("wang", "li", "zhao", "qian")}
    people["chen"] = ["RESIDENT", "VOLUNTEER"]
    told: list[dict[str, object]] = [
        {
            "kind": "holder",
            "id": f"holder-{name}",
            "body": {
                "enabled": 1,
                "extended": 0,
                "language": "zh-CN",
                "roles": roles,
                "credentials": [f"CARD:{token(name).hex()}"],
            },
        }
        for name, roles in people.items()
    ]
    if revoked:
        lost = {"token": token(revoked).hex(), "reason": "LOST"}
        told.append({"kind": "revocation", "id": "r1", "body": lost})
    return [json.dumps(row) for row in [*told, *more]]


def booked(*, state: str = "CONFIRMED") -> dict[str, object]:
    """Return wang's booking of the kitchen."""
    body = {
        "holder": "holder-wang",
        "space": "kitchen",
        "from": clock_ms("14:00"),
        "to": clock_ms("16:00"),
        "party": 1,
        "state": state,
    }
    return {"kind": "booking", "id": "b1", "body": body}


@pytest.mark.parametrize(
    ("written", "is_right"),
    [
        (rows(booked()), True),
        (rows(), False),
        (rows(booked(state="CANCELLED")), False),
        (rows(booked(), revoked="li"), False),
        (rows(booked())[1:], False),
        (None, False),
    ],
)
def test_a_roster_is_what_was_written(
    written: list[str] | None, *, is_right: bool
) -> None:
    story = Story(RosterIsFeed(ground()))
    roster = neighbours("b1 wang kitchen 14:00-16:00")
    if written is not None:
        story.written(0.0, roster.cursor, written)
    if is_right:
        story.adopted(0.0, roster)
        return
    with caught(NAME):
        story.adopted(0.0, roster)


def morning(seed: int) -> Violation | None:
    """Play a morning at whose office much is written."""
    settings = site()
    checkers = [RosterIsFeed(ground_of(settings))]
    return Run(settings, seed, 0.05, MORNING, checkers=checkers).play().violation


@pytest.mark.parametrize("seed", [1, 2])
def test_each_roster_of_a_morning(seed: int) -> None:
    assert morning(seed) is None


def test_a_builder_that_loses_revocations_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(RosterBuilder, "_revoke", lambda self, row: None)
    found = [morning(seed) for seed in (1, 2)]
    assert NAME in {violation.name for violation in found if violation}
