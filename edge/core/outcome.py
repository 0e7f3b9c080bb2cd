# SPDX-License-Identifier: Apache-2.0
"""What one stimulus led to: numbered events and wishes, in their order.

The law of the module: numbers are given here and nowhere else, without a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.event import NOBODY, Event, EventKind, Facts, Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.command import Command
    from edge.core.moment import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Events to store and commands to carry out.

    ``is_kept``: what no event may tell changed (a token), so the commit that stores
    these events has to carry a snapshot of the standing.
    """

    events: tuple[Event, ...] = ()
    commands: tuple[Command, ...] = ()
    is_kept: bool = False


class OutcomeBuilder:
    """Collects an outcome; ``next_seq`` goes on from call to call.

    ``follow`` hears of each event at once, so that what comes later in the same
    outcome already reckons with it.
    """

    def __init__(self, next_seq: int, follow: Callable[[Event], None]) -> None:
        self.next_seq = next_seq
        self._follow = follow
        self._events: list[Event] = []
        self._commands: list[Command] = []
        self._is_kept = False

    def event(
        self,
        kind: EventKind,
        subject: str,
        now: Moment,
        *,
        facts: Facts = (),
        person: Person = NOBODY,
    ) -> Event:
        """Number a fact and keep it."""
        event = Event(
            seq=self.next_seq,
            kind=kind,
            moment=now,
            subject=subject,
            facts=tuple(sorted(facts)),
            person=person,
        )
        self.next_seq += 1
        self._events.append(event)
        self._follow(event)
        return event

    def command(self, command: Command) -> None:
        """Keep a wish."""
        self._commands.append(command)

    def keep(self) -> None:
        """Ask for a snapshot with these events: they do not tell all that changed."""
        self._is_kept = True

    def take(self) -> Outcome:
        """Return what was collected and start anew."""
        taken = Outcome(
            events=tuple(self._events),
            commands=tuple(self._commands),
            is_kept=self._is_kept,
        )
        self._events.clear()
        self._commands.clear()
        self._is_kept = False
        return taken
