# SPDX-License-Identifier: Apache-2.0
"""The course of one run: days with their weather, then five quiet minutes.

The law of the module: the first phase may break anything but the rules; the second
breaks nothing, and by its end everything must be well again: all stored, all sent,
all devices online, all outputs at rest, all doors as they stand.
Source: TigerBeetle's VOPR, safety and liveness mode.
"""

from __future__ import annotations

import sqlite3
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.cli.simulate import quiet
from edge.cli.simulate.checking import CutPlace, Violation
from edge.cli.simulate.disk import PowerCutError
from edge.cli.simulate.scenes import Crowd
from edge.cli.simulate.site import SimulatedSite
from edge.cli.simulate.tally import Tally
from edge.cli.simulate.workload import DAY_S, Workload
from edge.storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.cli.simulate.checking import Checker
    from edge.cli.simulate.trace import Trace
    from edge.cli.simulate.weather import Weather
    from edge.settings.site import Settings

#: systemd starts a process that could not start again after so long.
START_AGAIN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one seed."""

    seed: int
    days: float
    weather: Weather
    violation: Violation | None
    at_s: float
    tally: dict[str, Any]
    #: The journal's last hash: it stands for every event of the present epoch.
    head: str
    epoch: str
    trace_sha256: str
    traceback: str = ""


class Run:
    """One seed, played from its first boot to its rest."""

    def __init__(
        self,
        settings: Settings,
        seed: int,
        days: float,
        weather: Weather,
        *,
        checkers: Sequence[Checker] = (),
        trace: Trace | None = None,
    ) -> None:
        self.site = SimulatedSite(settings, str(seed), weather)
        self.crowd = Crowd(self.site, self.site.chance("crowd"))
        self.tally = Tally()
        self._seed = seed
        self._days = days
        self._checkers = list(checkers)
        self._trace = trace
        self._dark = self.site.chance("dark")
        self._workload = Workload(self.crowd)
        witness = self.site.witness
        witness.listen(self.tally.see, self.tally.heeds)
        if trace is not None:
            witness.listen(trace.see)
        for checker in self._checkers:
            witness.listen(checker.see, checker.heeds)
        self.site.went_dark = self._went_dark

    def play(self) -> Outcome:
        """Play it; a violation, or a fault of the product, is part of the outcome."""
        violation, told = None, ""
        weather = self.site.weather
        try:
            self._storm()
            self._rest()
        except Violation as found:
            violation = found
        except Exception as fault:  # noqa: BLE001  whatever broke is the finding
            told = traceback.format_exc()
            violation = Violation("crash", place_of(fault))
        outcome = self._outcome(weather, violation, told)
        self.site.close()
        return outcome

    def _storm(self) -> None:
        site = self.site
        site.platform.begin(site.rows())
        site.plan_site_key(self._days)
        self._boot()
        day = 0
        while day < self._days:
            share = min(1.0, self._days - day)
            self._workload.plan(day, share)
            self._drive(DAY_S * (day + share))
            day += 1

    def _rest(self) -> None:
        site, crowd = self.site, self.crowd
        crowd.is_over = True
        site.went_dark = self._went_dark
        quiet.end_storm(site)
        if site.machine is None:
            self._boot()
        until_s = site.clockwork.now_s + quiet.WITHIN_S
        while site.clockwork.now_s < until_s:
            quiet.tidy_up(crowd)
            self._drive(min(until_s, site.clockwork.now_s + quiet.LOOK_EVERY_S))
            if not quiet.unrest(site):
                break
        found = quiet.unrest(site)
        if found:
            raise Violation("convergence", "; ".join(found))
        rest = quiet.rest(site)
        for checker in self._checkers:
            checker.end(rest)

    def _drive(self, until_s: float) -> None:
        """Let time pass; whenever the power goes, the box goes dark and returns."""
        clockwork = self.site.clockwork
        while True:
            try:
                clockwork.run(until_s)
            except PowerCutError as cut:
                self.site.lose_power(cut.place)
            else:
                return

    def _boot(self) -> None:
        if self.site.machine is not None:
            return
        try:
            self.site.boot()
        except (sqlite3.Error, StorageError):
            # The process ends with the error, and is started again.
            self.site.lose_power(CutPlace.ANYWHERE)
        except PowerCutError as cut:
            self.site.lose_power(cut.place)

    def _went_dark(self) -> None:
        longest_s = self.site.weather.dark_longest_s
        dark_s = 2.0
        if not self.crowd.is_over:
            dark_s = self._dark.uniform(0.5, longest_s)
        self.site.clockwork.later(dark_s, self._boot)

    def _outcome(
        self, weather: Weather, violation: Violation | None, told: str
    ) -> Outcome:
        machine = self.site.machine
        journal = machine.journal if machine is not None else None
        return Outcome(
            seed=self._seed,
            days=self._days,
            weather=weather,
            violation=violation,
            at_s=self.site.clockwork.now_s,
            tally=self.tally.told(),
            head=journal.head.hex() if journal else "",
            epoch=journal.epoch if journal else "",
            trace_sha256=self._trace.sha256() if self._trace else "",
            traceback=told,
        )


def place_of(fault: Exception) -> str:
    """Name a fault by type, words and the line that raised it."""
    frame = traceback.extract_tb(fault.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    return f"{type(fault).__name__} at {where}: {fault}"
