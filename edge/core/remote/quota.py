# SPDX-License-Identifier: Apache-2.0
"""How often the platform may act from afar: a stolen key must not open all day.

The law of the module: seconds of this boot alone; a quota that was not asked for is
forgotten with the restart, which nobody can bring about from afar. What is refused
takes nothing of any.
Source: docs/commands.md, "Limits".
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from edge.core.remote.command import Action, Rejection

if TYPE_CHECKING:
    from edge.core.remote.command import Flaw, RemoteCommand

#: A phone that scanned the code at the door: once in so long at each door.
RESIDENT_EVERY_S = 10.0
HOUR_S = 3600.0
#: Openings of a leaf for residents in an hour: a room that fills, not a door for all.
OPENINGS_FOR_RESIDENTS = 60
#: Openings of a leaf, and by an operator, in an hour.
OPENINGS_A_LEAF = 10
OPENINGS_AN_OPERATOR = 10
#: Whatever an operator has done in an hour, so that nobody fills the journal.
ACTS_AN_OPERATOR = 120
#: Operators and leaves at a time: more are not at work at one site.
NAMES = 64


class Limits:
    """What residents and operators may still have done at this site."""

    def __init__(self) -> None:
        self._residents = Quota(1, RESIDENT_EVERY_S)
        self._resident_leaves = Quota(OPENINGS_FOR_RESIDENTS, HOUR_S)
        self._leaves = Quota(OPENINGS_A_LEAF, HOUR_S)
        self._openers = Quota(OPENINGS_AN_OPERATOR, HOUR_S)
        self._actors = Quota(ACTS_AN_OPERATOR, HOUR_S)

    def flaw(self, command: RemoteCommand, now_s: float) -> Flaw | None:
        """Count a command that nothing else forbids, or say which limit is reached."""
        place, by = command.place, command.by
        if command.action is Action.RESIDENT_OPEN:
            takes = [
                (self._residents, place, Rejection.RATE_DOOR),
                (self._resident_leaves, place, Rejection.RATE_DOOR),
            ]
        else:
            takes = [(self._actors, by, Rejection.RATE_OPERATOR)]
            if command.is_opening:
                takes.append((self._openers, by, Rejection.RATE_OPERATOR))
                takes.append((self._leaves, place, Rejection.RATE_DOOR))
        for quota, name, reason in takes:
            if not quota.has_room(name, now_s):
                return reason, "too often, wait"
        for quota, name, _ in takes:
            quota.take(name, now_s)
        return None


class Quota:
    """So many a name within a sliding window; ``NAMES`` names at a time."""

    def __init__(self, limit: int, window_s: float) -> None:
        self._limit = limit
        self._window_s = window_s
        self._taken: dict[str, deque[float]] = {}

    def has_room(self, name: str, now_s: float) -> bool:
        """Say whether that name may once more; takes nothing."""
        taken = self._taken.get(name)
        if taken is None:
            return len(self._taken) < NAMES or self._forget(now_s)
        while taken and now_s - taken[0] >= self._window_s:
            taken.popleft()
        return len(taken) < self._limit

    def take(self, name: str, now_s: float) -> None:
        """Count one, which :meth:`has_room` allowed."""
        self._taken.setdefault(name, deque()).append(now_s)

    def _forget(self, now_s: float) -> bool:
        """Let go who has taken nothing for a window; False if all of them have.

        Of somebody who was asked about and refused since, nothing may be left.
        """
        taken, window_s = self._taken.items(), self._window_s
        over = [n for n, at in taken if not at or now_s - at[-1] >= window_s]
        for name in over:
            del self._taken[name]
        return bool(over)
