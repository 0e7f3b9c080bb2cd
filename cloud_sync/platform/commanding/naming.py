# SPDX-License-Identifier: Apache-2.0
"""Finding rows whose canonical JSON names somebody, in either database.

The law of the module: the pattern may find too much (SQLite's LIKE knows no capitals)
and never too little; whoever asks reads the JSON and compares. ``ESCAPE '!'`` stands
behind every LIKE with a pattern from here.
"""

from __future__ import annotations

import json


def naming(field: str, value: str) -> str:
    """Return the LIKE pattern of an object in which ``field`` is that text."""
    text = f'"{field}":{json.dumps(value, ensure_ascii=False)}'
    for sign in "!%_":
        text = text.replace(sign, f"!{sign}")
    return f"%{text}%"
