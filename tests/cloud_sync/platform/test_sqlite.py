# SPDX-License-Identifier: Apache-2.0
"""The embedded database beside other processes that read it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

from cloud_sync.platform.sqlite import open_sqlite

if TYPE_CHECKING:
    from pathlib import Path

#: Whoever closes a database last clears its write-ahead log away.
COUNT = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
[[count]] = connection.execute("SELECT count(*) FROM gateway")
connection.close()
print(count)
"""


def counted_elsewhere(path: Path) -> int:
    """Let a process of its own count the gateways, as a report's verb does."""
    command = [sys.executable, "-c", COUNT, str(path)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(ended.stdout)


ADD = "INSERT INTO gateway (gateway, shard, note, added_ms) VALUES (?1, '00', '', 0)"


async def test_a_reader_that_comes_and_goes_hides_no_later_commit(
    tmp_path: Path,
) -> None:
    path = tmp_path / "platform.db"
    async with open_sqlite(path) as database:
        for number in range(1, 4):
            async with database.writing() as work:
                await work.execute(ADD, f"gw-{number}")
            assert counted_elsewhere(path) == number


async def test_whoever_is_cancelled_as_it_begins_leaves_nothing_open(
    tmp_path: Path,
) -> None:
    path = tmp_path / "platform.db"

    async def store(number: int) -> None:
        async with database.writing() as work:
            await work.execute(ADD, f"gw-{number}")

    async with open_sqlite(path) as database:
        for number in range(20):
            cut = asyncio.create_task(store(number))
            for _ in range(number % 5 + 1):
                await asyncio.sleep(0)
            cut.cancel()
            await asyncio.wait({cut})
            await store(100 + number)
        assert counted_elsewhere(path) >= 20
