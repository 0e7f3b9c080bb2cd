# SPDX-License-Identifier: Apache-2.0
"""Every release ends, whoever died meanwhile: boards time their own pulses.

The law of the module: it watches the strike and the orders that left for it, nothing
of the rules. A hold (fire release) may last until it is relocked.
Source: ARCHITECTURE.md, law of pulses timed on the board.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from edge.cli.simulate.checking import CarriedOut, Happened, Violation
from edge.core.command import HoldOpen, Release
from firmware_sim.happening import What

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Kinds, Observation, Rest

#: An order may wait two seconds for its line and be repeated within one more; the
#: board counts in tenths.
SLACK_S = 3.2


class ReleaseEnds:
    """Watches every strike."""

    name = "every release ends"
    heeds: Kinds = frozenset({CarriedOut, Happened})

    def __init__(self) -> None:
        self._until_s: dict[str, float] = {}
        self._released: dict[str, float] = {}

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        match seen:
            case CarriedOut(command=Release(door=door, duration_s=duration_s)):
                until_s = seen.at_s + duration_s
                self._until_s[door] = max(self._until_s.get(door, 0.0), until_s)
            case CarriedOut(command=HoldOpen(door=door)):
                self._until_s[door] = inf
            case Happened(happening=happening):
                if happening.what is What.STRIKE_RELEASED:
                    self._released[happening.name] = happening.at
                elif happening.what is What.STRIKE_RELOCKED:
                    self._relocked(happening.name, happening.at)
            case _:
                pass

    def end(self, rest: Rest) -> None:
        """See that nothing is left released that nobody holds."""
        for door in self._released:
            self._relocked(door, rest.at_s, is_late_only=True)

    def _relocked(self, door: str, at_s: float, *, is_late_only: bool = False) -> None:
        until_s = self._until_s.get(door, 0.0)
        if at_s > until_s + SLACK_S:
            what = f"{door} was released until {at_s:.1f} s, allowed to {until_s:.1f}"
            raise Violation(self.name, what)
        if not is_late_only:
            self._released.pop(door, None)
            if until_s == inf:
                self._until_s[door] = at_s
