# SPDX-License-Identifier: Apache-2.0
"""Outputs that do not come to rest, and boards that fall silent."""

from __future__ import annotations

import pytest

from edge.core.doors.relay import RETRIES, Relay, expire, told
from tests.core.doors.bench import RELEASE_S, Bench, plan, site

STUCK = ["DOOR_RELAY_STUCK", "relock front"]


def _stuck() -> Bench:
    """Return a bench whose relay has stayed on after a grant's pulse."""
    bench = Bench(site(plan()))
    bench.grant()
    bench.output(is_on=True)
    assert bench.wait(RELEASE_S + 0.999) == []
    assert bench.wait(0.001) == ["ACCESS_NOT_TAKEN", *STUCK]
    return bench


def test_a_relay_that_rests_after_its_pulse_is_not_spoken_of() -> None:
    bench = Bench(site(plan()))
    bench.grant()
    bench.output(is_on=True)
    bench.wait(RELEASE_S + 0.9)
    assert bench.output(is_on=False) == []
    assert bench.wait(60) == ["ACCESS_NOT_TAKEN"]


def test_a_stuck_relay_is_told_once_and_put_to_rest_three_times() -> None:
    bench = _stuck()
    for _ in range(RETRIES - 1):
        assert bench.wait(0.999) == []
        assert bench.wait(0.001) == ["relock front"]
    assert bench.wait(3600) == []
    assert bench.output(is_on=True) == [], "the same level again"
    assert bench.wait(3600) == []


@pytest.mark.parametrize("seconds", [0.0, 1.0, 2.0, 600.0])
def test_a_relay_that_gives_way_is_told_as_freed_once(seconds: float) -> None:
    bench = _stuck()
    bench.wait(seconds)
    assert bench.output(is_on=False) == ["DOOR_RELAY_FREED"]
    assert bench.output(is_on=False) == []
    assert bench.wait(3600) == []


def test_it_may_stick_again() -> None:
    bench = _stuck()
    bench.output(is_on=False)
    bench.press()
    bench.output(is_on=True)
    assert STUCK[0] in bench.wait(RELEASE_S + 1.0)


def test_a_relay_stuck_after_the_leaf_closed_is_due_from_its_relock() -> None:
    bench = Bench(site(plan()))
    bench.grant()
    bench.output(is_on=True)
    bench.swing(is_open=True)
    assert bench.swing(is_open=False) == ["DOOR_CLOSED", "relock front"]
    assert bench.wait(0.999) == []
    assert bench.wait(0.001) == STUCK


def test_a_stuck_relay_is_not_relocked_onto_an_open_leaf() -> None:
    bench = Bench(site(plan(warn_before_s=0.0)))
    bench.grant()
    bench.output(is_on=True)
    bench.swing(is_open=True)
    assert bench.wait(RELEASE_S + 10) == ["DOOR_RELAY_STUCK"]
    assert bench.swing(is_open=False) == ["DOOR_CLOSED", "relock front"]
    assert bench.wait(60) == ["relock front"] * RETRIES


def test_a_stuck_relay_never_shuts_out_who_is_let_through() -> None:
    bench = _stuck()
    bench.press()
    assert bench.wait(RELEASE_S + 0.9) == []
    assert bench.wait(5) == ["relock front"] * (RETRIES - 1)


@pytest.mark.parametrize("mode", ["UNLOCKED", "LOCKED_OPEN"])
def test_a_free_door_may_stay_energised(mode: str) -> None:
    bench = Bench(site(plan()))
    bench.order(mode)
    bench.output(is_on=True)
    assert not [told for told in bench.wait(3600) if "RELAY" in told]


def test_a_door_locked_again_gives_its_relay_a_second() -> None:
    bench = Bench(site(plan()))
    bench.order("LOCKED_OPEN")
    bench.output(is_on=True)
    bench.wait(600)
    bench.order("LOCKED")
    assert bench.wait(0.999) == []
    assert bench.wait(0.001) == STUCK


def test_an_output_that_nobody_ordered_is_told() -> None:
    bench = Bench(site(plan()))
    bench.output(is_on=True)
    assert bench.wait(0.999) == []
    assert bench.wait(0.001) == STUCK


def test_a_silent_board_accuses_no_relay() -> None:
    bench = Bench(site(plan()))
    bench.grant()
    bench.output(is_on=True)
    bench.doors.board_changed(["front"], bench.now, is_online=False)
    assert bench.wait(60) == ["ACCESS_NOT_TAKEN"]


def test_what_is_stuck_survives_a_power_cut_and_is_freed_by_the_boards_word() -> None:
    bench = _stuck()
    for dump in (None, bench.dump()):
        revived = bench.replayed(dump, len(bench.journal) if dump else 0)
        assert revived.dump()["stuck_relays"] == ["front"]
    bench.cut_power()
    assert bench.output(is_on=False) == ["DOOR_RELAY_FREED"]
    assert bench.replayed(None, 0).dump()["stuck_relays"] == []


def test_a_strike_is_sound_while_its_board_answers() -> None:
    bench = Bench(site(plan(), plan("back")))
    assert bench.doors.strike_is_sound("front")
    bench.doors.board_changed(["front"], bench.now, is_online=False)
    assert not bench.doors.strike_is_sound("front")
    assert bench.doors.strike_is_sound("back")
    bench.doors.board_changed(["front"], bench.now, is_online=True)
    assert bench.doors.strike_is_sound("front")
    assert bench.take() == ["relock front"]


def test_a_board_may_name_doors_that_are_not_there() -> None:
    bench = Bench(site(plan()))
    bench.doors.board_changed(["attic"], bench.now, is_online=False)
    bench.doors.board_changed(["attic"], bench.now, is_online=True)
    assert bench.take() == []


def test_the_level_of_a_relay_at_rest_changes_nothing() -> None:
    relay = Relay(rest_from_s=5.0)
    assert told(relay, 6.0, is_on=False) == (relay, ())
    assert expire(relay, 1e9, may_relock=True) == (relay, ())


def test_a_look_that_comes_too_late_waits_a_second_for_the_boards_word() -> None:
    bench = Bench(site(plan()))
    bench.grant()
    bench.output(is_on=True)
    bench.pass_time(60)
    assert bench.tick() == ["ACCESS_NOT_TAKEN"]
    assert bench.wait(0.999) == []
    assert bench.wait(0.001) == STUCK, "it had its second"


def test_a_pulse_that_began_late_has_its_second_from_the_boards_word() -> None:
    bench = Bench(site(plan()))
    bench.grant()
    bench.wait(RELEASE_S + 0.5)
    bench.output(is_on=True)
    assert bench.wait(0.999) == ["ACCESS_NOT_TAKEN"]
    assert bench.wait(0.001) == STUCK
