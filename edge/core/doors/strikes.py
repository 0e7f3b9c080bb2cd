# SPDX-License-Identifier: Apache-2.0
"""The strikes of a site's doors: every wish for one, and what its board tells of it.

The law of the module: nobody else orders a strike; so what an output should be doing
is known here, and one that does not come to rest is told. It never relocks onto an
open leaf nor while somebody is let through.
Source: design decisions in ARCHITECTURE.md (pulses timed on the board).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.core.command import HoldOpen, Release, Relock
from edge.core.doors.door import DoorPhase
from edge.core.doors.relay import HELD, Relay, RelayEffect, expire, told
from edge.core.event import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edge.core.doors.door import Door
    from edge.core.moment import Moment
    from edge.core.outcome import OutcomeBuilder

#: An UNLOCKED door is kept so by pulses of the board, renewed at half their time:
#: a gateway that dies leaves it locked within one pulse.
UNLOCKED_PULSE_S = 10.0
UNLOCKED_RENEW_S = 5.0


class Strikes:
    """Orders the doors' outputs and watches them."""

    def __init__(self, out: OutcomeBuilder, doors: Mapping[str, Door]) -> None:
        self._out = out
        self._doors = doors
        self._relays = {door_id: Relay() for door_id in doors}
        self._renew_at_s: dict[str, float] = {}
        #: By door that is to be kept unlocked: what its first pulse follows from.
        self._unlocked_by: dict[str, int] = {}
        self._silent: set[str] = set()

    def pulse(
        self,
        door_id: str,
        duration_s: float,
        now: Moment,
        *,
        cause: int,
        is_egress: bool,
    ) -> None:
        """Release for so long; the board's timer begins anew."""
        self._out.command(
            Release(
                door=door_id, duration_s=duration_s, cause=cause, is_egress=is_egress
            )
        )
        self._rest_from(door_id, now.monotonic_s + duration_s)

    def relock(self, door_id: str, now_s: float = 0.0) -> None:
        """End a release early, or put a steady output to rest."""
        self._out.command(Relock(door=door_id))
        self._rest_from(door_id, now_s)

    def hold(self, door_id: str, cause: int = 0) -> None:
        """Release until told otherwise; 0: waiting for no commit."""
        self._out.command(HoldOpen(door=door_id, cause=cause))
        self._rest_from(door_id, HELD)

    def keep_unlocked(self, door_id: str, cause: int = 0) -> None:
        """Release by pulses: the next tick sends the first and renews it.

        The first waits for its cause's commit; those that renew it need none.
        """
        self._renew_at_s[door_id] = 0.0
        if cause:
            self._unlocked_by[door_id] = cause

    def end_unlocked(self, door_id: str) -> None:
        """Renew its pulses no more; the last one ends on the board."""
        self._renew_at_s.pop(door_id, None)
        self._unlocked_by.pop(door_id, None)

    def board_changed(self, door_ids: Iterable[str], *, is_online: bool) -> None:
        """Take in that the board of these doors answers, or ceased to."""
        for door_id in door_ids:
            if is_online:
                self._silent.discard(door_id)
            else:
                self._silent.add(door_id)
                silent = replace(self._relays[door_id], on_since_s=None)
                self._relays[door_id] = silent

    def is_sound(self, door_id: str) -> bool:
        """Say whether the door's board answers."""
        return door_id not in self._silent

    def told(self, door_id: str, now: Moment, *, is_on: bool) -> None:
        """Take the level of an output from its board."""
        relay, effects = told(self._relays[door_id], now.monotonic_s, is_on=is_on)
        self._apply(door_id, relay, effects, now)

    def deadline(self) -> float | None:
        """Return when :meth:`expire` has something to do."""
        times = [*self._renew_at_s.values()]
        for door_id, relay in self._relays.items():
            if relay.on_since_s is not None and not self._doors[door_id].is_free:
                due_s = relay.deadline(may_relock=self._may_relock(door_id))
                times += [] if due_s is None else [due_s]
        return min(times) if times else None

    def expire(self, now: Moment) -> None:
        """Renew pulses, and tell outputs that do not come to rest."""
        for door_id, at_s in self._renew_at_s.items():
            if now.monotonic_s >= at_s:
                self._renew_at_s[door_id] = now.monotonic_s + UNLOCKED_RENEW_S
                cause = self._unlocked_by.pop(door_id, 0)
                self.pulse(door_id, UNLOCKED_PULSE_S, now, cause=cause, is_egress=False)
        for door_id, relay in self._relays.items():
            if relay.on_since_s is not None and not self._doors[door_id].is_free:
                may_relock = self._may_relock(door_id)
                changed, effects = expire(relay, now.monotonic_s, may_relock=may_relock)
                self._apply(door_id, changed, effects, now)

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        moved = {door_id: seq + shift for door_id, seq in self._unlocked_by.items()}
        self._unlocked_by = moved

    def stuck(self) -> tuple[str, ...]:
        """Return the doors whose output does not come to rest, in their order."""
        return tuple(d for d, relay in self._relays.items() if relay.is_stuck)

    def remember_stuck(self, door_id: str, *, is_stuck: bool) -> None:
        """Take over from a replay whether an output was told as stuck."""
        if door_id in self._relays:
            self._relays[door_id] = Relay(is_stuck=is_stuck)

    def _may_relock(self, door_id: str) -> bool:
        return self._doors[door_id].phase is DoorPhase.SECURE

    def _rest_from(self, door_id: str, at_s: float) -> None:
        self._relays[door_id] = replace(self._relays[door_id], rest_from_s=at_s)

    def _apply(
        self,
        door_id: str,
        relay: Relay,
        effects: tuple[RelayEffect, ...],
        now: Moment,
    ) -> None:
        self._relays[door_id] = relay
        for effect in effects:
            match effect:
                case RelayEffect.STUCK:
                    self._out.event(EventKind.DOOR_RELAY_STUCK, door_id, now)
                case RelayEffect.FREED:
                    self._out.event(EventKind.DOOR_RELAY_FREED, door_id, now)
                case RelayEffect.RELOCK:
                    self.relock(door_id, now.monotonic_s)
