# SPDX-License-Identifier: Apache-2.0
"""The self-test: once a night, moving nothing, and right about what it finds."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from drivers.device import OutputChanged, Reachable, SetOutput, Unreachable
from edge.cli.device_lines import open_lines
from edge.cli.self_test import (
    ANSWER_WITHIN_S,
    AT_REST_WITHIN_S,
    HOUR_MS,
    LOOK_EVERY_S,
    is_due,
)
from edge.core.doors.door import DoorMode
from edge.core.event import EventKind
from edge.core.order import ModeOrdered
from edge.core.stimulus import ExitButtonChanged, FireInputChanged
from firmware_sim.pty_host import PtyHost
from firmware_sim.site import Site
from firmware_sim.world import World
from tests.edge.self_test_bench import DAY_S, OFFSET_MS, Bench, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.edge.stage import HandClock


@pytest.fixture
async def bench(clock: HandClock, tmp_path: Path) -> Bench:
    """Both devices answer; the hand clock says three at night, local time."""
    made = Bench(tmp_path, answer_within_s=ANSWER_WITHIN_S)
    made.utc_ms -= int(clock.now_s * 1000)
    made.say("ports/scanner", Reachable(unit=0, detail=""))
    made.say("ports/board", Reachable(unit=1, detail=""))
    return made


async def order(bench: Bench, clock: HandClock, *channels: int) -> None:
    """Order a self-test and let it end; the board tells so many inputs anew."""
    assert bench.self_test.order({}) == {"devices": 2}
    await clock.go(1.0, 0.25)
    bench.tell_levels(*channels)
    await clock.go(ANSWER_WITHIN_S + 5.0, 0.25)


async def test_it_runs_by_itself_once_a_night(clock: HandClock, bench: Bench) -> None:
    bench.utc_ms -= 2 * HOUR_MS
    bench.self_test._last_s -= 3 * 3_600
    async with running(bench):
        await clock.go(2.4 * 3_600, 60.0)
        assert bench.flushed == []
        await clock.go(0.2 * 3_600, 60.0)
        assert sorted(bench.flushed) == ["ports/board", "ports/scanner"]
        bench.tell_levels(1, 8)
        await clock.go(20 * 3_600, 60.0)
    assert len(bench.flushed) == 2
    assert [(n.kind, n.subject) for n in bench.notes] == [
        (EventKind.SELF_TEST, "board"),
        (EventKind.SELF_TEST, "scanner"),
    ]
    assert all(("asked", "nightly") in note.facts for note in bench.notes)


async def test_all_is_well(clock: HandClock, bench: Bench) -> None:
    async with running(bench):
        await order(bench, clock, 1, 8)
        assert bench.results() == {"scanner": "", "board": ""}
        assert bench.notes[0].facts == (("asked", "by_hand"), ("passed", 1))
        await order(bench, clock, 1, 8)
    assert len(bench.notes) == 4


async def test_an_input_that_is_not_told_anew_is_found(
    clock: HandClock, bench: Bench
) -> None:
    async with running(bench):
        await order(bench, clock, 1, 8)
        bench.notes.clear()
        await order(bench, clock, 1)
    why = "input 8 was not told when it was asked for"
    assert bench.results() == {"scanner": "", "board": why}
    assert bench.notes[0].facts == (
        ("asked", "by_hand"),
        ("passed", 0),
        ("why", why),
    )


async def test_an_output_that_nobody_wants_on_is_found(
    clock: HandClock, bench: Bench
) -> None:
    bench.say("ports/board", OutputChanged(unit=1, channel=1, is_on=True))
    async with running(bench):
        await order(bench, clock, 1, 8)
    assert bench.results()["board"] == "output 1 is on and should be off"


async def test_an_output_that_comes_right_while_it_looks_is_well(
    clock: HandClock, bench: Bench
) -> None:
    bench.say("ports/board", OutputChanged(unit=1, channel=1, is_on=True))
    async with running(bench):
        bench.self_test.order({})
        await clock.go(1.0, 0.25)
        bench.tell_levels(1, 8)
        await clock.go(ANSWER_WITHIN_S, 0.25)
        bench.say("ports/board", OutputChanged(unit=1, channel=1, is_on=False))
        await clock.go(5.0, 0.25)
    assert bench.results()["board"] == ""


async def test_a_door_that_is_held_open_wants_its_output_on(
    clock: HandClock, bench: Bench
) -> None:
    held = ModeOrdered(
        door="front", mode=DoorMode.LOCKED_OPEN, actor="test", reason="test"
    )
    bench.controller.handle(held, bench.now())
    async with running(bench):
        await order(bench, clock, 1, 8)
        assert bench.results()["board"] == "output 1 is off and should be on"
        bench.say("ports/board", OutputChanged(unit=1, channel=1, is_on=True))
        await order(bench, clock, 1, 8)
    assert bench.results()["board"] == ""


async def test_a_door_without_a_lock_may_have_its_output_either_way(
    clock: HandClock, bench: Bench
) -> None:
    free = ModeOrdered(
        door="front", mode=DoorMode.UNLOCKED, actor="test", reason="test"
    )
    bench.controller.handle(free, bench.now())
    async with running(bench):
        for is_on in (True, False):
            signal = OutputChanged(unit=1, channel=1, is_on=is_on)
            bench.say("ports/board", signal)
            await order(bench, clock, 1, 8)
            assert bench.results()["board"] == ""


async def test_a_silent_device_fails_with_its_own_reason(
    clock: HandClock, bench: Bench
) -> None:
    bench.say("ports/scanner", Unreachable(unit=0, why="no answer"))
    async with running(bench):
        await order(bench, clock, 1, 8)
    assert bench.results() == {"scanner": "no answer", "board": ""}


def let_out(bench: Bench) -> None:
    """Press the exit button: the strike is released."""
    for is_pressed in (True, False):
        press = ExitButtonChanged(door="front", is_pressed=is_pressed)
        bench.controller.handle(press, bench.now())


async def test_a_port_is_left_alone_until_its_door_is_at_rest(
    clock: HandClock, bench: Bench
) -> None:
    let_out(bench)
    async with running(bench):
        bench.self_test.order({})
        await clock.go(3.0, 0.25)
        assert bench.flushed == ["ports/scanner"]
        await clock.go(4.0, 0.25)
        bench.controller.tick(bench.now())
        await clock.go(2.0, 0.25)
        assert bench.flushed == ["ports/scanner", "ports/board"]


async def test_a_door_that_is_never_at_rest_is_not_judged(
    clock: HandClock, bench: Bench
) -> None:
    async with running(bench):
        let_out(bench)
        bench.self_test.order({})
        await clock.go(AT_REST_WITHIN_S + ANSWER_WITHIN_S + 5.0, 0.5)
    assert bench.flushed == ["ports/scanner"]
    assert bench.results() == {"scanner": "", "board": None}


async def test_one_at_a_time(clock: HandClock, bench: Bench) -> None:
    async with running(bench):
        bench.self_test.order({})
        await clock.go(1.0, 0.25)
        with pytest.raises(ValueError, match="runs already"):
            bench.self_test.order({})


async def test_an_order_during_the_nightly_one_is_refused(
    clock: HandClock, bench: Bench
) -> None:
    async with running(bench):
        await clock.go(1_800.0 + 2 * LOOK_EVERY_S, 10.0)
        assert bench.flushed == []  # begun half an hour before: it was this night's
        bench.self_test._last_s -= 3_600
        while not bench.flushed:
            await clock.go(1.0, 0.25)
        with pytest.raises(ValueError, match="runs already"):
            bench.self_test.order({})


async def test_nothing_is_asked_during_a_fire_release(
    clock: HandClock, bench: Bench
) -> None:
    bench.controller.handle(FireInputChanged(is_active=True), bench.now())
    with pytest.raises(ValueError, match="fire"):
        bench.self_test.order({})
    bench.self_test._last_s -= 2 * DAY_S
    assert is_due(bench.now(), bench.self_test._last_s, OFFSET_MS)
    async with running(bench):
        await clock.go(2 * LOOK_EVERY_S, 1.0)
    assert bench.flushed == []
    assert bench.notes == []


SIMULATED: dict[str, Any] = {
    "ports": {
        "scanner": {"kind": "qr_scanner"},
        "board": {"kind": "relay_bus", "boards": {"board": {"address": 1}}},
    }
}


async def test_real_links_and_drivers_are_asked_without_moving_anything(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path, answer_within_s=1.5)
    async with PtyHost(World(Site.from_mapping(SIMULATED)), tmp_path / "ports") as host:
        seen: list[str] = []
        bench.links = open_lines(
            bench.settings,
            tmp_path,
            on_signals=bench.supervision.signals,
            on_state=bench.supervision.line,
            now=time.monotonic,
        )
        work = [asyncio.create_task(link.run()) for link in bench.links.values()]
        try:
            async with running(bench), asyncio.timeout(30):
                await _until(lambda: len(bench.bindings.online) == 2)
                host.watch(lambda news: seen.extend(one.what.value for one in news))
                bench.self_test.order({})
                await _until(lambda: None not in bench.results().values())
                assert bench.results() == {"scanner": "", "board": ""}
                assert seen == []
                # A relay that somebody switched on behind the rules' back.
                on = SetOutput(unit=1, channel=1, is_on=True)
                bench.links["ports/board"].order(on)
                host.unplug("scanner")
                bench.notes.clear()
                await asyncio.sleep(0.2)
                bench.self_test.order({})
                await _until(lambda: len(bench.notes) == 2)
        finally:
            for task in work:
                task.cancel()
            await asyncio.wait(work)
    results = bench.results()
    assert results["board"] == "output 1 is on and should be off"
    assert "No such file or directory" in str(results["scanner"])


async def _until(is_so: Any) -> None:
    while not is_so():  # noqa: ASYNC110
        await asyncio.sleep(0.02)
