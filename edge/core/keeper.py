# SPDX-License-Identifier: Apache-2.0
"""What the parts of a site's standing can do: learn, be stored, and wait.

The law of the module: a part learns from events alone, so that a replay gives what
the day gave; its snapshot is JSON. It is moved by the controller and asks nobody for
the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from edge.core.event import Event
    from edge.core.moment import Moment


class Learner(Protocol):
    """Hears of every event, in order."""

    def follow(self, event: Event) -> None:
        """Take an event into account, live (as it is numbered) or replayed."""


class Stored(Learner, Protocol):
    """A part of the standing that survives a restart."""

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values under own names."""

    def load(self, state: dict[str, Any]) -> None:
        """Take a snapshot, which may be older and lack this part's names."""

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch: every seq held moves by ``shift``."""


class Timed(Protocol):
    """A part for which something may become due."""

    def deadline(self) -> float | None:
        """Return the monotonic second at which :meth:`expire` has something to do."""

    def expire(self, now: Moment) -> None:
        """Let timers that ran out take effect; harmless when called early."""


class Keeper(Stored, Timed, Protocol):
    """A part that learns, survives and waits."""
