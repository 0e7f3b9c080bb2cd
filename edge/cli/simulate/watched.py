# SPDX-License-Identifier: Apache-2.0
"""The real controller, whose answers the witness hears before anybody else.

The law of the module: it adds ears and changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Handled, Renumbered, RosterAdopted
from edge.core.controller import Controller

if TYPE_CHECKING:
    from edge.cli.simulate.witness import Witness
    from edge.core.event import Facts
    from edge.core.moment import Moment
    from edge.core.outcome import Outcome
    from edge.core.people.roster import Roster
    from edge.core.plan import SitePlan
    from edge.core.stimulus import Stimulus


class WatchedController(Controller):
    """A controller that tells the witness of all it takes and answers."""

    def __init__(self, plan: SitePlan, *, next_seq: int, witness: Witness) -> None:
        super().__init__(plan, next_seq=next_seq)
        self._witness = witness

    def handle(self, stimulus: Stimulus, now: Moment) -> Outcome:
        """Take one stimulus."""
        return self._told(stimulus, now, super().handle(stimulus, now))

    def tick(self, now: Moment) -> Outcome:
        """Let timers take effect."""
        return self._told(None, now, super().tick(now))

    def start(self, now: Moment, *, facts: Facts = ()) -> Outcome:
        """Begin."""
        return self._told(None, now, super().start(now, facts=facts))

    def stop(self, now: Moment) -> Outcome:
        """End."""
        return self._told(None, now, super().stop(now))

    def adopt(
        self, roster: Roster, now: Moment, *, confirmed_ms: int | None = None
    ) -> Outcome:
        """Swap the roster."""
        outcome = super().adopt(roster, now, confirmed_ms=confirmed_ms)
        self._witness.tell(
            RosterAdopted,
            roster=roster,
            moment=now,
            events=outcome.events,
            confirmed_ms=confirmed_ms,
        )
        return self._told(None, now, outcome)

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        super().renumber(shift)
        self._witness.tell(Renumbered, shift=shift)

    def _told(
        self, stimulus: Stimulus | None, now: Moment, outcome: Outcome
    ) -> Outcome:
        if stimulus is not None or outcome.events or outcome.commands:
            self._witness.tell(
                Handled,
                stimulus=stimulus,
                moment=now,
                events=outcome.events,
                commands=outcome.commands,
            )
        return outcome
