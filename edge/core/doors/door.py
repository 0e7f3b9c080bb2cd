# SPDX-License-Identifier: Apache-2.0
"""The door machine: what its leaf and its lock go through, as one table.

The law of the module: everything that changes a door's phase stands in ``TABLE``;
what is not in the table changes nothing. The mode is an intent beside the phase:
"accessed" is derived, never a mode, or an exit followed by a relock would forget a
lock-down. A request to exit releases in every mode.
Source: ONVIF door control service specification (DoorMode, DoorPhysicalState,
DoorAlarm); design decisions in ARCHITECTURE.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class DoorMode(StrEnum):
    """What the door is meant to do."""

    LOCKED = "LOCKED"
    UNLOCKED = "UNLOCKED"
    BLOCKED = "BLOCKED"
    LOCKED_DOWN = "LOCKED_DOWN"
    LOCKED_OPEN = "LOCKED_OPEN"


#: In these modes the leaf may be opened by anyone at any time.
FREE_MODES = frozenset({DoorMode.UNLOCKED, DoorMode.LOCKED_OPEN})


class DoorPhase(StrEnum):
    """Leaf and lock together; alarms are phases of an open leaf."""

    SECURE = "SECURE"
    RELEASED = "RELEASED"
    OPEN = "OPEN"
    OPEN_RELEASED = "OPEN_RELEASED"
    OPEN_TOO_LONG = "OPEN_TOO_LONG"
    FORCED = "FORCED"


class DoorInput(StrEnum):
    """What can happen to a door."""

    RELEASE = "RELEASE"
    OPENED = "OPENED"
    OPENED_FREELY = "OPENED_FREELY"
    CLOSED = "CLOSED"
    RELEASE_OVER = "RELEASE_OVER"
    RELEASE_OVER_UNSENSED = "RELEASE_OVER_UNSENSED"
    WARN_OVER = "WARN_OVER"
    HELD_OVER = "HELD_OVER"


class DoorEffect(StrEnum):
    """What a step asks of the controller, in the order given."""

    OPENED = "OPENED"
    CLOSED = "CLOSED"
    TAKEN = "TAKEN"
    NOT_TAKEN = "NOT_TAKEN"
    FORCED = "FORCED"
    WARN = "WARN"
    TOO_LONG = "TOO_LONG"
    RELOCK = "RELOCK"


_P, _I, _E = DoorPhase, DoorInput, DoorEffect

TABLE: dict[DoorPhase, dict[DoorInput, tuple[DoorPhase, tuple[DoorEffect, ...]]]] = {
    _P.SECURE: {
        _I.RELEASE: (_P.RELEASED, ()),
        _I.OPENED: (_P.FORCED, (_E.OPENED, _E.FORCED)),
        _I.OPENED_FREELY: (_P.OPEN, (_E.OPENED,)),
    },
    _P.RELEASED: {
        _I.RELEASE: (_P.RELEASED, ()),
        _I.OPENED: (_P.OPEN, (_E.OPENED, _E.TAKEN)),
        _I.OPENED_FREELY: (_P.OPEN, (_E.OPENED, _E.TAKEN)),
        _I.RELEASE_OVER: (_P.SECURE, (_E.NOT_TAKEN,)),
        _I.RELEASE_OVER_UNSENSED: (_P.SECURE, (_E.TAKEN,)),
    },
    _P.OPEN: {
        _I.RELEASE: (_P.OPEN_RELEASED, ()),
        _I.CLOSED: (_P.SECURE, (_E.CLOSED, _E.RELOCK)),
        _I.WARN_OVER: (_P.OPEN, (_E.WARN,)),
        _I.HELD_OVER: (_P.OPEN_TOO_LONG, (_E.TOO_LONG,)),
    },
    # Another grant while the leaf stands open: it counts as taken when its release
    # ends or the leaf closes, or people would walk in behind each other uncounted; the
    # release goes on for whoever the leaf shut out.
    _P.OPEN_RELEASED: {
        _I.RELEASE: (_P.OPEN_RELEASED, ()),
        _I.CLOSED: (_P.RELEASED, (_E.CLOSED, _E.TAKEN)),
        _I.RELEASE_OVER: (_P.OPEN, (_E.TAKEN,)),
        _I.WARN_OVER: (_P.OPEN_RELEASED, (_E.WARN,)),
        _I.HELD_OVER: (_P.OPEN_TOO_LONG, (_E.TAKEN, _E.TOO_LONG)),
    },
    _P.OPEN_TOO_LONG: {
        _I.RELEASE: (_P.OPEN_RELEASED, ()),
        _I.CLOSED: (_P.SECURE, (_E.CLOSED, _E.RELOCK)),
    },
    _P.FORCED: {
        _I.RELEASE: (_P.OPEN_RELEASED, ()),
        _I.CLOSED: (_P.SECURE, (_E.CLOSED, _E.RELOCK)),
    },
}

OPEN_PHASES = frozenset(DoorPhase) - {DoorPhase.SECURE, DoorPhase.RELEASED}
TIMED_PHASES = frozenset({DoorPhase.OPEN, DoorPhase.OPEN_RELEASED})
RELEASED_PHASES = frozenset({DoorPhase.RELEASED, DoorPhase.OPEN_RELEASED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A door's standing: monotonic seconds for its timers.

    ``warn_before_s``: so long before ``held_at_s`` it warns, once. ``extra_s``: how
    much longer the one who is let in may take with the leaf. ``causes`` are the seqs
    of grants whose release still runs and that nobody has used yet.
    """

    mode: DoorMode = DoorMode.LOCKED
    phase: DoorPhase = DoorPhase.SECURE
    released_until_s: float | None = None
    held_at_s: float | None = None
    warn_before_s: float = 0.0
    is_warned: bool = False
    extra_s: float = 0.0
    causes: tuple[int, ...] = ()

    @property
    def is_open(self) -> bool:
        """Say whether the leaf stands open."""
        return self.phase in OPEN_PHASES

    @property
    def is_released(self) -> bool:
        """Say whether somebody is being let through."""
        return self.phase in RELEASED_PHASES

    @property
    def is_free(self) -> bool:
        """Say whether anyone may open the leaf at any time."""
        return self.mode in FREE_MODES

    @property
    def warn_at_s(self) -> float | None:
        """When the door warns that its leaf stands open; None if it will not."""
        if self.held_at_s is None or self.is_warned or self.warn_before_s <= 0:
            return None
        return self.held_at_s - self.warn_before_s

    def deadline(self) -> float | None:
        """Return the monotonic time at which :func:`expire` has something to do."""
        released_s, held_s = self.released_until_s, self.held_at_s
        if released_s is None and held_s is None:
            return None  # asked of every door at every step, and most stand so
        timers = (released_s, self.warn_at_s, held_s)
        return min(t for t in timers if t is not None)


def step(door: Door, happened: DoorInput) -> tuple[Door, tuple[DoorEffect, ...]]:
    """Look the input up; an input without an entry returns the same door."""
    entry = TABLE[door.phase].get(happened)
    if entry is None:
        return door, ()
    phase, effects = entry
    is_timed = phase in TIMED_PHASES
    changed = replace(
        door,
        phase=phase,
        released_until_s=door.released_until_s if phase in RELEASED_PHASES else None,
        held_at_s=door.held_at_s if is_timed else None,
        is_warned=door.is_warned and is_timed,
        extra_s=0.0 if phase is DoorPhase.SECURE else door.extra_s,
    )
    return changed, effects


def release(
    door: Door,
    *,
    cause: int | None,
    until_s: float,
    held_at_s: float,
    extra_s: float = 0.0,
) -> tuple[Door, tuple[DoorEffect, ...]]:
    """Begin or prolong a release; ``cause`` is a grant's seq, None for an exit."""
    changed, effects = step(door, DoorInput.RELEASE)
    causes = door.causes
    if cause is not None and cause not in causes:
        causes = (*causes, cause)
    # A door that is free to be open is never open too long.
    is_timed = changed.is_open and not door.is_free
    held = max(held_at_s, door.held_at_s or held_at_s) if is_timed else None
    released = replace(
        changed,
        released_until_s=max(until_s, door.released_until_s or until_s),
        held_at_s=held,
        is_warned=door.is_warned and held == door.held_at_s,
        extra_s=max(extra_s, door.extra_s),
        causes=causes,
    )
    return released, effects


def contact(
    door: Door, *, is_open: bool, held_at_s: float, is_expected: bool = False
) -> tuple[Door, tuple[DoorEffect, ...]]:
    """Take the contact's level; the same level again changes nothing.

    ``is_expected``: whoever opens it may be leaving by a handle that nobody sees.
    """
    if is_open == door.is_open:
        return door, ()
    if not is_open:
        return step(door, DoorInput.CLOSED)
    is_freely = door.is_free or is_expected
    opened = DoorInput.OPENED_FREELY if is_freely else DoorInput.OPENED
    changed, effects = step(door, opened)
    if changed.phase is DoorPhase.OPEN and not door.is_free:
        changed = replace(changed, held_at_s=held_at_s + door.extra_s)
    return changed, effects


def intend(door: Door, mode: DoorMode) -> Door:
    """Give the door another mode; free to be open it is never open too long."""
    if mode in FREE_MODES:
        return replace(door, mode=mode, held_at_s=None, is_warned=False)
    return replace(door, mode=mode)


def expire(
    door: Door, now_s: float, *, has_contact: bool
) -> tuple[Door, tuple[DoorEffect, ...]]:
    """Let timers that ran out by ``now_s`` take effect, the release first."""
    effects: tuple[DoorEffect, ...] = ()
    if door.released_until_s is not None and now_s >= door.released_until_s:
        door, effects = _end_release(door, has_contact=has_contact)
    more: tuple[DoorEffect, ...] = ()
    if door.held_at_s is not None and now_s >= door.held_at_s:
        door, more = step(door, DoorInput.HELD_OVER)
    elif door.warn_at_s is not None and now_s >= door.warn_at_s:
        door, more = step(door, DoorInput.WARN_OVER)
        door = replace(door, is_warned=True)
    return door, effects + more


def lock(
    door: Door, *, held_at_s: float, has_contact: bool
) -> tuple[Door, tuple[DoorEffect, ...]]:
    """End a running release because the mode locks; an open leaf is timed from now."""
    effects: tuple[DoorEffect, ...] = ()
    if door.released_until_s is not None:
        door, effects = _end_release(door, has_contact=has_contact)
    if door.phase is DoorPhase.OPEN and door.held_at_s is None:
        door = replace(door, held_at_s=held_at_s)
    return door, effects


def _end_release(
    door: Door, *, has_contact: bool
) -> tuple[Door, tuple[DoorEffect, ...]]:
    sensed, unsensed = DoorInput.RELEASE_OVER, DoorInput.RELEASE_OVER_UNSENSED
    is_guess = not has_contact and door.phase is DoorPhase.RELEASED
    door, effects = step(door, unsensed if is_guess else sensed)
    return replace(door, released_until_s=None), effects
