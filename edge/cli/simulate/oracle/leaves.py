# SPDX-License-Identifier: Apache-2.0
"""Doors as the box was told of them: what may be open, and what should not be.

The law of the module: a release is good for one opening within its time; one given
while the leaf stands open is for whoever it shuts out. Times are of the run, and what
lies within ``SLACK_S`` of an edge is unsure: a contact tells a moment late.
Source: docs/doors.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Booted, CarriedOut, Handled
from edge.core.command import HoldOpen, Release, Relock
from edge.core.doors.door import DoorMode
from edge.core.stimulus import ContactChanged

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Kinds, Observation
    from edge.cli.simulate.oracle.standing import Standing
    from edge.core.plan import SitePlan

#: A contact may tell a second late; the strike's order may take a tenth more.
SLACK_S = 1.5
#: An unlocked door is kept so by pulses: the last of them ends by itself.
LAST_PULSE_S = 10.0
_FREE = frozenset({DoorMode.UNLOCKED, DoorMode.LOCKED_OPEN})


@dataclass(slots=True)
class Leaf:
    """One door: whether its leaf is open, and until when it may be opened."""

    is_open: bool = False
    #: Whether the box has been told how the leaf stands, since it started.
    is_known: bool = False
    surely_until_s: float = -inf
    perhaps_until_s: float = -inf


class Leaves:
    """All doors of the site."""

    heeds: Kinds = frozenset({Booted, CarriedOut, Handled})

    def __init__(self, plan: SitePlan, standing: Standing) -> None:
        self._plan = plan
        self._standing = standing
        self._leaves = {door: Leaf() for door in plan.doors}
        self._freed_s: dict[str, float] = {}

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        match seen:
            case Booted():
                for leaf in self._leaves.values():
                    leaf.is_known = False
                    leaf.surely_until_s = -inf
            case Handled():
                for door in self._leaves:
                    if self._standing.mode(door) in _FREE:
                        self._freed_s[door] = seen.at_s
                if isinstance(seen.stimulus, ContactChanged):
                    self._moved(seen.stimulus)
                for command in seen.commands:
                    self._ordered(command, seen.at_s)
            case CarriedOut(command=command):
                self._ordered(command, seen.at_s, is_late=True)
            case _:
                pass

    def leaf(self, door: str) -> Leaf:
        """Return how a door stands."""
        return self._leaves[door]

    def may_open(self, door: str, at_s: float) -> bool:
        """Say whether an opening now might be no alarm."""
        freed_s = self._freed_s.get(door, -inf)
        if self.is_free(door) or at_s <= freed_s + LAST_PULSE_S + SLACK_S:
            return True
        return at_s <= self._leaves[door].perhaps_until_s + SLACK_S

    def must_be_free_to_open(self, door: str, at_s: float) -> bool:
        """Say whether an opening now is surely no alarm."""
        return self.is_free(door) or at_s < self._leaves[door].surely_until_s

    def is_free(self, door: str) -> bool:
        """Say whether the door's mode lets anybody open it."""
        return self._standing.mode(door) in _FREE

    def blocks_partners(self, door: str, at_s: float) -> tuple[bool, bool]:
        """Say whether it surely, and whether it perhaps, is released or open."""
        leaf = self._leaves[door]
        if self.is_free(door) or (leaf.is_open and leaf.is_known):
            return True, True
        perhaps = leaf.is_open or at_s <= leaf.perhaps_until_s + SLACK_S
        return at_s < leaf.surely_until_s, perhaps

    def _moved(self, contact: ContactChanged) -> None:
        leaf = self._leaves[contact.door]
        if contact.is_open and not leaf.is_open:
            leaf.surely_until_s = -inf
            leaf.perhaps_until_s = -inf
        leaf.is_open, leaf.is_known = contact.is_open, True

    def _ordered(self, command: object, at_s: float, *, is_late: bool = False) -> None:
        match command:
            case Release(door=door, duration_s=duration_s):
                leaf = self._leaves[door]
                until_s = at_s + duration_s
                leaf.perhaps_until_s = max(leaf.perhaps_until_s, until_s)
                if not is_late:
                    leaf.surely_until_s = max(leaf.surely_until_s, until_s)
            case Relock(door=door):
                self._leaves[door].surely_until_s = -inf
            case HoldOpen(door=door):
                self._freed_s[door] = at_s
            case _:
                pass
