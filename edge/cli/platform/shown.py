# SPDX-License-Identifier: Apache-2.0
"""An answer of the platform on a terminal, as CSV in a file, or as JSON.

The law of the module: one table in, one form out; a file that is there is not
overwritten by mistake, and one that holds people is its owner's alone to read.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table as Drawn

from cloud_sync.platform.reports.table import csv_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_sync.platform.reports.table import Table


#: Of a line that no terminal cuts.
PIPE_CHARACTERS = 400


class ShownError(Exception):
    """A file cannot be written; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How to show it: into ``csv`` where it is a path, else JSON or a table."""

    csv: Path | None = None
    is_json: bool = False


def show(table: Table, form: Form) -> None:
    """Show a table in that form."""
    if form.csv is not None:
        write_private(form.csv, csv_bytes(table))
        print(f"{form.csv}: {len(table.rows)} rows")
    elif form.is_json:
        rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        print(json.dumps(rows, ensure_ascii=False))
    else:
        _draw(table)


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that its owner alone may read."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except FileExistsError as fault:
        raise ShownError(f"{path}: there is a file already, name another") from fault
    except OSError as fault:
        raise ShownError(f"{path}: {fault.strerror}") from fault


def _draw(table: Table) -> None:
    drawn = Drawn(box=None, header_style="bold", pad_edge=False)
    # Columns in which nothing stands would only make the others narrow.
    used = [
        place
        for place in range(len(table.columns))
        if any(row[place] != "" for row in table.rows)
    ]
    for place in used:
        drawn.add_column(table.columns[place], overflow="fold")
    for row in table.rows:
        drawn.add_row(*(_plain(str(row[place])) for place in used))
    # What stands in a cell is no markup of ours; a file or a pipe has no edge.
    width = None if sys.stdout.isatty() else PIPE_CHARACTERS
    console = Console(markup=False, highlight=False, width=width)
    console.print(drawn if table.rows else "nothing to show")
    if table.note:
        console.print(table.note, style="dim")


def _plain(text: str) -> str:
    """Return a text that moves no cursor and colours nothing."""
    return "".join(
        each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text
    )
