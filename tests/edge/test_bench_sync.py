# SPDX-License-Identifier: Apache-2.0
"""``menshen bench sync``: its short form on every commit, its full one in a soak."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from edge.cli.bench.bars import missed
from edge.cli.bench.brokers.kinds import KINDS
from edge.cli.bench.brokers.process import (
    BrokerError,
    BrokerProcess,
    free_port,
    program,
)
from edge.cli.bench.sync.back import BackOptions, run_back
from edge.cli.bench.sync.chaos import ChaosOptions, run_chaos, verdict
from edge.cli.bench.sync.command import (
    KILLED,
    SHORT_CHAOS,
    SHORT_WEEK,
    bars_of,
    run_sync,
)
from edge.cli.bench.sync.draining import DrainOptions, run_draining
from edge.cli.bench.sync.idle import IdleOptions, run_idle
from edge.cli.bench.sync.week import run_week
from edge.cli.bench.verbs import app

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.alone
SEED = 20261122


def each_killed() -> list[Any]:
    return [
        pytest.param(name, marks=pytest.mark.needs(KINDS[name].package))
        for name in KILLED
    ]


def assert_exact(figures: dict[str, Any]) -> None:
    """The platform holds 1 to N, once each, with the journal's own hashes."""
    assert (figures["lost"], figures["doubled"], figures["alarms"]) == (0, 0, 0), (
        figures
    )
    assert figures["stored"] == figures["events"], figures
    assert figures["same_as_journal"], figures
    assert figures["is_good"], figures


@pytest.mark.timeout(300)
@pytest.mark.parametrize("broker", each_killed())
def test_five_kills_of_each_and_a_bad_link_lose_and_double_nothing(broker: str) -> None:
    figures = run_chaos(replace(SHORT_CHAOS, broker=broker, seed=SEED))
    assert (figures["gateway_kills"], figures["broker_kills"]) == (5, 5)
    assert_exact(figures)


@pytest.mark.timeout(120)
@pytest.mark.needs("mosquitto")
def test_a_week_goes_home_in_order_while_doors_open() -> None:
    figures = run_week(SHORT_WEEK)
    assert figures["is_in_order"], figures
    assert figures["lost_scans"] == 0, figures
    assert figures["scans_draining"] > 0


@pytest.mark.timeout(120)
@pytest.mark.needs("mosquitto", "postgresql")
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_a_backlog_is_drained_and_told_beside_its_floor(store: str) -> None:
    figures = run_draining(DrainOptions(events=5_000, store=store, rounds=1))
    # What these are is the machine's matter; that they are there is ours.
    assert figures["events_per_s"] > 0
    assert figures["floor_events_per_s"] > 0


@pytest.mark.timeout(60)
@pytest.mark.needs("mosquitto")
def test_a_broker_that_is_back_gets_an_event_soon() -> None:
    figures = run_back(BackOptions(times=1))
    assert 0 < figures["first_event_s"] <= figures["worst_s"] < 20


@pytest.mark.timeout(60)
@pytest.mark.needs("mosquitto")
def test_who_has_nothing_to_say_says_little() -> None:
    figures = run_idle(IdleOptions(for_s=5.0))
    assert figures["bytes_per_s"] <= 100


@pytest.mark.soak
@pytest.mark.timeout(7_200)
@pytest.mark.needs("mosquitto", "nats-server", "rabbitmq-server", "postgresql")
def test_the_full_form() -> None:
    figures = run_sync(
        ("chaos", "week", "drain", "back", "idle"), KILLED, is_short=False, seed=SEED
    )
    for each in figures["chaos"]:
        assert (each["events"], each["gateway_kills"]) == (10_000, 50)
        assert each["broker_kills"] == 50
        assert_exact(each)
    assert figures["week"]["is_in_order"]
    assert figures["week"]["lost_scans"] == 0
    assert figures["idle"]["bytes_per_s"] <= 100
    # Seconds are the machine's; those that it misses are printed for the documents.
    print("bars missed:", missed(figures["bars"]))


def test_a_bar_is_told_with_what_was_reached() -> None:
    good = {"broker": "mosquitto", "lost": 0, "doubled": 0, "same_as_journal": True}
    drains = [
        {"store": "sqlite", "events_per_s": 49_999},
        {"store": "postgresql", "events_per_s": 15_000},
    ]
    figures = {
        "chaos": [good, good | {"broker": "nats-x3", "doubled": 1}],
        "week": {"drained_s": [9.0, 15.1, 11.0], "is_in_order": True},
        "drain": drains,
        "back": {"first_event_s": 0.6},
        "idle": {"bytes_per_s": 100.1},
    }
    bars = bars_of(figures)
    assert bars["week_drained_s"] == {"at_most": 15.0, "got": 15.1, "is_met": False}
    assert missed(bars) == [
        "chaos_nats-x3",
        "week_drained_s",
        "drain_sqlite_per_s",
        "idle_bytes_per_s",
    ]
    assert bars_of({}) == {}


def test_a_verdict_is_against_whatever_differs() -> None:
    options = ChaosOptions(events=3)
    rows = [(seq, bytes([seq])) for seq in (1, 2, 3)]
    assert verdict(options, rows, rows)["is_good"]
    for held in (rows[:2], [*rows, rows[0]], [*rows[:2], (3, b"x")]):
        assert not verdict(options, held, rows)["is_good"]


def test_a_broker_that_is_not_installed_is_named_with_its_package() -> None:
    with pytest.raises(BrokerError, match="apt-get install no-such-package"):
        program("no-such-broker", "no-such-package")


def test_a_broker_that_does_not_come_up_says_what_it_said(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no such option')"]
    broker = BrokerProcess(command, free_port(), tmp_path / "log")
    with pytest.raises(BrokerError, match="no such option"):
        broker.start()
    assert not broker.is_running


def test_parts_and_brokers_that_are_not_there_are_told() -> None:
    for option in ("--part", "--broker"):
        answer = CliRunner().invoke(app, ["sync", option, "nothing-of-the-kind"])
        assert answer.exit_code == 2
        assert "mosquitto" in answer.output or "chaos" in answer.output
