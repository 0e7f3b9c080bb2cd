# SPDX-License-Identifier: Apache-2.0
"""What a site's settings are, for posters at its doors and for the installer's page.

The law of the module: it reads and changes nothing. No secret leaves it: whatever a
line calls a key, a password or a code, and whatever looks like one, is left out.
"""

from __future__ import annotations

import asyncio
import platform
import re
from typing import TYPE_CHECKING, Any

from edge.accounts.people import Role
from edge.cli.backup.manifest import KEPT_SITE
from edge.cli.ports import look
from edge.cli.version import VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from edge.cli.panel.desk import Desk
    from edge.control.server import Act
    from edge.settings.site import Door, Settings

KEEPERS = frozenset({Role.MANAGER, Role.INSTALLER})
INSTALLER = frozenset({Role.INSTALLER})
#: More than a site file has, and less than a line of the control socket.
MAX_TEXT = 60_000
MAX_PORTS = 64
HIDDEN = '"…"'
_SECRET = re.compile(
    r"(\b\w*(?:key|secret|passw|pin|token|scbk|code|phrase)\w*\s*=\s*)"
    r"(\"[^\"]*\"|'[^']*'|[^\s,}\]#]+)",
    re.IGNORECASE,
)
_FILE = re.compile(r"[\"'][\w./-]+\.(?:json|pem|key|crl)[\"']")
_WORD = re.compile(r"true|false|[0-9]{1,4}")
_HEX = re.compile(r"\b[0-9A-Fa-f]{16,}\b")


def redacted(text: str) -> str:
    """Return a site file's lines that say something, without what is secret."""
    lines = (line.rstrip() for line in text.splitlines())
    kept = [line for line in lines if line and not line.lstrip().startswith("#")]
    return _HEX.sub("…", _SECRET.sub(_hidden, "\n".join(kept)))[:MAX_TEXT]


def _hidden(found: re.Match[str]) -> str:
    value = found[2]
    is_open = _FILE.fullmatch(value) or _WORD.fullmatch(value)
    return found[0] if is_open else f"{found[1]}{HIDDEN}"


class PlaceShown:
    """The readings ``posters`` and ``settings``."""

    def __init__(self, desk: Desk, settings: Settings, state: Path) -> None:
        self._desk = desk
        self._settings = settings
        self._state = state

    def acts(self) -> dict[str, Act]:
        """Return the verbs."""
        return {"posters": self._posters, "settings": self._read_settings}

    async def _posters(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return what a poster at each door says."""
        self._desk.acting(request, KEEPERS, is_own=is_own)
        doors = [self._poster(door) for door in self._settings.door]
        return {"site": self._settings.site.name, "doors": doors}

    def _poster(self, door: Door) -> dict[str, Any]:
        settings = self._settings
        space = next((each for each in settings.space if each.id == door.space), None)
        return {
            "id": door.id,
            "name": door.name or door.id,
            "space": space.name if space else "",
            "entry": space.entry if space else "",
            "hours": space.hours or "" if space else "",
            "url": settings.panel.url_at(settings.site.id, door.id),
        }

    async def _read_settings(
        self,
        request: dict[str, Any],
        is_own: bool,  # noqa: FBT001
    ) -> dict[str, Any]:
        """Return the site file in force, what is plugged in, and versions."""
        self._desk.acting(request, INSTALLER, is_own=is_own)
        found = await asyncio.to_thread(look)
        return {
            "text": await asyncio.to_thread(_text, self._state / KEPT_SITE),
            "revision": self._settings.revision,
            "version": VERSION,
            "python": platform.python_version(),
            "machine": platform.machine(),
            "ports": [
                {"kind": one.kind, "port": one.port, "detail": one.detail}
                for one in found[:MAX_PORTS]
            ],
        }


def _text(path: Path) -> str:
    try:
        return redacted(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
