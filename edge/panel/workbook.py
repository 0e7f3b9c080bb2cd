# SPDX-License-Identifier: Apache-2.0
"""An export's rows as a workbook (XLSX) that office programs open.

The law of the module: rows come and go one piece at a time, however many there are;
every cell is a text or a number and says so, none can become a formula. It blocks, so
it belongs in a worker thread, and is imported by whoever makes one: the library costs
17 MB that a panel without exports does not need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import xlsxwriter

from edge.panel.sheets import COLUMNS, heads

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edge.panel.words import Words

#: Of the columns, in characters.
WIDTHS = (18, 14, 12, 20, 24, 6, 8, 10)


class Workbook:
    """One sheet, written row by row below ``folder``; ``close`` ends it in any case."""

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
