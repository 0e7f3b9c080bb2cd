# SPDX-License-Identifier: Apache-2.0
"""A start without parsing, and a roster that file and rules change together."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from cloud_sync.feed import NO_FEED, FeedCursor
from edge.cli.roster_work import SLICE_ROWS
from edge.core.event import EventKind
from edge.core.people.roster import Cursor
from edge.storage.connection import open_inline
from tests.edge.fed_site import EPOCH, Site, complete, holder, many, running, second_run
from tests.storage.sealing import SEAL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from tests.edge.stage import Stage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "roster.db"


@pytest.fixture
async def fed(path: Path, prompt_stage: Stage) -> AsyncIterator[Site]:
    async with running(path, prompt_stage) as opened:
        yield opened


async def test_a_start_takes_the_image_and_reads_no_row(
    path: Path, prompt_stage: Stage
) -> None:
    async with running(path, prompt_stage) as site:
        await site.take([holder("guest"), *many(3 * SLICE_ROWS)], rev=7)
    async with open_inline(path) as connection:
        await connection.execute("UPDATE entry SET cell = zeroblob(length(cell))")
    async with second_run(path, prompt_stage) as site:
        assert site.knows()
        assert site.stage.controller.roster.credentials == 3 * SLICE_ROWS + 1
        assert site.feed.cursor == FeedCursor(epoch=EPOCH, rev=7)


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM image",
        "DELETE FROM image WHERE part = (SELECT max(part) FROM image)",
        "UPDATE image SET body = zeroblob(length(body)) WHERE part = 6",
        "UPDATE current SET rev = 8",
        "UPDATE current SET hash = 'another'",
    ],
)
async def test_an_image_that_does_not_fit_is_made_anew_of_the_rows(
    path: Path, prompt_stage: Stage, damage: str
) -> None:
    async with running(path, prompt_stage) as site:
        await site.take([holder("guest"), *many(10)], rev=7)
    async with open_inline(path) as connection:
        await connection.execute(damage)
    async with second_run(path, prompt_stage) as site:
        assert site.knows()
    async with open_inline(path) as connection:
        await connection.execute("DELETE FROM entry")
    async with second_run(path, prompt_stage) as site:
        assert site.knows()


@pytest.mark.parametrize("turns", [1, 3, 10, 100, 1000])
async def test_a_lost_connection_parts_file_and_rules_nowhere(
    fed: Site, turns: int
) -> None:
    """Else the rules would keep the old roster, and the platform hear of the new."""
    await fed.take([holder("guest")])
    await fed.stage_rows(many(3), name="s2")
    completing = asyncio.ensure_future(fed.feed.complete(complete(3, 2, "s2")))
    for _ in range(turns):
        await asyncio.to_thread(time.sleep, 0.0002)  # the stage's own clock stands
    completing.cancel()
    await asyncio.wait([completing])
    for _ in range(300):  # a promotion that was begun ends by itself
        await asyncio.to_thread(time.sleep, 0.001)
    assert fed.store.cursor.rev == fed.feed.cursor.rev
    assert fed.stage.controller.roster.cursor == Cursor(EPOCH, fed.feed.cursor.rev)
    assert fed.knows() is (fed.feed.cursor.rev == 1)


async def test_a_disk_that_keeps_no_image_keeps_nobody_out(fed: Site) -> None:
    kept = fed.store.keep_image

    async def fails(parts: Iterable[bytes]) -> None:
        fed.disk.is_broken = True
        try:
            await kept(parts)
        finally:
            fed.disk.is_broken = False

    fed.store.keep_image = fails  # type: ignore[method-assign]
    await fed.take([holder("guest")])
    assert fed.knows()
    assert [part async for part in fed.store.image()] == []


async def test_the_next_connection_does_not_delete_what_is_being_promoted(
    fed: Site,
) -> None:
    """Its first part sweeps; the promotion whose caller gave up still runs."""
    await fed.take([holder("guest")])
    await fed.stage_rows(many(400), name="s2")
    completing = asyncio.ensure_future(fed.feed.complete(complete(400, 2, "s2")))
    for _ in range(10_000):
        if fed.store._promoting.locked():
            break
        await asyncio.sleep(0)
    assert fed.store.cursor.rev == 1
    completing.cancel()
    await asyncio.wait([completing])
    await fed.feed.drop("s2")
    await fed.stage_rows(many(5), name="s3")
    await fed.feed.complete(complete(5, 3, "s3"))
    assert fed.feed.cursor == FeedCursor(epoch=EPOCH, rev=3)
    assert fed.stage.controller.roster.credentials == 5
    rows = [row.id async for chunk in fed.store.rows() for row in chunk]
    assert len(rows) == 5


async def test_a_roster_that_lost_a_row_is_not_taken_for_whole(
    path: Path, prompt_stage: Stage
) -> None:
    """The row that is missing may be a revocation."""
    async with running(path, prompt_stage) as site:
        await site.take([holder("guest"), *many(3)], rev=7)
    async with open_inline(path) as connection:
        await connection.execute("DELETE FROM entry WHERE place = 2")
        await connection.execute("DELETE FROM image")
    async with second_run(path, prompt_stage) as site:
        assert not site.knows()
        assert site.feed.cursor == NO_FEED
        assert site.told(EventKind.ROSTER_REFUSED) == ["3 rows of 4"]


async def test_who_left_the_roster_is_in_no_file_of_it(fed: Site, path: Path) -> None:
    await fed.take([holder("somebody-who-left"), *many(3)])
    [cell] = await _cells_of(path, "somebody-who-left")
    assert cell in _files_of(path)
    await fed.take(many(3), rev=2, name="s2")
    assert cell not in _files_of(path)


async def test_the_rows_of_before_are_gone_after_a_swap(fed: Site, path: Path) -> None:
    await fed.take(many(30))
    await fed.take(many(4), rev=2, name="s2")
    async with open_inline(path) as reader:
        assert await reader.execute_fetchall("SELECT count(*) FROM entry") == [(4,)]


async def _cells_of(path: Path, holder_id: str) -> list[bytes]:
    async with open_inline(path) as reader:
        found = await reader.execute_fetchall(
            "SELECT cell FROM entry WHERE name = ?", (SEAL.name("holder", holder_id),)
        )
        return [cell for (cell,) in found]


def _files_of(path: Path) -> bytes:
    return path.read_bytes() + path.with_name(f"{path.name}-wal").read_bytes()
