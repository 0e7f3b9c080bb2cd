# SPDX-License-Identifier: Apache-2.0
"""A forced alarm is raised exactly when a leaf opened that nobody had let open.

The law of the module: first as the box was told of it: an opening of which it knows
no release raises the alarm at once, any other none. Then in the street: a leaf that
opens behind a strike at rest is told, unless something disturbs box or board.
Source: docs/doors.md.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from edge.cli.simulate.checking import EVERYTHING, Handled, Happened, Violation
from edge.cli.simulate.oracle.calm import Calm
from edge.cli.simulate.oracle.chronicle import Chronicle
from edge.cli.simulate.oracle.leaves import LAST_PULSE_S, SLACK_S, Leaves
from edge.cli.simulate.oracle.standing import Standing
from edge.core.event import EventKind
from edge.core.stimulus import ContactChanged
from firmware_sim.happening import What

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Ground, Kinds, Observation, Rest

#: A forced door is told within a second; the board is asked a few times in one.
WITHIN_S = 2.0


class ForcedAlarmIsTrue:
    """Watches leaves, strikes and alarms."""

    name = "forced alarm exactly when forced"
    heeds: Kinds = EVERYTHING

    def __init__(self, ground: Ground) -> None:
        self._plan = ground.plan
        self._standing = Standing(ground.plan)
        self._chronicle = Chronicle(self._standing)
        self._leaves = Leaves(ground.plan, self._standing)
        self._calm = Calm("board")
        #: By door: when its strike came to rest, infinite while it gives way.
        self._at_rest_s = dict.fromkeys(ground.plan.doors, -inf)
        #: Doors that were forced open and of which no alarm has told yet.
        self._forced_s: dict[str, float] = {}

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        self._calm.see(seen)
        self._overdue(seen.at_s)
        if isinstance(seen, Handled):
            forced = [e for e in seen.events if e.kind is EventKind.DOOR_FORCED_OPEN]
            for event in forced:
                self._forced_s.pop(event.subject, None)
            if isinstance(seen.stimulus, ContactChanged):
                alarmed = {event.subject for event in forced}
                self._judge(seen, seen.stimulus, alarmed)
        self._chronicle.see(seen)
        self._leaves.see(seen)
        if isinstance(seen, Happened):
            self._moved(seen.happening.what, seen.happening.name, seen.at_s)

    def end(self, rest: Rest) -> None:
        """See that no alarm is owed."""
        self._overdue(rest.at_s)

    def _judge(self, seen: Handled, contact: ContactChanged, alarmed: set[str]) -> None:
        door = contact.door
        leaf = self._leaves.leaf(door)
        is_forced = door in alarmed
        if not contact.is_open or leaf.is_open or not leaf.is_known:
            if is_forced and leaf.is_known:
                raise Violation(self.name, f"{door} raised an alarm and did not open")
            return
        if is_forced and self._leaves.must_be_free_to_open(door, seen.at_s):
            raise Violation(self.name, f"{door} was released and raised an alarm")
        must_alarm = not self._leaves.may_open(door, seen.at_s)
        if must_alarm and not is_forced and self._plan.doors[door].senses_exit:
            raise Violation(self.name, f"{door} opened unreleased without an alarm")
        if not must_alarm:
            # Released between the opening and the board's next answer, which tells of
            # both: nobody in the box can say which was first.
            self._forced_s.pop(door, None)

    def _moved(self, what: What, name: str, at_s: float) -> None:
        match what:
            case What.STRIKE_RELEASED:
                self._at_rest_s[name] = inf
            case What.STRIKE_RELOCKED:
                self._at_rest_s[name] = at_s
            case What.LEAF_OPENED if self._is_forced(name, at_s):
                self._forced_s[name] = at_s
            case What.LEAF_CLOSED:
                self._forced_s.pop(name, None)  # too short to be seen, perhaps
            case _:
                pass

    def _is_forced(self, door: str, at_s: float) -> bool:
        is_at_rest = at_s > self._at_rest_s[door] + LAST_PULSE_S + SLACK_S
        may_open = self._leaves.may_open(door, at_s) or self._leaves.leaf(door).is_open
        return is_at_rest and not may_open and self._plan.doors[door].senses_exit

    def _overdue(self, at_s: float) -> None:
        for door, since_s in list(self._forced_s.items()):
            if at_s <= since_s + WITHIN_S:
                continue
            del self._forced_s[door]
            if self._calm.was_calm(since_s, at_s):
                what = f"{door} was forced at {since_s:.2f} s and no alarm told of it"
                raise Violation(self.name, what)
