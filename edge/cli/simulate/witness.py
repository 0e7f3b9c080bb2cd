# SPDX-License-Identifier: Apache-2.0
"""The one through whom checkers, trace and tally see a run.

The law of the module: each observation is stamped with the second of the run and the
true time, and handed on at once, in order, to all who listen to its kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.cli.simulate.checking import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.cli.simulate.checking import Kinds, Observation, Seen
    from edge.cli.simulate.clocks import TrueTime
    from edge.cli.simulate.clockwork import Clockwork

    Listener = Callable[[Observation], None]


class Witness:
    """Stamps what happens and tells everybody."""

    def __init__(self, clockwork: Clockwork, true_time: TrueTime) -> None:
        self._listeners: dict[type[Seen], list[Listener]] = {}
        self._clockwork = clockwork
        self._true_time = true_time

    def listen(self, listener: Listener, kinds: Kinds = EVERYTHING) -> None:
        """Tell somebody of these kinds of observation from now on."""
        for kind in kinds:
            self._listeners.setdefault(kind, []).append(listener)

    def tell(self, seen: Callable[..., Observation], /, **fields: Any) -> None:
        """Make an observation of that kind and hand it on."""
        at_s, true_ms = self._clockwork.now_s, self._true_time.ms()
        observation = seen(at_s=at_s, true_ms=true_ms, **fields)
        for listener in self._listeners.get(type(observation), ()):
            listener(observation)
