# SPDX-License-Identifier: Apache-2.0
"""The process that the kill test kills: appends for ever, tells each stored seq."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from pathlib import Path

from edge.storage.connection import open_aiosqlite
from edge.storage.journal import Journal
from tests.storage.samples import event


async def main(path: Path) -> None:
    async with (
        open_aiosqlite(path) as writer,
        open_aiosqlite(path, is_reader=True) as reader,
    ):
        journal = await Journal.open(
            writer,
            reader,
            new_epoch=lambda: secrets.token_hex(4),
            salt=lambda: secrets.token_bytes(16),
        )
        while True:
            first = journal.next_seq
            # Now one statement, now a transaction, now a mark between them.
            batch = [
                event(first + n, tag=f"{os.getpid()}") for n in range(first % 4 + 1)
            ]
            await journal.append(batch, f"state {first}" if first % 5 == 0 else None)
            os.write(1, f"{journal.last_seq}\n".encode())
            await journal.acknowledge(journal.last_seq - 3)
            if first % 50 == 0:
                await journal.trim(100)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
