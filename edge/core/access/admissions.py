# SPDX-License-Identifier: Apache-2.0
"""How far bookings are used, and which grants still wait for their door to open.

The law of the module: a grant counts at once and is given back if nobody came in;
everything here can be rebuilt from the journal's events, and is dropped a day after
its booking ended. Entries by policy are counted on an unsure clock alone, by holder
and day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.core.event import EventKind, Person
from edge.core.plan import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.core.erasing.names import Names
    from edge.core.event import Event

#: How long after its end a booking's use is remembered.
MEMORY_MS = 86_400_000
#: Entries while the clock is unsure: of a booking in all, of a policy's holder a day.
MAX_UNVERIFIED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A booking's use: persons let in, entries on an unsure clock, its end (UTC ms).

    Of entries by policy: those of the day that ends at ``end_ms``. ``coming`` of the
    persons were let in just now, and nobody knows yet whether they came.
    """

    persons: int = 0
    coming: int = 0
    unverified: int = 0
    end_ms: int = 0


UNUSED = Admission()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGrant:
    """A grant that nobody has used yet."""

    access_point: str
    person: Person
    is_unverified: bool
    persons: int = 1


def policy_key(holder_id: str) -> str:
    """Return under which name a holder's entries by policy are counted.

    No booking is called so: a name from the platform holds no control character.
    """
    return f"\0{holder_id}"


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
                self._taken(int(event.fact("cause") or 0))
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

    def forget(self, names: Names) -> None:
        """Forget how far a person's bookings and policies were used."""
        for key in (policy_key(names.holder), *names.bookings):
            self.by_booking.pop(key, None)

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
        for seq, access_point, holder, booking, unverified, *more in state["open"]:
            # A snapshot of an older version counts one person and knows no ticket.
            persons, ticket = more or (1, "")
            self.open_grants[int(seq)] = OpenGrant(
                access_point=str(access_point),
                person=Person(
                    holder=str(holder) or None,
                    booking=str(booking) or None,
                    ticket=str(ticket) or None,
                ),
                is_unverified=bool(unverified),
                persons=int(persons),
            )
        for grant in self.open_grants.values():
            self._count(grant, coming=1)

    def _dump_open(self) -> Iterator[tuple[int | str, ...]]:
        for seq, grant in self.open_grants.items():
            person = grant.person
            named = (person.holder or "", person.booking or "")
            rest = (int(grant.is_unverified), grant.persons, person.ticket or "")
            yield (seq, grant.access_point, *named, *rest)

    def _granted(self, event: Event) -> None:
        grant = OpenGrant(
            access_point=event.subject,
            person=event.person,
            is_unverified=event.fact("time_unverified") is not None,
            persons=_persons(event),
        )
        is_open = event.fact("free") is None
        if is_open:
            self.open_grants[event.seq] = grant
        key = _key(grant)
        if key is None:
            return
        used = self.by_booking.get(key, UNUSED)
        if event.person.booking is None:
            used = _of_day(used, event.moment.earliest_ms)
        else:
            end_ms = int(event.fact("end") or 0)
            used = replace(used, end_ms=max(used.end_ms, end_ms))
        self.by_booking[key] = used
        self._count(grant, let_in=1, coming=int(is_open))

    def _taken(self, cause: int) -> None:
        grant = self.open_grants.pop(cause, None)
        if grant is not None:
            self._count(grant, coming=-1)

    def _not_taken(self, cause: int) -> None:
        grant = self.open_grants.pop(cause, None)
        if grant is not None:
            self._count(grant, let_in=-1, coming=-1)

    def _count(self, grant: OpenGrant, *, let_in: int = 0, coming: int = 0) -> None:
        """Add a grant's persons to what its booking has, or take them from it."""
        key = _key(grant)
        if key is None or key not in self.by_booking:
            return
        used = self.by_booking[key]
        self.by_booking[key] = replace(
            used,
            persons=max(0, used.persons + let_in * grant.persons),
            coming=max(0, used.coming + coming * grant.persons),
            unverified=max(0, used.unverified + let_in * grant.is_unverified),
        )


def _persons(event: Event) -> int:
    """Return how many a grant lets in under its own booking: not the first of two."""
    return int(event.fact("persons") or 1) - int(event.fact("pair") or 0)


def _key(grant: OpenGrant) -> str | None:
    """Return under which name a grant counts; None if it counts nowhere here."""
    person = grant.person
    if person.booking is not None:
        return person.booking
    if person.holder is None or person.ticket is not None or not grant.is_unverified:
        return None
    return policy_key(person.holder)


def _of_day(used: Admission, earliest_ms: int) -> Admission:
    """Begin a day anew once the one counted is over, by the lower bound of time."""
    if earliest_ms < used.end_ms:
        return used
    return Admission(end_ms=earliest_ms + DAY_MS)
