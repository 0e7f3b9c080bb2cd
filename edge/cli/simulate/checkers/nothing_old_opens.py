# SPDX-License-Identifier: Apache-2.0
"""Nothing old moves a relay: a scan older than two seconds makes no decision.

The law of the module: by the box's own monotonic time, as the scan came with it.
Source: ARCHITECTURE.md, law "Nothing old moves a relay".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Handled, Violation
from edge.core.command import OpenCompartment, Release
from edge.core.event import EventKind
from edge.core.stimulus import Scan

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Kinds, Observation, Rest

SCAN_LIFE_S = 2.0
_DECISIONS = frozenset(
    {
        EventKind.ACCESS_GRANTED,
        EventKind.MEDICINE_BOX_OPENED,
        EventKind.DUTY_STARTED,
        EventKind.DUTY_ENDED,
        EventKind.RENTAL_STARTED,
        EventKind.CREDENTIAL_BOUND,
        EventKind.CONFIRMATION_GIVEN,
    }
)


class NothingOldOpens:
    """Watches what old scans lead to."""

    name = "nothing old opens"
    heeds: Kinds = frozenset({Handled})

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        if not isinstance(seen, Handled) or not isinstance(seen.stimulus, Scan):
            return
        age_s = seen.moment.monotonic_s - seen.stimulus.received_s
        if age_s <= SCAN_LIFE_S:
            return
        is_opening = any(
            isinstance(command, Release | OpenCompartment) for command in seen.commands
        )
        if is_opening or any(event.kind in _DECISIONS for event in seen.events):
            at = seen.stimulus.access_point
            raise Violation(self.name, f"a scan at {at} was {age_s:.2f} s old")

    def end(self, rest: Rest) -> None:
        """Do nothing: each scan was judged when it was taken."""
