# SPDX-License-Identifier: Apache-2.0
"""Nothing personal of the roster lies open on the disk, whatever becomes of its key."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from cloud_sync.feed import NO_FEED, FeedCursor
from cloud_sync.ports import PortFaultError
from edge.cli.key_files import KeyFileError
from edge.cli.roster_key import held_seal, roster_seal
from edge.core.event import EventKind
from edge.storage.connection import open_aiosqlite, open_inline
from edge.storage.roster_file import open_roster
from edge.storage.roster_row import RosterRow
from tests.edge.fed_site import EPOCH, holder, many, row, running, second_run
from tests.edge.stage import settle
from tests.edge.test_roster_erasing import begun, change, person

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_sync.feed import FeedRow
    from edge.storage.roster import RosterStore
    from tests.edge.stage import Stage

NAMES = ("planted-holder", "planted-contact", "planted-elder", "planted-route")
PLACE, NEED = "planted-place", "planted-need"
TOLD = (
    *NAMES,
    PLACE,
    NEED,
    "planted-name",
    "13800004711",
    "planted-booking",
    "c0ffee" * 5 + "aa",
)


def told_rows() -> list[FeedRow]:
    return [
        holder("planted-holder", "c0ffee" * 5 + "aa"),
        row(
            *("booking", "planted-booking"),
            holder="planted-holder",
            space="hall",
            state="CONFIRMED",
            party=1,
            until=1,
        ),
        row(
            *("contact", "planted-contact"),
            name="planted-name",
            phone="13800004711",
            role="grid",
        ),
        row(
            *("elder", "planted-elder"),
            holder="planted-holder",
            order=1,
            route="planted-route",
            name="planted-name*",
            place=PLACE,
            needs=[NEED],
        ),
    ]


def raw(folder: Path) -> bytes:
    """Return the bytes of every file of the roster: database, log, set aside."""
    files = sorted(folder.glob("roster.db*"))
    assert {each.name for each in files} >= {"roster.db", "roster.db-wal"}
    return b"".join(each.read_bytes() for each in files)


async def everything(store: RosterStore) -> list[RosterRow]:
    return [each async for chunk in store.rows() for each in chunk]


async def test_no_file_holds_a_planted_name(
    tmp_path: Path, prompt_stage: Stage
) -> None:
    async with running(tmp_path / "roster.db", prompt_stage) as site:
        for rev in (1, 2):  # the second leaves the pages of the first
            await site.take([*many(30), *told_rows()], rev=rev, name=f"s{rev}")
            files = raw(tmp_path)
            assert [name for name in TOLD if name.encode() in files] == []
            token = bytes.fromhex(TOLD[-1])
            assert token[:8] not in files
            assert token[:8][::-1] not in files
        await site.stage_rows(told_rows(), "s3")  # staged ones neither
        assert not any(name.encode() in raw(tmp_path) for name in TOLD)
        found = {each.id for each in await everything(site.store)}
        assert found >= {"planted-holder", "planted-contact", "planted-booking"}
        digests = [each.digest for each in await everything(site.store)]
        assert not any(each in raw(tmp_path) for each in digests if each)


async def test_a_key_is_made_for_its_owner_alone_and_kept(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="start the gateway"):
        held_seal(tmp_path)
    seal = roster_seal(tmp_path)
    path = tmp_path / "keys" / "roster.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert roster_seal(tmp_path).key_id == held_seal(tmp_path).key_id == seal.key_id
    assert json.loads(path.read_text())["roster_key"] not in repr(seal)
    path.chmod(0o644)
    assert roster_seal(tmp_path).key_id == seal.key_id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("fate", ["lost", "wrong", "damaged", "short"])
async def test_without_its_key_a_roster_is_void_and_comes_anew(
    tmp_path: Path, fate: str
) -> None:
    path, key = tmp_path / "roster.db", tmp_path / "keys" / "roster.json"
    async with open_roster(path, open_aiosqlite, roster_seal(tmp_path)) as opened:
        await _put(opened.store, [RosterRow("holder", "h-1", 1, "{}", bytes(32))])
    if fate == "lost":
        key.unlink()
    else:
        other = {"wrong": "ab" * 32, "damaged": "zz", "short": "ab" * 31}[fate]
        key.write_text(json.dumps({"roster_key": other}))
    async with open_roster(path, open_aiosqlite, roster_seal(tmp_path)) as opened:
        assert (opened.why, opened.store.cursor.epoch) == ("key", "")
        assert opened.set_aside == tmp_path / "roster.db.damaged-1"
        assert await everything(opened.store) == []
        rows = [RosterRow("holder", "h-2", 1, "{}", bytes(32))]
        await _put(opened.store, rows)
    async with open_roster(path, open_aiosqlite, roster_seal(tmp_path)) as opened:
        assert (opened.why, opened.set_aside) == ("", None)
        assert await everything(opened.store) == rows


async def test_a_disk_that_cannot_give_the_key_makes_nothing_anew(
    tmp_path: Path,
) -> None:
    (tmp_path / "keys" / "roster.json").mkdir(parents=True)
    with pytest.raises(KeyFileError, match="cannot be read"):
        roster_seal(tmp_path)


@pytest.mark.parametrize("column", ["name", "ver", "kind", "cell"])
async def test_a_damaged_cell_is_missed_at_a_start_and_mended(
    tmp_path: Path, prompt_stage: Stage, column: str
) -> None:
    """Also one that was moved to another row: it is bound to its own."""
    path = tmp_path / "roster.db"
    change = {
        "name": "name = zeroblob(16)",
        "ver": "ver = ver + 1",
        "kind": "kind = 'booking'",
        "cell": "cell = (SELECT cell FROM entry WHERE place = 2)",
    }[column]
    async with running(path, prompt_stage) as site:
        await site.take([holder("guest"), *many(3)], rev=7)
    async with open_inline(path) as connection:
        damage = f"UPDATE entry SET {change} WHERE place = 1"  # noqa: S608
        await connection.execute(damage)
    async with second_run(path, prompt_stage) as site:
        assert site.knows(), "the image is whole"
    async with open_inline(path) as connection:
        await connection.execute("DELETE FROM image")
    async with second_run(path, prompt_stage) as site:
        assert site.told(EventKind.ROSTER_REFUSED) == ["3 rows of 4"]
        assert site.feed.cursor == NO_FEED
        await site.take([holder("guest"), *many(3)], rev=7, name="again")
        assert site.knows()
        assert site.feed.cursor == FeedCursor(epoch=EPOCH, rev=7)


async def test_a_cell_found_damaged_while_layers_are_folded_has_all_come_anew(
    tmp_path: Path, prompt_stage: Stage
) -> None:
    async with running(tmp_path / "roster.db", prompt_stage) as site:
        feed = await begun(site)
        await change(site, feed, {("holder", "p-3"): person("ab" * 16)})
        assert site.feed.layered == 1
        await site.disk.execute("UPDATE entry SET cell = zeroblob(60) WHERE place = 9")
        with pytest.raises(PortFaultError, match="does not open"):
            await site.feed.fold()
        await settle()
        assert site.told(EventKind.ROSTER_REFUSED) == [
            "a cell of the roster does not open"
        ]
        assert site.knows(f"{8:032x}"), "the rules hold what the file has lost"
        assert (site.feed.cursor, site.feed.hash) == (NO_FEED, b"")
        feed.rev += 1
        await feed.send_all(site)
        assert site.feed.cursor == feed.cursor
        assert site.feed.hash == feed.sum


async def _put(store: RosterStore, rows: list[RosterRow]) -> None:
    await store.stage("s", rows)
    await store.promote(
        "s", epoch="0001-aa", rev=1, hash="00" * 32, count=len(rows), applied_ms=1
    )
