# SPDX-License-Identifier: Apache-2.0
"""What gateways really write fits the schemas: short simulated days of both sites."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from edge.cli.simulate import command
from edge.cli.simulate.checking import EVERYTHING, Handled, Observation, Rest, Violation
from edge.cli.simulate.command import play, weather_of
from edge.core.doors.door import DoorMode
from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind, encode_core, encode_person
from edge.core.order import EmergencyEndOrdered
from edge.core.remote.command import STATES, Action
from edge.core.stimulus import (
    CommandReceived,
    EraseOrdered,
    RowsErased,
    TracesGone,
)
from tests.cloud_sync.contract.schemas import SCHEMAS, flaws
from tests.core.remote.afar import DOOR, give, with_site
from tests.core.remote.afar import command as afar
from tests.core.scene import clock_ms

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Checker, Ground
    from edge.core.event import Event
    from tests.core.stage import Stage

FACTS = {
    branch["if"]["properties"]["k"]["const"]: branch["then"].get("properties", {})
    for branch in SCHEMAS["event_kinds.json"]["allOf"]
}
#: Days of simulated life; half a day of a seed takes some seconds.
DAYS = 0.15
SEEDS = (2, 5)
#: What is told of an erasing beside its command.
ERASING = (EventKind.ERASURE_ORDERED, EventKind.ERASED)


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
                self.judge(event)

    def end(self, rest: Rest) -> None:
        assert rest.journal

    def judge(self, event: Event) -> None:
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


def end_the_visit(stage: Stage) -> None:
    """End the shelter, in which nobody leaves by the clock, and let time pass."""
    over = EmergencyEndOrdered(
        state=EmergencyState.SHELTER, actor="chen", reason="over"
    )
    stage.do(over)
    stage.wait(3600.0)


def test_every_event_of_a_command_fits() -> None:
    stage, checker = with_site(allows_remote_shelter=True), FitsTheSchemas()
    stage.scan("wang")
    stage.walk_through(DOOR)
    stage.wait(30.0)
    wishes = [
        afar(1, Action.RESIDENT_OPEN, booking="b1"),
        afar(2, Action.LOCKER_OPEN, bank="hall", number=2),
        afar(3, Action.REVOKE_NOW, holder="holder-wang"),
        afar(4, Action.MESSAGE, text="台风，请关窗"),
        afar(5, Action.FEED_REFRESH),
        afar(6, Action.MODE, mode=DoorMode.BLOCKED, until_ms=clock_ms("15:30")),
        afar(7, Action.OPEN),
        afar(8, Action.SHELTER, witnesses=("op-chen", "op-luo"), wish="5f" * 16),
        afar(9, Action.ERASE, holder="holder-wang"),
        *(afar(10 + number, door="cellar") for number in range(40)),
    ]
    told = [word for wish in wishes for word in give(stage, wish)]
    assert {wish.action for wish in wishes} == {*Action}
    assert told.count("COMMAND_EXECUTED") == 7, told
    stage.swing(DOOR, is_open=True)
    here = {"actor": "shell:chen", "second": "shell:luo", "reason": "moved"}
    stage.do(EraseOrdered(name="a" * 32, holder="holder-li", **here))
    end_the_visit(stage)
    for name in ("a" * 32, f"{9:032x}"):
        stage.do(RowsErased(name=name, bookings=(), rows=3))
        stage.do(TracesGone(name=name))
    stage.do(CommandReceived(command=afar(99, Action.FEED_REFRESH)))
    stage.cut_power()
    for event in stage.journal:
        checker.judge(event)
    assert {*STATES, *ERASING} <= checker.kinds
    facts: dict[str, set[str]] = {event.kind: set() for event in stage.journal}
    for event in stage.journal:
        facts[event.kind] |= {fact for fact, _ in event.facts}
    for kind in (*STATES, *ERASING):
        assert FACTS[kind].keys() - {"what"} == facts[kind], kind
