# SPDX-License-Identifier: Apache-2.0
"""``menshen bench sync``: its parts in turn, and which of its bars were met.

The law of the module: a part runs alone or with the others and ends by itself; short
is the form for every commit, full the one whose figures are printed in the documents.
A bar that was missed is told and decides nothing else: the machine may be busy.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edge.cli.bench.bars import at_least, at_most
from edge.cli.bench.sync.back import BackOptions, run_back
from edge.cli.bench.sync.chaos import ChaosOptions, run_chaos
from edge.cli.bench.sync.draining import DrainOptions, run_draining
from edge.cli.bench.sync.idle import IdleOptions, run_idle
from edge.cli.bench.sync.stage import STORES
from edge.cli.bench.sync.week import WeekOptions, run_week

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edge.cli.bench.bars import Bar

#: Those that are killed while events happen.
KILLED = ("mosquitto", "nats-x3", "rabbitmq")
PARTS = ("chaos", "week", "drain", "back", "idle")
SHORT_CHAOS = ChaosOptions(events=1_000, gateway_kills=5, broker_kills=5, faults=3)
#: Events a second to the platform's commit, by its database.
DRAINS = {"sqlite": 50_000, "postgresql": 15_000}
SHORT_WEEK = WeekOptions(events=20_000, bookings=500, offline_s=3.0, rounds=1)


def chaos(brokers: Sequence[str], *, is_short: bool, seed: int) -> list[dict[str, Any]]:
    """Kill gateway and broker again and again."""
    form = SHORT_CHAOS if is_short else ChaosOptions()
    return [run_chaos(replace(form, broker=each, seed=seed)) for each in brokers]


def week(*, is_short: bool) -> dict[str, Any]:
    """Let seven days of events and bookings wait, then go home."""
    return run_week(SHORT_WEEK if is_short else WeekOptions())


def drain(*, is_short: bool) -> list[dict[str, Any]]:
    """Drain a backlog into both databases."""
    size = DrainOptions(events=10_000, rounds=1) if is_short else DrainOptions()
    return [run_draining(replace(size, store=store)) for store in STORES]


def bars_of(figures: Mapping[str, Any]) -> dict[str, Bar]:
    """Return the bars of the parts that ran, by name."""
    bars = {}
    for one in figures.get("chaos", ()):
        spoilt = one["lost"] + one["doubled"] + (not one["same_as_journal"])
        bars[f"chaos_{one['broker']}"] = at_most(0, spoilt)
    if week := figures.get("week"):
        bars["week_drained_s"] = at_most(15.0, max(week["drained_s"]))
        bars["week_out_of_order"] = at_most(0, int(not week["is_in_order"]))
    for one in figures.get("drain", ()):
        goal, got = DRAINS[one["store"]], one["events_per_s"]
        bars[f"drain_{one['store']}_per_s"] = at_least(goal, got)
    if back := figures.get("back"):
        bars["back_first_event_s"] = at_most(0.6, back["first_event_s"])
    if idle := figures.get("idle"):
        bars["idle_bytes_per_s"] = at_most(100, idle["bytes_per_s"])
    return bars


def run_sync(
    parts: Sequence[str], brokers: Sequence[str], *, is_short: bool, seed: int
) -> dict[str, Any]:
    """Run the parts and return their figures."""
    works: dict[str, Callable[[], Any]] = {
        "chaos": lambda: chaos(brokers, is_short=is_short, seed=seed),
        "week": lambda: week(is_short=is_short),
        "drain": lambda: drain(is_short=is_short),
        "back": lambda: run_back(BackOptions(times=1) if is_short else BackOptions()),
        "idle": lambda: run_idle(IdleOptions(for_s=10.0 if is_short else 120.0)),
    }
    load = os.getloadavg()[0]
    figures = {part: works[part]() for part in PARTS if part in parts}
    machine = {"cores": os.cpu_count(), "load_before": round(load, 1)}
    form = "short" if is_short else "full"
    return {"form": form, **machine, **figures, "bars": bars_of(figures)}
