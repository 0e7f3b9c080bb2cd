# SPDX-License-Identifier: Apache-2.0
"""A roster of a version before is sealed in one step, wherever the power is cut."""

from __future__ import annotations

import json
import sqlite3
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from edge.storage.connection import Synchronous, open_inline
from edge.storage.errors import OtherKeyError
from edge.storage.roster import RosterCursor, RosterStore
from edge.storage.roster_file import open_roster
from edge.storage.roster_row import RosterRow
from edge.storage.schema import ROSTER, Schema, migrate
from edge.storage.seal import KEY_BYTES, NONCE_BYTES, PIECE_BYTES, RosterSeal
from tests.storage.samples import Images, WatchedConnection
from tests.storage.sealing import SEAL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.storage.samples import Opener

VERSION_3 = Schema(
    name=ROSTER.name,
    application_id=ROSTER.application_id,
    migrations=ROSTER.migrations[:3],
)
PLANTED = b"planted-holder"


def rows(count: int) -> list[RosterRow]:
    found = [RosterRow("holder", f"planted-holder-{n}", 1, "{}") for n in range(count)]
    told = {"holder": "planted-holder-1", "state": "CANCELLED"}
    found.append(RosterRow("booking", "b-1", 7, json.dumps(told), sha256().digest()))
    return [*found, RosterRow("elder", "gone", 9, "")]


async def before(path: Path, count: int) -> None:
    """Leave a roster of version 3, as that version wrote it."""
    async with open_inline(path, synchronous=Synchronous.NORMAL) as connection:
        await migrate(connection, VERSION_3)
        await connection.executemany(
            "INSERT INTO entry (place, kind, id, ver, body, digest)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [(place, *row) for place, row in enumerate(rows(count), 1)],
        )
        await connection.execute("INSERT INTO image VALUES (0, ?)", (PLANTED,))
        await connection.execute(
            "UPDATE current SET upto = ?, base = ?, epoch = '0001-aa', rev = 5,"
            " hash = 'ab', count = ?, applied_ms = 8",
            (count + 2, count, count + 1),
        )


async def held(store: RosterStore) -> list[RosterRow]:
    return [row async for chunk in store.rows() for row in chunk]


def files(path: Path) -> bytes:
    return b"".join(each.read_bytes() for each in path.parent.glob("roster.db*"))


async def test_an_older_roster_is_sealed_and_says_the_same(
    opener: Opener, tmp_path: Path
) -> None:
    path = tmp_path / "roster.db"
    await before(path, 1100)
    assert PLANTED in files(path)
    async with open_roster(path, opener, SEAL) as found:
        store = found.store
        assert found.set_aside is None
        assert await held(store) == rows(1100)[:-1]
        assert store.cursor == RosterCursor(
            epoch="0001-aa", rev=5, hash="ab", count=1101, applied_ms=8
        )
        assert (store.span, store.base) == ((0, 1102), 1100)
        assert [part async for part in store.image()] == []
        assert PLANTED not in files(path)
        flags = await store._connection.execute_fetchall(
            "SELECT kind, is_gone, is_apart FROM entry WHERE place > 1099"
        )
        kinds = [("holder", 0, 0), ("booking", 0, 1), ("elder", 1, 1)]
        assert list(flags) == kinds


async def test_a_power_cut_leaves_it_open_whole_or_sealed_whole(
    tmp_path: Path,
) -> None:
    path = tmp_path / "one" / "roster.db"
    path.parent.mkdir()
    await before(path, 1100)
    async with open_inline(path) as connection:
        images = Images(path, tmp_path / "cuts")
        await RosterStore.open(WatchedConnection(connection, images.keep), SEAL)
    versions = []
    for image in images.kept:
        with sqlite3.connect(image) as looking:
            [version] = looking.execute("PRAGMA user_version").fetchone()
        looking.close()
        versions.append(version)
        async with open_roster(image, open_inline, SEAL) as found:
            assert found.set_aside is None
            assert await held(found.store) == rows(1100)[:-1]
        assert PLANTED not in files(image)
    assert versions == sorted(versions)
    assert set(versions) == {3, 4}


async def test_another_key_opens_nothing(tmp_path: Path) -> None:
    other = RosterSeal(b"o" * KEY_BYTES, lambda: bytes(NONCE_BYTES))
    path = tmp_path / "roster.db"
    await before(path, 3)
    async with open_inline(path) as connection:
        await RosterStore.open(connection, SEAL)
        with pytest.raises(OtherKeyError, match="start the gateway"):
            await RosterStore.open(connection, other)
    assert other.name("holder", "h") != SEAL.name("holder", "h")


@pytest.mark.parametrize(
    "length", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, 2 * PIECE_BYTES + 5]
)
async def test_an_image_is_opened_as_it_was_kept(
    opener: Opener, tmp_path: Path, length: int
) -> None:
    path = tmp_path / "roster.db"
    parts = [b"first", bytes(range(256)) * (length // 256) + b"x" * (length % 256)]
    async with open_roster(path, opener, SEAL) as found:
        await found.store.keep_image(parts)
        assert [part async for part in found.store.image()] == parts
        await found.store._connection.execute(
            "UPDATE image SET body = (SELECT body FROM image WHERE part = 0)"
            " WHERE part = 1"
        )
        assert [part async for part in found.store.image()] == parts[:1]


def test_a_key_has_its_length_and_two_cells_of_one_row_differ() -> None:
    with pytest.raises(ValueError, match="32 bytes, not 31"):
        RosterSeal(bytes(31), lambda: bytes(NONCE_BYTES))
    row = RosterRow("contact", "c-1", 1, '{"phone":"13800004711"}', bytes(32))
    [one], [two] = SEAL.entries([row], 1), SEAL.entries([row], 1)
    assert one[:-1] == two[:-1]
    assert one[-1] != two[-1]
    assert SEAL.row(one[1], one[2], one[3], one[-1]) == row
