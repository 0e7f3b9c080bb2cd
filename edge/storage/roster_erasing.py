# SPDX-License-Identifier: Apache-2.0
"""A person taken out of the roster's file, whatever rows name him.

The law of the module: his own row, what is his (bookings, a place on the list of
elders), and what calls back him or his cards; in force, staged or left over. Rows are
sealed, so every one is opened; one that does not open may name him and goes as well.
The image goes too, since it holds everybody; whoever holds the roster packs another.
Source: docs/sync-contract.md, section 5.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from edge.storage.connection import Synchronous, transaction
from edge.storage.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from edge.storage.connection import Connection
    from edge.storage.roster_row import RosterRow
    from edge.storage.seal import RosterSeal

#: Rows opened without a rest: about a millisecond with what is sought in them.
PIECE_ROWS = 200


class Taken(NamedTuple):
    """How many rows went that were in force, and the cards' tokens (hex) of all."""

    rows: int
    tokens: tuple[str, ...]


@dataclass(slots=True)
class _Found:
    """Places of what is his, of those that are gone already, and of what is broken."""

    his: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    broken: set[int] = field(default_factory=set)
    tokens: list[str] = field(default_factory=list)
    #: Which token a revocation calls back.
    called_back: dict[int, str] = field(default_factory=dict)

    def look(self, place: int, row: RosterRow, holder: str) -> None:
        if row.kind == "holder" and row.id == holder:
            self.his.add(place)
            self.tokens += _tokens(row.body)
        elif row.kind == "revocation":
            told = _fields(row.body)
            self.called_back[place] = str(told.get("token"))
            if told.get("holder") == holder:
                self.his.add(place)
        elif (
            holder in row.body or "\\" in row.body  # as it is, or escaped
        ) and _fields(row.body).get("holder") == holder:
            self.his.add(place)
        if not row.body:
            self.gone.add(place)


async def tokens_of(
    connection: Connection, seal: RosterSeal, holder: str
) -> tuple[str, ...]:
    """Return the tokens (hex) of a person's cards, whatever row lists them."""
    found = set[str]()
    rows = await connection.execute_fetchall(
        "SELECT kind, name, ver, cell FROM entry WHERE name = ?",
        (seal.name("holder", holder),),
    )
    for row in rows:
        try:
            found.update(_tokens(seal.row(*row).body))
        except DamagedError:
            continue  # it goes with him; what it listed nobody can read any more
    return tuple(sorted(found))


async def take_out(connection: Connection, seal: RosterSeal, holder: str) -> Taken:
    """Delete every row that names ``holder`` or a card of his, in one commit."""
    found = _Found()
    async for rows in _pieces(connection):
        for place, *sealed in rows:
            try:
                found.look(place, seal.row(*sealed), holder)
            except DamagedError:
                found.broken.add(place)
        await asyncio.sleep(0)
    tokens = tuple(dict.fromkeys(found.tokens))
    back = {place for place, token in found.called_back.items() if token in tokens}
    [(after, upto)] = await connection.execute_fetchall(
        "SELECT after, upto FROM current"
    )
    places = found.his | back
    # Of a row that went with a change there is a place, and no row.
    rows_gone = sum(after < place <= upto for place in places - found.gone)
    async with transaction(connection, Synchronous.FULL):
        # The broken ones stay in the count: the roster is not whole without them.
        await connection.executemany(
            "DELETE FROM entry WHERE place = ?",
            [(place,) for place in sorted(places | found.broken)],
        )
        await connection.execute("UPDATE current SET count = count - ?", (rows_gone,))
        await connection.execute("DELETE FROM image")
    return Taken(rows_gone, tokens)


async def _pieces(connection: Connection) -> AsyncIterator[list[Sequence[Any]]]:
    last = 0
    while rows := list(
        await connection.execute_fetchall(
            "SELECT place, kind, name, ver, cell FROM entry WHERE place > ?"
            " ORDER BY place LIMIT ?",
            (last, PIECE_ROWS),
        )
    ):
        last = rows[-1][0]
        yield rows


def _fields(body: str) -> dict[str, Any]:
    """Return a body's fields; none of one that makes no sense."""
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _tokens(body: str) -> tuple[str, ...]:
    """Return the tokens of a holder's row; of one that makes no sense none."""
    try:
        return tuple(
            str(each).partition(":")[2] for each in _fields(body)["credentials"]
        )
    except (LookupError, TypeError):
        return ()
