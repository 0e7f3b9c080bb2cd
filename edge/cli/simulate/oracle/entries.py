# SPDX-License-Identifier: Apache-2.0
"""Who was let in and who came in: parties, tickets, and how many may be inside.

The law of the module: made of events alone. A grant counts until it is told that
nobody used it. How many are inside is told as a least and a most, since people leave
by handles; a count is sure only where both agree.
Source: ARCHITECTURE.md, "Entry counts only if the door opened"; docs/spaces.md.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.cli.simulate.oracle.parties import Parties
from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind
from edge.core.plan import Direction

if TYPE_CHECKING:
    from edge.cli.simulate.oracle.chronicle import Told
    from edge.cli.simulate.oracle.standing import Standing
    from edge.core.event import Person
    from edge.core.plan import SitePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A grant: for whom, by what, how many it counts for, where.

    ``of_party`` of the persons belong to its booking: not the first of two.
    ``scans``: how many of the same visit came in that no exit has answered yet.
    """

    told: Told
    space: str
    holder: str
    booking: str
    ticket: str
    persons: int
    of_party: int
    is_unverified: bool
    is_out: bool
    scans: int = 1


class Entries:
    """Grants by booking and ticket, and the people in each space."""

    def __init__(self, plan: SitePlan, standing: Standing) -> None:
        self._plan = plan
        self._standing = standing
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self._open: dict[int, Entry] = {}
        self.parties = Parties()
        self._by_ticket: Counter[str] = Counter()
        self._unverified: Counter[str] = Counter()
        self.least: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        #: By space: holders that came in and of whom nothing tells that they left.
        self.inside: dict[str, dict[str, Entry]] = {}
        #: Spaces that somebody without a name may have left since.
        self._leaving: set[str] = set()
        #: Doors that a button released for somebody who has not opened them yet.
        self._going: set[str] = set()
        #: Spaces into which somebody came, or out of which he went, without a name:
        #: how many the box counts there, at most, nobody can tell from outside.
        self.doubtful: set[str] = set()

    def take(self, told: Told) -> None:
        """Take the next event."""
        event = told.event
        match event.kind:
            case EventKind.ACCESS_GRANTED if event.fact("bank") is None:
                self._grant(told)
            case EventKind.ACCESS_TAKEN:
                self._taken(told)
            case EventKind.ACCESS_NOT_TAKEN:
                self._annul(told)
            case EventKind.MANUAL_ENTRY:
                space = self._plan.doors[event.subject].space_id
                self.doubtful.add(space)
                persons = _number(event.fact("count")) or 1
                self.parties.brought(event.person.booking or "", space, persons)
            case EventKind.ENTRY_CORRECTED:
                # So many more or fewer, with nobody's name.
                space = self._plan.doors[event.subject].space_id
                self._somebody_leaves(space)
            case EventKind.DOOR_OPENED:
                self._going.discard(event.subject)
                door = self._plan.doors[event.subject]
                if not door.senses_exit:
                    self.parties.somebody_left(door.space_id)
            case EventKind.REQUEST_TO_EXIT:
                self._going.add(event.subject)
                self._somebody_leaves(self._plan.doors[event.subject].space_id)
            case EventKind.OCCUPANCY_SET:
                self._counted(event.subject, _number(event.fact("persons")))
            case EventKind.VISIT_CLOSED if event.fact("how") == "emergency":
                # The visit is over, but nobody was seen to leave.
                self._somebody_leaves(event.subject)
                self.parties.closed(event.person.booking or "", by_exit=False)
            case EventKind.VISIT_CLOSED:
                self._closed(told)
            case EventKind.DOOR_FORCED_OPEN:
                # The handle from inside looks the same where it is not sensed.
                self._somebody_leaves(self._plan.doors[event.subject].space_id)
            case _:
                pass

    def ticket_used(self, ticket: str) -> int:
        """Return how many scans of a ticket let somebody in."""
        return self._by_ticket[ticket]

    def unverified(self, booking: str) -> int:
        """Return how many were let in under it while the clock was unsure."""
        return self._unverified[booking]

    def is_surely_inside(self, space: str, holder: str) -> bool:
        """Say whether nothing tells that he, or anybody, may have left since."""
        return holder in self.inside.get(space, {}) and space not in self._leaving

    def may_be_inside(self, space: str, holder: str) -> bool:
        """Say whether he came in and nothing tells that he left."""
        return holder in self.inside.get(space, {})

    def _grant(self, told: Told) -> None:
        event = told.event
        point = self._plan.access_points.get(event.subject)
        door = self._plan.doors.get(point.door_id) if point else None
        if point is None or door is None:
            return
        if event.fact("free"):
            self.doubtful.add(door.space_id)
            return
        is_shelter = self._standing.first is EmergencyState.SHELTER
        persons = _number(event.fact("persons")) or 1
        entry = Entry(
            told=told,
            space=door.space_id,
            holder=event.person.holder or "",
            booking=event.person.booking or "",
            # Who seeks shelter is asked for no ticket, so that he keeps it.
            ticket="" if is_shelter else event.person.ticket or "",
            persons=persons,
            of_party=persons - _number(event.fact("pair")),
            is_unverified=event.fact("time_unverified") is not None,
            is_out=point.direction is Direction.OUT,
        )
        self._open[told.seq] = entry
        if not entry.is_out:
            self._count(entry, 1)
            if entry.booking:
                self.parties.let_in(
                    entry.booking, entry.space, entry.holder, entry.of_party
                )

    def _count(self, entry: Entry, sign: int) -> None:
        self._by_ticket[entry.ticket] += sign
        if entry.is_unverified:
            self._unverified[entry.booking] += sign

    def _taken(self, told: Told) -> None:
        entry = self._open.pop(told.cause or 0, None)
        if entry is None:
            return
        if entry.is_out or not entry.holder:
            self.doubtful.add(entry.space)
        if entry.is_out:
            self._exit(entry.space, entry.holder)
            return
        if entry.booking:
            self.parties.came(entry.booking, entry.of_party)
        self.least[entry.space] += entry.persons
        self.most[entry.space] += entry.persons
        inside = self.inside.setdefault(entry.space, {})
        before = inside.get(entry.holder)
        if before is not None and _is_of(before, entry.told.event.person):
            entry = replace(entry, scans=before.scans + 1)
        inside[entry.holder] = entry
        self._leaving.discard(entry.space)

    def _annul(self, told: Told) -> None:
        entry = self._open.pop(told.cause or 0, None)
        if entry is None or entry.is_out:
            return
        self._count(entry, -1)
        if entry.booking:
            self.parties.annul(entry.booking, entry.of_party)
        if told.event.fact("outcome") is not None:
            # A power cut hid it: a ticket that may have been used once is used.
            self._by_ticket[entry.ticket] += 1

    def _exit(self, space: str, holder: str) -> None:
        """Let one go: who came in one by one leaves one by one."""
        entry = self.inside.get(space, {}).get(holder)
        if not holder:
            self.parties.somebody_left(space)
        elif entry is None or not entry.booking:
            self.parties.left(space, holder, None)
        else:
            self.parties.left(space, holder, 1 if entry.scans > 1 else entry.of_party)
        self._left(space, holder)
        if entry is not None and entry.scans > 1:
            self.inside[space][holder] = replace(entry, scans=entry.scans - 1)

    def _closed(self, told: Told) -> None:
        """Let the people of a visit go; its holder may be there by another one.

        One opening may take his exit and his next entry: the visit that the exit ended
        is told behind both.
        """
        space, who = told.event.subject, told.event.person
        is_exit = told.event.fact("how") == "exit"
        self.parties.closed(who.booking or "", by_exit=is_exit)
        persons = _number(told.event.fact("persons"))
        entry = self.inside.get(space, {}).get(who.holder or "")
        if entry is None or _is_of(entry, who):
            self._left(space, who.holder or "", persons)
        else:
            self.least[space] = max(0, self.least[space] - persons)
            self.most[space] = max(0, self.most[space] - min(persons, 1))

    def _left(self, space: str, holder: str, persons: int = 1) -> None:
        entry = self.inside.get(space, {}).pop(holder, None)
        persons = max(persons, entry.persons if entry else 1)
        self.least[space] = max(0, self.least[space] - persons)
        self.most[space] = max(0, self.most[space] - min(persons, 1))

    def _somebody_leaves(self, space: str) -> None:
        self.parties.somebody_left(space)
        self.doubtful.add(space)
        self.least[space] = max(0, self.least[space] - 1)
        self._leaving.add(space)

    def _counted(self, space: str, persons: int) -> None:
        going = sum(self._plan.doors[door].space_id == space for door in self._going)
        self.parties.counted(space, persons)
        self.least[space] = max(0, persons - going)
        self.most[space] = persons
        self._leaving.add(space)


def _is_of(entry: Entry, who: Person) -> bool:
    """Say whether an entry belongs to a visit: by booking, else by ticket."""
    if who.booking or entry.booking:
        return who.booking == entry.booking
    return (who.ticket or "") == entry.ticket


def _number(fact: int | str | None) -> int:
    return fact if isinstance(fact, int) else 0
