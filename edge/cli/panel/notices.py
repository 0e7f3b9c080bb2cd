# SPDX-License-Identifier: Apache-2.0
"""The platform's notices as a manager sees them, and the site's own at the door.

The law of the module: the platform's are read and never changed here. The own one is a
short line for everybody who passes: it stands among the accounts on disk and in the
status, and in no event, since what is written down for ever must not hold what
somebody might have written of a neighbour. The event says who changed it.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from edge.accounts.book import NotKeptError
from edge.accounts.people import Role
from edge.core.event import EventKind

if TYPE_CHECKING:
    from edge.cli.panel.desk import Desk
    from edge.control.server import Act

MANAGER = frozenset({Role.MANAGER})
#: What fits on a door's screen in large letters.
MAX_NOTICE = 60
#: Telephones have up to 12 digits; a longer row is somebody's number.
_NUMBER = re.compile(r"(?:\d[ -]?){13,}")


class Notices:
    """The verbs of notices."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def acts(self) -> dict[str, Act]:
        """Return the verbs."""
        return {"notices": self._notices, "door-notice": self._set}

    async def _notices(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return what is to be read now or later, by its beginning; urgent first."""
        desk = self._desk
        desk.acting(request, MANAGER, is_own=is_own)
        now = desk.now()
        held = desk.controller.rolls.roster.tables.notices
        return {
            "notices": [
                asdict(each) | {"is_now": now.latest_ms >= each.from_ms}
                for each in held
                if now.earliest_ms < each.to_ms
            ],
            "door": desk.book.door_notice,
        }

    async def _set(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Write what is read at the door; an empty text takes it away."""
        desk = self._desk
        who = desk.acting(request, MANAGER, is_own=is_own)
        text = notice_of(request.get("text"))
        if text is None:
            return {"state": "form"}
        if text == desk.book.door_notice:
            return {"state": "done"}
        try:
            await desk.book.set_door_notice(text)
        except NotKeptError:
            return {"state": "unkept"}
        what = "door_notice_set" if text else "door_notice_removed"
        desk.note(EventKind.SETTINGS_CHANGED, who, (("what", what),))
        return {"state": "done"}


def notice_of(text: object) -> str | None:
    """Return a notice as it is shown; None if it does not fit."""
    if not isinstance(text, str):
        return None
    line = " ".join(text.split())
    is_fit = len(line) <= MAX_NOTICE and line.isprintable()
    return line if is_fit and not _NUMBER.search(line) else None
