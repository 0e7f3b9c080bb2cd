# SPDX-License-Identifier: Apache-2.0
"""The days of the journal: cut once, kept in a file, ticked when the platform agrees.

The law of the module: a day is a stretch of numbers without a gap. It is cut where an
acknowledged event of another local day follows, by the events' own ``lo``, or when the
clock says that the day is over and nothing waits; what was cut is never cut again, so
that a clock that goes back begins another stretch and changes none. A lost file costs
ticks alone: the journal is cut anew and the platform asked again.
Source: docs/sync-contract.md, section 12.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import structlog

from cloud_sync.envelope import DayStretch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edge.core.moment import Moment
    from edge.storage.journal import Journal
    from edge.storage.marks import Mark

DAY_MS = 86_400_000
#: Refusals wait for company and stand behind what is younger; an event that far before
#: its stretch's day still belongs to it, or midnight would be cut to shreds.
FLICKER_MS = 3_600_000
#: After midnight, for what happened before it and is written a little later.
SETTLED_MS = 300_000
#: Rows walked between two turns of the loop.
SLICE_ROWS = 500
#: A year of days, and some that were cut in two.
MAX_KEPT = 400
#: Days that ``status`` shows.
SHOWN_DAYS = 14
_EPOCH = date(1970, 1, 1)

log = structlog.get_logger()


class DayState(StrEnum):
    """What became of a stretch."""

    WAITING = "WAITING"
    AGREED = "AGREED"
    DIFFERS = "DIFFERS"


#: Which state a day of several stretches shows.
_GRAVITY = (DayState.AGREED, DayState.WAITING, DayState.DIFFERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """The stretch that events are still added to; ``day`` counts from 1970."""

    epoch: str
    day: int
    first: int
    last: int
    hash: bytes

    def cut(self) -> DayStretch:
        return DayStretch(
            epoch=self.epoch,
            day=(_EPOCH + timedelta(days=self.day)).isoformat(),
            first=self.first,
            last=self.last,
            hash=self.hash,
        )


class DayBook:
    """The days of one journal; ``utc_offset_ms`` is the site's."""

    def __init__(self, journal: Journal, path: Path, utc_offset_ms: int) -> None:
        self._journal = journal
        self._path = path
        self._offset_ms = utc_offset_ms
        self._saving = asyncio.Lock()
        self._open: _Open | None = None
        self._reached, self._kept = _read(path)
        self._looked_day: int | None = None
        self._waiting = self._not_agreed()
        #: Since when (UTC ms) the oldest event waits to be sent, at the last look.
        self.oldest_ms: int | None = None

    def waiting(self) -> tuple[DayStretch, ...]:
        """Return the days that are not agreed, oldest first."""
        return self._waiting

    def shown(self) -> list[dict[str, Any]]:
        """Return the last days, each with its events and its gravest state."""
        days: dict[str, dict[str, Any]] = {}
        for stretch, state in self._kept.values():
            shown = days.setdefault(
                stretch.day, {"day": stretch.day, "events": 0, "state": state}
            )
            shown["events"] += stretch.count
            shown["state"] = max(shown["state"], state, key=_GRAVITY.index)
        return [days[day] for day in sorted(days)[-SHOWN_DAYS:]]

    async def look(self, now: Moment) -> bool:
        """Cut what is over by now; return whether there is a new day to tell."""
        today = self._day(now.earliest_ms)
        is_of_today = self._open is not None and self._open.day >= today
        if is_of_today and self._looked_day == today:
            return False
        cut = await self._walk()
        self._looked_day = today
        settled_day = self._day(now.earliest_ms - SETTLED_MS)
        is_over = self._open is not None and self._open.day < settled_day
        if self._open is not None and is_over and not self._journal.waiting:
            cut.append(self._open.cut())
            self._open = None
        await self._keep(cut)
        return bool(cut)

    async def judged(self, day: DayStretch, *, is_agreed: bool) -> bool:
        """Keep the platform's word; return whether a difference is news."""
        if day.name not in self._kept:
            return False
        _, before = self._kept[day.name]
        state = DayState.AGREED if is_agreed else DayState.DIFFERS
        self._kept[day.name] = (day, state)
        if state is not before:
            await self._save()
        return state is DayState.DIFFERS and before is not DayState.DIFFERS

    async def _walk(self) -> list[DayStretch]:
        """Follow all that was acknowledged since; return the stretches that ended."""
        cut: list[DayStretch] = []
        while True:
            at = self._reached
            if self._open is not None:
                at = (self._open.epoch, self._open.last)
            try:
                marks = await self._journal.marks(*at, SLICE_ROWS)
            except BaseException:
                self._open = None  # what was cut here is cut anew, from what is kept
                raise
            for mark in marks:
                ended = self._follow(mark)
                if ended is not None:
                    cut.append(ended)
            if not marks:
                return cut
            await asyncio.sleep(0)

    def _follow(self, mark: Mark) -> DayStretch | None:
        """Add an event to the open stretch, or end that one with it."""
        before = self._open
        if before is not None and self._belongs(mark, before):
            self._open = replace(before, last=mark.seq, hash=mark.hash)
            return None
        lo_ms = mark.lo_ms
        guessed = before.day if before is not None else 0
        self._open = _Open(
            epoch=mark.epoch,
            day=guessed if lo_ms is None else self._day(lo_ms),
            first=mark.seq,
            last=mark.seq,
            hash=mark.hash,
        )
        return None if before is None else before.cut()

    def _belongs(self, mark: Mark, to: _Open) -> bool:
        if (mark.epoch, mark.seq) != (to.epoch, to.last + 1):
            return False
        if mark.lo_ms is None:
            return True
        day = self._day(mark.lo_ms)
        return day == to.day or (
            day < to.day and self._day(mark.lo_ms + FLICKER_MS) >= to.day
        )

    def _day(self, utc_ms: int) -> int:
        return (utc_ms + self._offset_ms) // DAY_MS

    async def _keep(self, cut: list[DayStretch]) -> None:
        if not cut:
            return
        for stretch in cut:
            self._kept[stretch.name] = (stretch, DayState.WAITING)
        self._reached = (cut[-1].epoch, cut[-1].last)
        by_need = sorted(self._kept, key=lambda name: not self._is_agreed(name))
        for name in by_need[: max(0, len(self._kept) - MAX_KEPT)]:
            del self._kept[name]
        await self._save()

    async def _save(self) -> None:
        self._waiting = self._not_agreed()
        async with self._saving:
            text = _text(self._reached, self._kept.values())
            try:
                await asyncio.to_thread(_write, self._path, text)
            except OSError as fault:  # memory knows; the next change writes it too
                log.warning("the days cannot be kept", why=str(fault))

    def _is_agreed(self, name: str) -> bool:
        return self._kept[name][1] is DayState.AGREED

    def _not_agreed(self) -> tuple[DayStretch, ...]:
        """Return what to tell; of those that differ, the last ones again."""
        kept = self._kept.values()
        differing = [day for day, state in kept if state is DayState.DIFFERS]
        again = differing[-SHOWN_DAYS:]
        return tuple(
            day for day, state in kept if state is DayState.WAITING or day in again
        )


_Kept = tuple[DayStretch, DayState]


def _read(path: Path) -> tuple[tuple[str, int], dict[str, _Kept]]:
    """Return up to where the journal was cut, and the stretches by their names."""
    try:
        told = json.loads(path.read_text(encoding="ascii"))
        epoch, seq = told["reached"]
        kept = [
            (
                DayStretch(
                    epoch=str(one["epoch"]),
                    day=str(one["day"]),
                    first=int(one["first"]),
                    last=int(one["last"]),
                    hash=bytes.fromhex(one["h"]),
                ),
                DayState(one["state"]),
            )
            for one in told["days"]
        ]
        return (str(epoch), int(seq)), {day.name: (day, state) for day, state in kept}
    except FileNotFoundError:
        return ("", 0), {}  # no day was told yet
    except (OSError, ValueError, TypeError, LookupError) as flaw:
        log.warning("the days are cut anew", file=str(path), why=str(flaw))
    return ("", 0), {}


def _text(reached: tuple[str, int], kept: Iterable[_Kept]) -> str:
    days = [
        {
            "day": day.day,
            "epoch": day.epoch,
            "first": day.first,
            "last": day.last,
            "h": day.hash.hex(),
            "state": state.value,
        }
        for day, state in kept
    ]
    return json.dumps({"reached": reached, "days": days})


def _write(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
