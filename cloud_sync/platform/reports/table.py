# SPDX-License-Identifier: Apache-2.0
"""An answer as a table, and as a CSV that a spreadsheet program opens safely.

The law of the module: what stands in a cell came from people and devices. A text that
a spreadsheet would run as a formula gets an apostrophe before it; numbers stay numbers.
Source: RFC 4180; OWASP, CSV Injection.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge.core.moment import UNBOUNDED_MS

Cell = int | str
#: With what a formula begins in Excel, WPS, LibreOffice; tab and line ends hide one.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  local time, its offset is a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under the names of their columns; ``note`` says what is not in them."""

    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    note: str = ""


def csv_bytes(table: Table) -> bytes:
    """Return the table as CSV: UTF-8 with its mark, lines ended by CR LF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(table.columns)
    writer.writerows([harmless(cell) for cell in row] for row in table.rows)
    return out.getvalue().encode("utf-8-sig")


def harmless(cell: Cell) -> Cell:
    """Return a cell that no spreadsheet program takes for a formula."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA):
        return f"'{cell}"
    return cell


def local_time(utc_ms: int, utc_offset_ms: int) -> str:
    """Return a local time as ``YYYY-MM-DD HH:MM:SS``."""
    local_ms = min(max(utc_ms + utc_offset_ms, 0), UNBOUNDED_MS)
    moment = _EPOCH + timedelta(milliseconds=local_ms)
    return moment.isoformat(sep=" ", timespec="seconds")
