# SPDX-License-Identifier: Apache-2.0
"""Shifts as their volunteers remember them: begun, ended, doubted, corrected, by whom.

The law of the module: pure; it learns from events alone, in their order, and adds up
minutes and nothing else. A shift belongs to the local day and month in which it began,
over midnight and a month's end too; what was corrected or confirmed last counts. An
erased person's shifts are nobody's and are not told.
Source: edge/core/duty/ledger.py, which knows the minutes and not who changed them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from edge.core.duty.planned import PLAN
from edge.core.duty.shift import ShiftState, month_of
from edge.core.event import EventKind
from edge.core.plan import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.core.event import Event
    from edge.storage.finding import Found

#: Twenty volunteers with three shifts a day for three months; the oldest go first.
MAX_STORIES = 6_000
#: Who says more of one shift is heard with the last words.
MAX_WORDS = 12
#: What beginnings of kinds a book of shifts is made of.
KINDS = ("DUTY_", "ERASED")
_SETTLING = {
    EventKind.DUTY_CORRECTED: ShiftState.CORRECTED,
    EventKind.DUTY_CONFIRMED: ShiftState.CONFIRMED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What somebody said of a shift: ``minutes`` in place of ``was``."""

    kind: EventKind
    at_ms: int
    minutes: int
    was: int
    actor: str
    second: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One shift; times are UTC ms, ``seq`` the number of its beginning.

    ``began_by`` and ``ended_by``: who did it at the panel, "" for a card at the desk;
    ``why``: it ended without anybody, "closing" or "too_long". ``plan``: the planned
    shift that it is, "" for none. ``asked``: the minutes
    that its volunteer says it had, until two others have answered; -1 for none.
    """

    seq: int
    holder: str
    from_ms: int
    began_by: str = ""
    ended_by: str = ""
    minutes: int = 0
    state: ShiftState = ShiftState.RUNNING
    why: str = ""
    plan: str = ""
    asked: int = -1
    words: tuple[Word, ...] = field(default=())

    @property
    def to_ms(self) -> int:
        """When it ended by its minutes; its beginning while it runs."""
        return self.from_ms + self.minutes * MINUTE_MS

    @property
    def is_running(self) -> bool:
        """Say whether nobody ended it yet."""
        return self.state is ShiftState.RUNNING

    @property
    def waits(self) -> bool:
        """Say whether two persons should look at it."""
        return self.state is ShiftState.TO_CONFIRM or self.asked >= 0


class Stories:
    """Shifts by the numbers of their beginnings, in that order."""

    def __init__(self) -> None:
        self._all: dict[int, Story] = {}
        self._running: dict[str, int] = {}

    @property
    def all(self) -> tuple[Story, ...]:
        """Every one, the oldest first."""
        return tuple(self._all.values())

    def of(self, holder: str) -> tuple[Story, ...]:
        """Return a holder's, the oldest first."""
        return tuple(each for each in self._all.values() if each.holder == holder)

    def follow(self, found: Found) -> None:
        """Take the next event into account."""
        event = found.event
        holder = event.person.holder
        if holder is None:
            return
        if event.kind is EventKind.DUTY_STARTED:
            self._begin(event, holder)
        elif event.kind is EventKind.DUTY_ENDED:
            seq = self._running.pop(holder, None)
            if seq in self._all:
                self._all[seq] = _ended(self._all[seq], event)
        else:
            seq = _whole(event, "cause") + found.renumbered
            story = self._all.get(seq)
            if story is not None and story.state is not ShiftState.RUNNING:
                self._all[seq] = _told(story, event)

    def _begin(self, event: Event, holder: str) -> None:
        self._running[holder] = event.seq
        self._all[event.seq] = Story(
            seq=event.seq,
            holder=holder,
            from_ms=event.moment.earliest_ms,
            began_by=str(event.fact("actor") or ""),
            plan=str(event.fact(PLAN) or ""),
        )
        if len(self._all) > MAX_STORIES:
            del self._all[next(iter(self._all))]


def minutes_of(stories: Iterable[Story], *, confirmed: bool = False) -> int:
    """Return all minutes, or those alone that a social worker has confirmed."""
    return sum(
        each.minutes
        for each in stories
        if each.state is ShiftState.CONFIRMED or not confirmed
    )


def of_month(
    stories: Iterable[Story], month: str, utc_offset_ms: int
) -> tuple[Story, ...]:
    """Return the shifts that began in a local month (``YYYY-MM``)."""
    return tuple(
        each for each in stories if month_of(each.from_ms, utc_offset_ms) == month
    )


def _ended(story: Story, event: Event) -> Story:
    is_doubtful = event.fact("to_confirm") is not None
    return replace(
        story,
        minutes=_whole(event, "minutes"),
        state=ShiftState.TO_CONFIRM if is_doubtful else ShiftState.PROVISIONAL,
        why=str(event.fact("why") or ""),
        ended_by=str(event.fact("actor") or ""),
    )


def _told(story: Story, event: Event) -> Story:
    word = Word(
        kind=event.kind,
        at_ms=event.moment.earliest_ms,
        minutes=_whole(event, "minutes"),
        was=_whole(event, "was"),
        actor=str(event.fact("actor") or ""),
        second=str(event.fact("second") or ""),
        reason=str(event.fact("reason") or ""),
    )
    words = (*story.words, word)[-MAX_WORDS:]
    if event.kind is EventKind.DUTY_QUESTIONED:
        return replace(story, asked=word.minutes, words=words)
    state = _SETTLING.get(event.kind, story.state)
    return replace(story, minutes=word.minutes, state=state, asked=-1, words=words)


def _whole(event: Event, name: str) -> int:
    told = event.fact(name)
    return told if isinstance(told, int) else 0
