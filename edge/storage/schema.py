# SPDX-License-Identifier: Apache-2.0
"""The shape of a file, and how an older shape becomes the present one.

The law of the module: a file says whose it is (``application_id``) and how far it
has come (``user_version``); each migration is one transaction with its number, so a
power cut leaves the shape before or the shape after. What is foreign or newer than
this program is refused and stays untouched.
Source: sqlite.org pragma.html, application_id and user_version.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from edge.storage.connection import transaction
from edge.storage.errors import ForeignFileError, SchemaTooNewError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from edge.storage.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """``migrations`` are names of .sql files beside this one, oldest first.

    A migration that has been shipped is never edited; a change is a new file.
    """

    name: str
    application_id: int
    migrations: tuple[str, ...]


#: The identifiers read "MSHJ", "MSHR" and "MSHA" in a hex dump.
JOURNAL = Schema(name="journal", application_id=0x4D53484A, migrations=("journal.sql",))
ROSTER = Schema(
    name="roster",
    application_id=0x4D534852,
    migrations=(
        *("roster.sql", "roster_image.sql", "roster_changes.sql"),
        "roster_sealed.sql",
    ),
)
ACCOUNTS = Schema(
    name="accounts", application_id=0x4D534841, migrations=("accounts.sql",)
)


async def migrate(
    connection: Connection,
    schema: Schema,
    then: Mapping[str, Callable[[], Awaitable[None]]] | None = None,
) -> None:
    """Bring the file to the present shape; a fresh file gets all of it.

    ``then`` holds what no statement can do: it follows the migration of that name, in
    the same transaction. Raises ForeignFileError or SchemaTooNewError, having changed
    nothing.
    """
    version = await _version(connection, schema)
    for number, name in enumerate(schema.migrations[version:], version + 1):
        async with transaction(connection):
            for statement in statements(_text(name)):
                await connection.execute(statement)
            if then and name in then:
                await then[name]()
            await connection.execute(f"PRAGMA application_id = {schema.application_id}")
            await connection.execute(f"PRAGMA user_version = {number}")


async def _version(connection: Connection, schema: Schema) -> int:
    [(owner,)] = await connection.execute_fetchall("PRAGMA application_id")
    [(version,)] = await connection.execute_fetchall("PRAGMA user_version")
    [(tables,)] = await connection.execute_fetchall(
        "SELECT count(*) FROM sqlite_schema"
    )
    is_fresh = (owner, version, tables) == (0, 0, 0)
    if owner != schema.application_id and not is_fresh:
        raise ForeignFileError(
            f"not a {schema.name} of Menshen (application_id {owner:#x}); "
            "move the file away, or point the state folder elsewhere"
        )
    if version > len(schema.migrations):
        raise SchemaTooNewError(
            f"the {schema.name} has version {version}, this program knows "
            f"{len(schema.migrations)}; install the newer program again"
        )
    return int(version)


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def statements(script: str) -> Iterator[str]:
    """Split a script where SQLite itself sees a statement end."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if any(
        line.strip() and not line.startswith("--") for line in statement.split("\n")
    ):
        raise ValueError(f"unfinished statement: {statement!r}")
