# SPDX-License-Identifier: Apache-2.0
"""Why a door opened or did not, around a moment: one walk along the journal.

The law of the module: the scene is asked before it hears of what was decided in it.
An inquiry keeps what it was asked for and nothing else of a long journal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.core.event import Event, EventKind
from edge.core.explain.explanation import (
    Explanation,
    ending,
    first_ending,
    told_of,
)
from edge.core.explain.kept import is_decision, released_late
from edge.core.explain.openers import Openers, openers
from edge.core.explain.retelling import decided_anew
from edge.core.moment import UNBOUNDED_MS, Moment
from edge.core.plan import Direction

if TYPE_CHECKING:
    from edge.core.explain.kept import Kept
    from edge.core.explain.scene import Scene
    from edge.core.plan import AccessPointPlan

#: Decisions of one inquiry; who wants more asks for a shorter time.
MAX_TOLD = 50
#: Other events at the door that are told beside them.
MAX_BESIDE = 50
_BESIDE = frozenset(
    {
        EventKind.ACCESS_DENIED,
        EventKind.CALL_RAISED,
        EventKind.CONFIRMATION_ASKED,
        EventKind.CONFIRMATION_GIVEN,
        EventKind.DOOR_FORCED_OPEN,
        EventKind.DOOR_MODE_CHANGED,
        EventKind.DOOR_OPEN_TOO_LONG,
        EventKind.DOOR_RELOCKED_BY_SCHEDULE,
        EventKind.DOOR_UNLOCKED_BY_SCHEDULE,
        EventKind.EMERGENCY_ENDED,
        EventKind.EMERGENCY_STARTED,
        EventKind.ENTRY_CORRECTED,
        EventKind.MANUAL_ENTRY,
        EventKind.REQUEST_TO_EXIT,
        EventKind.WRONG_TRIES,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A door (or bank), a moment and so much on both sides of it, perhaps a person."""

    door: str
    at_ms: int
    within_ms: int
    holder: str = ""

    def covers(self, moment: Moment) -> bool:
        """Say whether a moment may lie in the time that is asked for.

        Without an upper bound its lower one alone can tell.
        """
        bound = moment.latest_ms
        latest_ms = moment.earliest_ms if bound >= UNBOUNDED_MS else bound
        is_after = latest_ms >= self.at_ms - self.within_ms
        return is_after and moment.earliest_ms <= self.at_ms + self.within_ms


class Inquiry:
    """Hears of every event in order and keeps what explains a few of them."""

    def __init__(self, asking: Asking, scene: Scene) -> None:
        self._asking = asking
        self._scene = scene
        points = scene.site.access_points.items()
        self._places = {asking.door} | {
            name for name, p in points if asking.door in (p.door_id, p.bank_id)
        }
        self._found: dict[int, Explanation] = {}
        self._is_over = False
        #: What else happened there then.
        self.beside: list[Kept] = []
        #: How many decisions were found beyond MAX_TOLD.
        self.beyond = 0
        #: Who could have opened, where nobody tried.
        self.openers: Openers | None = None

    @property
    def found(self) -> tuple[Explanation, ...]:
        """The decisions, in their order."""
        return tuple(self._found.values())

    def follow(self, kept: Kept) -> None:
        """Take one event into account."""
        event = kept.event
        self._close(event)
        if event.moment.earliest_ms > self._asking.at_ms + self._asking.within_ms:
            self.end()
        self._take(kept)
        self._scene.follow(event)

    def end(self) -> None:
        """Say who could have opened if nobody tried; once."""
        if not self._is_over and not self._found:
            point = self._entry()
            at_ms = self._asking.at_ms
            now = Moment(monotonic_s=0.0, earliest_ms=at_ms, latest_ms=at_ms, boot="")
            self.openers = None if point is None else self._openers(point, now)
        self._is_over = True

    def _take(self, kept: Kept) -> None:
        event = kept.event
        is_there = event.subject in self._places or event.subject == "site"
        is_emergency = event.fact("state") is not None and event.kind in _BESIDE
        if not (is_there or is_emergency) or not self._asking.covers(event.moment):
            return
        if not is_decision(event):
            if event.kind in _BESIDE and len(self.beside) < MAX_BESIDE:
                self.beside.append(kept)
        elif len(self._found) < MAX_TOLD:
            self._found[event.seq] = self._explain(kept)
        else:
            self.beyond += 1

    def _explain(self, kept: Kept) -> Explanation:
        event, scene, door = kept.event, self._scene, self._asking.door
        told = told_of(kept)
        point = scene.site.access_points.get(event.subject)
        is_entry = (
            point is not None
            and bool(point.door_id)
            and point.direction is Direction.IN
        )
        asked = None
        if point is not None and is_entry:
            asked = self._openers(point, event.moment, told.roster_revision)
        return Explanation(
            told=told,
            mode=scene.mode(door) if door in scene.site.doors else "",
            standing=scene.standing,
            ending=first_ending(event),
            is_late=False,
            anew=decided_anew(kept, scene),
            openers=asked,
        )

    def _openers(
        self, point: AccessPointPlan, now: Moment, revision: int | None = None
    ) -> Openers:
        holder = self._asking.holder
        return openers(self._scene, point, now, revision=revision, holder=holder)

    def _entry(self) -> AccessPointPlan | None:
        """Return the first reader that leads in by the door."""
        return next(
            (
                point
                for point in self._scene.site.access_points.values()
                if point.door_id == self._asking.door
                and point.direction is Direction.IN
            ),
            None,
        )

    def _close(self, event: Event) -> None:
        """Take up what came of a decision that was found."""
        told = ending(event)
        if told is not None and told[0] in self._found:
            before = self._found[told[0]]
            self._found[told[0]] = replace(before, ending=told[1])
        for place in released_late(event):
            if place in self._found:
                self._found[place] = replace(self._found[place], is_late=True)
