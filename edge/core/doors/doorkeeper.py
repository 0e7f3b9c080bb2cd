# SPDX-License-Identifier: Apache-2.0
"""All doors of a site: their machines' effects turned into events and wishes.

The law of the module: it moves doors only through ``door``; the way out
(exit button, fire release) never asks for a mode, a roster or a clock. Under fire an
escape door is LOCKED_OPEN until somebody ends the emergency by hand, and nobody can
while the fire input is active.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edge.core.command import HoldOpen, Release, Relock
from edge.core.doors.door import (
    FREE_MODES,
    Door,
    DoorEffect,
    DoorMode,
    DoorPhase,
    contact,
    expire,
    lock,
    release,
)
from edge.core.event import Event, EventKind, Facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edge.core.moment import Moment
    from edge.core.outcome import OutcomeBuilder
    from edge.core.plan import SitePlan
    from edge.core.stimulus import ModeOrdered, PanelOpenOrdered

#: An UNLOCKED door is kept so by pulses of the board, renewed at half their time:
#: a gateway that dies leaves it locked within one pulse.
UNLOCKED_PULSE_S = 10.0
UNLOCKED_RENEW_S = 5.0
#: The pulse begins after the grant's commit and ends a poll before the contact tells:
#: a leaf opened in that stretch was let in, not forced.
RELEASE_SLACK_S = 1.0
#: The step in which boards count a pulse.
PULSE_STEP_S = 0.1
MAX_REASON = 64

_KINDS = {
    DoorEffect.OPENED: EventKind.DOOR_OPENED,
    DoorEffect.CLOSED: EventKind.DOOR_CLOSED,
    DoorEffect.TAKEN: EventKind.ACCESS_TAKEN,
    DoorEffect.NOT_TAKEN: EventKind.ACCESS_NOT_TAKEN,
    DoorEffect.FORCED: EventKind.DOOR_FORCED_OPEN,
    DoorEffect.TOO_LONG: EventKind.DOOR_OPEN_TOO_LONG,
}


class Doorkeeper:
    """Holds every door's standing and the fire release."""

    def __init__(self, site: SitePlan, out: OutcomeBuilder) -> None:
        self._site = site
        self._out = out
        self._doors = {door_id: Door() for door_id in site.doors}
        self._grants: dict[int, Event] = {}
        self._mode_changes: Counter[str] = Counter()
        self._exits_noted: dict[str, int] = {}
        self._renew_at_s: dict[str, float] = {}
        self._is_fire = False
        # A wired input that was not read yet may be active.
        self._is_fire_input = site.has_fire_input
        self._before_fire: dict[str, DoorMode] = {}

    @property
    def is_fire(self) -> bool:
        """Say whether the fire release stands."""
        return self._is_fire

    def mode(self, door_id: str) -> DoorMode:
        """Return the door's mode."""
        return self._doors[door_id].mode

    def mode_changes(self, door_id: str) -> int:
        """Return how often the mode was set, to see whether it was in between."""
        return self._mode_changes[door_id]

    def standing(self) -> Mapping[str, Door]:
        """Return all doors, to be read."""
        return self._doors

    def deadline(self) -> float | None:
        """Return when :meth:`expire` has something to do."""
        times = [door.deadline() for door in self._doors.values()]
        times += self._renew_at_s.values()
        return min((t for t in times if t is not None), default=None)

    def grant(self, door_id: str, release_s: float, event: Event, now: Moment) -> None:
        """Release for a grant; the command waits for the grant's commit."""
        self._grants[event.seq] = event
        self.release(door_id, release_s, now, cause=event.seq)
        self.pulse(door_id, release_s, now, cause=event.seq)

    def pulse(
        self,
        door_id: str,
        release_s: float,
        now: Moment,
        *,
        cause: int,
        is_egress: bool = False,
    ) -> None:
        """Order the board's pulse, which begins anew: never cut a longer one short."""
        until_s = self._doors[door_id].released_until_s
        if until_s is not None:
            left_s = until_s - RELEASE_SLACK_S - now.monotonic_s
            if left_s > release_s + PULSE_STEP_S:
                release_s = round(left_s, 1)
        self._out.command(
            Release(
                door=door_id, duration_s=release_s, cause=cause, is_egress=is_egress
            )
        )

    def release(
        self, door_id: str, release_s: float, now: Moment, *, cause: int | None
    ) -> None:
        """Move the door's machine; the command is the caller's."""
        over_s = now.monotonic_s + release_s
        until_s = over_s + RELEASE_SLACK_S
        held_at_s = over_s + self._site.doors[door_id].held_open_s
        door = self._doors[door_id]
        changed, effects = release(
            door, cause=cause, until_s=until_s, held_at_s=held_at_s
        )
        self._apply(door_id, changed, effects, now)

    def contact(self, door_id: str, now: Moment, *, is_open: bool) -> None:
        """Take the level of a door's contact."""
        held_at_s = now.monotonic_s + self._site.doors[door_id].held_open_s
        door = self._doors[door_id]
        self._apply(door_id, *contact(door, is_open=is_open, held_at_s=held_at_s), now)

    def exit(self, door_id: str, now: Moment, *, is_pressed: bool) -> None:
        """Let somebody out: in every mode, at once, told once a release."""
        if not is_pressed:
            return
        release_s = self._site.doors[door_id].release_s
        if door_id not in self._exits_noted:
            noted = self._out.event(EventKind.REQUEST_TO_EXIT, door_id, now)
            self._exits_noted[door_id] = noted.seq
        cause = self._exits_noted[door_id]
        self.release(door_id, release_s, now, cause=None)
        mode = self.mode(door_id)
        if mode is DoorMode.UNLOCKED:
            # A shorter pulse would lock the unlocked door before its next renewal.
            release_s = max(release_s, UNLOCKED_PULSE_S)
        if mode is not DoorMode.LOCKED_OPEN:
            self.pulse(door_id, release_s, now, cause=cause, is_egress=True)

    def open_by_hand(self, order: PanelOpenOrdered, now: Moment) -> None:
        """Release for somebody in charge; a door that is free already needs none."""
        facts: Facts = (
            ("actor", order.actor[:MAX_REASON]),
            ("count", 1),
            ("reason", order.reason[:MAX_REASON]),
        )
        noted = self._out.event(EventKind.MANUAL_ENTRY, order.door, now, facts=facts)
        if self.mode(order.door) in FREE_MODES:
            return
        release_s = self._site.doors[order.door].release_s
        self.release(order.door, release_s, now, cause=None)
        self.pulse(order.door, release_s, now, cause=noted.seq)

    def order_mode(self, order: ModeOrdered, now: Moment) -> None:
        """Change a door's mode; an escape door changes when the fire has ended."""
        door_id = order.door
        facts: Facts = (
            ("actor", order.actor[:MAX_REASON]),
            ("mode", order.mode.value),
            ("reason", order.reason[:MAX_REASON]),
        )
        if door_id in self._before_fire:
            self._before_fire[door_id] = order.mode
            facts += (("after", "FIRE"),)
            self._out.event(EventKind.DOOR_MODE_CHANGED, door_id, now, facts=facts)
            return
        self._out.event(EventKind.DOOR_MODE_CHANGED, door_id, now, facts=facts)
        self._set_mode(door_id, order.mode)
        self._enter_mode(door_id, now)

    def fire_input(self, now: Moment, *, is_active: bool) -> None:
        """Take the fire input's level; its end alone ends nothing."""
        self._is_fire_input = is_active
        if not is_active or self._is_fire:
            return
        self._begin_fire()
        self._out.event(
            EventKind.EMERGENCY_STARTED, "site", now, facts=(("state", "FIRE"),)
        )
        self.reassert(self._before_fire)

    def fire_input_lost(self) -> None:
        """Forget the fire input's level: silent, it neither starts nor ends a fire."""
        self._is_fire_input = True

    def end_fire(self, now: Moment, actor: str, reason: str) -> None:
        """End the fire release by hand; refused unless the input is at rest."""
        if not self._is_fire or self._is_fire_input:
            return
        facts: Facts = (
            ("actor", actor[:MAX_REASON]),
            ("reason", reason[:MAX_REASON]),
            ("state", "FIRE"),
        )
        self._out.event(EventKind.EMERGENCY_ENDED, "site", now, facts=facts)
        for door_id in self._end_fire():
            self._enter_mode(door_id, now)

    def assume_fire(self) -> None:
        """Take over a fire release that the emergency file remembers from before."""
        self._begin_fire()

    def reassert(self, door_ids: Iterable[str]) -> None:
        """Bring outputs in line with the doors' standing, after a start or return.

        A door at rest is told so: a steady output may have outlived its mode. One
        that is released or open gets its relock when it closes.
        """
        for door_id in door_ids:
            is_at_rest = self._doors[door_id].phase is DoorPhase.SECURE
            if not self._keep_free(door_id) and is_at_rest:
                self._out.command(Relock(door=door_id))

    def expire(self, now: Moment) -> None:
        """Let timers that ran out take effect."""
        for door_id, door in self._doors.items():
            at_s = door.deadline()
            if at_s is not None and now.monotonic_s >= at_s:
                has_contact = self._site.doors[door_id].has_contact
                changed, effects = expire(
                    door, now.monotonic_s, has_contact=has_contact
                )
                self._apply(door_id, changed, effects, now)
        for door_id, at_s in list(self._renew_at_s.items()):
            if now.monotonic_s >= at_s:
                self._renew_at_s[door_id] = now.monotonic_s + UNLOCKED_RENEW_S
                self._pulse_unlocked(door_id)

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        self._grants = {s + shift: e for s, e in self._grants.items()}
        for door_id, door in self._doors.items():
            causes = tuple(cause + shift for cause in door.causes)
            self._doors[door_id] = replace(door, causes=causes)
        self._exits_noted = {d: s + shift for d, s in self._exits_noted.items()}

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        return {
            "modes": {door_id: door.mode for door_id, door in self._doors.items()},
            "fire": int(self._is_fire),
            "before_fire": dict(self._before_fire),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take the state that :meth:`dump` returned; doors no longer there go."""
        for door_id, mode in state["modes"].items():
            if door_id in self._doors:
                self._set_mode(door_id, DoorMode(mode))
        self._before_fire = {
            door_id: DoorMode(mode)
            for door_id, mode in state["before_fire"].items()
            if door_id in self._doors
        }
        if state["fire"]:
            self._begin_fire()  # the plan may have a new escape door

    def follow(self, event: Event) -> None:
        """Take a replayed event into account."""
        match event.kind:
            case EventKind.DOOR_MODE_CHANGED if event.subject in self._doors:
                mode = DoorMode(str(event.fact("mode")))
                if event.subject in self._before_fire:
                    self._before_fire[event.subject] = mode
                else:
                    self._set_mode(event.subject, mode)
            case EventKind.EMERGENCY_STARTED:
                self._begin_fire()
            case EventKind.EMERGENCY_ENDED:
                self._end_fire()
            case _:
                pass

    def _begin_fire(self) -> None:
        self._is_fire = True
        for door_id, plan in self._site.doors.items():
            if plan.is_escape and door_id not in self._before_fire:
                self._before_fire[door_id] = self.mode(door_id)
                self._set_mode(door_id, DoorMode.LOCKED_OPEN)

    def _end_fire(self) -> list[str]:
        self._is_fire = False
        ended = list(self._before_fire)
        for door_id, mode in self._before_fire.items():
            self._set_mode(door_id, mode)
        self._before_fire.clear()
        return ended

    def _set_mode(self, door_id: str, mode: DoorMode) -> None:
        door = replace(self._doors[door_id], mode=mode)
        if mode in FREE_MODES:  # never open too long
            door = replace(door, held_at_s=None)
        self._doors[door_id] = door
        self._mode_changes[door_id] += 1
        self._renew_at_s.pop(door_id, None)

    def _enter_mode(self, door_id: str, now: Moment) -> None:
        """Drive the outputs of a new mode; never lock onto an open leaf."""
        if self._keep_free(door_id):
            return
        plan = self._site.doors[door_id]
        held_at_s = now.monotonic_s + plan.held_open_s
        changed, effects = lock(
            self._doors[door_id], held_at_s=held_at_s, has_contact=plan.has_contact
        )
        self._apply(door_id, changed, effects, now)
        if not changed.is_open:
            self._out.command(Relock(door=door_id))

    def _keep_free(self, door_id: str) -> bool:
        """Ask for the outputs of a free mode; False if the mode locks."""
        match self.mode(door_id):
            case DoorMode.LOCKED_OPEN:
                self._out.command(HoldOpen(door=door_id))
            case DoorMode.UNLOCKED:
                # Due at once: the next tick sends the first pulse and renews it.
                self._renew_at_s[door_id] = 0.0
            case _:
                return False
        return True

    def _pulse_unlocked(self, door_id: str) -> None:
        self._out.command(
            Release(door=door_id, duration_s=UNLOCKED_PULSE_S, cause=0, is_egress=True)
        )

    def _apply(
        self,
        door_id: str,
        changed: Door,
        effects: tuple[DoorEffect, ...],
        now: Moment,
    ) -> None:
        for effect in effects:
            if effect in (DoorEffect.TAKEN, DoorEffect.NOT_TAKEN):
                changed = self._close_grants(door_id, changed, effect, now)
            elif effect is DoorEffect.RELOCK:
                if changed.mode not in FREE_MODES:
                    self._out.command(Relock(door=door_id))
            else:
                self._out.event(_KINDS[effect], door_id, now)
        if changed.released_until_s is None:
            self._exits_noted.pop(door_id, None)
        self._doors[door_id] = changed

    def _close_grants(
        self, door_id: str, door: Door, effect: DoorEffect, now: Moment
    ) -> Door:
        for cause in door.causes:
            granted = self._grants.pop(cause)
            self._out.event(
                _KINDS[effect],
                door_id,
                now,
                facts=(("cause", cause),),
                person=granted.person,
            )
        return replace(door, causes=())
