# SPDX-License-Identifier: Apache-2.0
"""The leaves of a site's doors: their machines' effects turned into events.

The law of the module: it moves doors only through ``door``; every grant that let
somebody in, or did not, is told exactly once.
Source: docs/doors.md; ONVIF door control service specification (DoorAlarm).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from edge.core.command import Indicate, Indication
from edge.core.doors.door import (
    Door,
    DoorEffect,
    DoorMode,
    contact,
    expire,
    intend,
    lock,
    release,
)
from edge.core.event import Event, EventKind, Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge.core.moment import Moment
    from edge.core.outcome import OutcomeBuilder
    from edge.core.plan import DoorPlan, SitePlan

#: The pulse begins after the grant's commit and ends a poll before the contact tells:
#: a leaf opened in that stretch was let in, not forced.
RELEASE_SLACK_S = 1.0
#: Grants that may wait for one leaf: more people than pass any door in one release.
MAX_WAITING = 64

_KINDS = {
    DoorEffect.OPENED: EventKind.DOOR_OPENED,
    DoorEffect.CLOSED: EventKind.DOOR_CLOSED,
    DoorEffect.TAKEN: EventKind.ACCESS_TAKEN,
    DoorEffect.NOT_TAKEN: EventKind.ACCESS_NOT_TAKEN,
    DoorEffect.FORCED: EventKind.DOOR_FORCED_OPEN,
    DoorEffect.WARN: EventKind.DOOR_HELD_WARNING,
    DoorEffect.TOO_LONG: EventKind.DOOR_OPEN_TOO_LONG,
}
_ENDS = frozenset({DoorEffect.TAKEN, DoorEffect.NOT_TAKEN})


class Expected(Protocol):
    """Who may be behind a door and leave by a handle that nobody sees."""

    def is_expected_inside(self, space_id: str, now: Moment) -> bool:
        """Say whether somebody is inside, or may be in open hours."""


class NobodyExpected:
    """A site that does not know who is inside."""

    def is_expected_inside(
        self,
        space_id: str,  # noqa: ARG002
        now: Moment,  # noqa: ARG002
    ) -> bool:
        """Return False."""
        return False


class Leaves:
    """Holds every door's machine, and the grants that wait for it."""

    def __init__(
        self,
        site: SitePlan,
        out: OutcomeBuilder,
        presence: Expected,
        relock: Callable[[str, Moment], None],
    ) -> None:
        self._site = site
        self._out = out
        self._presence = presence
        self._relock = relock
        self._doors = {
            door_id: Door(warn_before_s=plan.warn_before_s)
            for door_id, plan in site.doors.items()
        }
        self._grants: dict[int, Event] = {}
        self._exits_noted: dict[str, int] = {}

    @property
    def standing(self) -> Mapping[str, Door]:
        """All doors, to be read; it goes on showing what becomes of them."""
        return self._doors

    def deadline(self) -> float | None:
        """Return when :meth:`expire` has something to do."""
        times = [
            at_s
            for door in self._doors.values()
            if _is_timed(door) and (at_s := door.deadline()) is not None
        ]
        return min(times) if times else None

    def intend(self, door_id: str, mode: DoorMode) -> None:
        """Give a door another mode; its outputs are the caller's."""
        self._doors[door_id] = intend(self._doors[door_id], mode)

    def grant(self, door_id: str, release_s: float, event: Event, now: Moment) -> None:
        """Release for a grant; beyond the limit the oldest that waits is given up."""
        door = self._doors[door_id]
        if len(door.causes) >= MAX_WAITING:
            self._doors[door_id] = replace(door, causes=door.causes[1:])
            self._close_grants(door_id, door.causes[:1], DoorEffect.NOT_TAKEN, now)
        self._grants[event.seq] = event
        self.release(door_id, release_s, now, cause=event.seq)

    def release(
        self, door_id: str, release_s: float, now: Moment, *, cause: int | None
    ) -> None:
        """Begin or prolong a release; who is slow may also hold the leaf longer."""
        plan = self._site.doors[door_id]
        over_s = now.monotonic_s + release_s
        extra_s = max(0.0, release_s - plan.release_s)
        changed, effects = release(
            self._doors[door_id],
            cause=cause,
            until_s=over_s + RELEASE_SLACK_S,
            held_at_s=over_s + plan.held_open_s + extra_s,
            extra_s=extra_s,
        )
        self._apply(door_id, changed, effects, now)

    def contact(self, door_id: str, now: Moment, *, is_open: bool) -> None:
        """Take the level of a door's contact."""
        plan = self._site.doors[door_id]
        changed, effects = contact(
            self._doors[door_id],
            is_open=is_open,
            held_at_s=now.monotonic_s + plan.held_open_s,
            is_expected=is_open and self._is_expected(plan, now),
        )
        self._apply(door_id, changed, effects, now)

    def lock(self, door_id: str, now: Moment) -> None:
        """End a release that runs, because the mode locks."""
        plan = self._site.doors[door_id]
        changed, effects = lock(
            self._doors[door_id],
            held_at_s=now.monotonic_s + plan.held_open_s,
            has_contact=plan.has_contact,
        )
        self._apply(door_id, changed, effects, now)

    def note_exit(self, door_id: str, now: Moment) -> int:
        """Tell a request to exit once a release; return its seq."""
        if door_id not in self._exits_noted:
            noted = self._out.event(EventKind.REQUEST_TO_EXIT, door_id, now)
            self._exits_noted[door_id] = noted.seq
        return self._exits_noted[door_id]

    def expire(self, now: Moment) -> None:
        """Let timers that ran out take effect."""
        for door_id, door in self._doors.items():
            if not _is_timed(door):
                continue
            at_s = door.deadline()
            if at_s is not None and now.monotonic_s >= at_s:
                has_contact = self._site.doors[door_id].has_contact
                changed, effects = expire(
                    door, now.monotonic_s, has_contact=has_contact
                )
                self._apply(door_id, changed, effects, now)

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        self._grants = {s + shift: e for s, e in self._grants.items()}
        for door_id, door in self._doors.items():
            causes = tuple(cause + shift for cause in door.causes)
            self._doors[door_id] = replace(door, causes=causes)
        self._exits_noted = {d: s + shift for d, s in self._exits_noted.items()}

    def _is_expected(self, plan: DoorPlan, now: Moment) -> bool:
        """Say whether an opening without a release may be somebody who leaves."""
        if plan.senses_exit:
            return False
        return self._presence.is_expected_inside(plan.space_id, now)

    def _apply(
        self,
        door_id: str,
        changed: Door,
        effects: tuple[DoorEffect, ...],
        now: Moment,
    ) -> None:
        # First the standing: whoever hears of an event may already act upon it.
        ended = _ENDS.intersection(effects)
        causes = changed.causes if ended else ()
        self._doors[door_id] = replace(changed, causes=()) if ended else changed
        if changed.released_until_s is None:
            self._exits_noted.pop(door_id, None)
        for effect in effects:
            match effect:
                case DoorEffect.TAKEN | DoorEffect.NOT_TAKEN:
                    self._close_grants(door_id, causes, effect, now)
                case DoorEffect.RELOCK if self._doors[door_id].is_free:
                    pass
                case DoorEffect.RELOCK:
                    self._relock(door_id, now)
                case DoorEffect.WARN:
                    self._out.event(_KINDS[effect], door_id, now)
                    self._ask_to_close(door_id)
                case DoorEffect.OPENED if self._doors[door_id].is_free:
                    # Anybody may have opened it, from either side.
                    free: Facts = (("free", 1),)
                    self._out.event(_KINDS[effect], door_id, now, facts=free)
                case _:
                    self._out.event(_KINDS[effect], door_id, now)

    def _ask_to_close(self, door_id: str) -> None:
        asked = Indication.CLOSE_DOOR
        for point in self._site.access_points.values():
            if point.door_id == door_id:
                at = point.access_point_id
                self._out.command(Indicate(access_point=at, indication=asked))

    def _close_grants(
        self, door_id: str, causes: tuple[int, ...], effect: DoorEffect, now: Moment
    ) -> None:
        is_taken = effect is DoorEffect.TAKEN
        is_unsensed = is_taken and not self._site.doors[door_id].has_contact
        unsensed: Facts = (("unsensed", 1),) if is_unsensed else ()
        for cause in causes:
            granted = self._grants.pop(cause)
            self._out.event(
                _KINDS[effect],
                door_id,
                now,
                facts=(("cause", cause), *unsensed),
                person=granted.person,
            )


def _is_timed(door: Door) -> bool:
    """Say whether some timer runs: all doors are asked at every step, few say so."""
    return door.released_until_s is not None or door.held_at_s is not None
