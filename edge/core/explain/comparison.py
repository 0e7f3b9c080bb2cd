# SPDX-License-Identifier: Apache-2.0
"""What another site file would have changed: every kept decision, made twice anew.

The law of the module: a decision counts only if the file of then gives again, by what
is kept, what was decided then; every other is counted with the reason why it cannot be
judged. Nothing follows from a changed answer: who would have been refused came in all
the same, and the scenes go on with what happened.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.explain.kept import DECISIONS
from edge.core.explain.retelling import Unknown, decided_anew, recorded
from edge.core.explain.scene import Scene

if TYPE_CHECKING:
    from edge.core.access.answers import DenyReason
    from edge.core.explain.kept import Kept
    from edge.core.explain.scene import Answer
    from edge.core.people.roster import Roster
    from edge.core.plan import SitePlan

#: Changes that are told one by one, of each door and kind: the first show the point.
MAX_EXAMPLES = 3
#: Doors times reasons that are counted apart; a site has a few dozen doors.
MAX_KINDS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """At a door, one answer would have been another; None stands for granted."""

    door: str
    before: DenyReason | None
    after: DenyReason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One decision that would have come out otherwise."""

    change: Change
    kept: Kept
    rule_before: str
    rule_after: str


class Comparison:
    """Two site files over the same events."""

    def __init__(
        self, before: SitePlan, after: SitePlan, roster: Roster, *, from_ms: int = 0
    ) -> None:
        self._before = Scene(before, roster)
        self._after = Scene(after, roster)
        self._from_ms = from_ms
        #: How many decisions were looked at, and how many would have come out the same.
        self.decisions = 0
        self.same = 0
        self.changes: Counter[Change] = Counter()
        self.examples: dict[Change, list[Example]] = {}
        self.unjudged: Counter[Unknown] = Counter()
        #: Counted refusals stand for many.
        self.counted = 0
        #: Decisions made under another file than the one taken as that of then.
        self.of_other_settings = 0
        self._revision = before.settings_revision

    def follow(self, kept: Kept) -> None:
        """Take one event into account."""
        event = kept.event
        if event.kind in DECISIONS and event.moment.latest_ms >= self._from_ms:
            self._judge(kept)
        self._before.follow(event)
        self._after.follow(event)

    def _judge(self, kept: Kept) -> None:
        self.decisions += 1
        before = decided_anew(kept, self._before)
        after = decided_anew(kept, self._after)
        if before is Unknown.COUNTED:
            self.counted += int(kept.event.fact("count") or 1)
        elif kept.event.fact("set") != self._revision:
            self.of_other_settings += 1
        if isinstance(before, Unknown):
            self.unjudged[before] += 1
        elif not before.is_as(recorded(kept.event)):
            self.unjudged[Unknown.ANOTHER_ANSWER] += 1
        elif isinstance(after, Unknown):
            self.unjudged[after] += 1
        elif after.is_as(before):
            self.same += 1
        else:
            self._note(kept, before, after)

    def _note(self, kept: Kept, before: Answer, after: Answer) -> None:
        point = self._before.site.access_points[kept.event.subject]
        change = Change(door=point.door_id, before=before.reason, after=after.reason)
        if change not in self.changes and len(self.changes) >= MAX_KINDS:
            return
        self.changes[change] += 1
        examples = self.examples.setdefault(change, [])
        if len(examples) < MAX_EXAMPLES:
            example = Example(
                change=change, kept=kept, rule_before=before.rule, rule_after=after.rule
            )
            examples.append(example)
