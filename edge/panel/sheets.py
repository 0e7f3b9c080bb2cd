# SPDX-License-Identifier: Apache-2.0
"""An export's rows as cells, and as CSV that office programs open.

The law of the module: pure. No cell can become a formula: what begins like one gets a
quote before it.
Source: OWASP, CSV injection; RFC 4180.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge.panel.log_view import Line
    from edge.panel.words import Words

#: The columns, each with its word; the order is what offices were promised.
COLUMNS = ("time", "door", "way", "result", "reason", "persons", "by", "booking")
#: Excel and WPS take a CSV for UTF-8 only when it begins with this.
BOM = "\ufeff"
#: What a cell must not begin with.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def cells_of(line: Line) -> tuple[str, ...]:
    """Return a row in the order of ``COLUMNS``; what is not known is empty."""
    result = line.what.zh
    if line.number is not None:
        result = f"{result} {line.number}"
    return (
        line.time,
        line.place,
        line.way.zh if line.way else "",
        result,
        line.why.zh if line.why else "",
        "" if line.count is None else str(line.count),
        line.by,
        line.tail,
    )


def heads(words: Words) -> tuple[str, ...]:
    """Return the columns' names."""
    return tuple(words.say(f"column.{name}").zh for name in COLUMNS)


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as CSV, each cell harmless."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(
        [_harmless(cell) for cell in row] for row in rows
    )
    return text.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA_SIGNS) else cell
