# SPDX-License-Identifier: Apache-2.0
"""What a run comes to in numbers.

The law of the module: it counts what the witness tells and judges nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from edge.cli.simulate.checking import Booted, Handled, Happened, PowerLost, Stored
from edge.cli.simulate.checking import Stormed as Storm
from firmware_sim.happening import What

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Kinds, Observation

_SHOWN = (What.CARD_PUT, What.CODE_SHOWN)


class Tally:
    """Counts of one run, or of many that are added up."""

    heeds: Kinds = frozenset({Booted, Handled, Happened, PowerLost, Stored, Storm})

    def __init__(self) -> None:
        self.scans = 0
        self.events = 0
        self.commits = 0
        self.boots = 0
        self.power_cuts = 0
        self.faults: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        match seen:
            case Happened(happening=happening):
                self.scans += happening.what in _SHOWN
            case Handled(events=events):
                self.events += len(events)
                for event in events:
                    self.kinds[event.kind.value] += 1
            case Stored():
                self.commits += 1
            case Booted():
                self.boots += 1
            case PowerLost(is_orderly=is_orderly):
                self.power_cuts += not is_orderly
            case Storm(kind=kind):
                self.faults[kind] += 1
            case _:
                pass

    def add(self, other: dict[str, Any]) -> None:
        """Add another run's numbers, as :meth:`told` returned them."""
        for name in ("scans", "events", "commits", "power_cuts"):
            setattr(self, name, getattr(self, name) + other[name])
        self.boots += other["restarts"]
        self.faults.update(other["faults"])
        self.kinds.update(other["kinds"])

    def told(self) -> dict[str, Any]:
        """Return all counts; a restart is every boot but the first."""
        return {
            "scans": self.scans,
            "events": self.events,
            "commits": self.commits,
            "power_cuts": self.power_cuts,
            "restarts": max(0, self.boots - 1),
            "faults": dict(sorted(self.faults.items())),
            "kinds": dict(sorted(self.kinds.items())),
        }
