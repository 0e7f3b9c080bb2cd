# SPDX-License-Identifier: Apache-2.0
"""What the controller needs after a restart: the last snapshot and what came after.

The law of the module: the start never fails for one row. What this version cannot
read (an event kind of a newer one) is named, not guessed and not fatal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.event import decode
from edge.storage.rows import select
from edge.storage.verification import read_epochs

if TYPE_CHECKING:
    from edge.core.event import Event
    from edge.storage.connection import Connection

#: Rows decoded between two turns of the loop; a tail has 500 events as a rule.
SLICE_ROWS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """``state`` after the event ``state_seq``, and the events that follow it.

    A row of an earlier epoch carries the seq it has there; ``state_seq`` too, and it
    is 0 without a state. ``unread`` are the seqs of rows that could not be decoded.
    """

    state: str | None
    state_seq: int
    tail: list[Event]
    unread: tuple[int, ...] = ()


async def recover(reader: Connection) -> Recovery:
    """Read the last snapshot and decode every event after it."""
    epochs = await read_epochs(reader)
    state, place = None, 0
    for found in await reader.execute_fetchall("SELECT body, place FROM state"):
        state, place = found
    state_seq = epochs.numbered(place)[1] if place else 0
    tail: list[Event] = []
    unread: list[int] = []
    while records := await select(reader, after=place, base=0, max_rows=SLICE_ROWS):
        for record in records:
            seq = epochs.numbered(record.seq)[1]
            try:
                tail.append(decode(seq, record.core, record.pii))
            except (ValueError, KeyError, TypeError):
                unread.append(seq)
        place = records[-1].seq
    return Recovery(state=state, state_seq=state_seq, tail=tail, unread=tuple(unread))
