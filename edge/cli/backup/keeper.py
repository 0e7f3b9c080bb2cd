# SPDX-License-Identifier: Apache-2.0
"""The running gateway's side of backups: one each night, one when somebody asks.

The law of the module: the work is a process of its own and no door waits for it. A
restore is made ready while doors go on; the gateway ends itself for it only when
nobody is on his way through a door and no emergency stands: in those seconds no card
would open. What becomes of a copy on a stick is told and hinders nothing.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog

from edge.cli.backup.errand import errand
from edge.cli.backup.errors import BackupError
from edge.cli.backup.finishing import cancel, is_staged, note_told, result
from edge.cli.backup.manifest import FOLDER, NAME
from edge.cli.backup.spool import forget_spools
from edge.cli.backup.stick import BROKEN, DONE, NONE
from edge.cli.system_clock import local_time
from edge.cli.version import VERSION
from edge.core.event import EventKind
from edge.core.stimulus import Noted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from edge.core.controller import Controller
    from edge.core.event import Event, Facts
    from edge.core.moment import Moment

#: Nobody comes then (local hours) …
QUIET_HOURS = range(2, 5)
#: … and a backup of the evening before is old enough for another.
NIGHTLY_MS = 12 * 3_600_000
#: A box that is switched off at night makes one as soon as the last is so old.
LATEST_MS = 36 * 3_600_000
#: A gateway that has just started has other things to do; the first one of a new box
#: is made after an hour.
SETTLED_S, FIRST_S = 120.0, 3_600.0
#: After one that failed.
RETRY_S = 3_600.0
#: A slow stick takes a big file in five minutes; a dead one takes none.
STICK_WITHIN_S = 300.0
#: Of a fault so much is told.
FAULT = 240

log = structlog.get_logger()


class Backups:
    """A gateway's backups; ``end`` stops it, so that its supervisor starts it anew."""

    def __init__(
        self,
        state: Path,
        controller: Controller,
        *,
        now: Callable[[], Moment],
        note: Callable[[Noted], None],
        offset_hours: int,
        sticks: Sequence[str] = (),
        end: Callable[[], None] | None = None,
    ) -> None:
        self.state = state
        self._sticks = list(sticks)
        self._controller = controller
        self._now = now
        self._note = note
        self._offset_hours = offset_hours
        self._end = end or _end_myself
        #: Has the journal note what was acknowledged: it is not sent once more.
        self.settle: Callable[[], Awaitable[None]] | None = None
        self._task: asyncio.Task[None] | None = None
        self._doing = ""
        #: Why the last one was not made or made ready, "" for none.
        self.fault = ""
        #: What became of the last copy on a stick, "" while none was tried.
        self.stick = ""
        self._tried_s: float | None = None
        self._is_due = False
        self._born_s = now().monotonic_s
        self._files = self._look_at_files()
        self.restored = result(state)
        forget_spools(state)
        #: Whether this gateway is to end for a restore as soon as it can.
        self.is_ending = False

    # ---- what is there ----------------------------------------------------------

    @property
    def files(self) -> list[dict[str, Any]]:
        """Every backup, the newest first: its name, and its bytes."""
        return self._files

    def shown(self) -> dict[str, Any]:
        """Return how it stands, for status and page."""
        newest = self._files[0] if self._files else {}
        return {
            "count": len(self._files),
            "last": newest.get("name", ""),
            "bytes": newest.get("bytes", 0),
            "doing": self._doing,
            "fault": self.fault,
            "stick": self.stick,
            "waits": self.waits_for() if self.is_ending else "",
            "is_ending": self.is_ending,
            "restored": self.restored,
        }

    def path_of(self, name: object) -> Path:
        """Return a backup's path; ValueError for what is none."""
        if any(name == file["name"] for file in self._files):
            return self.state / FOLDER / str(name)
        raise ValueError("there is no such backup")

    def _look_at_files(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        with suppress(OSError):
            found.extend(
                {"name": path.name, "bytes": path.stat().st_size}
                for path in (self.state / FOLDER).iterdir()
                if NAME.fullmatch(path.name)
            )
        return sorted(found, key=lambda file: _stamp(file["name"]), reverse=True)

    def tell_restored(self) -> None:
        """Write down, once, what the restore before this start came to."""
        told = self.restored
        if not told or told.get("told"):
            return
        facts: Facts
        if told.get("fault"):
            kind, facts = EventKind.STORAGE_FAULT, (("what", "restore"),)
        else:
            kind, which = EventKind.SETTINGS_CHANGED, told.get("file", "")
            actor = told.get("by", "")
            facts = (("actor", actor), ("what", "restored"), ("which", which))
        self._note(Noted(kind=kind, subject="backup", facts=facts))
        note_told(self.state)

    # ---- each night -------------------------------------------------------------

    def look(self) -> None:
        """See whether one is due, or a restore can go on; called now and then."""
        self._end_if_calm()
        now = self._now()
        if self._task is not None or now.monotonic_s - self._born_s < SETTLED_S:
            return
        if self._tried_s is not None and now.monotonic_s - self._tried_s < RETRY_S:
            return
        if self._is_due or self._is_time(now):
            self.begin_make()

    def _is_time(self, now: Moment) -> bool:
        local = local_time(now, self._offset_hours)
        if local is None:
            return False
        if not self._files:
            is_first_due = now.monotonic_s - self._born_s >= FIRST_S
            return is_first_due and not self.waits_for()
        age_ms = self._age_ms(now)
        if age_ms >= LATEST_MS:
            return not self.waits_for()
        return age_ms >= NIGHTLY_MS and local.hour in QUIET_HOURS

    def _age_ms(self, now: Moment) -> int:
        """Return how old the newest is; one of the future is as old as can be."""
        with suppress(OSError):
            made_s = (self.state / FOLDER / self._files[0]["name"]).stat().st_mtime
            age_ms = now.earliest_ms - int(made_s * 1000)
            return age_ms if age_ms >= -NIGHTLY_MS else LATEST_MS
        return LATEST_MS

    def stored(self, batch: Sequence[Event]) -> None:
        """Hear of somebody erased: backups that know him go, and one without comes."""
        if any(event.kind is EventKind.ERASED for event in batch):
            self._is_due, self._tried_s = True, None

    # ---- work -------------------------------------------------------------------

    def begin_make(self) -> bool:
        """Begin to make one; False while something is under way."""
        self._tried_s = self._now().monotonic_s
        return self._begin("make", "--version", VERSION)

    def begin_restore(self, name: str, by: str) -> bool:
        """Begin to make one ready for the next start, and then end for it."""
        return self._begin("stage", "--name", name, "--by", by)

    async def inside(self, name: str) -> dict[str, Any]:
        """Return what is inside a backup; ValueError says why that is not known."""
        told = await errand(self.state, "look", "--name", name)
        if "fault" in told:
            raise ValueError(str(told["fault"])[:FAULT])
        return told

    def forget_restore(self) -> None:
        """Let a restore that waits be none; ValueError if it is half-way."""
        self.is_ending = False
        try:
            cancel(self.state)
        except BackupError as fault:
            raise ValueError(str(fault)) from fault

    def _begin(self, what: str, *words: str) -> bool:
        if self._task is not None or self.is_ending:
            return False
        self._doing = what
        self._task = asyncio.get_running_loop().create_task(self._do(what, *words))
        return True

    async def _do(self, what: str, *words: str) -> None:
        try:
            if what == "make" and self.settle is not None:
                with suppress(sqlite3.Error):
                    await self.settle()
            told = await errand(self.state, what, *words)
            self._take(what, str(told.get("fault", ""))[:FAULT])
            self._files = await asyncio.to_thread(self._look_at_files)
            if what == "make" and not self.fault:
                await self._copy(str(told.get("name")))
        finally:
            self._files = await asyncio.to_thread(self._look_at_files)
            self._doing, self._task = "", None
        self._end_if_calm()

    def _take(self, what: str, fault: str) -> None:
        if fault and fault != self.fault:
            log.warning("no backup", what=what, why=fault)
            facts = (("what", "backup" if what == "make" else "restore"),)
            kind = EventKind.STORAGE_FAULT
            self._note(Noted(kind=kind, subject="backup", facts=facts))
        self.fault = fault
        if fault:
            return
        if what == "make":
            self._is_due = False
        else:
            self.is_ending = True

    async def _copy(self, name: str) -> None:
        """Lay a backup on the stick that is in; its names left the box, so it is told.

        A stick that takes none is told once, until one does.
        """
        before = self.stick
        self.stick = await self._lay("copy", name)
        if self.stick == DONE:
            facts: Facts = (("actor", "gateway"), ("what", "backup_copied"))
            facts += (("which", name),)
            kind = EventKind.SETTINGS_CHANGED
        elif self.stick != NONE and before in ("", DONE, NONE):
            facts, kind = (("what", "stick"),), EventKind.STORAGE_FAULT
        else:
            return
        self._note(Noted(kind=kind, subject="backup", facts=facts))

    async def to_stick(self, file: Path, name: str) -> str:
        """Lay another file on the stick; return what became of it, as a word."""
        return await self._lay("write", name, file=str(file))

    async def _lay(self, what: str, name: str, **more: str) -> str:
        told = await errand(
            self.state,
            what,
            *("--name", name),
            given={"sticks": self._sticks, **more},
            within_s=STICK_WITHIN_S,
        )
        return str(told.get("stick", BROKEN))

    def staged(self) -> None:
        """End this gateway for a restore that somebody made ready, once all is calm."""
        self.is_ending = True
        self._end_if_calm()

    async def close(self) -> None:
        """End what is under way; what is half-made is thrown away next time."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._doing, self._task = "", None

    # ---- the end ----------------------------------------------------------------

    def waits_for(self) -> str:
        """Say why this gateway may not end now: EMERGENCY, DOOR, LOCKER, or ""."""
        if self._controller.emergency.standing:
            return "EMERGENCY"
        doors = self._controller.doors.standing().values()
        if any(door.is_released or door.is_open for door in doors):
            return "DOOR"
        cells = self._controller.lockers.standing().values()
        return "LOCKER" if any(cell.phase.value == "OPEN" for cell in cells) else ""

    def _end_if_calm(self) -> None:
        if self.is_ending and is_staged(self.state) and not self.waits_for():
            log.info("ending for a restore")
            self._end()


def _stamp(name: str) -> str:
    found = NAME.fullmatch(name)
    return found[1] if found else ""


def _end_myself() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
