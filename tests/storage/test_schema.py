# SPDX-License-Identifier: Apache-2.0
"""Files say whose they are; connections end with their block, whatever happens."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from edge.storage.connection import (
    InlineConnection,
    Synchronous,
    _prepare,
    open_aiosqlite,
    open_inline,
    transaction,
)
from edge.storage.errors import (
    DamagedError,
    ForeignFileError,
    LocalError,
    SchemaTooNewError,
    StorageError,
)
from edge.storage.journal import Journal
from edge.storage.journal_file import JOURNAL_PAGE_BYTES, open_journal
from edge.storage.roster_file import open_roster
from edge.storage.schema import JOURNAL, ROSTER, Schema, migrate, statements
from tests.storage.samples import (
    FaultyConnection,
    contents,
    counted,
    events,
    opened,
    overwrite,
    tampered,
)
from tests.storage.sealing import SEAL

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.storage.samples import Opener


def stamps(path: Path) -> tuple[int, int]:
    with sqlite3.connect(path) as connection:
        [owner] = connection.execute("PRAGMA application_id").fetchone()
        [version] = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return owner, version


async def test_fresh_files_are_stamped(opener: Opener, path: Path) -> None:
    async with opened(opener, path):
        pass
    assert stamps(path) == (int.from_bytes(b"MSHJ", "big"), 1)
    roster = path.with_name("roster.db")
    async with open_roster(roster, opener, SEAL):
        pass
    assert stamps(roster) == (int.from_bytes(b"MSHR", "big"), 4)


async def test_a_newer_file_is_refused_untouched(opener: Opener, path: Path) -> None:
    async with opened(opener, path) as journal:
        await journal.append(events(1, 3))
    tampered(path, "PRAGMA user_version = 7")
    before = contents(path)
    with pytest.raises(SchemaTooNewError, match="version 7, this program knows 1"):
        async with opened(opener, path):
            pass
    assert contents(path) == before


@pytest.mark.parametrize("owner", ["another program", "the roster"])
async def test_a_foreign_file_is_refused_untouched(
    opener: Opener, path: Path, owner: str
) -> None:
    if owner == "the roster":
        async with open_roster(path, opener, SEAL):
            pass
    else:
        tampered(path, "PRAGMA journal_mode = WAL", "CREATE TABLE precious (x)")
    before = contents(path)
    with pytest.raises(ForeignFileError, match="not a journal of Menshen"):
        async with opened(opener, path):
            pass
    assert contents(path) == before


async def test_migrations_run_once_each_and_whole_or_not_at_all(
    opener: Opener, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = {
        "one.sql": "CREATE TABLE a (x);",
        "two.sql": "CREATE TABLE b (x);\nINSERT INTO b VALUES (1);",
        "bad.sql": "CREATE TABLE c (x);\nCREATE TABLE a (x);",
    }
    monkeypatch.setattr("edge.storage.schema._text", scripts.__getitem__)

    def schema(*names: str) -> Schema:
        return Schema(name="test", application_id=0x4D535430, migrations=names)

    async with opener(path) as connection:
        await migrate(connection, schema("one.sql"))
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            await migrate(connection, schema("one.sql", "two.sql", "bad.sql"))
        assert stamps(path) == (0x4D535430, 2)
        for _ in range(2):
            await migrate(connection, schema("one.sql", "two.sql"))
        [(count,)] = await connection.execute_fetchall("SELECT count(*) FROM b")
        assert count == 1
        names = await connection.execute_fetchall(
            "SELECT name FROM sqlite_schema ORDER BY name"
        )
        assert [name for (name,) in names] == ["a", "b"]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_fault_while_the_file_is_made_leaves_a_file_to_go_on_with(
    opener: Opener, tmp_path: Path, when: str
) -> None:
    raised = 0
    for number in range(1, 30):
        path = tmp_path / f"{number}.db"

        def wrap(inner: object, number: int = number) -> FaultyConnection:
            faulty = FaultyConnection(inner, when)  # type: ignore[arg-type]
            faulty.failing = {number}
            return faulty

        try:
            async with opened(opener, path, wrap):
                pass
        except sqlite3.OperationalError:
            raised += 1
        async with opened(opener, path) as journal:
            assert journal.epoch.startswith("0001-")
            await journal.append(events(1, 1))
            assert (await journal.verify()).is_sound
    assert 5 < raised < 29


def test_statements_end_where_sqlite_says() -> None:
    script = "-- a; comment\nCREATE TABLE a (x);\n\nINSERT INTO a VALUES (';');\n"
    assert [text.strip().splitlines()[-1] for text in statements(script)] == [
        "CREATE TABLE a (x);",
        "INSERT INTO a VALUES (';');",
    ]
    with pytest.raises(ValueError, match="unfinished"):
        list(statements("CREATE TABLE a (x)"))


@pytest.mark.parametrize("schema", [JOURNAL, ROSTER])
async def test_all_tables_are_strict(
    opener: Opener, path: Path, schema: Schema
) -> None:
    async with opener(path) as connection:
        await migrate(connection, schema)
        tables = await connection.execute_fetchall("PRAGMA table_list")
        ours = [row for row in tables if not row[1].startswith("sqlite_")]
        assert ours
        assert all(row[5] for row in ours)


@pytest.mark.parametrize("opener", [open_aiosqlite, open_inline])
async def test_a_connection_ends_with_its_block(opener: Opener, path: Path) -> None:
    before = threading.active_count()
    with pytest.raises(KeyError):
        async with opener(path):
            raise KeyError("planted")
    overwrite(path, b"this is no database, but long enough to look like one" * 99)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        async with opener(path):
            pass
    with pytest.raises(sqlite3.OperationalError):
        async with opener(path / "nowhere"):
            pass
    await asyncio.sleep(0.05)
    assert threading.active_count() <= before


async def test_a_cancelled_opening_leaves_no_thread(path: Path) -> None:
    before = threading.active_count()

    async def hold() -> None:
        async with open_aiosqlite(path):
            await asyncio.sleep(60)

    for turns in range(30):
        task = asyncio.create_task(hold())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
    await asyncio.sleep(0.05)
    assert threading.active_count() <= before


def test_an_opening_that_fails_waits_for_its_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the thread would speak to a loop that is closed already, and complain."""
    complaints: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", complaints.append)
    before = threading.active_count()

    async def fail() -> None:
        async with open_aiosqlite(tmp_path):
            raise AssertionError("a folder was opened")

    for _ in range(50):
        with pytest.raises(sqlite3.OperationalError):
            asyncio.run(fail())
    assert complaints == []
    assert threading.active_count() <= before


async def test_a_transaction_is_all_or_nothing(opener: Opener, path: Path) -> None:
    async with opener(path) as connection:
        await connection.execute("CREATE TABLE t (x)")

        async def half_done() -> None:
            async with transaction(connection):
                await connection.execute("INSERT INTO t VALUES (1)")
                raise KeyError("planted")

        with pytest.raises(KeyError):
            await half_done()
        async with transaction(connection):
            await connection.executemany("INSERT INTO t VALUES (?)", [(2,), (3,)])
        rows = await connection.execute_fetchall("SELECT x FROM t ORDER BY x")
        assert [x for (x,) in rows] == [2, 3]


async def test_a_place_without_a_log_is_refused() -> None:
    class NoSharedMemory(InlineConnection):
        """A file system on which SQLite keeps the old kind of journal."""

        async def execute_fetchall(
            self, sql: str, parameters: Iterable[Any] = (), /
        ) -> list[Any]:
            return [("delete",)]

    connection = sqlite3.connect(":memory:")
    with pytest.raises(StorageError, match="journal_mode is delete"):
        await _prepare(NoSharedMemory(connection), Synchronous.FULL, is_reader=False)
    connection.close()


async def test_the_simulation_may_live_in_memory() -> None:
    async with open_inline(":memory:") as both:
        journal = await Journal.open(both, both, new_epoch=counted(8), salt=counted(16))
        await journal.append(events(1, 70), state="s")
        await journal.erase("h3")
        assert (await journal.verify()).is_sound


def test_our_own_errors_have_one_root() -> None:
    for error in (DamagedError, ForeignFileError, LocalError, SchemaTooNewError):
        assert issubclass(error, StorageError)
        assert not issubclass(error, sqlite3.Error)


def test_the_program_ends_although_a_journal_failed_within() -> None:
    """An aiosqlite thread that is left behind would keep the process for ever."""
    script = (
        "import asyncio, tempfile\n"
        "from edge.storage.connection import open_aiosqlite\n"
        "async def main():\n"
        "    with tempfile.TemporaryDirectory() as folder:\n"
        "        async with open_aiosqlite(folder + '/journal.db'):\n"
        "            raise SystemExit(3)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=20)
    assert done.returncode == 3


async def test_a_fresh_journal_has_small_pages(tmp_path: Path) -> None:
    """A commit writes whole pages; an older file keeps the size it has."""
    path = tmp_path / "journal.db"
    async with open_journal(path, new_epoch=lambda: "0" * 8, salt=lambda: bytes(16)):
        pass
    async with open_inline(path) as connection:
        [(size,)] = await connection.execute_fetchall("PRAGMA page_size")
    assert size == JOURNAL_PAGE_BYTES
