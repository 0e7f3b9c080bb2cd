# SPDX-License-Identifier: Apache-2.0
"""The gateway never claims a time that was not: its interval holds the true UTC.

The law of the module: the true time is the simulation's; whole milliseconds count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Handled, Violation

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Kinds, Observation, Rest


class ClockIsTrue:
    """Holds each moment against the true time."""

    name = "clock is true"
    heeds: Kinds = frozenset({Handled})

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        if isinstance(seen, Handled):
            moment = seen.moment
            if not moment.earliest_ms <= seen.true_ms <= moment.latest_ms:
                off_ms = max(
                    moment.earliest_ms - seen.true_ms, seen.true_ms - moment.latest_ms
                )
                raise Violation(self.name, f"the interval misses by {off_ms} ms")

    def end(self, rest: Rest) -> None:
        """Do nothing: moments say it all."""
