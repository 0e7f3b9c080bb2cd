# SPDX-License-Identifier: Apache-2.0
"""Nobody is left standing: each scan that is taken is answered where it was made.

The law of the module: what stands in the event is what the person is told, with a
next step. A reader that asks to read again has answered, too.
Source: ARCHITECTURE.md, law "A refusal is kind and useful".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Handled, Violation
from edge.core.command import Indicate, Indication
from edge.core.event import EventKind
from edge.core.stimulus import Scan, Unreadable

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Kinds, Observation, Rest

_REFUSING = frozenset(
    {Indication.DENIED, Indication.WAITING, Indication.TRY_AGAIN, Indication.TAP_CARD}
)


class RefusalsAreTold:
    """Watches what readers show."""

    name = "a refusal is told"
    heeds: Kinds = frozenset({Handled})

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        if not isinstance(seen, Handled):
            return
        if not isinstance(seen.stimulus, Scan | Unreadable):
            return
        point = seen.stimulus.access_point
        shown = [
            command
            for command in seen.commands
            if isinstance(command, Indicate) and command.access_point == point
        ]
        if not shown:
            raise Violation(self.name, f"nobody answered at {point}")
        for event in seen.events:
            is_his = event.kind is EventKind.ACCESS_DENIED and event.subject == point
            if is_his and event.fact("count") is None:
                self._compare(str(event.fact("reason")), shown, point)

    def end(self, rest: Rest) -> None:
        """Do nothing: each scan was judged when it was taken."""

    def _compare(self, reason: str, shown: list[Indicate], point: str) -> None:
        refusals = [each for each in shown if each.indication in _REFUSING]
        if not refusals:
            raise Violation(self.name, f"{reason} at {point} was not shown")
        if any(each.reason not in ("", reason) for each in refusals):
            raise Violation(self.name, f"{reason} at {point} was shown as another")
        if not any(each.next_step or each.reason == "" for each in refusals):
            raise Violation(self.name, f"{reason} at {point} told no next step")
