# SPDX-License-Identifier: Apache-2.0
"""Modes that an emergency imposes, the own mode beneath, and interlocked doors."""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING

import pytest

from edge.core.doors.door import DoorMode, DoorPhase
from edge.core.doors.doorkeeper import Doorkeeper
from edge.core.event import EventKind
from edge.core.outcome import OutcomeBuilder
from tests.core.doors.bench import HELD_S, RELEASE_S, Bench, Told, plan, site

if TYPE_CHECKING:
    from collections.abc import Callable

MODES = tuple(mode.value for mode in DoorMode)
FREE = ("UNLOCKED", "LOCKED_OPEN")
OPENINGS = {"UNLOCKED": [], "LOCKED_OPEN": ["hold front"]}


def _enters(mode: str) -> Told:
    """Return what a mode asks of a door at rest."""
    return OPENINGS.get(mode, ["relock front"])


def _in_phase(bench: Bench, phase: DoorPhase) -> None:
    """Bring the front door of a locked bench into a phase."""
    match phase:
        case DoorPhase.RELEASED:
            bench.grant()
        case DoorPhase.OPEN:
            bench.grant()
            bench.swing(is_open=True)
        case DoorPhase.OPEN_RELEASED:
            bench.grant()
            bench.swing(is_open=True)
            bench.grant()
        case DoorPhase.OPEN_TOO_LONG:
            bench.grant()
            bench.swing(is_open=True)
            bench.wait(HELD_S)
        case DoorPhase.FORCED:
            bench.swing(is_open=True)
        case DoorPhase.SECURE:
            pass
    assert bench.phase() == phase.value


@pytest.mark.parametrize(("own", "phase"), tuple(product(MODES, DoorPhase)))
def test_a_fire_holds_a_door_open_from_every_mode_and_phase(
    own: str, phase: DoorPhase
) -> None:
    bench = Bench(site(plan()))
    _in_phase(bench, phase)
    bench.order(own)
    told = bench.begin("DRILL")
    assert told[0] == "EMERGENCY_STARTED"
    assert told[-1] == "hold front"
    assert bench.mode() == "LOCKED_OPEN"
    assert bench.is_free()
    assert not [kind for kind in bench.wait(3600) if "DOOR_" in kind]


@pytest.mark.parametrize(("own", "ordered"), tuple(product(MODES, MODES)))
def test_an_imposed_mode_stands_over_every_order_and_gives_back_the_last(
    own: str, ordered: str
) -> None:
    bench = Bench(site(plan()))
    bench.order(own)
    assert bench.begin("LOCK_DOWN") == ["EMERGENCY_STARTED", "relock front"]
    assert bench.order(ordered) == ["DOOR_MODE_CHANGED"]
    assert bench.journal[-1].fact("under") == "LOCKED_DOWN"
    assert bench.mode() == "LOCKED_DOWN"
    assert bench.wait(60) == []
    assert bench.end("LOCK_DOWN") == ["EMERGENCY_ENDED", *_enters(ordered)]
    assert bench.mode() == ordered


@pytest.mark.parametrize("own", MODES)
def test_a_fire_over_a_lock_down_gives_back_the_lock_down_and_then_the_own_mode(
    own: str,
) -> None:
    bench = Bench(site(plan()))
    bench.order(own)
    bench.begin("LOCK_DOWN")
    assert bench.begin("DRILL")[-1] == "hold front"
    assert bench.end("DRILL") == ["EMERGENCY_ENDED", "relock front"]
    assert bench.mode() == "LOCKED_DOWN"
    assert bench.end("LOCK_DOWN") == ["EMERGENCY_ENDED", *_enters(own)]
    assert bench.mode() == own


def test_a_lock_down_ends_a_grant_but_never_a_way_out() -> None:
    bench = Bench(site(plan()))
    bench.grant()
    assert bench.begin("LOCK_DOWN") == [
        "EMERGENCY_STARTED",
        "ACCESS_NOT_TAKEN",
        "relock front",
    ]
    assert bench.press() == ["REQUEST_TO_EXIT", f"release front {RELEASE_S:g}"]
    assert bench.swing(is_open=True) == ["DOOR_OPENED"]


def test_a_lock_down_waits_for_the_leaf_to_close() -> None:
    bench = Bench(site(plan(warn_before_s=0.0)))
    bench.order("LOCKED_OPEN")
    bench.swing(is_open=True)
    assert bench.begin("LOCK_DOWN") == ["EMERGENCY_STARTED"]
    assert bench.wait(HELD_S) == ["DOOR_OPEN_TOO_LONG"]
    assert bench.swing(is_open=False) == ["DOOR_CLOSED", "relock front"]


def test_imposing_twice_is_once_and_unknown_doors_are_nobodys() -> None:
    bench = Bench(site(plan()))
    bench.doors.impose(["front", "attic"], DoorMode.LOCKED_DOWN)
    changes = bench.doors.mode_changes("front")
    bench.doors.settle(bench.now)
    assert bench.take() == ["relock front"]
    bench.doors.impose(["front"], DoorMode.LOCKED_DOWN)
    bench.doors.settle(bench.now)
    assert bench.take() == []
    assert bench.doors.mode_changes("front") == changes
    bench.doors.lift(["attic"])
    assert bench.mode() == "LOCKED_DOWN"


def test_what_was_imposed_reaches_the_strike_even_if_nobody_settles() -> None:
    bench = Bench(site(plan()))
    bench.doors.impose(["front"], DoorMode.LOCKED_OPEN)
    assert bench.doors.deadline() == 0.0
    assert bench.tick() == ["hold front"]
    assert bench.doors.deadline() is None


def test_a_start_drives_what_was_imposed_once() -> None:
    bench = Bench(site(plan()))
    bench.doors.impose(["front"], DoorMode.LOCKED_OPEN)
    bench.doors.reassert(["front"])
    assert bench.take() == ["hold front"]
    assert bench.tick() == []


def test_a_mode_set_or_imposed_counts_as_a_change() -> None:
    bench = Bench(site(plan()))
    counts = [bench.doors.mode_changes("front")]
    changes: tuple[Callable[[], Told], ...] = (
        lambda: bench.order("LOCKED"),
        lambda: bench.begin("DRILL"),
        lambda: bench.end("DRILL"),
    )
    for change in changes:
        change()
        counts.append(bench.doors.mode_changes("front"))
    assert counts == sorted(set(counts))


@pytest.mark.parametrize("own", MODES)
def test_own_and_imposed_modes_survive_a_power_cut_at_any_event(own: str) -> None:
    bench = Bench(site(plan(), plan("back")))
    dumps = [bench.dump()]
    steps: tuple[Callable[[], Told], ...] = (
        lambda: bench.order(own),
        lambda: bench.begin("LOCK_DOWN"),
        lambda: bench.order("BLOCKED", "back"),
        lambda: bench.begin("DRILL"),
        lambda: bench.end("DRILL"),
        lambda: bench.order(own, "back"),
        lambda: bench.end("LOCK_DOWN"),
    )
    for step in steps:
        step()
        dumps.append(bench.dump())
        for after, dump in enumerate(dumps):
            revived = bench.replayed(dump, after)
            assert revived.dump() == bench.doors.dump(), (own, after)
            assert revived.mode("front") == bench.doors.mode("front")


def test_an_old_snapshot_gives_its_escape_door_the_mode_from_before_the_fire() -> None:
    old = {
        "modes": {"front": "LOCKED_OPEN", "attic": "BLOCKED"},
        "fire": 0,
        "before_fire": {"front": "BLOCKED"},
    }
    plans = site(plan())
    doors = Doorkeeper(plans, OutcomeBuilder(1, lambda _event: None))
    doors.load(old)
    assert doors.mode("front") is DoorMode.BLOCKED
    doors.load({})
    assert json.loads(json.dumps(doors.dump()))["modes"] == {"front": "BLOCKED"}


# Interlock


def _air_lock() -> Bench:
    """Return three doors: the middle one names both, nobody names it."""
    both = frozenset({"front", "back", "attic"})
    return Bench(site(plan(), plan("middle", interlocked_with=both), plan("back")))


def test_a_partner_that_is_released_or_open_blocks_both_ways() -> None:
    bench = _air_lock()
    doors = bench.doors
    assert [doors.interlocked_by(d) for d in ("front", "middle", "back")] == [""] * 3
    bench.grant("front")
    assert [doors.interlocked_by(d) for d in ("middle", "back")] == ["front", ""]
    bench.swing("front", is_open=True)
    assert doors.interlocked_by("middle") == "front"
    bench.swing("front", is_open=False)
    assert doors.interlocked_by("middle") == ""
    bench.press("middle")
    assert [doors.interlocked_by(d) for d in ("front", "back")] == ["middle"] * 2


@pytest.mark.parametrize("mode", FREE)
def test_a_partner_that_is_free_to_open_blocks(mode: str) -> None:
    bench = _air_lock()
    bench.order(mode, "back")
    assert bench.doors.interlocked_by("middle") == "back"
    assert bench.doors.interlocked_by("front") == ""


def test_an_interlock_is_void_for_the_way_out_but_not_in_a_drill() -> None:
    bench = _air_lock()
    bench.swing("front", is_open=True)
    assert bench.press("middle")[1] == f"release middle {RELEASE_S:g}"
    bench.begin("DRILL")
    assert bench.doors.interlocked_by("middle") == "back", "held open by the drill"
    assert bench.open_by_hand("middle") == "back is released or open"
    bench.end("DRILL")
    assert bench.doors.interlocked_by("middle") == "front"


def test_the_panel_is_told_which_partner_stands_open() -> None:
    bench = _air_lock()
    bench.swing("back", is_open=True)
    bench.take()
    assert bench.open_by_hand("middle") == "back is released or open"
    assert bench.take() == []
    assert bench.open_by_hand("front") == ""
    assert bench.take() == ["MANUAL_ENTRY", f"release front {RELEASE_S:g}"]


def test_a_manual_entry_tells_its_count_its_cash_and_whose_booking() -> None:
    bench = Bench(site(plan()))
    bench.open_by_hand(count=3, cash_fen=500, booking="b1")
    bench.take()
    entry = bench.journal[-1]
    assert entry.kind is EventKind.MANUAL_ENTRY
    assert (entry.fact("count"), entry.fact("cash_fen")) == (3, 500)
    assert entry.person.booking == "b1"
    assert "b1" not in str(entry.facts)


@pytest.mark.parametrize("mode", FREE)
def test_a_free_door_opened_by_hand_moves_no_strike(mode: str) -> None:
    bench = Bench(site(plan()))
    bench.order(mode)
    bench.tick()
    bench.open_by_hand()
    assert bench.take() == ["MANUAL_ENTRY"]
    assert bench.journal[-1].fact("free") == 1
