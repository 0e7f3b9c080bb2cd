# SPDX-License-Identifier: Apache-2.0
"""No rule raises: what the house survives in silence is a mistake all the same.

The law of the module: whatever the box tells of itself as RULE_FAULT ends the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Handled, Violation
from edge.core.event import EventKind

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Kinds, Observation, Rest


class NoRuleFails:
    """Watches for the box's own word."""

    name = "no rule fails"
    heeds: Kinds = frozenset({Handled})

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        if not isinstance(seen, Handled):
            return
        for event in seen.events:
            if event.kind is EventKind.RULE_FAULT:
                what = f"{event.fact('error')} in {event.fact('rule')}"
                raise Violation(self.name, f"{what} at {event.subject}")

    def end(self, rest: Rest) -> None:
        """Do nothing: a rule that failed was told when it did."""
