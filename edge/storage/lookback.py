# SPDX-License-Identifier: Apache-2.0
"""Reading what happened, in pieces that hold nobody up.

The law of the module: it reads and never mends. One call looks at PIECE_ROWS rows at
most, in the thread of the journal's own reader, and brings back only what was asked
for, so that the loop parses nothing in vain. Rows are named by their place, which
counts over all epochs and never changes; an event's ``lo`` hardly ever goes back, since
a clock's floor is the last event's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from edge.storage.verification import read_epochs

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from edge.storage.connection import Connection
    from edge.storage.position import Position
    from edge.storage.verification import Epochs

#: Rows that one call looks at: some 3 ms of the reader's thread.
PIECE_ROWS = 500
#: Refusals wait for company and stand behind what is younger, by a second at most.
FLICKER_MS = 5_000

_COLUMNS = "SELECT place, core, pii FROM event WHERE place > ? AND place <= ?"
_OF_KINDS = (
    " AND CASE WHEN json_valid(core) THEN json_extract(core, '$.k') IN"
    " (SELECT value FROM json_each(?)) END ORDER BY place"
)


class Seen(NamedTuple):
    """One row: its place, its number in its epoch, and its two texts."""

    place: int
    seq: int
    core: str
    pii: str | None


class Lookback:
    """What a journal still holds; ``position`` is asked anew at every call."""

    def __init__(self, reader: Connection, position: Callable[[], Position]) -> None:
        self._reader = reader
        self._position = position

    @property
    def first(self) -> int:
        """The place before the oldest row that is left."""
        return self._position().trimmed

    @property
    def last(self) -> int:
        """The place of the newest row."""
        return self._position().last

    async def epochs(self) -> Epochs:
        """Return which epoch each place belongs to."""
        return await read_epochs(self._reader)

    async def before(self, utc_ms: int) -> int:
        """Return a place after which everything of ``utc_ms`` and later stands.

        Found by halving: some twenty rows are looked at, whatever the journal holds.
        """
        low, high = self.first, self.last
        while low < high:
            middle = (low + high + 1) // 2
            if await self._lo_ms(middle) < utc_ms - FLICKER_MS:
                low = middle
            else:
                high = middle - 1
        return low

    async def piece(
        self, after: int, upto: int, kinds: Collection[str], epochs: Epochs
    ) -> list[Seen]:
        """Return the rows of ``kinds`` with ``after < place <= upto``, oldest first.

        ``upto - after`` is at most PIECE_ROWS, or what is over is left out.
        """
        upto = min(upto, after + PIECE_ROWS)
        rows = await self._reader.execute_fetchall(
            _COLUMNS + _OF_KINDS, (after, upto, json.dumps(sorted(kinds)))
        )
        return [
            Seen(place, epochs.numbered(place)[1], core, pii)
            for place, core, pii in rows
        ]

    async def _lo_ms(self, place: int) -> int:
        """Return a row's time; of one that was changed into no event, the earliest."""
        rows = await self._reader.execute_fetchall(
            "SELECT CASE WHEN json_valid(core) THEN json_extract(core, '$.lo') END"
            " FROM event WHERE place = ?",
            (place,),
        )
        for (lo_ms,) in rows:
            if isinstance(lo_ms, int):
                return lo_ms
        return 0
