# SPDX-License-Identifier: Apache-2.0
"""An export laid on a USB stick instead of in a browser.

The law of the module: what is written was written down first, as any export; it comes
from the panel in pieces, and its name on the stick is made here. The stick is touched
by a process of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.accounts.people import Role
from edge.cli.backup.spool import Spool, SpoolError
from edge.core.event import EventKind

if TYPE_CHECKING:
    from edge.cli.backup.keeper import Backups
    from edge.cli.panel.desk import Desk
    from edge.cli.panel.records import Records
    from edge.control.server import Act

MANAGER = frozenset({Role.MANAGER})
#: A year of a busy place is a quarter of that.
MOST_BYTES = 64 << 20
FILE = "export"


class ExportStick:
    """The verbs."""

    def __init__(self, desk: Desk, backups: Backups, records: Records) -> None:
        self._desk = desk
        self._backups = backups
        self._records = records
        self._spool = Spool(backups.state, FILE)

    def acts(self) -> dict[str, Act]:
        """Return them by name."""
        return {
            "export-stick-begin": self._begin,
            "export-stick-piece": self._piece,
            "export-stick-write": self._write,
        }

    async def _begin(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Begin to take a file in."""
        who = self._desk.acting(request, MANAGER, is_own=is_own)
        self._records.waiting(request, who)
        now_s = self._desk.now().monotonic_s
        if self._spool.is_busy(now_s):
            return {"state": "busy"}
        try:
            ticket = await self._spool.begin(request.get("bytes"), MOST_BYTES, now_s)
        except SpoolError as fault:
            return {"state": fault.kind}
        return {"state": "begun", "ticket": ticket}

    async def _piece(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Take the next piece in."""
        self._desk.acting(request, MANAGER, is_own=is_own)
        try:
            await self._spool.take(request, self._desk.now().monotonic_s)
        except SpoolError as fault:
            return {"state": fault.kind}
        return {"state": "taken"}

    async def _write(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Lay it on the stick; ``state`` is what became of it."""
        who = self._desk.acting(request, MANAGER, is_own=is_own)
        name = self._records.waiting(request, who)
        try:
            self._spool.check(request)
        except SpoolError as fault:
            return {"state": fault.kind}
        if not self._spool.is_whole:
            return {"state": "piece"}
        try:
            word = await self._backups.to_stick(self._spool.path, name)
        finally:
            await self._spool.drop()
        if word == "done":
            facts = (("what", "records_on_stick"), ("which", name))
            self._desk.note(EventKind.SETTINGS_CHANGED, who, facts)
        return {"state": word}
