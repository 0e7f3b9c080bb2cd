# SPDX-License-Identifier: Apache-2.0
"""Who may come where, in memory, packed: deciding never touches the disk.

The law of the module: a roster never changes; a new one is built beside it and
swapped whole. 100,000 credentials stand in sorted arrays of machine words (a look-up
is one bisection), holders and bookings are built when somebody asks for them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from edge.core.people.entries import Booking, Cardholder
from edge.core.people.roster_columns import Columns
from edge.core.people.roster_row import BookingRow, HolderRow, RevocationRow
from edge.core.plan import SIZES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edge.core.people.roster_row import RosterRow
    from edge.core.plan import Size


class Cursor(NamedTuple):
    """Where in the platform's feed a roster stands; ``("", 0)`` for nowhere yet."""

    epoch: str
    revision: int

    def __str__(self) -> str:
        return f"{self.epoch}@{self.revision}" if self.epoch else "none"


NOWHERE = Cursor("", 0)


#: A booking's size as a byte; the first is a room's, which has none.
_SIZES: tuple[Size | None, ...] = (None, *SIZES)


def _half(token: bytes, start: int) -> int:
    return int.from_bytes(token[start : start + 8], "big")


def _holder_key(holder_id: str) -> int:
    return int.from_bytes(blake2b(holder_id.encode(), digest_size=8).digest(), "big")


class Roster:
    """An unchanging set of holders, bookings and revocations at one cursor.

    Rows may come in any order; a booking may name a holder that is not there (it
    then opens nothing). Made by :class:`RosterBuilder`, or of the columns of one.
    """

    def __init__(self, columns: Columns, cursor: Cursor) -> None:
        self.cursor = cursor
        self.columns = columns

    @property
    def credentials(self) -> int:
        """How many credentials are known."""
        return len(self.columns.token_heads)

    def find(self, token: bytes) -> Cardholder | None:
        """Return the holder of a 16-byte token, or None.

        A token listed for two holders is nobody's: one of them is a mistake.
        """
        heads, tails = self.columns.token_heads, self.columns.token_tails
        head, tail = _half(token, 0), _half(token, 8)
        index = bisect_left(heads, head)
        owners = set()
        while index < len(heads) and heads[index] == head:
            if tails[index] == tail:
                owners.add(self.columns.token_owners[index])
            index += 1
        return self._holder(owners.pop()) if len(owners) == 1 else None

    def revocation(self, token: bytes) -> str | None:
        """Return why the token was revoked, or None."""
        return self.columns.revoked.get(token)

    def bookings(self, holder_id: str) -> list[Booking]:
        """Return the holder's confirmed bookings, earliest first."""
        keys = self.columns.booking_keys
        key = _holder_key(holder_id)
        index = bisect_left(keys, key)
        found = []
        while index < len(keys) and keys[index] == key:
            position = self.columns.booking_order[index]
            booking_id, _, owner = self.columns.bookings[position].partition("\0")
            if owner == holder_id:  # 64 bits of hash are no proof
                found.append(self._booking(position, booking_id))
            index += 1
        return sorted(found, key=lambda booking: booking.from_ms)

    def _holder(self, index: int) -> Cardholder:
        columns = self.columns
        flags = columns.holder_flags[index]
        roles, language = columns.holder_words[2 * index : 2 * index + 2]
        return Cardholder(
            holder_id=columns.holders[index],
            roles=tuple(columns.words[roles].split()),
            language=columns.words[language],
            is_enabled=bool(flags & 1),
            needs_extended_time=bool(flags & 2),
        )

    def _booking(self, position: int, booking_id: str) -> Booking:
        columns = self.columns
        from_ms, to_ms = columns.booking_times[2 * position : 2 * position + 2]
        space, party = columns.booking_words[2 * position : 2 * position + 2]
        return Booking(
            booking_id=booking_id,
            space_id=columns.words[space],
            from_ms=from_ms,
            to_ms=to_ms,
            party=party,
            size=_SIZES[columns.booking_sizes[position]],
        )


class RosterBuilder:
    """Collects rows in slices, so that a door need not wait for 100,000 of them."""

    def __init__(self) -> None:
        self.columns = Columns()
        self._numbers: dict[str, int] = {}
        self._is_sorted = False

    def add(self, rows: Iterable[RosterRow]) -> None:
        """Take a slice of rows."""
        for row in rows:
            match row:
                case HolderRow():
                    self._add_holder(row)
                case BookingRow() if row.is_confirmed:
                    self._add_booking(row)
                case RevocationRow():
                    self.columns.revoked[row.token] = row.reason
                case _:
                    pass  # a cancelled booking opens nothing

    def sorting(self) -> Iterator[None]:
        """Sort what was added, a short step at a time; no row may come after it."""
        self._is_sorted = True
        return self.columns.sorting()

    def build(self, cursor: Cursor) -> Roster:
        """Return the roster, sorted at one go if need be; the builder is spent."""
        if not self._is_sorted:
            deque(self.sorting(), maxlen=0)
        return Roster(self.columns, cursor)

    def _add_holder(self, row: HolderRow) -> None:
        columns = self.columns
        index = len(columns.holder_flags)
        columns.holders.append(row.holder_id)
        columns.holder_flags.append(row.is_enabled | row.needs_extended_time << 1)
        roles = self._number(" ".join(row.roles))
        columns.holder_words.extend((roles, self._number(row.language)))
        for _, token in row.credentials:
            columns.token_heads.append(_half(token, 0))
            columns.token_tails.append(_half(token, 8))
            columns.token_owners.append(index)

    def _add_booking(self, row: BookingRow) -> None:
        columns = self.columns
        columns.bookings.append(f"{row.booking_id}\0{row.holder_id}")
        columns.booking_keys.append(_holder_key(row.holder_id))
        columns.booking_times.extend((row.from_ms, row.to_ms))
        columns.booking_words.extend((self._number(row.space_id), row.party))
        columns.booking_sizes.append(_SIZES.index(row.size))

    def _number(self, word: str) -> int:
        """Return the number of a string that repeats."""
        number = self._numbers.setdefault(word, len(self.columns.words))
        if number == len(self.columns.words):
            self.columns.words.append(word)
        return number


EMPTY = RosterBuilder().build(NOWHERE)
