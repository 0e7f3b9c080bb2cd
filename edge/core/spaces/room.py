# SPDX-License-Identifier: Apache-2.0
"""The people of one space: their stays, and those who left unrecognised.

The law of the module: the count is all persons of all stays less ``gone``, and never
below zero. Whoever leaves unrecognised lowers the count at once; whose stay it was
shows only when a stay runs out, which is then charged with it. Where exits are read,
a count of zero ends every stay; where they are not, stays wait for their time.
Source: docs/spaces.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from edge.core.event import NOBODY, Event, Person
from edge.core.spaces.stay import Ending, Stay, kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.spaces.passages import Passage

#: The biggest party, and more than any room of the trade holds.
MAX_STAYS = 500


@dataclass(slots=True, kw_only=True)
class Room:
    """Stays in the order of their beginning; ``gone`` persons of them have left."""

    has_exit_reader: bool
    stays: list[Stay] = field(default_factory=list)
    gone: int = 0

    @property
    def persons(self) -> int:
        """How many count as inside."""
        return self._total() - self.gone

    def enter(self, passage: Passage) -> None:
        """Let persons in: into the stay of their booking or holder, or a new one."""
        index = self._of(passage.person)
        if index is not None:
            self.stays[index] = self._joined(self.stays[index], passage)
        else:
            self._add(_begun(passage))

    def leave(self, passage: Passage) -> None:
        """Let somebody out, as far as he was recognised."""
        index = None if passage.is_by_handle else self._leaving(passage.person)
        if index is not None:
            stay = self.stays[index]
            persons = stay.persons if stay.entries <= 1 else 1
            self.stays[index] = replace(
                stay,
                persons=stay.persons - persons,
                entries=max(0, stay.entries - 1),
                away=min(stay.away, stay.persons - persons),
            )
        else:
            self.gone += passage.persons
        if passage.is_by_handle:
            self._doubt(passage.persons)
        self._balance()

    def count(self, persons: int, event: Event) -> None:
        """Take over what a volunteer counted; nobody's stay ends unless all did."""
        total = self._total()
        if persons > total:
            self._add(_found(persons - total, event))
        self.gone = max(0, total - persons)
        self.stays = [
            replace(
                stay,
                is_soft=stay.is_soft or self.gone > 0,
                away=min(stay.persons, max(stay.away, self.gone)),
            )
            for stay in self.stays
        ]
        self._balance(Ending.COUNTED)

    def begin_visit(self, cause: int, visit: int) -> None:
        """Note that the visit which began with an entry was told."""
        for index, stay in enumerate(self.stays):
            if stay.is_named and stay.cause == cause:
                self.stays[index] = replace(stay, visit=visit)

    def end_visit(self, visit: int, how: Ending) -> None:
        """End a visit; an emergency ends it in the books, not who is in the house."""
        for index, stay in enumerate(self.stays):
            if stay.visit != visit:
                continue
            if how is Ending.EMERGENCY and stay.persons > 0:
                self.stays[index] = replace(stay, person=NOBODY, visit=0, end_ms=0)
            else:
                self._remove(index)
            break
        self._balance()

    def dismiss(self, is_over: Callable[[Stay], bool]) -> None:
        """Remove the nameless stays that are over."""
        for index in reversed(range(len(self.stays))):
            stay = self.stays[index]
            if not stay.is_named and is_over(stay):
                self._remove(index)
        self._balance()

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        self.stays = [
            replace(
                stay,
                cause=stay.cause + shift,
                visit=stay.visit + shift if stay.visit else 0,
            )
            for stay in self.stays
        ]

    def _total(self) -> int:
        return sum(stay.persons for stay in self.stays)

    def _add(self, stay: Stay) -> None:
        if len(self.stays) < MAX_STAYS:
            self.stays.append(stay)
            return
        # Beyond any room there is: the count stays right, the names do not.
        last = self.stays[-1]
        self.stays[-1] = replace(last, persons=last.persons + stay.persons)

    def _of(self, person: Person) -> int | None:
        if person == NOBODY:
            return None
        for index, stay in enumerate(self.stays):
            if _is_same(stay.person, person):
                return index
        return None

    def _leaving(self, person: Person) -> int | None:
        """Find whose card an exit reader saw; an unknown card is somebody nameless's.

        A holder at the exit is known by himself, whichever booking let him in: it is
        the entry seen last that he answers, since from one before it he must have left
        unseen.
        """
        found = [
            index
            for index, stay in enumerate(self.stays)
            if stay.persons and _is_his(stay, person)
        ]
        return max(found, key=lambda index: self.stays[index].cause, default=None)

    def _joined(self, stay: Stay, passage: Passage) -> Stay:
        # Somebody left unrecognised since: then it was he, who comes again.
        back = min(self.gone, passage.persons) if stay.is_soft else 0
        self.gone -= back
        persons = stay.persons + passage.persons - back
        return replace(
            stay,
            person=passage.person if passage.person.holder else stay.person,
            persons=persons,
            entries=stay.entries + (0 if back else passage.scans),
            peak=max(stay.peak, persons),
            seen_ms=passage.event.moment.earliest_ms,
            end_ms=max(stay.end_ms, passage.end_ms),
            cause=passage.event.seq,
            is_soft=False,
            away=max(0, stay.away - back) + passage.guests,
            how=Ending.EXIT,
        )

    def _doubt(self, persons: int) -> None:
        """Note at every stay that so many more have left, perhaps its own."""
        self.stays = [
            replace(stay, is_soft=True, away=min(stay.persons, stay.away + persons))
            for stay in self.stays
        ]

    def _remove(self, index: int) -> None:
        self.gone = max(0, self.gone - self.stays.pop(index).persons)

    def _balance(self, how: Ending = Ending.EXIT) -> None:
        """End what a count of zero ends, and drop nameless stays without anybody."""
        if self.gone >= self._total():
            self.gone = 0
            ends_all = self.has_exit_reader or how is Ending.COUNTED
            for index, stay in enumerate(self.stays):
                if not stay.is_named or (ends_all and stay.persons):
                    self.stays[index] = replace(
                        stay, persons=0, entries=0, away=0, how=how
                    )
                else:
                    self.gone += stay.persons
        self.stays = [each for each in self.stays if each.is_named or each.persons]


def _begun(passage: Passage) -> Stay:
    event = passage.event
    return Stay(
        person=passage.person,
        persons=passage.persons,
        entries=passage.scans,
        peak=passage.persons,
        since=kept(event.moment),
        seen_ms=event.moment.earliest_ms,
        end_ms=passage.end_ms,
        cause=event.seq,
        away=passage.guests,
    )


def _found(persons: int, event: Event) -> Stay:
    return Stay(
        person=NOBODY,
        persons=persons,
        entries=persons,
        peak=persons,
        since=kept(event.moment),
        seen_ms=event.moment.earliest_ms,
        end_ms=0,
        cause=event.seq,
    )


def _is_his(stay: Stay, person: Person) -> bool:
    """Say whether somebody at the exit may be leaving this stay."""
    if person == NOBODY:
        return not stay.is_named
    is_holder = person.holder is not None and stay.person.holder == person.holder
    return is_holder or _is_same(stay.person, person)


def _is_same(one: Person, other: Person) -> bool:
    """Say whether two entries belong to one visit: by booking, ticket, or holder."""
    if one.booking or other.booking:
        return one.booking == other.booking
    if one.ticket or other.ticket:
        return one.ticket == other.ticket
    return one.holder == other.holder and one.holder is not None
