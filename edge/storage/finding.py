# SPDX-License-Identifier: Apache-2.0
"""Events of some kinds, found among all that the journal holds.

The law of the module: it reads and never mends, on the journal's own reader, a bounded
piece at a time: whoever looks through a month makes many short reads, and no commit
waits for one. Numbers are those of the present epoch; an event of an earlier one has a
number below 1, and what its facts call a number is ``renumbered`` with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edge.core.event import Event, decode
from edge.storage.verification import Epochs, read_epochs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.storage.connection import Connection
    from edge.storage.position import Position

#: Rows looked at in one read: some 3 ms of the reader's thread on a small board.
PIECE_ROWS = 2_000


class Found(NamedTuple):
    """An event; what its facts call number n is ``n + renumbered`` today."""

    event: Event
    renumbered: int


class Finder:
    """Looks through the journal for whoever keeps a book of some of its events."""

    def __init__(self, reader: Connection, position: Callable[[], Position]) -> None:
        self._reader = reader
        self._position = position

    async def since(self, utc_ms: int) -> int:
        """Return the number before the first event that may be as young as ``utc_ms``.

        Clocks step, so that it is a good guess and no promise.
        """
        position = self._position()
        low, high = position.trimmed, position.last
        while low < high:
            middle = (low + high) // 2
            rows = await self._reader.execute_fetchall(
                "SELECT CASE WHEN json_valid(core) THEN json_extract(core, '$.lo') END"
                " FROM event WHERE place > ? ORDER BY place LIMIT 1",
                (middle,),
            )
            lo_ms = next((lo for (lo,) in rows if isinstance(lo, int)), None)
            if lo_ms is not None and lo_ms < utc_ms:
                low = middle + 1
            else:
                high = middle
        return low - position.base

    async def piece(
        self, kinds: Sequence[str], after: int
    ) -> tuple[list[Found], int, bool]:
        """Return the events of ``kinds`` in the piece that follows ``after``.

        And up to which number that piece went, and whether it was the last; a kind may
        be the beginning of several. What somebody has spoilt is left out.
        """
        position = self._position()
        first = position.base + after
        last = min(max(first, position.trimmed) + PIECE_ROWS, position.last)
        marks = tuple(f'"k":"{kind}' for kind in kinds)
        wanted = " OR ".join(["instr(core, ?)"] * len(marks))
        sql = (
            "SELECT place, core, pii FROM event WHERE place > ? AND place <= ?"  # noqa: S608  question marks alone
            f" AND ({wanted}) ORDER BY place"
        )
        rows = await self._reader.execute_fetchall(
            sql,
            (first, last, *marks),
        )
        epochs = await read_epochs(self._reader) if rows else None
        found = [
            each
            for place, core, pii in rows
            if epochs and (each := _found(epochs, position.base, place, core, pii))
        ]
        reached = max(first, last) - position.base
        return found, reached, last >= position.last


def _found(
    epochs: Epochs, base: int, place: int, core: str, pii: str | None
) -> Found | None:
    _, seq = epochs.numbered(place)
    try:
        event = decode(place - base, core, pii)
    except (ValueError, KeyError):
        return None
    return Found(event=event, renumbered=place - base - seq)
