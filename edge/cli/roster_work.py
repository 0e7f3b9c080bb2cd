# SPDX-License-Identifier: Apache-2.0
"""Rows on their way into a roster: parsed, sorted and judged, a slice at a time.

The law of the module: no step keeps the loop for longer than about a millisecond, and
nothing here changes what is in force.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.cli.courtesy import hurry
from edge.core.people.quarantine import MAX_TOLD, Quarantine
from edge.core.people.roster import RosterBuilder
from edge.core.people.roster_row import HolderRow, RevocationRow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from edge.core.erasing.kept_out import KeptOut
    from edge.core.people.roster import Roster
    from edge.storage.roster_changes import RosterChanges
    from edge.storage.roster_row import RosterRow

#: Rows parsed between two rests: about a millisecond.
SLICE_ROWS = 25
_WITH_TOKENS = (HolderRow, RevocationRow)


@dataclass(slots=True)
class LeftOut:
    """How many rows named people erased here, and which of their digests."""

    rows: int = 0
    met: set[bytes] = field(default_factory=set)


class RosterWork:
    """A builder with its quarantine, both of what is on its way under one name."""

    def __init__(
        self,
        name: str,
        spaces: Collection[str] | None,
        rest: Callable[[], Awaitable[None]] = hurry,
    ) -> None:
        self.name = name
        self._rest = rest
        self.builder = RosterBuilder(spaces)
        self.quarantine = Quarantine()
        self.left_out = LeftOut()
        #: The latest site key that a row names.
        self.newest_site_key = 0

    def leave_out(
        self, rows: Sequence[RosterRow], kept_out: KeptOut
    ) -> list[RosterRow]:
        """Return the rows that name nobody erased here, and count the others."""
        kept = []
        for row in rows:
            met = kept_out.met(row.kind, row.id, row.body) if row.body else set()
            if met:
                self.left_out.rows += 1
                self.left_out.met |= met
            else:
                kept.append(row)
        return kept

    @property
    def is_mostly_broken(self) -> bool:
        """Whether these rows alone, as changes, are too bad to be used.

        A few broken ones among few are ordinary mistakes.
        """
        return self.quarantine.is_hopeless and self.quarantine.broken > MAX_TOLD

    async def add(self, rows: Sequence[RosterRow]) -> None:
        """Parse rows; of those that are gone there is nothing to parse."""
        parse = self.quarantine.parse
        for start in range(0, len(rows), SLICE_ROWS):
            part = rows[start : start + SLICE_ROWS]
            found = [parse(row.kind, row.id, row.body) for row in part if row.body]
            self.builder.add(row for row in found if row is not None)
            numbers = (r.site_key for r in found if isinstance(r, _WITH_TOKENS))
            self.newest_site_key = max((self.newest_site_key, *numbers))
            await self._rest()

    async def lie_over(self, base: Roster, changes: RosterChanges) -> bool:
        """Take what was added, and all changes before, as changes of ``base``.

        False, having done nothing, where only a roster in one layer will do.
        """
        self.builder.lie_over(base)
        if self.builder.brings_back:
            self.builder.stand_alone()
            return False
        async for keys in changes.keys():
            self.builder.drop(keys)
            await self._rest()
        async for chunk in changes.rows(is_whole=False):
            await self.add(chunk)
        return True

    async def sort(self) -> None:
        """Sort what was added, and note who has no place in it."""
        for _ in self.builder.sorting():
            await self._rest()
        for stray in self.builder.strays():
            self.quarantine.add(*stray)
