# SPDX-License-Identifier: Apache-2.0
"""An export's rows as a file that office programs open.

The law of the module: rows come and go one piece at a time, however many there are. No
cell can become a formula: in CSV what begins like one gets a quote before it (OWASP,
CSV injection), in XLSX every cell is a text or a number and says so.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import xlsxwriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edge.panel.log_view import Line
    from edge.panel.words import Words

#: The columns, each with its word; the order is what offices were promised.
COLUMNS = ("time", "door", "way", "result", "reason", "persons", "by", "booking")
#: Excel and WPS take a CSV for UTF-8 only when it begins with this.
BOM = "\ufeff"
#: What a cell must not begin with.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
WIDTHS = (18, 14, 12, 20, 24, 6, 8, 10)


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


class Workbook:
    """An XLSX that is written row by row, below ``folder`` alone.

    Blocking: for a worker thread.
    """

    def __init__(self, folder: Path, words: Words) -> None:
        self.path = folder / "log.xlsx"
        options = {"constant_memory": True, "tmpdir": str(folder)}
        self._book = xlsxwriter.Workbook(str(self.path), options)
        self._sheet = self._book.add_worksheet()
        self._row = 0
        for column, width in enumerate(WIDTHS):
            self._sheet.set_column(column, column, width)
        self._sheet.freeze_panes(1, 0)
        self.add([heads(words)])

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        """Write rows beneath the last one."""
        for row in rows:
            for column, cell in enumerate(row):
                if COLUMNS[column] == "persons" and cell.isdecimal():
                    self._sheet.write_number(self._row, column, int(cell))
                elif cell:
                    self._sheet.write_string(self._row, column, cell)
            self._row += 1

    def close(self) -> None:
        """Finish the file."""
        self._book.close()
