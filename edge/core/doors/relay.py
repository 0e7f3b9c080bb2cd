# SPDX-License-Identifier: Apache-2.0
"""A door's output as its board tells it: whether it rests when it should.

The law of the module: it judges the output alone; whether the door may be relocked
now is its caller's knowledge. What is stuck stays so until the board tells that it
rests.
Source: docs/doors.md (stuck on: told a second after the pulse, put to rest three
times more).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

#: From the end of a pulse to the board's word that the output rests: two polls.
REST_WITHIN_S = 1.0
#: A contact that is welded does not care; one that sticks gives way by the third.
RETRIES = 3
#: A look that comes so late found us busy: the board's word may still be waiting.
LATE_S = 0.25
#: The output may stay on: it is held.
HELD = float("inf")


class RelayEffect(StrEnum):
    """What the watch asks of the controller."""

    STUCK = "STUCK"
    FREED = "FREED"
    RELOCK = "RELOCK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """An output's standing, in monotonic seconds.

    ``on_since_s``: None at rest, or while its board is silent. ``rest_from_s``: when
    it should be at rest by what was last ordered.
    """

    on_since_s: float | None = None
    rest_from_s: float = 0.0
    is_stuck: bool = False
    tries: int = 0

    def deadline(self, *, may_relock: bool) -> float | None:
        """Return when :func:`expire` has something to do."""
        is_done = self.is_stuck and (self.tries >= RETRIES or not may_relock)
        if self.on_since_s is None or self.rest_from_s == HELD or is_done:
            return None
        return max(self.on_since_s, self.rest_from_s) + REST_WITHIN_S


def told(
    relay: Relay, now_s: float, *, is_on: bool
) -> tuple[Relay, tuple[RelayEffect, ...]]:
    """Take the level that the board tells; the same level again changes nothing."""
    if is_on:
        since_s = now_s if relay.on_since_s is None else relay.on_since_s
        return replace(relay, on_since_s=since_s), ()
    effects = (RelayEffect.FREED,) if relay.is_stuck else ()
    return Relay(rest_from_s=relay.rest_from_s), effects


def expire(
    relay: Relay, now_s: float, *, may_relock: bool
) -> tuple[Relay, tuple[RelayEffect, ...]]:
    """Tell an output that is still on, and ask for the next try to put it to rest."""
    due_s = relay.deadline(may_relock=may_relock)
    if due_s is None or now_s < due_s:
        return relay, ()
    if now_s > due_s + LATE_S:
        return replace(relay, rest_from_s=now_s), ()
    effects: tuple[RelayEffect, ...] = ()
    if not relay.is_stuck:
        effects = (RelayEffect.STUCK,)
    relay = replace(relay, is_stuck=True)
    if may_relock:
        relay = replace(relay, tries=relay.tries + 1, rest_from_s=now_s)
        effects += (RelayEffect.RELOCK,)
    return relay, effects
