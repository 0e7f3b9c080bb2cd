# SPDX-License-Identifier: Apache-2.0
"""What a manager or an installer does with backups at a tablet.

The law of the module: who asks is found out here, as everywhere at the desk; a file
leaves the box for a manager for whom a second person vouches, once, in pieces, and
holds no key. Each of it is an event with its actor.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

from edge.accounts.people import Role
from edge.core.event import EventKind

if TYPE_CHECKING:
    from pathlib import Path

    from edge.cli.backup.keeper import Backups
    from edge.cli.panel.desk import Desk, Who
    from edge.control.server import Act

KEEPERS = frozenset({Role.MANAGER, Role.INSTALLER})
MANAGER = frozenset({Role.MANAGER})
#: Bytes of a file in one answer.
PIECE = 96 * 1024
#: So long a download may be fetched that somebody vouched for.
TICKET_S = 600.0
MAX_TICKETS = 8


class Ticket(NamedTuple):
    """Leave to fetch a file: whose, which, and until when (monotonic)."""

    actor: str
    path: Path
    until_s: float


class BackupActs:
    """The verbs."""

    def __init__(self, desk: Desk, backups: Backups) -> None:
        self._desk = desk
        self._backups = backups
        self._tickets: dict[str, Ticket] = {}

    def acts(self) -> dict[str, Act]:
        """Return them by name."""
        return {
            "backups": self._list,
            "backup-look": self._look,
            "backup-make": self._make,
            "backup-take": self._take,
            "backup-read": self._read,
            "restore-ask": self._restore,
            "restore-cancel": self._cancel,
        }

    async def _list(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return what there is; keeps nobody's turn awake."""
        self._looking(request, is_own=is_own)
        return {"files": self._backups.files, **self._backups.shown()}

    async def _look(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return what is inside one."""
        self._desk.acting(request, KEEPERS, is_own=is_own)
        path = self._backups.path_of(request.get("name"))
        return await self._backups.inside(path.name)

    async def _make(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Begin to make one."""
        self._desk.acting(request, KEEPERS, is_own=is_own)
        return {"state": "begun" if self._backups.begin_make() else "busy"}

    async def _take(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Let a manager fetch one whom a second person vouches for."""
        desk = self._desk
        who = desk.acting(request, MANAGER, is_own=is_own)
        path = self._backups.path_of(request.get("name"))
        second = await desk.second(request, who)
        size = (await asyncio.to_thread(path.stat)).st_size
        now_s = desk.now().monotonic_s
        known = {t: each for t, each in self._tickets.items() if each.until_s > now_s}
        self._tickets = dict(list(known.items())[1 - MAX_TICKETS :])
        ticket = secrets.token_hex(16)
        self._tickets[ticket] = Ticket(who.actor, path, now_s + TICKET_S)
        facts = (("second", second), ("what", "backup_taken"), ("which", path.name))
        desk.note(EventKind.SETTINGS_CHANGED, who, facts)
        return {"state": "done", "ticket": ticket, "bytes": size}

    async def _read(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return a piece of a file that may be fetched."""
        who = self._desk.acting(request, MANAGER, is_own=is_own)
        ticket, offset = self._tickets.get(str(request.get("ticket"))), _offset(request)
        now_s = self._desk.now().monotonic_s
        if ticket is None or ticket.actor != who.actor or ticket.until_s <= now_s:
            raise ValueError("nothing to fetch here; ask for it once more")
        piece, size = await asyncio.to_thread(_piece, ticket.path, offset)
        text = base64.b64encode(piece).decode("ascii")
        return {"piece": text, "bytes": size, "name": ticket.path.name}

    async def _restore(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Make one ready; this gateway then ends for it as soon as it may."""
        who = self._desk.acting(request, KEEPERS, is_own=is_own)
        path = self._backups.path_of(request.get("name"))
        if not self._backups.begin_restore(path.name, who.actor):
            return {"state": "busy"}
        facts = (("what", "restore_asked"), ("which", path.name))
        self._desk.note(EventKind.SETTINGS_CHANGED, who, facts)
        return {"state": "begun"}

    async def _cancel(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Let a restore that waits be none."""
        who = self._desk.acting(request, KEEPERS, is_own=is_own)
        self._backups.forget_restore()
        what = (("what", "restore_cancelled"),)
        self._desk.note(EventKind.SETTINGS_CHANGED, who, what)
        return {"state": "done"}

    def _looking(self, request: dict[str, Any], *, is_own: bool) -> Who:
        who = self._desk.who(request, is_own=is_own)
        is_keeper = who.session is not None and who.session.role in KEEPERS
        if not (who.is_shell or is_keeper):
            raise ValueError("this is for somebody else to do")
        return who


def _offset(request: dict[str, Any]) -> int:
    offset = request.get("offset")
    if isinstance(offset, int) and not isinstance(offset, bool) and offset >= 0:
        return offset
    raise ValueError("offset: say a whole number from 0")


def _piece(path: Path, offset: int) -> tuple[bytes, int]:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(PIECE), path.stat().st_size
    except OSError as fault:
        raise ValueError("the file is gone; ask for another") from fault
