# SPDX-License-Identifier: Apache-2.0
"""Nothing grows beyond its limit: not the ring in memory, not a row, not a text.

The law of the module: limits as ARCHITECTURE.md and the sync contract name them, with
what may still come on top because it is never refused (contacts, exits, fire).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Booted, Handled, Renumbered, Stored, Violation
from edge.core.stimulus import Scan

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Kinds, Observation, Rest

#: Events kept in memory while the disk takes none; scans beyond are refused.
RING_EVENTS = 10_000
#: What levels and orders may add meanwhile: a door's contact bounces, a fire is told.
ON_TOP_EVENTS = 2_000
#: A fact of an event: no text that somebody typed is longer.
TEXT_CHARACTERS = 512
#: Events of one stimulus: timers of all doors and compartments, and its own.
EVENTS_AT_ONCE = 500


class NothingOverItsLimit:
    """Counts what waits."""

    name = "nothing over its limit"
    heeds: Kinds = frozenset({Booted, Handled, Renumbered, Stored})

    def __init__(self) -> None:
        self._numbered = self._stored = 0

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        match seen:
            case Booted(next_seq=next_seq):
                self._numbered = self._stored = next_seq - 1
            case Handled():
                self._handled(seen)
            case Stored(last_seq=last_seq):
                self._stored = last_seq
            case Renumbered(shift=shift):
                self._numbered += shift
                self._stored += shift
            case _:
                pass

    def end(self, rest: Rest) -> None:
        """See that nothing is left waiting."""
        if rest.unstored:
            raise Violation(self.name, f"{rest.unstored} events wait in the quiet")

    def _handled(self, seen: Handled) -> None:
        waiting = self._numbered - self._stored
        if isinstance(seen.stimulus, Scan) and waiting > RING_EVENTS + ON_TOP_EVENTS:
            raise Violation(self.name, f"a scan was taken while {waiting} events wait")
        if len(seen.events) > EVENTS_AT_ONCE:
            raise Violation(self.name, f"{len(seen.events)} events at once")
        for event in seen.events:
            self._numbered = event.seq
            for name, value in event.facts:
                if isinstance(value, str) and len(value) > TEXT_CHARACTERS:
                    what = f"{event.seq}: {name} has {len(value)} characters"
                    raise Violation(self.name, what)
