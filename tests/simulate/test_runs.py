# SPDX-License-Identifier: Apache-2.0
"""Whole runs: clean under any weather, the same to the bit, and loud when wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.cli.exits import GOOD, TROUBLE, WRONG_USE
from edge.cli.simulate import command
from edge.cli.simulate.checking import EVERYTHING, Handled, Observation, Rest, Violation
from edge.cli.simulate.command import (
    SITES,
    Options,
    play,
    seeds_of,
    simulate,
    site_of,
    weather_of,
)
from edge.cli.simulate.trace import Trace
from edge.core.event import EventKind

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Checker, Ground

DAYS = 0.1
SEEDS = range(1, 13)
KEPT = Path(__file__).parent.parent / "seeds"


class NobodyEnters:
    """A checker that is wrong on purpose."""

    name = "nobody enters"
    heeds = EVERYTHING

    def see(self, seen: Observation) -> None:
        if isinstance(seen, Handled):
            for event in seen.events:
                if event.kind is EventKind.ACCESS_TAKEN:
                    raise Violation(self.name, event.subject)

    def end(self, rest: Rest) -> None:
        assert rest.journal


def only_nobody_enters(ground: Ground) -> list[Checker]:
    assert ground.holders
    return [NobodyEnters()]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stormy_morning_is_clean(seed: int) -> None:
    outcome = play(seed, DAYS, weather_of(seed))
    assert outcome.violation is None, f"{outcome.violation} {outcome.traceback}"
    assert outcome.tally["scans"] > 0


def test_seeds_take_the_sites_by_turns() -> None:
    assert {site_of(seed) for seed in SEEDS} == set(SITES)
    assert site_of(2) == "demo"
    assert site_of(3) == "quarter"


@pytest.mark.parametrize("name", SITES)
def test_two_runs_of_a_seed_are_the_same_to_the_byte(name: str) -> None:
    texts = []
    for _ in range(2):
        file = StringIO()
        trace = Trace(file)
        outcome = play(5, DAYS, weather_of(5), trace, site_name=name)
        assert outcome.trace_sha256 == trace.sha256()
        texts.append(file.getvalue())
    assert texts[0] == texts[1]
    assert len(texts[0].splitlines()) == trace.lines > 100


_PRINT_HASH = """
from edge.cli.simulate.command import play, weather_of
from edge.cli.simulate.trace import Trace
for seed in 6, 7:
    trace = Trace()
    outcome = play(seed, 0.05, weather_of(seed), trace)
    print(trace.sha256(), outcome.head)
"""


def test_the_order_of_sets_in_a_process_changes_nothing() -> None:
    told = [
        subprocess.run(
            [sys.executable, "-c", _PRINT_HASH],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert len(told[0]) > 2 * 64


def test_a_good_seed_is_told_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    options = Options(seeds="1..2", days=0.02, json=True)
    assert simulate(options) == GOOD
    told = json.loads(capsys.readouterr().out)
    assert told["violations"] == []
    assert told["days"] == pytest.approx(0.04)
    assert {"site_days_a_minute", "seconds", "scans", "events", "faults"} <= set(told)
    assert {"power_cuts", "restarts"} <= set(told)


def test_seeds_beside_each_other_are_the_same_as_one_by_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = []
    for jobs in (1, 2):
        options = Options(seeds="3..4", days=0.01, json=True, jobs=jobs)
        assert simulate(options) == GOOD
        told.append(json.loads(capsys.readouterr().out))
    for name in ("scans", "events", "commits", "faults", "kinds"):
        assert told[0][name] == told[1][name]
    assert [each["jobs"] for each in told] == [1, 2]


def test_a_bad_seed_is_told_with_its_options(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(command, "all_checkers", only_nobody_enters)
    trace = tmp_path / "trace"
    assert simulate(Options(seeds="1", days=0.1, trace=trace)) == TROUBLE
    said = capsys.readouterr().out
    assert "nobody enters" in said
    assert weather_of(1).told() in said
    assert "--seeds 1 --site quarter" in said
    assert "ACCESS_TAKEN" in trace.read_text(encoding="utf-8")


def test_a_fault_of_the_product_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr("edge.bindings.bindings.Bindings.translate", fail)
    outcome = play(1, 0.01, weather_of(1))
    assert outcome.violation is not None
    assert outcome.violation.name == "crash"
    assert "a bug of ours" in outcome.violation.what
    assert "translate" in outcome.traceback or "fail" in outcome.traceback


@pytest.mark.parametrize(
    "options",
    [
        Options(seeds="2..1"),
        Options(seeds="some"),
        Options(days=0),
        Options(jobs=0),
        Options(site="demmo"),
        Options(options='{"rain": 1}'),
        Options(jobs=2, trace=Path("trace")),
    ],
)
def test_wrong_use_is_told(
    options: Options, capsys: pytest.CaptureFixture[str]
) -> None:
    assert simulate(options) == WRONG_USE
    assert capsys.readouterr().out.startswith("simulate: ")


def test_seeds_are_read_as_people_write_them() -> None:
    assert seeds_of("7") == range(7, 8)
    assert seeds_of("1..3") == range(1, 4)


def kept() -> list[tuple[int, str, float, str]]:
    """Return the seeds that ever failed: ``SEED SITE DAYS what it found``."""
    found = []
    for line in (KEPT / "failed.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            seed, name, days, what = line.split(maxsplit=3)
            found.append((int(seed), name, float(days), what))
    return found


@pytest.mark.parametrize(("seed", "name", "days", "what"), kept())
def test_a_seed_that_ever_failed_stays_mended(
    seed: int, name: str, days: float, what: str
) -> None:
    outcome = play(seed, days, weather_of(seed), site_name=name)
    assert outcome.violation is None, f"again, after {what}: {outcome.violation}"
