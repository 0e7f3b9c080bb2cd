# SPDX-License-Identifier: Apache-2.0
"""A hall and a tea room; the hall's door has lamps and a loudspeaker."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from edge.settings.site_file import parse
from tests.edge.small_site import TEXT

if TYPE_CHECKING:
    from edge.settings.site import Settings

#: 23 November 2026, noon in the site's time.
NOON_MS = 1_795_406_400_000

_ROOMS = """id = "hall"
name = "大厅"
capacity = 20

[[space]]
id = "tea-room"
name = "茶室"
"""
_DOOR = """id = "front"
extended_release_s = 12.0
escape = true
"""
LAMPS = """
[[signals.lamp]]
access_point = "outside"
colour = "green"
device = "board"
output = 5
[[signals.lamp]]
access_point = "outside"
colour = "red"
device = "board"
output = 6
[[signals.lamp]]
access_point = "outside"
colour = "white"
device = "board"
output = 7
"""
SPEAKER = """
[[signals.speaker]]
doors = ["front"]
"""
SITE = TEXT.replace('id = "hall"\n', _ROOMS).replace('id = "front"\n', _DOOR)


def settings(text: str = SITE) -> Settings:
    """Return the checked site."""
    path = Path("site.toml")
    return parse(tomllib.loads(text), path=path, text=text, revision="0" * 8)
