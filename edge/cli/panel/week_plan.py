# SPDX-License-Identifier: Apache-2.0
"""Who was to be on duty and who was: a planned shift beside the shifts of its time.

The law of the module: pure, and it judges nobody. Whose shift belongs to a plan is told
by its event, or was on duty within it; whoever else was there and had no plan of his
own stood in. What nobody took up is told, never why, and only some minutes after its
beginning.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from edge.core.duty.shift import MAX_SHIFT_MIN
from edge.core.plan import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge.cli.panel.shift_stories import Story
    from edge.core.people.shift_row import PlannedShift

_Timed = TypeVar("_Timed", "Story", "PlannedShift")
#: Neither a shift nor a plan is longer, so that few stand near a moment.
MAX_MS = MAX_SHIFT_MIN * MINUTE_MS
#: Who comes a little late has come.
GRACE_MS = 15 * MINUTE_MS


class Standing(StrEnum):
    """What became of a planned shift."""

    COMING = "COMING"
    WAITS = "WAITS"
    TAKEN = "TAKEN"
    COVERED = "COVERED"
    NOBODY = "NOBODY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A planned shift with its standing."""

    plan: PlannedShift
    standing: Standing

    @property
    def is_open(self) -> bool:
        """Say whether nobody took it up, and it has begun."""
        return self.standing in (Standing.WAITS, Standing.NOBODY)


def placed(
    plans: Sequence[PlannedShift], stories: Iterable[Story], now_ms: int
) -> list[Placed]:
    """Return planned shifts with what became of each; they come by their beginnings.

    Each is held against those near it alone: a page must not keep a door waiting.
    """
    known = sorted(stories, key=_begins)
    return [
        Placed(
            plan=each,
            standing=_standing(each, _near(plans, each), _near(known, each), now_ms),
        )
        for each in plans
    ]


def touching(
    plans: Iterable[PlannedShift], from_ms: int, to_ms: int
) -> list[PlannedShift]:
    """Return the planned shifts that touch ``[from_ms, to_ms)``."""
    return [each for each in plans if each.from_ms < to_ms and each.to_ms > from_ms]


def _standing(
    plan: PlannedShift,
    plans: Sequence[PlannedShift],
    stories: Sequence[Story],
    now_ms: int,
) -> Standing:
    there = [each for each in stories if _is_there(each, plan, now_ms)]
    if any(each.holder == plan.holder_id for each in there):
        return Standing.TAKEN
    if now_ms < plan.from_ms + GRACE_MS:
        return Standing.COMING
    if any(not _has_own(each, plan, plans) for each in there):
        return Standing.COVERED
    return Standing.WAITS if now_ms < plan.to_ms else Standing.NOBODY


def _begins(each: Story | PlannedShift) -> int:
    return each.from_ms


def _near(found: Sequence[_Timed], plan: PlannedShift) -> Sequence[_Timed]:
    """Return those, sorted, that began late enough and early enough to touch it."""
    first = bisect_left(found, plan.from_ms - MAX_MS, key=_begins)
    return found[first : bisect_left(found, plan.to_ms, key=_begins)]


def _is_there(story: Story, plan: PlannedShift, now_ms: int) -> bool:
    if story.plan == plan.row_id and story.holder == plan.holder_id:
        return True
    end_ms = now_ms if story.is_running else story.to_ms
    return story.from_ms < plan.to_ms and end_ms > plan.from_ms


def _has_own(story: Story, plan: PlannedShift, plans: Sequence[PlannedShift]) -> bool:
    """Say whether who was there was there for a plan of his own."""
    return any(
        each.holder_id == story.holder
        for each in touching(plans, plan.from_ms, plan.to_ms)
    )
