# SPDX-License-Identifier: Apache-2.0
"""A roster's rows as columns of machine words.

The law of the module: columns are filled by a builder, sorted once and never changed
afterwards. What there are few of (policies, keys, elders) stands in small tables.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.core.plan import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from edge.core.people.community_rows import (
        Contact,
        Grid,
        Notice,
        Office,
        ScheduleRow,
        SpaceRow,
    )
    from edge.core.people.entries import Elder
    from edge.core.people.roster_row import PolicyRow, TicketKey
    from edge.core.people.shift_row import PlannedShift, ShiftRow

#: Keys of one step: about a millisecond.
STEP_KEYS = 4096
#: Rooms' bookings are kept apart by how long they last, so that those which touch a
#: window are found among few: none of a class began earlier than its length before.
LENGTHS_MS = (DAY_MS // 6, DAY_MS, 1 << 52)
#: In a booking's flags: its size's number, and whether the first scan counts all.
SIZE_FLAGS = 3
COUNTS_ALL = 4


def nobody(_: int) -> bool:
    """Know no holder."""
    return False


class Texts:
    """Many short strings in one buffer."""

    def __init__(self, buffer: bytes = b"", ends: array[int] | None = None) -> None:
        self.buffer = bytearray(buffer)
        self.ends = array("I") if ends is None else ends

    def append(self, text: str) -> None:
        """Add a string behind the others."""
        self.buffer += text.encode()
        self.ends.append(len(self.buffer))

    def __getitem__(self, index: int) -> str:
        start = self.ends[index - 1] if index else 0
        return self.buffer[start : self.ends[index]].decode()

    def __len__(self) -> int:
        return len(self.ends)

    def starting_with(self, text: str) -> Iterator[int]:
        """Yield the indexes of the strings that begin with ``text``."""
        wanted = text.encode()
        at = self.buffer.find(wanted)
        while at >= 0:
            index = bisect_left(self.ends, at + 1)
            if at == (self.ends[index - 1] if index else 0):
                yield index
            at = self.buffer.find(wanted, at + 1)


@dataclass(slots=True, kw_only=True)
class Tables:
    """What stands beside the columns; ``words`` are strings that repeat, kept once.

    ``revoked`` tokens, ``revoked_holders`` and ``revoked_tickets`` say why.
    """

    words: list[str] = field(default_factory=list)
    revoked: dict[bytes, str] = field(default_factory=dict)
    revoked_holders: dict[str, str] = field(default_factory=dict)
    revoked_tickets: dict[str, str] = field(default_factory=dict)
    policies: list[PolicyRow] = field(default_factory=list)
    ticket_keys: list[TicketKey] = field(default_factory=list)
    elders: list[Elder] = field(default_factory=list)
    shifts: list[ShiftRow] = field(default_factory=list)
    plans: list[PlannedShift] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    offices: list[Office] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    spaces: list[SpaceRow] = field(default_factory=list)
    schedules: list[ScheduleRow] = field(default_factory=list)

    def sort(self) -> None:
        """Put what has an order of its own into it."""
        self.elders.sort(key=lambda each: (each.order, each.holder_id))
        self.grids.sort(key=lambda each: (each.order, each.grid_id))
        self.contacts.sort(key=lambda each: (each.order, each.contact_id))
        self.offices.sort(key=lambda each: (each.order, each.office_id))
        self.plans.sort(key=lambda each: (each.from_ms, each.row_id))
        self.notices.sort(key=lambda each: (each.from_ms, each.notice_id))


class Columns:
    """The columns of one roster.

    Of a holder: name, flags, two words (roles, language), two times, care days; and
    the key of his name, sorted, with his place. Of a token: its halves and the
    holder's index. Of a booking: its name, its holder's and its ticket's, two times,
    two words (space, party), flags, what is due. Once sorted, tokens stand in the
    order of their heads; keys of bookings in theirs and each holder's by time, with
    the booking's place; bookings of rooms by space, length and time.
    """

    def __init__(self) -> None:
        self.tables = Tables()
        self.holders = Texts()
        self.holder_flags = array("B")
        self.holder_words = array("I")
        self.holder_times = array("q")
        self.holder_care = array("H")
        self.holder_keys = array("Q")
        self.holder_order = array("I")
        self.token_heads = array("Q")
        self.token_tails = array("Q")
        self.token_owners = array("I")
        self.bookings = Texts()
        self.booking_keys = array("Q")
        self.booking_order = array("I")
        self.booking_times = array("q")
        self.booking_words = array("I")
        self.booking_flags = array("B")
        self.booking_dues = array("I")
        self.room_order = array("I")
        #: A space's word, the number of a length, and where in the order that ends.
        self.room_groups = array("I")
        #: Places of bookings whose holder is not there.
        self.strays = array("I")

    def sorting(self, is_known: Callable[[int], bool] = nobody) -> Iterator[None]:
        """Put tokens and all indexes in order, a short step at a time.

        ``is_known`` says whether somebody of that key is a holder though not in here.
        """
        order = yield from _order(self.token_heads)
        for name in ("token_heads", "token_tails", "token_owners"):
            yield from self._rearrange(name, order)
        self.holder_order = yield from _order(self.holder_keys)
        yield from self._rearrange("holder_keys", self.holder_order)
        order = yield from _order(
            self.booking_keys, lambda i: self.booking_times[2 * i]
        )
        self.booking_order = yield from self._without_strays(order, is_known)
        yield from self._rearrange("booking_keys", self.booking_order)
        yield from self._sort_rooms()

    def _rearrange(self, name: str, order: array[int]) -> Iterator[None]:
        column: array[int] = getattr(self, name)
        arranged = array(column.typecode)
        for start in range(0, len(order), STEP_KEYS):
            part = order[start : start + STEP_KEYS]
            arranged.extend(map(column.__getitem__, part))
            yield
        setattr(self, name, arranged)

    def _without_strays(
        self, order: array[int], elsewhere: Callable[[int], bool]
    ) -> Generator[None, None, array[int]]:
        """Return the order less the bookings of nobody, which are strays."""
        kept, known = array("I"), self.holder_keys
        for start in range(0, len(order), STEP_KEYS):
            for position in order[start : start + STEP_KEYS]:
                key = self.booking_keys[position]
                index = bisect_left(known, key)
                is_known = index < len(known) and known[index] == key
                is_known = is_known or elsewhere(key)
                (kept if is_known else self.strays).append(position)
            yield
        return kept

    def _sort_rooms(self) -> Iterator[None]:
        """Index the rooms' bookings; their heaps are of one space, length and day."""
        heaps: dict[tuple[int, int, int], list[int]] = {}
        for start in range(0, len(self.booking_order), STEP_KEYS):
            for position in self.booking_order[start : start + STEP_KEYS]:
                if not self.booking_flags[position] & SIZE_FLAGS:
                    heaps.setdefault(self._heap(position), []).append(position)
            yield
        unseen = 0
        for word, length, day in sorted(heaps):
            heap = heaps[word, length, day]
            self.room_order.extend(sorted(heap, key=self.starts_ms))
            if self.room_groups[-3:-1].tolist() == [word, length]:
                self.room_groups[-1] = len(self.room_order)
            else:
                self.room_groups.extend((word, length, len(self.room_order)))
            unseen += len(heap)
            if unseen >= STEP_KEYS:
                unseen = 0
                yield

    def _heap(self, position: int) -> tuple[int, int, int]:
        from_ms, to_ms = self.booking_times[2 * position : 2 * position + 2]
        length = bisect_left(LENGTHS_MS, to_ms - from_ms)
        return self.booking_words[2 * position], length, from_ms // DAY_MS

    def starts_ms(self, position: int) -> int:
        """Return when the booking at this place begins."""
        return self.booking_times[2 * position]


def _order(
    keys: array[int], then: Callable[[int], int] | None = None
) -> Generator[None, None, array[int]]:
    """Return the indexes of 64-bit ``keys`` in the keys' order, equal ones by ``then``.

    Keys are hashes: their first byte parts them into 256 heaps of like size, each
    sorted by itself, so that 100,000 need no long pause and no second list of them.
    """
    heaps = [array("I") for _ in range(256)]
    for start in range(0, len(keys), STEP_KEYS):
        for index, key in enumerate(keys[start : start + STEP_KEYS], start):
            heaps[key >> 56].append(index)
        yield
    order = array("I")
    for heap in filter(None, heaps):
        first: Iterable[int] = heap if then is None else sorted(heap, key=then)
        order.extend(sorted(first, key=keys.__getitem__))
        yield
    return order
