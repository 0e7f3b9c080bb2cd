# SPDX-License-Identifier: Apache-2.0
"""``menshen simulate``: seeds played one after the other, or beside each other.

The law of the module: a seed and its options are all that a run is made of; a failing
one is printed with both, so that anybody can play it again to the bit.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass
from multiprocessing import get_context
from random import Random
from typing import TYPE_CHECKING, Any, TextIO

from edge.cli.exits import GOOD, TROUBLE, WRONG_USE
from edge.cli.files import config_folder
from edge.cli.load_site import load_site
from edge.cli.simulate.checkers.all import all_checkers
from edge.cli.simulate.checking import Ground, Violation
from edge.cli.simulate.run import Run
from edge.cli.simulate.tally import Tally
from edge.cli.simulate.trace import Trace
from edge.cli.simulate.village import village
from edge.cli.simulate.weather import Weather

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge.cli.simulate.run import Outcome
    from edge.settings.site import Settings

MAX_SEEDS = 1_000_000
#: Objects between two collections: a run makes many that die at once and few cycles.
_COLLECT_AFTER = 50_000
#: The sites that are played, by turns.
SITES = ("demo", "quarter")
#: A long run says so often that it goes on.
_TELL_EVERY = 100
_settings: dict[str, Settings] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asked for; ``options`` is JSON of weather knobs.

    ``site`` is one of :data:`SITES`; none: each seed has its own.
    """

    seeds: str = "1..1"
    days: float = 1.0
    json: bool = False
    trace: Path | None = None
    jobs: int = 1
    options: str = ""
    site: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One seed's outcome, as it crosses from a worker to the teller."""

    seed: int
    site: str
    days: float
    violation: str
    at_s: float
    options: str
    tally: dict[str, Any]
    head: str
    trace_sha256: str
    traceback: str


def site(name: str = SITES[0]) -> Settings:
    """Return a site that is played, the demonstration's if no other is named."""
    if name not in _settings:
        _settings[name] = load_site(config_folder() / f"{name}.toml")
    return _settings[name]


def site_of(seed: int) -> str:
    """Return which site a seed plays: even ones the demonstration, odd every rule."""
    return SITES[seed % len(SITES)]


def ground(settings: Settings) -> Ground:
    """Return what checkers may know beforehand."""
    people = village(settings.site.id)
    names = {one.holder for one in people.neighbours if one.is_known}
    shown = [
        (credential, one.holder)
        for one in people.neighbours
        for credential in people.under_next_key().credentials(one)
    ]
    return Ground(
        plan=settings.plan(),
        planted=people.planted(),
        holders={
            token: holder
            for credential, holder in shown
            if holder in names
            for token in credential.tokens
        },
        first={each.token: each.tokens[-1] for each, _ in shown},
    )


def weather_of(seed: int, options: str = "") -> Weather:
    """Return a seed's weather; ``options`` set some knobs by hand."""
    weather = Weather.drawn(Random(f"{seed} weather"))  # noqa: S311  a simulation
    return weather.turned(options) if options else weather


def play(
    seed: int,
    days: float,
    weather: Weather,
    trace: Trace | None = None,
    *,
    site_name: str = "",
) -> Outcome:
    """Play one seed with all checkers, at its own site or another."""
    settings = site(site_name or site_of(seed))
    checkers = all_checkers(ground(settings))
    run = Run(settings, seed, days, weather, checkers=checkers, trace=trace)
    return run.play()


def simulate(options: Options) -> int:
    """Play the seeds, print what came of them, and return the exit code."""
    try:
        seeds = seeds_of(options.seeds)
        weather_of(seeds.start, options.options)
        _check(options)
    except ValueError as wrong:
        print(f"simulate: {wrong}")
        return WRONG_USE
    begun_s = time.perf_counter()
    total = Tally()
    failed: list[Finding] = []
    for played, finding in enumerate(_findings(seeds, options), start=1):
        total.add(finding.tally)
        if finding.violation:
            failed.append(finding)
            _tell(finding, sys.stderr if options.json else sys.stdout)
        if not played % _TELL_EVERY:
            print(f"{played} of {len(seeds)} seeds played", file=sys.stderr, flush=True)
    spent_s = time.perf_counter() - begun_s
    summary = _summary(seeds, options, total, failed, spent_s)
    if options.json:
        print(json.dumps(summary, ensure_ascii=False))
    else:
        _tell_summary(summary)
    return TROUBLE if failed else GOOD


def seeds_of(text: str) -> range:
    """Read ``7`` or ``1..200``; ValueError."""
    first, dots, last = text.partition("..")
    try:
        seeds = range(int(first), int(last if dots else first) + 1)
    except ValueError:
        raise ValueError(f"seeds {text!r}: write 7 or 1..200") from None
    if not 0 < len(seeds) <= MAX_SEEDS:
        raise ValueError(f"seeds {text!r}: 1 to {MAX_SEEDS} seeds, the lower first")
    return seeds


def _check(options: Options) -> None:
    if not 0 < options.days <= 366:
        raise ValueError(f"days {options.days}: write a number up to 366")
    if options.site and options.site not in SITES:
        raise ValueError(f"no site {options.site!r}; known: {', '.join(SITES)}")
    if not 1 <= options.jobs <= 64:
        raise ValueError(f"jobs {options.jobs}: write 1 to 64")
    if options.trace is not None and options.jobs > 1:
        raise ValueError("a trace is one run after the other: leave jobs out")


def _findings(seeds: range, options: Options) -> Iterator[Finding]:
    if options.jobs == 1:
        opened = options.trace.open("w", encoding="utf-8") if options.trace else None
        with opened or nullcontext():
            for seed in seeds:
                trace = Trace(opened) if opened else None
                yield _finding(seed, options, trace)
        return
    work = [(seed, options) for seed in seeds]
    with get_context("spawn").Pool(options.jobs) as pool:
        yield from pool.imap(_work, work)


def _work(work: tuple[int, Options]) -> Finding:
    return _finding(*work)


def _finding(seed: int, options: Options, trace: Trace | None = None) -> Finding:
    gc.set_threshold(_COLLECT_AFTER)
    weather = weather_of(seed, options.options)
    name = options.site or site_of(seed)
    outcome = play(seed, options.days, weather, trace, site_name=name)
    gc.collect()  # a run is full of cycles, and the next one makes as many
    found: Violation | None = outcome.violation
    return Finding(
        seed=seed,
        site=name,
        days=outcome.days,
        violation=str(found) if found else "",
        at_s=round(outcome.at_s, 3),
        options=weather.told(),
        tally=outcome.tally,
        head=outcome.head,
        trace_sha256=outcome.trace_sha256,
        traceback=outcome.traceback,
    )


def _tell(finding: Finding, where: TextIO) -> None:
    """Tell a failing seed at once: a long run's summary is far away."""
    site = f"seed {finding.seed} ({finding.site})"
    print(f"{site}: {finding.violation} (at {finding.at_s} s)", file=where)
    if finding.traceback:
        print(finding.traceback, file=where)
    again = f"--seeds {finding.seed} --site {finding.site} --days {finding.days:g}"
    print(
        f"  again: menshen simulate {again} --trace FILE --options '{finding.options}'",
        file=where,
        flush=True,
    )


def _summary(
    seeds: range,
    options: Options,
    total: Tally,
    failed: list[Finding],
    spent_s: float,
) -> dict[str, Any]:
    days = len(seeds) * options.days
    return {
        "seeds": f"{seeds.start}..{seeds.stop - 1}",
        "days": days,
        "seconds": round(spent_s, 2),
        "site_days_a_minute": round(days / spent_s * 60, 1),
        "jobs": options.jobs,
        **total.told(),
        "restarts": total.boots,
        "violations": [
            {
                "seed": one.seed,
                "site": one.site,
                "what": one.violation,
                "at_s": one.at_s,
                "options": json.loads(one.options),
            }
            for one in failed
        ],
    }


def _tell_summary(summary: dict[str, Any]) -> None:
    bad = len(summary["violations"])
    print(
        f"{summary['days']:g} site-days in {summary['seconds']} s"
        f" ({summary['site_days_a_minute']} a minute): {summary['scans']} scans,"
        f" {summary['events']} events, {summary['power_cuts']} power cuts,"
        f" {summary['restarts']} restarts, {bad} violations"
    )
    faults = ", ".join(f"{kind} {n}" for kind, n in summary["faults"].items())
    print(f"faults: {faults or 'none'}")
