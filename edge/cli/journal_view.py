# SPDX-License-Identifier: Apache-2.0
"""``menshen journal``: what the journal's file says, beside a gateway that writes it.

The law of the module: it opens the file for reading alone and shows platform
identifiers, never a token or a number, because there is none in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.core.chain import parse
from edge.storage.connection import open_aiosqlite
from edge.storage.errors import StorageError
from edge.storage.position import read_position
from edge.storage.rows import select
from edge.storage.verification import read_epochs, verify

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from edge.storage.connection import Connection

SLICE = 500


class NoJournalError(StorageError):
    """There is no journal at that place."""


async def show(path: Path, last: int) -> AsyncIterator[dict[str, Any]]:
    """Yield the last events, oldest first, as they were stored."""
    _assert_there(path)
    async with open_aiosqlite(path, is_reader=True) as reader:
        position = await read_position(reader)
        if position is None:
            return
        epochs = await read_epochs(reader)
        place = max(position.trimmed, position.last - last)
        while records := await select(reader, after=place, base=0, max_rows=SLICE):
            for record in records:
                epoch, seq = epochs.numbered(record.seq)
                yield {
                    "epoch": epoch,
                    "seq": seq,
                    **parse(record.core),
                    "person": parse(record.pii) if record.pii else None,
                }
            place = records[-1].seq


async def check(path: Path) -> dict[str, Any]:
    """Walk the whole chain; ``sound`` says whether every event is as it was stored."""
    _assert_there(path)
    async with open_aiosqlite(path, is_reader=True) as reader:
        return await _check(reader)


async def _check(reader: Connection) -> dict[str, Any]:
    position = await read_position(reader)
    if position is None:
        return {"sound": True, "checked": 0}
    verdict = await verify(reader, position, None)
    return {
        "sound": verdict.is_sound,
        "checked": verdict.checked,
        "epoch": verdict.epoch,
        "first_bad_seq": verdict.first_bad_seq,
        "head": position.head.hex(),
        "waiting": position.last - position.acked,
    }


def _assert_there(path: Path) -> None:
    if not path.is_file():
        raise NoJournalError(f"{path}: no journal here; is --state the right folder?")
