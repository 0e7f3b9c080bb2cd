# SPDX-License-Identifier: Apache-2.0
"""Many rows at once, in both databases: all of them, and none over what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_sync.platform.database import Bulk
from cloud_sync.platform.sqlite import ROWS_A_STATEMENT

if TYPE_CHECKING:
    from cloud_sync.platform.database import Database

ASIDE = Bulk(
    name="quarantine",
    columns=(("journal", "bigint"), ("seq", "bigint"), ("why", "text")),
)
COUNT = "SELECT why, count(*) FROM quarantine GROUP BY why ORDER BY why"


@pytest.mark.parametrize("rows", [0, 1, ROWS_A_STATEMENT - 1, 3 * ROWS_A_STATEMENT + 7])
async def test_all_rows_are_there_and_what_was_there_stays(
    database: Database, rows: int
) -> None:
    async with database.writing() as work:
        await work.add(ASIDE, [(1, seq, "first") for seq in range(rows)])
        await work.add(ASIDE, [(1, seq, "later") for seq in range(rows + 2)])
    async with database.reading() as work:
        found = [tuple(row) for row in await work.fetch(COUNT)]
    assert found == ([("first", rows)] if rows else []) + [("later", 2)]


async def test_an_absent_value_is_absent(database: Database) -> None:
    events = Bulk(
        name="event",
        columns=(
            *(("journal", "bigint"), ("seq", "bigint"), ("kind", "text")),
            *(("at", "text"), ("lo", "bigint"), ("core", "text"), ("salt", "bytea")),
            *(("pii", "text"), ("com", "bytea"), ("hash", "bytea")),
            ("stored_ms", "bigint"),
        ),
    )
    rows = [
        (7, seq, "", "门", -seq, "{}", None, None, b"\0", b"h", 1) for seq in (1, 2)
    ]
    async with database.writing() as work:
        await work.add(events, rows)
    async with database.reading() as work:
        found = await work.fetch("SELECT * FROM event WHERE journal = 7 ORDER BY seq")
    assert [tuple(row) for row in found] == rows
