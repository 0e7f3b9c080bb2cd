# SPDX-License-Identifier: Apache-2.0
"""Reads matrix.txt: one line is one mishap at one device, and what the house is told.

The law of the module: it reads and understands nothing; a line that does not fit the
form is a fault of the table and raises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = Path(__file__).with_name("matrix.txt")
_COLUMNS = 4
_BACK = ", back after "
_TOLD = re.compile(r"(?P<word>[A-Z]\w+) (?P<unit>\d+|\*)(?: (?P<text>.+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One signal: its word, its unit (None: each unit once), and a piece of its why."""

    word: str
    unit: int | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line; ``back_after_s`` is None unless the mishap has ended by then.

    ``refusal``: why a site file is not taken; then there is nothing to be told.
    """

    device: str
    mishap: str
    back_after_s: float | None
    within_s: float
    told: tuple[Told, ...]
    refusal: str
    then: tuple[str, ...]
    line: int

    def __str__(self) -> str:
        """Name the test."""
        back = "" if self.back_after_s is None else f", back after {self.back_after_s}"
        return f"{self.device}: {self.mishap}{back}"


def rows() -> Iterator[Row]:
    """Yield the lines of the table, in order."""
    device = ""
    for number, text in enumerate(TABLE.read_text("utf-8").splitlines(), start=1):
        line = text.partition("#")[0].strip()
        if line.startswith("["):
            device = line.strip("[]")
        elif line:
            yield _row(device, line, number)


def _row(device: str, line: str, number: int) -> Row:
    columns = [column.strip() for column in line.split("|")]
    if not device or len(columns) != _COLUMNS:
        raise ValueError(f"line {number}: {_COLUMNS} columns under a [device]")
    name, within, told, then = columns
    mishap, _, back = name.partition(_BACK)
    refusal = told.removeprefix("refused: ") if told.startswith("refused: ") else ""
    items = () if refusal or told == "nothing" else told.split("; ")
    return Row(
        device=device,
        mishap=mishap,
        back_after_s=float(back.removesuffix(" s")) if back else None,
        within_s=0.0 if within == "-" else float(within.removesuffix(" s")),
        told=tuple(_told(item, number) for item in items),
        refusal=refusal,
        then=() if then == "-" else tuple(then.split(", ")),
        line=number,
    )


def _told(item: str, number: int) -> Told:
    found = _TOLD.fullmatch(item)
    if found is None:
        raise ValueError(f"line {number}: {item!r} is no 'Word unit text'")
    unit = None if found["unit"] == "*" else int(found["unit"])
    return Told(word=found["word"], unit=unit, text=found["text"] or "")
