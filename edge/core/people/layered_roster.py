# SPDX-License-Identifier: Apache-2.0
"""A roster and what changed of it since: changes lie over it, nothing is copied.

The law of the module: it answers as one roster that was built of all the rows as they
are now would; both layers never change. ``gone`` are the holders and bookings that the
lower layer tells no more: they went, or the upper layer tells them anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.people.packed_roster import Cursor, Roster

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from edge.core.people.entries import Booking, Cardholder
    from edge.core.people.roster_columns import Columns, Tables


class LayeredRoster(Roster):
    """``over`` holds new and changed rows, and all of the small tables."""

    def __init__(
        self,
        base: Roster,
        over: Columns,
        cursor: Cursor,
        *,
        gone_holders: Collection[str],
        gone_bookings: Collection[str],
    ) -> None:
        super().__init__(over, cursor)
        self.base = base
        self._gone_holders = frozenset(gone_holders)
        self._gone_bookings = frozenset(gone_bookings)

    @property
    def credentials(self) -> int:
        """How many credentials the layers list: about as many as are known."""
        return self.base.credentials + len(self.columns.token_heads)

    @property
    def tables(self) -> Tables:
        """What there are few of; all of it is in the upper layer."""
        return self.columns.tables

    def find(self, token: bytes) -> Cardholder | None:
        """Return the holder of a 16-byte token, or None where it is nobody's."""
        if not super().lists(token):
            found = self.base.find(token)
            if found is not None and found.holder_id not in self._gone_holders:
                return found
        owners = self._owner_ids(token)
        return self.holder(owners.pop()) if len(owners) == 1 else None

    def lists(self, token: bytes) -> bool:
        """Say whether the token is some holder's, or listed for several."""
        return super().lists(token) or bool(self._owner_ids(token))

    def holder(self, holder_id: str) -> Cardholder | None:
        """Return a holder by his name, or None."""
        found = super().holder(holder_id)
        if found is not None or holder_id in self._gone_holders:
            return found
        return self.base.holder(holder_id)

    def bookings(self, holder_id: str) -> list[Booking]:
        """Return the holder's confirmed bookings, earliest first."""
        if self._is_gone(holder_id):
            return []
        return self._merged(self.base.bookings(holder_id), super().bookings(holder_id))

    def bookings_here(
        self, holder_id: str, space_id: str, from_ms: int, to_ms: int
    ) -> list[Booking]:
        """Return those of a room that touch ``[from_ms, to_ms)``, earliest first."""
        if self._is_gone(holder_id):
            return []
        here = (holder_id, space_id, from_ms, to_ms)
        return self._merged(
            self.base.bookings_here(*here), super().bookings_here(*here)
        )

    def booking(self, booking_id: str) -> tuple[str, Booking] | None:
        """Return a booking and whose it is, by its name: a search, for orders alone."""
        found = super().booking(booking_id)
        if found is None and booking_id not in self._gone_bookings:
            found = self.base.booking(booking_id)
        return None if found is None or self._is_gone(found[0]) else found

    def booked(
        self, space_id: str, from_ms: int, to_ms: int
    ) -> Iterator[tuple[str, Booking]]:
        """Yield whose and which bookings of a room touch ``[from_ms, to_ms)``."""
        for owner, booking in self.base.booked(space_id, from_ms, to_ms):
            is_told = booking.booking_id not in self._gone_bookings
            if is_told and not self._is_gone(owner):
                yield owner, booking
        yield from super().booked(space_id, from_ms, to_ms)

    def orphans(self) -> Iterator[str]:
        """Yield the lower layer's bookings whose holder went and left them behind."""
        for holder_id in self._gone_holders:
            if self._is_gone(holder_id):
                for booking in self.base.bookings(holder_id):
                    if booking.booking_id not in self._gone_bookings:
                        yield booking.booking_id

    def _is_gone(self, holder_id: str) -> bool:
        return holder_id in self._gone_holders and super().holder(holder_id) is None

    def _merged(self, below: list[Booking], above: list[Booking]) -> list[Booking]:
        gone = self._gone_bookings
        kept = [booking for booking in below if booking.booking_id not in gone]
        if not above:
            return kept
        return sorted([*kept, *above], key=lambda booking: booking.from_ms)

    def _owner_ids(self, token: bytes) -> set[str]:
        """Return the holders for whom a token is listed in either layer."""
        below = {self.base.columns.holders[n] for n in self.base._owners(token)}  # noqa: SLF001
        above = {self.columns.holders[n] for n in self._owners(token)}
        return (below - self._gone_holders) | above
