# SPDX-License-Identifier: Apache-2.0
"""Who may come where, in memory, packed: deciding never touches the disk.

The law of the module: a roster never changes; a new one is built beside it and
swapped whole. 100,000 credentials stand in sorted arrays of machine words (a look-up
is one bisection), holders and bookings are built when somebody asks for them.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from edge.core.plan import SIZES
from edge.core.roster_row import BookingRow, HolderRow, RevocationRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.core.plan import Size
    from edge.core.roster_row import RosterRow


class Cursor(NamedTuple):
    """Where in the platform's feed a roster stands; ``("", 0)`` for nowhere yet."""

    epoch: str
    revision: int

    def __str__(self) -> str:
        return f"{self.epoch}@{self.revision}" if self.epoch else "none"


NOWHERE = Cursor("", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cardholder:
    """A person as the platform names one to this site."""

    holder_id: str
    roles: tuple[str, ...]
    language: str
    is_enabled: bool
    needs_extended_time: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """A confirmed booking: UTC ms, half-open.

    Of a room for ``party`` persons, or of one compartment of ``size`` in a bank.
    """

    booking_id: str
    space_id: str
    from_ms: int
    to_ms: int
    party: int
    size: Size | None = None


#: A booking's size as a byte; the first is a room's, which has none.
_SIZES: tuple[Size | None, ...] = (None, *SIZES)


class _Words:
    """Strings that repeat, each kept once and named by a small number."""

    def __init__(self) -> None:
        self.values: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, value: str) -> int:
        number = self._numbers.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


def _half(token: bytes, start: int) -> int:
    return int.from_bytes(token[start : start + 8], "big")


def _holder_key(holder_id: str) -> int:
    return int.from_bytes(blake2b(holder_id.encode(), digest_size=8).digest(), "big")


class _Texts:
    """Many short strings in one buffer."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._ends = array("I")

    def append(self, text: str) -> None:
        self._buffer += text.encode()
        self._ends.append(len(self._buffer))

    def __getitem__(self, index: int) -> str:
        start = self._ends[index - 1] if index else 0
        return self._buffer[start : self._ends[index]].decode()


class Roster:
    """An unchanging set of holders, bookings and revocations at one cursor.

    Rows may come in any order; a booking may name a holder that is not there (it
    then opens nothing). Made by :class:`RosterBuilder`.
    """

    def __init__(self, builder: RosterBuilder, cursor: Cursor) -> None:
        self.cursor = cursor
        self._words = builder.words.values
        self._holders = builder.holders
        self._holder_flags = builder.holder_flags
        self._holder_words = builder.holder_words
        order = _sorted_indexes(builder.token_heads)
        self._heads = array("Q", (builder.token_heads[i] for i in order))
        self._tails = array("Q", (builder.token_tails[i] for i in order))
        self._owners = array("I", (builder.token_owners[i] for i in order))
        order = _sorted_indexes(builder.booking_keys)
        self._booking_keys = array("Q", (builder.booking_keys[i] for i in order))
        self._booking_order = array("I", order)
        self._bookings = builder.bookings
        self._booking_times = builder.booking_times
        self._booking_words = builder.booking_words
        self._booking_sizes = builder.booking_sizes
        self._revoked = builder.revoked

    @property
    def credentials(self) -> int:
        """How many credentials are known."""
        return len(self._heads)

    def find(self, token: bytes) -> Cardholder | None:
        """Return the holder of a 16-byte token, or None.

        A token listed for two holders is nobody's: one of them is a mistake.
        """
        head, tail = _half(token, 0), _half(token, 8)
        index = bisect_left(self._heads, head)
        owners = set()
        while index < len(self._heads) and self._heads[index] == head:
            if self._tails[index] == tail:
                owners.add(self._owners[index])
            index += 1
        return self._holder(owners.pop()) if len(owners) == 1 else None

    def revocation(self, token: bytes) -> str | None:
        """Return why the token was revoked, or None."""
        return self._revoked.get(token)

    def bookings(self, holder_id: str) -> list[Booking]:
        """Return the holder's confirmed bookings, earliest first."""
        key = _holder_key(holder_id)
        index = bisect_left(self._booking_keys, key)
        found = []
        while index < len(self._booking_keys) and self._booking_keys[index] == key:
            position = self._booking_order[index]
            booking_id, _, owner = self._bookings[position].partition("\0")
            if owner == holder_id:  # 64 bits of hash are no proof
                found.append(self._booking(position, booking_id))
            index += 1
        return sorted(found, key=lambda booking: booking.from_ms)

    def _holder(self, index: int) -> Cardholder:
        flags = self._holder_flags[index]
        roles, language = self._holder_words[2 * index : 2 * index + 2]
        return Cardholder(
            holder_id=self._holders[index],
            roles=tuple(self._words[roles].split()),
            language=self._words[language],
            is_enabled=bool(flags & 1),
            needs_extended_time=bool(flags & 2),
        )

    def _booking(self, position: int, booking_id: str) -> Booking:
        from_ms, to_ms = self._booking_times[2 * position : 2 * position + 2]
        space, party = self._booking_words[2 * position : 2 * position + 2]
        return Booking(
            booking_id=booking_id,
            space_id=self._words[space],
            from_ms=from_ms,
            to_ms=to_ms,
            party=party,
            size=_SIZES[self._booking_sizes[position]],
        )


def _sorted_indexes(keys: array[int]) -> list[int]:
    return sorted(range(len(keys)), key=keys.__getitem__)


class RosterBuilder:
    """Collects rows in slices, so that a door need not wait for 100,000 of them."""

    def __init__(self) -> None:
        self.words = _Words()
        self.holders = _Texts()
        self.holder_flags = array("B")
        self.holder_words = array("I")
        self.token_heads = array("Q")
        self.token_tails = array("Q")
        self.token_owners = array("I")
        self.bookings = _Texts()
        self.booking_keys = array("Q")
        self.booking_times = array("q")
        self.booking_words = array("I")
        self.booking_sizes = array("B")
        self.revoked: dict[bytes, str] = {}

    def add(self, rows: Iterable[RosterRow]) -> None:
        """Take a slice of rows."""
        for row in rows:
            match row:
                case HolderRow():
                    self._add_holder(row)
                case BookingRow() if row.is_confirmed:
                    self._add_booking(row)
                case RevocationRow():
                    self.revoked[row.token] = row.reason
                case _:
                    pass  # a cancelled booking opens nothing

    def build(self, cursor: Cursor) -> Roster:
        """Return the roster; the builder is spent afterwards."""
        return Roster(self, cursor)

    def _add_holder(self, row: HolderRow) -> None:
        index = len(self.holder_flags)
        self.holders.append(row.holder_id)
        self.holder_flags.append(row.is_enabled | row.needs_extended_time << 1)
        roles = self.words.number(" ".join(row.roles))
        self.holder_words.extend((roles, self.words.number(row.language)))
        for _, token in row.credentials:
            self.token_heads.append(_half(token, 0))
            self.token_tails.append(_half(token, 8))
            self.token_owners.append(index)

    def _add_booking(self, row: BookingRow) -> None:
        self.bookings.append(f"{row.booking_id}\0{row.holder_id}")
        self.booking_keys.append(_holder_key(row.holder_id))
        self.booking_times.extend((row.from_ms, row.to_ms))
        self.booking_words.extend((self.words.number(row.space_id), row.party))
        self.booking_sizes.append(_SIZES.index(row.size))


EMPTY = RosterBuilder().build(NOWHERE)
