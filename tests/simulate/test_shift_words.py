# SPDX-License-Identifier: Apache-2.0
"""What the feed confirms of shifts, in mornings with power cuts and lost lines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.cli.files import config_folder
from edge.cli.load_site import load_site
from edge.cli.simulate.checkers.all import all_checkers
from edge.cli.simulate.checking import Handled
from edge.cli.simulate.command import ground
from edge.cli.simulate.run import Run
from edge.cli.simulate.weather import FAIR
from edge.core.duty import ledger
from edge.core.duty.shift import CONFIRMATION
from edge.core.event import EventKind
from tests.simulate.broken_rules import prepare

if TYPE_CHECKING:
    import pytest

    from edge.cli.simulate.checking import Kinds, Observation, Rest, Violation

MORNING_DAYS = 0.12
MANY = replace(
    FAIR,
    scans_a_day=400.0,
    desk_orders_a_day=300.0,
    power_cuts_a_day=30.0,
    outages_a_day=20.0,
    backups_a_day=10.0,
)


class Words:
    """Counts the words of the feed that were taken."""

    name = "words are counted"
    heeds: Kinds = frozenset({Handled})

    def __init__(self) -> None:
        self.taken = 0

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        events = seen.events if isinstance(seen, Handled) else ()
        for event in events:
            is_word = event.fact(CONFIRMATION) is not None
            self.taken += is_word and event.kind is EventKind.DUTY_CONFIRMED

    def end(self, rest: Rest) -> None:
        """Do nothing."""


def played(seed: int) -> tuple[int, Violation | None]:
    settings, words = load_site(config_folder() / "quarter.toml"), Words()
    checkers = [*all_checkers(ground(settings)), words]
    outcome = Run(settings, seed, MORNING_DAYS, MANY, checkers=checkers).play()
    assert not outcome.traceback, outcome.traceback
    return words.taken, outcome.violation


def test_each_word_is_taken_once_whatever_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepare(monkeypatch)
    taken, violation = played(3)
    assert violation is None, violation
    assert taken > 0


def test_a_shift_that_forgets_what_it_took_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepare(monkeypatch)
    monkeypatch.setattr(ledger, "CONFIRMATION", "another fact")
    for seed in (3, 1):
        _, violation = played(seed)
        if violation is not None:
            assert violation.name == "duty minutes equal the oracle's"
            return
    raise AssertionError("nobody noticed")
