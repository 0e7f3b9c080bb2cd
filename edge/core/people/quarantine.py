# SPDX-License-Identifier: Apache-2.0
"""What of a snapshot cannot be understood, kept out while the rest is used.

The law of the module: no row, however broken, raises or opens. What is told of one
holds no personal name (an event holds those in its erasable part alone) and nothing
that stood in the row: a broken field may hold anything, an identity number too.

A snapshot of which more than half is broken is a mistake of the sender, and not of a
row: used, it would send most people away from their doors, so it is refused whole and
the roster before stays.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from edge.core.event import EventKind
from edge.core.people.roster_row import RevocationRow, parse_row
from edge.core.stimulus import Noted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.core.people.roster_row import RosterRow

#: Broken rows of one snapshot that are told singly; those beyond are counted.
MAX_TOLD = 20
MAX_WHY = 96


class Quarantine:
    """The broken rows of one snapshot."""

    def __init__(self) -> None:
        self._rows = 0
        self._broken = 0
        self._told: list[Noted] = []

    def parse(self, kind: str, row_id: str, text: str) -> RosterRow | None:
        """Return the row that a body's JSON tells, or None: broken, or not known."""
        try:
            row = parse_row(kind, row_id, json.loads(text))
        except (ValueError, RecursionError) as flaw:
            self._rows += 1
            self.add(kind, row_id, str(flaw))
            return None
        self._rows += row is not None
        if isinstance(row, RevocationRow) and row.flaw:
            self.add(kind, row_id, row.flaw)
        return row

    def add(self, kind: str, row_id: str, flaw: str) -> None:
        """Take a flaw in, of a row that was parsed before."""
        self._broken += 1
        if len(self._told) < MAX_TOLD:
            self._told.append(_told(kind, row_id, flaw))

    @property
    def broken(self) -> int:
        """How many flaws there are."""
        return self._broken

    @property
    def is_hopeless(self) -> bool:
        """Say whether so much is broken that nothing of the snapshot is used."""
        return 2 * self._broken > self._rows

    def summary(self) -> str:
        """Say in a few words how much is broken, and what first."""
        if not self._told:
            return "no row is broken"
        first = self._told[0]
        kind, why = (dict(first.facts)[name] for name in ("kind", "why"))
        return f"{self._broken} of {self._rows} rows broken, first a {kind}: {why}"

    def notes(self) -> Iterator[Noted]:
        """Yield an event for each of the first broken rows, and one for the others."""
        yield from self._told
        beyond = self._broken - len(self._told)
        if beyond:
            yield _noted((("count", beyond),))


def _told(kind: str, row_id: str, flaw: str) -> Noted:
    why = flaw.removeprefix(f"{kind} {row_id}: ").partition(", got ")[0]
    told = (("id", row_sign(row_id)), ("kind", kind), ("why", why[:MAX_WHY]))
    return _noted(told)


def row_sign(row_id: str) -> str:
    """Return what an event calls a row, whose id may be a person's or a booking's.

    The first 16 hexadecimal digits of the SHA256 of the id in UTF-8: who has the rows
    finds it among them.
    """
    return sha256(row_id.encode(errors="replace")).hexdigest()[:16]


def _noted(facts: tuple[tuple[str, int | str], ...]) -> Noted:
    return Noted(kind=EventKind.ROW_QUARANTINED, subject="gateway", facts=facts)
