# SPDX-License-Identifier: Apache-2.0
"""What is served beside the pages.

The law of the module: all of it is read once; nothing else of the folder is served.
"""

from __future__ import annotations

from pathlib import Path

from edge.panel.chime import chime

ASSETS = {
    "panel.css": "text/css; charset=utf-8",
    "panel.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "chime.wav": "audio/wav",
}


def asset(name: str) -> bytes:
    """Read one of ``ASSETS``, or make it."""
    if name == "chime.wav":
        return chime()
    return (Path(__file__).parent / "static" / name).read_bytes()
