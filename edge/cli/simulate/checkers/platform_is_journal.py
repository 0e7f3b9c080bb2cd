# SPDX-License-Identifier: Apache-2.0
"""What the platform holds is what the journal holds: all, once, in order.

The law of the module: judged when all is quiet; before that a part is on its way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Violation

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Kinds, Observation, Rest


class PlatformIsJournal:
    """Compares both, text by text."""

    name = "platform is journal"
    heeds: Kinds = frozenset()

    def see(self, seen: Observation) -> None:
        """Take the next observation; only the end counts."""

    def end(self, rest: Rest) -> None:
        """Compare."""
        if rest.alarms:
            self._found(f"{rest.alarms} numbers came with another hash")
        held = [item for item in rest.ledger if item.epoch == rest.epoch]
        if [item.seq for item in held] != list(range(1, len(held) + 1)):
            self._found("the platform's numbers have a gap")
        texts = {item.seq: (item.core, item.pii) for item in held}
        for record in rest.journal:
            if texts.get(record.seq) != (record.core, record.pii):
                self._found(f"{record.seq} is another event at the platform")
        last = rest.trimmed + len(rest.journal)
        if len(held) != last:
            self._found(f"the platform holds {len(held)} events of {last}")
        doubled = [key for key, count in rest.effects.items() if count != 1]
        if doubled:
            self._found(f"the effect of {doubled[0]} was run more or less than once")

    def _found(self, what: str) -> None:
        raise Violation(self.name, what)
