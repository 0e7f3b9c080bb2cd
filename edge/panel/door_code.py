# SPDX-License-Identifier: Apache-2.0
"""The changing code on a door's screen: drawn once, and asked for when it is over.

The law of the module: all screens of a door show the same one, and the gateway is asked
once for each. A gateway that says nothing of use has no code on its screens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.panel.fields import text, whole
from edge.panel.keeper_pages import qr

if TYPE_CHECKING:
    from edge.panel.ground import Ground
    from edge.panel.pages import Fragment
    from edge.panel.visitor import Visitor

MAX_URL = 360
#: A gateway without a code is asked again after so long: its line may be back.
AGAIN_S = 5.0
_URL = re.compile(r"https?://[A-Za-z0-9.:-]+/[A-Za-z0-9._~/-]*\?c=[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    part: Fragment
    until_s: float


class DoorCode:
    """The codes of all doors."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._drawn: dict[tuple[str, str], _Drawn] = {}

    async def part(self, visitor: Visitor, door: str) -> Fragment:
        """Return what stands there for telephones now; ``door`` is a known one."""
        ground = self._ground
        pages, now_s = ground.pages, ground.hub.now()
        key = door, pages.words.language
        drawn = self._drawn.get(key)
        if drawn is not None and now_s < drawn.until_s and ground.hub.standing.is_live:
            return drawn.part
        told = await ground.link.ask("door-code", visitor.keys, door=door)
        url = text(told.get("url"), MAX_URL)
        if told.get("state") == "shown" and _URL.fullmatch(url):
            part = pages.part("code.html", "code", qr(url))
            until_s = now_s + (whole(told.get("good_ms")) or 0) / 1000
        else:
            macro = "away" if told.get("state") == "away" else "nothing"
            part, until_s = pages.part("code.html", macro), now_s + AGAIN_S
        self._drawn[key] = _Drawn(part=part, until_s=until_s)
        return part
