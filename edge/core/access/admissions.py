# SPDX-License-Identifier: Apache-2.0
"""How far bookings are used, and which grants still wait for their door to open.

The law of the module: a grant counts at once and is given back if nobody came in;
everything here can be rebuilt from the journal's events, and is dropped a day after
its booking ended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.core.event import EventKind, Person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.core.event import Event

#: How long after its end a booking's use is remembered.
MEMORY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A booking's use: persons let in, those on an unsure clock, its end (UTC ms)."""

    persons: int = 0
    unverified: int = 0
    end_ms: int = 0


UNUSED = Admission()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGrant:
    """A grant that nobody has used yet."""

    access_point: str
    person: Person
    is_unverified: bool


class Admissions:
    """Counts admissions; knows the grants whose outcome is still open."""

    def __init__(self) -> None:
        self.by_booking: dict[str, Admission] = {}
        self.open_grants: dict[int, OpenGrant] = {}

    def follow(self, event: Event) -> None:
        """Take one event into account, live or replayed; order is that of seq."""
        match event.kind:
            case EventKind.ACCESS_GRANTED if event.fact("bank") is None:
                self._granted(event)  # a compartment's grant lets nobody in
            case EventKind.ACCESS_TAKEN:
                self.open_grants.pop(int(event.fact("cause") or 0), None)
            case EventKind.ACCESS_NOT_TAKEN:
                self._not_taken(int(event.fact("cause") or 0))
            case _:
                pass

    def prune(self, earliest_ms: int) -> None:
        """Forget bookings that surely ended more than a day ago."""
        ended = [
            booking
            for booking, used in self.by_booking.items()
            if used.end_ms + MEMORY_MS < earliest_ms
        ]
        for booking in ended:
            del self.by_booking[booking]

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        self.open_grants = {s + shift: g for s, g in self.open_grants.items()}

    def dump(self) -> dict[str, list[list[int | str]]]:
        """Return the state as JSON values."""
        return {
            "bookings": [
                [name, used.persons, used.unverified, used.end_ms]
                for name, used in self.by_booking.items()
            ],
            "open": [list(entry) for entry in self._dump_open()],
        }

    def load(self, state: dict[str, list[list[int | str]]]) -> None:
        """Take the state that :meth:`dump` returned."""
        for name, persons, unverified, end_ms in state["bookings"]:
            self.by_booking[str(name)] = Admission(
                persons=int(persons), unverified=int(unverified), end_ms=int(end_ms)
            )
        for seq, access_point, holder, booking, unverified in state["open"]:
            self.open_grants[int(seq)] = OpenGrant(
                access_point=str(access_point),
                person=Person(holder=str(holder) or None, booking=str(booking) or None),
                is_unverified=bool(unverified),
            )

    def _dump_open(self) -> Iterator[tuple[int | str, ...]]:
        for seq, grant in self.open_grants.items():
            person = grant.person
            named = (person.holder or "", person.booking or "")
            yield (seq, grant.access_point, *named, int(grant.is_unverified))

    def _granted(self, event: Event) -> None:
        is_unverified = event.fact("time_unverified") is not None
        if event.fact("free") is None:
            self.open_grants[event.seq] = OpenGrant(
                access_point=event.subject,
                person=event.person,
                is_unverified=is_unverified,
            )
        booking = event.person.booking
        if booking is not None:
            end_ms = int(event.fact("end") or 0)
            self._count(booking, 1, is_unverified=is_unverified, end_ms=end_ms)

    def _not_taken(self, cause: int) -> None:
        grant = self.open_grants.pop(cause, None)
        if grant is not None and grant.person.booking in self.by_booking:
            is_unverified = grant.is_unverified
            self._count(grant.person.booking, -1, is_unverified=is_unverified)

    def _count(
        self, booking: str, persons: int, *, is_unverified: bool, end_ms: int = 0
    ) -> None:
        used = self.by_booking.get(booking, UNUSED)
        self.by_booking[booking] = replace(
            used,
            persons=used.persons + persons,
            unverified=used.unverified + persons * is_unverified,
            end_ms=max(used.end_ms, end_ms),
        )
