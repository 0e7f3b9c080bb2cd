# SPDX-License-Identifier: Apache-2.0
"""The code that a door's screen shows to telephones, made anew each half minute.

The law of the module: it is shown where it leads somewhere: the site file names the
page behind it, the platform is in reach, and the time is known well enough for the
platform to believe it. Otherwise the screen says to show a card or a code.
Source: docs/commands.md, "At the door".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud_sync.door_code import AHEAD_MS, SLOT_MS, make_code, slot_of
from edge.cli.key_files import KeyFileError

if TYPE_CHECKING:
    from edge.cli.runtime import Runtime
    from edge.control.server import Act


class DoorCodes:
    """The reading ``door-code``: for any paired tablet, since it stands in the street.

    ``state`` is ``none`` (the site has no such page), ``away`` (it has, and a phone
    would get nowhere now) or ``shown`` with ``url``; ``good_ms``: when to ask again.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        #: The last code of each door, with its half minute.
        self._made: dict[str, tuple[int, str]] = {}

    def acts(self) -> dict[str, Act]:
        """Return the verb."""
        return {"door-code": self._door_code}

    async def _door_code(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return what the code of one door leads to just now."""
        runtime = self._runtime
        runtime.desk.who(request, is_own=is_own)
        settings, door = runtime.settings, request.get("door")
        if door not in {each.id for each in settings.door}:
            raise ValueError("door: there is no such door in the site file")
        url = settings.panel.url_at(settings.site.id, str(door))
        if not url or settings.platform.remote_unlock == "off":
            return {"state": "none"}
        now = runtime.clock.now()
        # As far behind as the platform lets a clock be ahead: then both ends agree.
        is_sure = now.latest_ms - now.earliest_ms <= AHEAD_MS
        if not is_sure or runtime.lost or not runtime.client.status.is_connected:
            return {"state": "away"}
        middle_ms = (now.earliest_ms + now.latest_ms) // 2
        code = self._code(str(door), middle_ms)
        if not code:
            return {"state": "away"}
        good_ms = SLOT_MS - middle_ms % SLOT_MS
        return {"state": "shown", "url": f"{url}?c={code}", "good_ms": good_ms}

    def _code(self, door: str, now_ms: int) -> str:
        slot, code = self._made.get(door, (-1, ""))
        if slot == slot_of(now_ms):
            return code
        try:
            sign = self._runtime.box.key().sign
        except KeyFileError:  # the status says what is wrong with it
            return ""
        code = make_code(sign, self._runtime.settings.gateway.id, door, now_ms)
        self._made[door] = slot_of(now_ms), code
        return code
