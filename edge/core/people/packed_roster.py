# SPDX-License-Identifier: Apache-2.0
"""Who may come where, in memory, packed: deciding never touches the disk.

The law of the module: a roster never changes; a new one is built beside it and
swapped whole. 250,000 credentials stand in sorted arrays of machine words (a look-up
is one bisection), holders and bookings are built when somebody asks for them.
"""

from __future__ import annotations

from bisect import bisect_left
from hashlib import blake2b
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from edge.core.people.entries import Booking, Cardholder
from edge.core.people.roster_columns import COUNTS_ALL, LENGTHS_MS, SIZE_FLAGS, Columns
from edge.core.plan import SIZES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge.core.people.roster_columns import Tables
    from edge.core.plan import Size


class Cursor(NamedTuple):
    """Where in the platform's feed a roster stands; ``("", 0)`` for nowhere yet."""

    epoch: str
    revision: int

    def __str__(self) -> str:
        return f"{self.epoch}@{self.revision}" if self.epoch else "none"


NOWHERE = Cursor("", 0)

#: A booking's size by its flags; the first is a room's, which has none.
SIZE_NUMBERS: tuple[Size | None, ...] = (None, *SIZES)


#: A token as two numbers.
_HALVES = Struct(">QQ")


def holder_key(holder_id: str) -> int:
    """Return the number by which a holder is sought; no proof that it is he."""
    return int.from_bytes(blake2b(holder_id.encode(), digest_size=8).digest(), "big")


class Roster:
    """An unchanging set of holders, bookings and revocations at one cursor.

    Rows may come in any order; a booking of a holder who is not there is nobody's.
    Made by ``RosterBuilder``, or of the columns of one.
    """

    def __init__(self, columns: Columns, cursor: Cursor) -> None:
        self.cursor = cursor
        self.columns = columns
        #: Where the bookings of each space stand, by their length.
        self._rooms: dict[str, list[tuple[int, int, int]]] = {}
        #: Roles by their word's number, split when first asked for: there are few.
        self._roles: dict[int, tuple[str, ...]] = {}
        #: Who was asked after last, and where his bookings stand: who is refused is
        #: asked after twice. Like the roles it is of this roster, which never changes.
        self._asked: tuple[str | None, Sequence[int]] = (None, ())
        start, groups = 0, columns.room_groups
        for at in range(0, len(groups), 3):
            word, length, end = groups[at : at + 3]
            where = (start, end, LENGTHS_MS[length])
            self._rooms.setdefault(columns.tables.words[word], []).append(where)
            start = end

    @property
    def credentials(self) -> int:
        """How many credentials are known."""
        return len(self.columns.token_heads)

    @property
    def tables(self) -> Tables:
        """What there are few of: revocations, policies, keys, elders."""
        return self.columns.tables

    def find(self, token: bytes) -> Cardholder | None:
        """Return the holder of a 16-byte token, or None.

        A token listed for two holders is nobody's: one of them is a mistake.
        """
        heads, (head, tail) = self.columns.token_heads, _HALVES.unpack(token)
        index = bisect_left(heads, head)
        if index == len(heads) or heads[index] != head:
            return None
        is_alone = index + 1 == len(heads) or heads[index + 1] != head
        if is_alone:  # nearly always: 64 bits of hash part most tokens
            is_his = self.columns.token_tails[index] == tail
            return self._holder(self.columns.token_owners[index]) if is_his else None
        owners = self._owners(token)
        return self._holder(owners.pop()) if len(owners) == 1 else None

    def lists(self, token: bytes) -> bool:
        """Say whether the token is some holder's, or listed for several."""
        return bool(self._owners(token))

    def revocation(self, token: bytes) -> str | None:
        """Return why the token was revoked, or None."""
        return self.columns.tables.revoked.get(token)

    def holder(self, holder_id: str) -> Cardholder | None:
        """Return a holder by his name, or None."""
        columns, key = self.columns, holder_key(holder_id)
        index = bisect_left(columns.holder_keys, key)
        while index < len(columns.holder_keys) and columns.holder_keys[index] == key:
            place = columns.holder_order[index]
            if columns.holders[place] == holder_id:
                return self._holder(place)
            index += 1
        return None

    def has_key(self, key: int) -> bool:
        """Say whether some holder's name has that key."""
        keys = self.columns.holder_keys
        index = bisect_left(keys, key)
        return index < len(keys) and keys[index] == key

    def bookings(self, holder_id: str) -> list[Booking]:
        """Return the holder's confirmed bookings, earliest first."""
        booked = map(self._booking, self._booked_by(holder_id))
        # 64 bits of hash are no proof.
        return [booking for owner, booking in booked if owner == holder_id]

    def bookings_here(
        self, holder_id: str, space_id: str, from_ms: int, to_ms: int
    ) -> list[Booking]:
        """Return those of a room that touch ``[from_ms, to_ms)``, earliest first.

        The others are told by their columns and never built.
        """
        columns, found = self.columns, []
        times = columns.booking_times
        for place in self._booked_by(holder_id):
            pair = 2 * place
            if times[pair] >= to_ms or times[pair + 1] <= from_ms:
                continue
            is_room = not columns.booking_flags[place] & SIZE_FLAGS
            word = columns.booking_words[pair]
            if is_room and columns.tables.words[word] == space_id:
                owner, booking = self._booking(place)
                if owner == holder_id:
                    found.append(booking)
        return found

    def booking(self, booking_id: str) -> tuple[str, Booking] | None:
        """Return a booking and whose it is, by its name: a search, for orders alone."""
        for place in self.columns.bookings.starting_with(f"{booking_id}\0"):
            owner, booking = self._booking(place)
            if self.holder(owner) is not None:
                return owner, booking
        return None

    def booked(
        self, space_id: str, from_ms: int, to_ms: int
    ) -> Iterator[tuple[str, Booking]]:
        """Yield whose and which bookings of a room touch ``[from_ms, to_ms)``."""
        columns = self.columns
        for start, end, longest_ms in self._rooms.get(space_id, ()):
            index = bisect_left(
                columns.room_order,
                from_ms - longest_ms,
                start,
                end,
                key=columns.starts_ms,
            )
            while index < end:
                place = columns.room_order[index]
                if columns.booking_times[2 * place] >= to_ms:
                    break
                if columns.booking_times[2 * place + 1] > from_ms:
                    yield self._booking(place)
                index += 1

    def _booked_by(self, holder_id: str) -> Sequence[int]:
        """Return the places of a holder's bookings, or of who shares his key."""
        asked, places = self._asked
        if asked == holder_id:
            return places
        keys, key = self.columns.booking_keys, holder_key(holder_id)
        start = end = bisect_left(keys, key)
        while end < len(keys) and keys[end] == key:
            end += 1
        places = self.columns.booking_order[start:end]
        self._asked = holder_id, places
        return places

    def _owners(self, token: bytes) -> set[int]:
        """Return the places of the holders for whom a token is listed."""
        columns, (head, tail) = self.columns, _HALVES.unpack(token)
        heads, owners = columns.token_heads, set()
        index = bisect_left(heads, head)
        while index < len(heads) and heads[index] == head:
            if columns.token_tails[index] == tail:
                owners.add(columns.token_owners[index])
            index += 1
        return owners

    def _holder(self, place: int) -> Cardholder:
        columns, pair = self.columns, 2 * place
        words, times = columns.tables.words, columns.holder_times
        flags, word = columns.holder_flags[place], columns.holder_words[pair]
        roles = self._roles.get(word)
        if roles is None:
            roles = self._roles[word] = tuple(words[word].split())
        return Cardholder(
            holder_id=columns.holders[place],
            roles=roles,
            language=words[columns.holder_words[pair + 1]],
            is_enabled=flags & 1 != 0,
            needs_extended_time=flags & 2 != 0,
            valid_from_ms=times[pair],
            valid_to_ms=times[pair + 1],
            care_days=columns.holder_care[place],
        )

    def _booking(self, place: int) -> tuple[str, Booking]:
        """Return whose booking stands at a place, and the booking."""
        columns, pair = self.columns, 2 * place
        booking_id, owner, ticket = columns.bookings[place].split("\0")
        flags, times = columns.booking_flags[place], columns.booking_times
        return owner, Booking(
            booking_id=booking_id,
            space_id=columns.tables.words[columns.booking_words[pair]],
            from_ms=times[pair],
            to_ms=times[pair + 1],
            party=columns.booking_words[pair + 1],
            size=SIZE_NUMBERS[flags & SIZE_FLAGS],
            due_fen=columns.booking_dues[place],
            counts_all=flags & COUNTS_ALL != 0,
            ticket=ticket,
        )


EMPTY = Roster(Columns(), NOWHERE)
