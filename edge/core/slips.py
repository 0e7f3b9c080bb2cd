# SPDX-License-Identifier: Apache-2.0
"""Our own mistakes, caught where they happen: one part's slip costs no other part.

The law of the module: an exception in one part of the standing is told as an event,
and everything else goes on as if that part had been silent; above all the way out. A
part whose timer raised is not asked again at once, or nothing else would have its
turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec

from edge.core.event import EventKind, Facts
from edge.core.stimulus import Noted

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.keeper import Timed
    from edge.core.moment import Moment

P = ParamSpec("P")

#: After a slip of its timer a part waits for so long.
REST_S = 5.0


class Slips:
    """Where something raised, and what, until it is told."""

    def __init__(self) -> None:
        self._untold: list[Noted] = []
        self._resting_until_s: dict[str, float] = {}

    def guard(
        self, where: str, act: Callable[P, None], *args: P.args, **more: P.kwargs
    ) -> bool:
        """Do it; return False, and remember it, where it raises, whatever it was."""
        try:
            act(*args, **more)
        except Exception as fault:  # noqa: BLE001
            facts: Facts = (("error", type(fault).__name__), ("rule", where))
            kind = EventKind.RULE_FAULT
            self._untold.append(Noted(kind=kind, subject="gateway", facts=facts))
            return False
        return True

    def expire(self, part: Timed, now: Moment) -> None:
        """Let a part's timers take effect, unless it rests after a slip."""
        name = type(part).__name__
        if self._resting_until_s.get(name, now.monotonic_s) > now.monotonic_s:
            return
        if self.guard(name, part.expire, now):
            self._resting_until_s.pop(name, None)
        else:
            self._resting_until_s[name] = now.monotonic_s + REST_S

    def due(self, part: Timed) -> float | None:
        """Return when a part's timers have something to do, after any rest."""
        at_s = part.deadline()
        if at_s is None:
            return None
        return max(at_s, self._resting_until_s.get(type(part).__name__, at_s))

    def take(self) -> list[Noted]:
        """Return what is untold, to be told once."""
        untold, self._untold = self._untold, []
        return untold
