# SPDX-License-Identifier: Apache-2.0
"""How one journal epoch follows another.

The law of the module: what was acknowledged stays where it is, under its old epoch;
what was not is the beginning of the new one. Rows keep their place, their texts and
their salt; the new epoch counts seq from 1 after the last acknowledged place and its
chain starts from its own ``h_0``, as the contract asks of every epoch.

Why so. The platform knows an event by (gateway, epoch, seq), and its watermark of an
epoch begins at 0, so numbers that went on would be a gap for ever. After a restored
card nobody can tell which of the unacknowledged rows the platform already has under
the old epoch: all of them are sent again, because a record that is there twice can be
recognised (core and commitment, with its 16 random bytes, are the same byte for byte)
and one that is lost cannot be brought back. What was acknowledged is never sent twice.

The old links are checked on the way: new hashes over a changed row would make it look
as if nobody had touched it.
Source: docs/sync-contract.md sections 3 and 6.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from edge.core.chain import genesis, link
from edge.storage.errors import DamagedError, LocalError
from edge.storage.rows import commitment_of, select
from edge.storage.verification import hash_at

if TYPE_CHECKING:
    from edge.storage.connection import Connection
    from edge.storage.position import Position

#: Rows linked anew between two turns of the loop.
SLICE_ROWS = 500
_SUFFIX = re.compile(r"[0-9a-f]{8}")


async def start_epoch(writer: Connection, suffix: str, base: int) -> str:
    """Write the next epoch after ``base`` and return its name."""
    if not _SUFFIX.fullmatch(suffix):
        raise LocalError(f"an epoch's suffix is 8 hex digits, not {suffix!r}")
    [(counter,)] = await writer.execute_fetchall(
        "SELECT coalesce(max(counter), 0) + 1 FROM epoch"
    )
    name = f"{counter:04d}-{suffix}"
    await writer.execute(
        "INSERT INTO epoch (counter, name, base) VALUES (?, ?, ?)",
        (counter, name, base),
    )
    return name


async def succeed(writer: Connection, position: Position, suffix: str) -> Position:
    """Open the next epoch within the caller's transaction; where it then stands.

    Raises DamagedError if a row to be linked anew does not hold to its old link.
    """
    base = position.acked
    old = await hash_at(writer, position, base) or b""
    name = await start_epoch(writer, suffix, base)
    new, place = genesis(name), base
    while place < position.last:
        records = await select(writer, after=place, base=0, max_rows=SLICE_ROWS)
        links = []
        for record in records:
            com = commitment_of(record)
            old = link(old, record.core, com)
            if record.seq != place + 1 or record.hash != old:
                raise DamagedError(
                    f"the chain is broken at {place + 1 - position.base}"
                )
            place, new = record.seq, link(new, record.core, com)
            links.append((new, place))
        if not links:
            raise DamagedError(f"no row at {place + 1 - position.base}")
        await writer.executemany("UPDATE event SET hash = ? WHERE place = ?", links)
    await writer.execute("UPDATE mark SET acked = ?", (base,))
    return replace(position, epoch=name, base=base, head=new, acked=base)
