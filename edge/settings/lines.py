# SPDX-License-Identifier: Apache-2.0
"""Where in a TOML text a key stands, since the standard parser does not say.

The law of the module: an answer is always a line of the file, the nearest one when
the key itself is missing; it never raises on a text that the TOML parser accepted.
"""

from __future__ import annotations

import re

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*(\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+)\s*(=|\.)")


def line_of(text: str, where: tuple[str | int, ...]) -> int:
    """Return the 1-based line of a location such as ``("door", 0, "lock")``."""
    best, best_depth = 1, 0
    table: tuple[str | int, ...] = ()
    counts: dict[tuple[str | int, ...], int] = {}
    # Not splitlines: to editors and to TOML a U+2028 in a name ends no line.
    for number, line in enumerate(text.split("\n"), 1):
        header = _HEADER.match(line)
        if header:
            table = _table(header[1], header[2], counts)
            path = table
        else:
            key = _KEY.match(line)
            if key is None:
                continue
            path = (*table, key[1].strip("\"'"))
        depth = len(path)
        if depth > best_depth and path == where[:depth]:
            best, best_depth = number, depth
    return best


def _table(
    brackets: str, name: str, counts: dict[tuple[str | int, ...], int]
) -> tuple[str | int, ...]:
    """Return the path of a header, with the indexes of its arrays of tables."""
    path: tuple[str | int, ...] = ()
    parts = [part.strip().strip("\"'") for part in name.split(".")]
    for position, part in enumerate(parts):
        path = (*path, part)
        is_last = position == len(parts) - 1
        if is_last and brackets == "[[":
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path
