# SPDX-License-Identifier: Apache-2.0
"""What the platform asks of a database, and no more.

The law of the module: protocols alone. SQL is written once, in what SQLite and
PostgreSQL have in common, with values as ``?1``, ``?2`` …; whoever implements the port
turns every failure of his into :class:`DatabaseError`. All that is read or written
belongs to a transaction, so that nobody ever sees half of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractAsyncContextManager

Value = int | str | bytes | None
Item = TypeVar("Item")
#: A row in the order of its SELECT: both databases' rows are read by position.
Row = Any


class DatabaseError(Exception):
    """The database cannot be reached, is full or refuses; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """A table into which many rows go at once: its columns with their types."""

    name: str
    columns: tuple[tuple[str, str], ...]

    @property
    def names(self) -> str:
        """The columns as SQL lists them."""
        return ", ".join(name for name, _ in self.columns)


class Work(Protocol):
    """One transaction."""

    async def fetch(self, sql: str, *values: Value) -> Sequence[Row]:
        """Run one statement and return all its rows."""

    async def execute(self, sql: str, *values: Value) -> None:
        """Run one statement whose rows nobody wants."""

    async def executemany(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run one statement for each row of values."""

    async def add(self, table: Bulk, rows: Sequence[Sequence[Value]]) -> None:
        """Insert rows, in as few statements as the database likes best.

        One whose key is there already is passed over.
        """


class Database(Protocol):
    """A database that holds the platform's tables (``schema.py``)."""

    def writing(self) -> AbstractAsyncContextManager[Work]:
        """Open a transaction that is durable once the block is left in order."""

    async def scour(self) -> bool:
        """Leave no old copy of what was erased; False if somebody reads it now."""

    def reading(self) -> AbstractAsyncContextManager[Work]:
        """Open a transaction that reads one state of everything and holds up nobody."""


def filled(values: Sequence[Item]) -> list[Item]:
    """Return values with the last repeated up to a power of two.

    A statement with a place for each value then has a handful of texts, not hundreds:
    PostgreSQL prepares each text once.
    """
    length = 1 << (len(values) - 1).bit_length()
    return [*values, *[values[-1]] * (length - len(values))]
