# SPDX-License-Identifier: Apache-2.0
"""The listed elders: who was fetched, who has arrived, whom nobody fetched yet.

The law of the module: marks belong to one occasion, an emergency or a drill; with the
next the list begins anew, since nobody is safe because of a rehearsal. Who is listed
is the roster's to say; a mark stands in ``person``'s name alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from edge.core.emergency.began import Began
from edge.core.emergency.told import told, unknown
from edge.core.event import Event, EventKind, Facts, Person

if TYPE_CHECKING:
    from edge.core.moment import Moment
    from edge.core.order import ElderMarked
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.entries import Elder

#: Elders marked in one occasion: more than any neighbourhood's list, and a list that
#: changes all day cannot fill the box.
MAX_MARKED = 1000


class Listing(Protocol):
    """Who is to be fetched (``edge.core.people.rolls``)."""

    @property
    def elders(self) -> tuple[Elder, ...]:
        """The listed elders."""


class Occasion(StrEnum):
    """What elders are fetched for; only a change of it begins the list anew.

    A checkpoint may stand for weeks, so what begins within it begins the list anew.
    """

    PEACE = "peace"
    CHECKPOINT = "checkpoint"
    DRILL = "drill"
    EMERGENCY = "emergency"


class ElderMark(StrEnum):
    """What can be marked of an elder."""

    FETCHED = "fetched"
    ARRIVED = "arrived"


@dataclass(frozen=True, slots=True, kw_only=True)
class ElderProgress:
    """An elder in this occasion: seconds from its beginning to each mark, or None."""

    holder_id: str
    order: int
    route: str
    fetched_after_s: int | None
    arrived_after_s: int | None

    @property
    def is_awaited(self) -> bool:
        """Whether somebody still has to go; who came on foot was fetched by nobody."""
        return self.fetched_after_s is None and self.arrived_after_s is None


class Elders:
    """The marks of this occasion."""

    def __init__(self, out: OutcomeBuilder, listing: Listing) -> None:
        self._out = out
        self._listing = listing
        self._occasion = Occasion.PEACE
        self._began: Began | None = None
        self._marks: dict[str, dict[ElderMark, int]] = {}

    def mark(self, order: ElderMarked, now: Moment) -> str:
        """Note that an elder was fetched or has arrived, or return why not."""
        if self._began is None:
            return "neither an emergency stands nor a drill runs"
        if order.mark not in list(ElderMark):
            return unknown("mark", order.mark, ElderMark)
        if all(elder.holder_id != order.holder for elder in self._listing.elders):
            return "nobody of that name is listed"
        marks = self._marks.get(order.holder)
        if marks is not None and order.mark in marks:
            return f"marked as {order.mark} already"
        if marks is None and len(self._marks) >= MAX_MARKED:
            return f"{MAX_MARKED} elders are marked already"
        facts: Facts = (
            ("mark", order.mark),
            ("occasion", self._occasion.value),
            *self._began.measured("after_s", now),
            *told(actor=order.actor),
        )
        person = Person(holder=order.holder)
        self._out.event(EventKind.ELDER_MARKED, "site", now, facts=facts, person=person)
        return ""

    def progress(self) -> tuple[ElderProgress, ...]:
        """Return all listed elders in their order, with their marks."""
        listed = sorted(self._listing.elders, key=lambda elder: elder.order)
        return tuple(self._progress(elder) for elder in listed)

    def awaited(self) -> tuple[ElderProgress, ...]:
        """Return whom nobody has fetched yet, the next one first."""
        return tuple(each for each in self.progress() if each.is_awaited)

    def follow(self, event: Event, occasion: Occasion) -> None:
        """Take an event into account; ``occasion`` is what it leaves behind."""
        if occasion is not self._occasion:
            self._occasion = occasion
            is_peace = occasion is Occasion.PEACE
            self._began = None if is_peace else Began.at(event.moment)
            self._marks.clear()
        holder, mark = event.person.holder, event.fact("mark")
        # A mark whose person was erased is nobody's.
        if event.kind is EventKind.ELDER_MARKED and holder and mark in list(ElderMark):
            after_s = int(event.fact("after_s") or 0)
            self._marks.setdefault(holder, {})[ElderMark(str(mark))] = after_s

    def forget(self, holder: str) -> None:
        """Forget whom a rehearsal fetched."""
        self._marks.pop(holder, None)

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        marks = {holder: dict(marks) for holder, marks in self._marks.items()}
        began = self._began and self._began.dump()
        occasion = self._occasion.value
        return {"elders": {"occasion": occasion, "began": began, "marks": marks}}

    def load(self, state: dict[str, Any]) -> None:
        """Take a snapshot; an older one has no marks."""
        kept = state.get("elders")
        if kept is None:
            return
        self._occasion = Occasion(kept["occasion"])
        self._began = kept["began"] and Began.load(kept["began"])
        self._marks = {
            holder: {ElderMark(mark): after_s for mark, after_s in marks.items()}
            for holder, marks in kept["marks"].items()
        }

    def _progress(self, elder: Elder) -> ElderProgress:
        marks = self._marks.get(elder.holder_id, {})
        return ElderProgress(
            holder_id=elder.holder_id,
            order=elder.order,
            route=elder.route,
            fetched_after_s=marks.get(ElderMark.FETCHED),
            arrived_after_s=marks.get(ElderMark.ARRIVED),
        )
