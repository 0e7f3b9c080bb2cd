# SPDX-License-Identifier: Apache-2.0
"""An export's rows as a workbook (XLSX) that office programs open.

The law of the module: rows come and go one piece at a time, however many there are;
every cell is a text or a number and says so, none can become a formula. It is a
process of its own, ``python -m edge.panel.workbook FILE``, since its library would
stay in the panel's memory for ever (17 MB): each line of its input is a list of rows
as JSON, the columns' names first, and the end of the input is the end of the file.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from edge.panel.sheets import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Of the columns, in characters.
WIDTHS = (18, 14, 12, 20, 24, 6, 8, 10)
#: An office can wait for what doors and tablets leave over.
NICENESS = 10


class Workbook:
    """One sheet, written row by row; ``close`` ends it in any case."""

    def __init__(self, path: Path) -> None:
        options = {"constant_memory": True, "tmpdir": str(path.parent)}
        self._book = xlsxwriter.Workbook(str(path), options)
        self._sheet = self._book.add_worksheet()
        self._row = 0
        for column, width in enumerate(WIDTHS):
            self._sheet.set_column(column, column, width)
        self._sheet.freeze_panes(1, 0)

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


def main(path: Path, lines: Iterable[bytes]) -> int:
    """Write all rows to a file; 1 if there is no room for it."""
    os.nice(NICENESS)
    try:
        book = Workbook(path)
        for line in lines:
            book.add(json.loads(line))
        book.close()
    except (OSError, XlsxWriterException) as fault:
        sys.stderr.write(f"the workbook cannot be written: {fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.stdin.buffer))
