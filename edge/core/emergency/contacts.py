# SPDX-License-Identifier: Apache-2.0
"""Whom somebody has called already: the contacts' marks of one occasion.

The law of the module: marks belong to one occasion, as those of elders do; the last
one counts, since who did not answer may answer later. Who is to be called, and in
which order, is the platform's to say: a mark names a row of it, and no person.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from edge.core.emergency.began import Began
from edge.core.emergency.elders import Occasion
from edge.core.emergency.told import told, unknown
from edge.core.event import Event, EventKind, Facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.moment import Moment
    from edge.core.order import ContactMarked
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.community_rows import Contact

#: Contacts marked in one occasion: as many as a feed may hold.
MAX_MARKED = 500


class Directory(Protocol):
    """Whom there is to call (``edge.core.people.rolls``)."""

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """The contacts of the neighbourhood."""


class ContactMark(StrEnum):
    """What can be marked of a contact."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """The last call to somebody: what came of it, seconds into the occasion, by whom.

    ``at_ms`` is its UTC, a lower bound.
    """

    mark: ContactMark
    after_s: int
    at_ms: int
    actor: str


class Contacts:
    """The calls of this occasion."""

    def __init__(self, out: OutcomeBuilder, directory: Directory) -> None:
        self._out = out
        self._directory = directory
        self._occasion = Occasion.PEACE
        self._began: Began | None = None
        self._called: dict[str, Called] = {}

    @property
    def called(self) -> Mapping[str, Called]:
        """The last call to each contact that was called."""
        return self._called

    def mark(self, order: ContactMarked, now: Moment) -> str:
        """Note what came of a call, or return why not."""
        if self._began is None:
            return "neither an emergency stands nor a drill runs"
        if order.call not in list(ContactMark):
            return unknown("call", order.call, ContactMark)
        if all(each.contact_id != order.contact for each in self._directory.contacts):
            return "there is no such contact"
        called = self._called.get(order.contact)
        if called is not None and called.mark == order.call:
            return f"marked as {order.call} already"
        if called is None and len(self._called) >= MAX_MARKED:
            return f"{MAX_MARKED} contacts are marked already"
        facts: Facts = (
            ("contact", order.contact),
            ("mark", order.call),
            ("occasion", self._occasion.value),
            *self._began.measured("after_s", now),
            *told(actor=order.actor),
        )
        self._out.event(EventKind.CONTACT_MARKED, "site", now, facts=facts)
        return ""

    def follow(self, event: Event, occasion: Occasion) -> None:
        """Take an event into account; ``occasion`` is what it leaves behind."""
        if occasion is not self._occasion:
            self._occasion = occasion
            is_peace = occasion is Occasion.PEACE
            self._began = None if is_peace else Began.at(event.moment)
            self._called.clear()
        mark = event.fact("mark")
        if event.kind is EventKind.CONTACT_MARKED and mark in list(ContactMark):
            self._called[str(event.fact("contact"))] = Called(
                mark=ContactMark(str(mark)),
                after_s=int(event.fact("after_s") or 0),
                at_ms=event.moment.earliest_ms,
                actor=str(event.fact("actor") or ""),
            )

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        called = {
            contact: [each.mark.value, each.after_s, each.at_ms, each.actor]
            for contact, each in self._called.items()
        }
        began = self._began and self._began.dump()
        occasion = self._occasion.value
        return {"contacts": {"occasion": occasion, "began": began, "called": called}}

    def load(self, state: dict[str, Any]) -> None:
        """Take a snapshot; an older one knows what elders are fetched for."""
        kept = state.get("contacts") or state.get("elders")
        if kept is None:
            return
        self._occasion = Occasion(kept["occasion"])
        self._began = kept["began"] and Began.load(kept["began"])
        self._called = {
            contact: Called(
                mark=ContactMark(mark), after_s=after_s, at_ms=at_ms, actor=actor
            )
            for contact, (mark, after_s, at_ms, actor) in kept.get("called", {}).items()
        }
