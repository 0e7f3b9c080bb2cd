# SPDX-License-Identifier: Apache-2.0
"""What gateways really write fits the schemas: short simulated days of both sites."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from edge.cli.simulate import command
from edge.cli.simulate.checking import EVERYTHING, Handled, Observation, Rest, Violation
from edge.cli.simulate.command import play, weather_of
from edge.core.event import encode_core, encode_person
from tests.cloud_sync.contract.schemas import SCHEMAS, flaws

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Checker, Ground
    from edge.core.event import Event

FACTS = {
    branch["if"]["properties"]["k"]["const"]: branch["then"].get("properties", {})
    for branch in SCHEMAS["event_kinds.json"]["allOf"]
}
#: Days of simulated life; half a day of a seed takes some seconds.
DAYS = 0.15
SEEDS = (2, 5)


class FitsTheSchemas:
    """A checker: each event is of a kind and has facts that the contract names."""

    name = "events fit the contract"
    heeds = EVERYTHING

    def __init__(self) -> None:
        self.kinds: set[str] = set()
        self.handled = 0

    def see(self, seen: Observation) -> None:
        if isinstance(seen, Handled):
            for event in seen.events:
                self._judge(event)

    def end(self, rest: Rest) -> None:
        assert rest.journal

    def _judge(self, event: Event) -> None:
        self.handled += 1
        self.kinds.add(event.kind)
        core = json.loads(encode_core(event))
        pii = json.loads(encode_person(event.person))
        item = {"seq": max(event.seq, 1), "core": core, "salt": "00" * 16, "pii": pii}
        unnamed = {fact for fact, _ in event.facts} - FACTS[event.kind].keys()
        if unnamed:
            raise Violation(self.name, f"{event.kind}: no such fact: {unnamed}")
        if said := flaws("event_item.json", item):
            raise Violation(self.name, f"{event.kind}: {said}")


@pytest.mark.parametrize("seed", SEEDS)
def test_every_event_of_a_simulated_day_fits(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    checker = FitsTheSchemas()

    def only_ours(ground: Ground) -> list[Checker]:
        assert ground.holders
        return [checker]

    monkeypatch.setattr(command, "all_checkers", only_ours)
    outcome = play(seed, DAYS, weather_of(seed))
    assert outcome.violation is None, f"{outcome.violation} {outcome.traceback}"
    assert checker.handled > 100
    assert len(checker.kinds) > 20
