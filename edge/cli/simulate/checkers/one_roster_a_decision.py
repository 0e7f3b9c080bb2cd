# SPDX-License-Identifier: Apache-2.0
"""A decision rests on one roster: the one that was adopted last, and says so.

The law of the module: the revision that an event names is the one in force when it
was numbered; none is adopted between two halves of a decision. The settings' revision
is the plan's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Booted, Handled, RosterAdopted, Violation
from edge.core.event import EventKind

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Ground, Kinds, Observation, Rest
    from edge.core.event import Event

#: Decisions about a person carry both revisions, or nobody could explain them.
EXPLAINED = frozenset({EventKind.ACCESS_GRANTED, EventKind.ACCESS_DENIED})


class OneRosterADecision:
    """Holds each event's revisions against those in force."""

    name = "one roster version a decision"
    heeds: Kinds = frozenset({Booted, Handled, RosterAdopted})

    def __init__(self, ground: Ground) -> None:
        self._settings = ground.plan.settings_revision
        self._revision = 0

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        match seen:
            case Booted():
                self._revision = 0
            case RosterAdopted(roster=roster):
                self._revision = roster.cursor.revision
            case Handled(events=events):
                for event in events:
                    self._judge(event)
            case _:
                pass

    def end(self, rest: Rest) -> None:
        """Do nothing: each event was judged when it was numbered."""

    def _judge(self, event: Event) -> None:
        revision, settings = event.fact("fr"), event.fact("set")
        # An order at the panel asked no list; a count of refusals is of many.
        is_order = event.fact("kind") == "PANEL"
        is_one = event.kind in EXPLAINED and event.fact("count") is None
        if is_one and not is_order and revision is None:
            raise Violation(self.name, f"{event.seq} names no roster")
        if is_one and settings is None:
            raise Violation(self.name, f"{event.seq} names no settings")
        if revision is not None and revision != self._revision:
            what = f"{event.seq} names {revision}, in force is {self._revision}"
            raise Violation(self.name, what)
        if settings is not None and settings != self._settings:
            raise Violation(self.name, f"{event.seq} names other settings: {settings}")
