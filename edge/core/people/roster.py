# SPDX-License-Identifier: Apache-2.0
"""The platform's roster, and how one is built of rows, a slice at a time.

The law of the module: rows may come in any order and none may make it fail; what goes
beyond a table's bound, or refers to nobody, is told by :meth:`RosterBuilder.strays`.
"""

from __future__ import annotations

from array import array
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from edge.core.people.community_rows import (
    Contact,
    Grid,
    Notice,
    Office,
    ScheduleRow,
    SpaceRow,
)
from edge.core.people.entries import Elder
from edge.core.people.layered_roster import LayeredRoster
from edge.core.people.packed_roster import (
    EMPTY,
    NOWHERE,
    SIZE_NUMBERS,
    Cursor,
    Roster,
    holder_key,
)
from edge.core.people.roster_columns import COUNTS_ALL, Columns
from edge.core.people.roster_row import (
    CANCELLED,
    BookingRow,
    HolderRow,
    PolicyRow,
    RevocationRow,
    TicketKey,
)
from edge.core.people.shift_row import (
    MAX_PLANNED,
    MAX_SHIFT_ROWS,
    PlannedShift,
    ShiftRow,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from edge.core.people.roster_row import RosterRow, TableRow

__all__ = ["EMPTY", "NOWHERE", "Cursor", "LayeredRoster", "Roster", "RosterBuilder"]

_Key = TypeVar("_Key")

#: Bounds of the small tables. More policies than these nobody could survey; the
#: reader of tickets takes eight keys; a site is answerable for a few dozen elders.
MAX_POLICIES = 500
MAX_TICKET_KEYS = 8
MAX_ELDERS = 500
#: What people read has to be read; a site has some rooms and a quarter some grids.
MAX_GRIDS = MAX_NOTICES = MAX_OFFICES = 100
MAX_CONTACTS = 500
MAX_SPACES = 100
#: The reason that weighs most: a lost card may be in anybody's hand.
LOST = "LOST"


class RosterBuilder:
    """Collects rows in slices, so that a door need not wait for 100,000 of them.

    ``spaces`` are those of the site; None: nobody asks.
    """

    def __init__(self, spaces: Collection[str] | None = None) -> None:
        self.columns = Columns()
        self._spaces = spaces
        #: What these rows are changes of: the roster, and who of it went.
        self._base: Roster | None = None
        self._gone: dict[str, set[str]] = {"holder": set(), "booking": set()}
        #: Places of bookings elsewhere. They stay: the site's file may learn of a
        #: space before the next roster comes, and until then they open nothing.
        self._elsewhere = array("I")
        self._numbers: dict[str, int] = {}
        self._is_sorted = False
        self._beyond: list[tuple[str, str, int]] = []

    def add(self, rows: Iterable[RosterRow]) -> None:
        """Take a slice of rows."""
        for row in rows:
            match row:
                case HolderRow():
                    self._add_holder(row)
                case BookingRow():
                    self._add_booking(row)
                case RevocationRow():
                    self._revoke(row)
                case _:
                    self._add_to_table(row)

    def lie_over(self, base: Roster) -> None:
        """Take the rows as changes of ``base``, one that is in one layer itself."""
        self._base = base

    def stand_alone(self) -> None:
        """Take the rows as all there are."""
        self._base = None

    def drop(self, keys: Iterable[tuple[str, str]]) -> None:
        """Take rows (kind, id) away from the base, be they told anew or not."""
        for kind, row_id in keys:
            if kind in self._gone:
                self._gone[kind].add(row_id)

    @property
    def brings_back(self) -> bool:
        """Whether bookings of nobody in the base may find their holder here."""
        if self._base is None or not self._base.columns.strays:
            return False
        return any(
            self._base.holder(self.columns.holders[place]) is None
            for place in range(len(self.columns.holders))
        )

    def sorting(self) -> Iterator[None]:
        """Sort what was added, a short step at a time; no row may come after it."""
        self._is_sorted = True
        if self._base is None:
            return self.columns.sorting()
        gone = {holder_key(each) for each in self._gone["holder"]}
        has_key = self._base.has_key
        return self.columns.sorting(lambda key: key not in gone and has_key(key))

    def build(self, cursor: Cursor) -> Roster:
        """Return the roster, sorted at one go if need be; the builder is spent."""
        if not self._is_sorted:
            deque(self.sorting(), maxlen=0)
        self.columns.tables.sort()
        if self._base is None:
            return Roster(self.columns, cursor)
        return LayeredRoster(
            self._base,
            self.columns,
            cursor,
            gone_holders=self._gone["holder"],
            gone_bookings=self._gone["booking"],
        )

    def strays(self) -> Iterator[tuple[str, str, str]]:
        """Yield kind, id and flaw of rows without a place, once sorted."""
        nobodys = set(self.columns.strays)
        for place in self.columns.strays:
            yield "booking", self._booking_id(place), f"holder: {_NO_HOLDER}"
        for place in self._elsewhere:
            if place not in nobodys:
                yield "booking", self._booking_id(place), "space: there is none such"
        known = self.build(NOWHERE)
        if isinstance(known, LayeredRoster):
            for booking_id in known.orphans():
                yield "booking", booking_id, f"holder: {_NO_HOLDER}"
        for elder in self.columns.tables.elders:  # who may be in danger stays listed
            if known.holder(elder.holder_id) is None:
                yield "elder", elder.holder_id, f"holder: {_NO_HOLDER}"
        for kind, row_id, most in self._beyond:
            yield kind, row_id, f"there are already {most}"

    def _booking_id(self, place: int) -> str:
        return self.columns.bookings[place].partition("\0")[0]

    def _add_holder(self, row: HolderRow) -> None:
        columns = self.columns
        index = len(columns.holder_flags)
        columns.holders.append(row.holder_id)
        columns.holder_flags.append(row.is_enabled | row.needs_extended_time << 1)
        roles = self._number(" ".join(row.roles))
        columns.holder_words.extend((roles, self._number(row.language)))
        columns.holder_times.extend((row.valid_from_ms, row.valid_to_ms))
        columns.holder_care.append(row.care_days)
        columns.holder_keys.append(holder_key(row.holder_id))
        for _, token in row.credentials:
            columns.token_heads.append(int.from_bytes(token[:8], "big"))
            columns.token_tails.append(int.from_bytes(token[8:], "big"))
            columns.token_owners.append(index)

    def _add_booking(self, row: BookingRow) -> None:
        columns = self.columns
        if not row.is_confirmed:  # it opens nothing, nor does its ticket
            if row.ticket:
                columns.tables.revoked_tickets.setdefault(row.ticket, CANCELLED)
            return
        if self._spaces is not None and row.space_id not in self._spaces:
            self._elsewhere.append(len(columns.booking_dues))
        columns.bookings.append(f"{row.booking_id}\0{row.holder_id}\0{row.ticket}")
        columns.booking_keys.append(holder_key(row.holder_id))
        columns.booking_times.extend((row.from_ms, row.to_ms))
        columns.booking_words.extend((self._number(row.space_id), row.party))
        all_flag = COUNTS_ALL if row.counts_all else 0
        columns.booking_flags.append(SIZE_NUMBERS.index(row.size) | all_flag)
        columns.booking_dues.append(row.due_fen)

    def _revoke(self, row: RevocationRow) -> None:
        tables = self.columns.tables
        if row.token:
            _keep(tables.revoked, row.token, row.reason)
        if row.holder_id:
            _keep(tables.revoked_holders, row.holder_id, row.reason)
        if row.ticket:
            _keep(tables.revoked_tickets, row.ticket, row.reason)

    def _add_to_table(self, row: TableRow) -> None:
        table = _TABLES[type(row)]
        rows = getattr(self.columns.tables, table.rows)
        if len(rows) < table.most:
            rows.append(row)
        else:
            row_id = getattr(row, table.row_id)
            told = row_id.hex() if isinstance(row_id, bytes) else row_id
            self._beyond.append((table.kind, told, table.most))

    def _number(self, word: str) -> int:
        """Return the number of a string that repeats."""
        words = self.columns.tables.words
        number = self._numbers.setdefault(word, len(words))
        if number == len(words):
            words.append(word)
        return number


_NO_HOLDER = "there is no such holder"


class _Table(NamedTuple):
    """Where the rows of a kind stand, how many may, and which field names one."""

    kind: str
    rows: str
    most: int
    row_id: str


_TABLES: dict[type, _Table] = {
    PolicyRow: _Table("policy", "policies", MAX_POLICIES, "policy_id"),
    TicketKey: _Table("ticket_key", "ticket_keys", MAX_TICKET_KEYS, "key_id"),
    Elder: _Table("elder", "elders", MAX_ELDERS, "holder_id"),
    Grid: _Table("grid", "grids", MAX_GRIDS, "grid_id"),
    Contact: _Table("contact", "contacts", MAX_CONTACTS, "contact_id"),
    Office: _Table("office", "offices", MAX_OFFICES, "office_id"),
    Notice: _Table("notice", "notices", MAX_NOTICES, "notice_id"),
    ShiftRow: _Table("shift", "shifts", MAX_SHIFT_ROWS, "row_id"),
    PlannedShift: _Table("shift", "plans", MAX_PLANNED, "row_id"),
    SpaceRow: _Table("space", "spaces", MAX_SPACES, "space_id"),
    ScheduleRow: _Table("schedule", "schedules", MAX_SPACES, "schedule_id"),
}


def _keep(table: dict[_Key, str], key: _Key, reason: str) -> None:
    """Keep why something was revoked; of several reasons the one that weighs most."""
    if table.get(key) != LOST:
        table[key] = reason
