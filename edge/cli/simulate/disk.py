# SPDX-License-Identifier: Apache-2.0
"""The box's disk: two databases in memory that outlive every boot, and their faults.

The law of the module: what SQLite committed stays, whatever becomes of the boot; what
it did not is rolled back when the power returns. Power leaves before, within or
behind a write, a full disk refuses one before it begins, and an answer may be lost
behind a write that stood.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.cli.simulate.checking import CutPlace
from edge.cli.simulate.clockwork import finished
from edge.storage.connection import open_inline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

    from edge.cli.simulate.weather import Weather
    from edge.core.emergency.state import EmergencyState
    from edge.storage.connection import Connection

_WRITES = ("INSERT", "UPDATE", "DELETE")


class PowerCutError(BaseException):
    """The power leaves the box here; nothing of the gateway may go on behind it.

    No ``Exception``: whoever in the gateway catches those must not catch this one.
    """

    def __init__(self, place: CutPlace) -> None:
        super().__init__(place.value)
        self.place = place


@dataclass(slots=True)
class PowerPlan:
    """Where in its work the box will lose its power; None: nowhere by plan."""

    place: CutPlace | None = None

    def pass_by(self, place: CutPlace) -> None:
        """Come by a place; PowerCutError if it is the one."""
        if self.place is place:
            self.place = None
            raise PowerCutError(place)


class SimulatedConnection:
    """An inline connection whose writes the weather may meet."""

    def __init__(self, inner: Connection, disk: Disk) -> None:
        self._inner = inner
        self._disk = disk
        #: A change inside a transaction; its end alone makes it last.
        self._is_open = False

    async def execute(self, sql: str, parameters: Iterable[Any] = (), /) -> None:
        """Run one statement whose rows nobody wants."""
        if sql.startswith("BEGIN"):
            await self._inner.execute(sql, parameters)
            self._is_open = True
        elif sql.startswith("ROLLBACK"):
            self._is_open = False
            await self._inner.execute(sql, parameters)
        elif sql.startswith(_WRITES):
            before = None if self._is_open else CutPlace.BEFORE_COMMIT
            self._disk.begin_write(before or CutPlace.WITHIN_COMMIT)
            await self._inner.execute(sql, parameters)
            if before is not None:
                self._disk.end_write()
        else:
            await self._inner.execute(sql, parameters)

    async def executemany(
        self, sql: str, parameters: Iterable[Iterable[Any]], /
    ) -> None:
        """Run one statement for each set of parameters."""
        self._disk.begin_write(CutPlace.WITHIN_COMMIT)
        await self._inner.executemany(sql, parameters)

    async def execute_fetchall(
        self, sql: str, parameters: Iterable[Any] = (), /
    ) -> Iterable[Any]:
        """Run one statement and return all its rows."""
        self._disk.read()
        return await self._inner.execute_fetchall(sql, parameters)

    async def commit(self) -> None:
        """End the open transaction, durably."""
        self._disk.begin_write(CutPlace.BEFORE_COMMIT)
        await self._inner.commit()
        self._is_open = False
        self._disk.end_write()

    def revive(self) -> None:
        """Roll back what the power cut left open."""
        self._is_open = False
        with suppress(sqlite3.Error):  # most often nothing was open
            finished(self._inner.execute("ROLLBACK"))


class Disk:
    """The files of one box, for its whole life."""

    def __init__(
        self, chance: Random, weather: Weather, now: Callable[[], float]
    ) -> None:
        self.weather = weather
        self.plan = PowerPlan()
        #: What the emergency file says, as the last write left it.
        self.emergency: frozenset[EmergencyState] = frozenset()
        self.faults = 0
        self._chance = chance
        self._now = now
        self._failing_until_s = 0.0
        self._opened = [open_inline(":memory:") for _ in range(2)]
        inner = [finished(opening.__aenter__()) for opening in self._opened]
        self.journal = SimulatedConnection(inner[0], self)
        self.roster = SimulatedConnection(inner[1], self)

    def close(self) -> None:
        """Give the memory back."""
        for opened in self._opened:
            finished(opened.__aexit__(None, None, None))

    def fail(self, for_s: float) -> None:
        """Refuse all writes for a while: the disk is full, or its card is dying."""
        self._failing_until_s = self._now() + for_s

    def mend(self) -> None:
        """Take all writes from now on."""
        self._failing_until_s = 0.0

    def revive(self) -> None:
        """Come back behind a power cut."""
        self.plan.place = None
        self.journal.revive()
        self.roster.revive()

    def patience_s(self) -> float:
        """Draw how long the next commit takes; 0: no time worth counting."""
        if self._chance.random() >= self.weather.slow_share:
            return 0.0
        return self._chance.uniform(0.05, self.weather.slow_longest_s)

    def begin_write(self, place: CutPlace) -> None:
        """Come to a write; the power may leave, or the disk refuse."""
        self.plan.pass_by(place)
        if self._now() < self._failing_until_s:
            self.faults += 1
            raise sqlite3.OperationalError("database or disk is full")

    def end_write(self) -> None:
        """Come behind a write that stands; its answer may be lost."""
        self.plan.pass_by(CutPlace.AFTER_COMMIT)
        if self._chance.random() < self.weather.lost_answer_share:
            self.faults += 1
            raise sqlite3.OperationalError("disk I/O error")

    def read(self) -> None:
        """Come to a read; a full disk still reads."""
