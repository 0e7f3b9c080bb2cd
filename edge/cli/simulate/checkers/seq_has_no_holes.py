# SPDX-License-Identifier: Apache-2.0
"""Events are numbered without a hole, over power cuts and new epochs.

The law of the module: what was told to be stored is never numbered anew; what was
not stored leaves its numbers to what comes after the power cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Booted, Handled, Renumbered, Stored, Violation

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Kinds, Observation, Rest


class SeqHasNoHoles:
    """Watches every number that the controller gives."""

    name = "seq has no holes"
    heeds: Kinds = frozenset({Booted, Handled, Renumbered, Stored})

    def __init__(self) -> None:
        self._next = 1
        self._stored = 0

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        match seen:
            case Booted(next_seq=next_seq):
                if next_seq <= self._stored:
                    what = f"{next_seq} comes again, {self._stored} was stored"
                    raise Violation(self.name, what)
                self._next = next_seq
            case Handled(events=events):
                for event in events:
                    if event.seq != self._next:
                        what = f"{event.seq} came where {self._next} was due"
                        raise Violation(self.name, what)
                    self._next += 1
            case Stored(last_seq=last_seq):
                self._stored = last_seq
            case Renumbered(shift=shift):
                self._next += shift
                self._stored += shift
            case _:
                pass

    def end(self, rest: Rest) -> None:
        """Look for holes in what is left on disk."""
        numbers = [record.seq for record in rest.journal]
        whole = list(range(rest.trimmed + 1, rest.trimmed + 1 + len(numbers)))
        if numbers != whole or self._next != rest.trimmed + 1 + len(numbers):
            what = f"{len(numbers)} rows from {rest.trimmed + 1}, next is {self._next}"
            raise Violation(self.name, what)
