# SPDX-License-Identifier: Apache-2.0
"""A controller that is lived with for a while, and everything that it wrote down."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.core.controller import Controller
from edge.core.event import NOBODY
from edge.core.explain.kept import Kept
from edge.core.order import ModeOrdered
from edge.core.stimulus import ContactChanged, Scan
from tests.core.scene import SITE, card, clock_ms, moment

if TYPE_CHECKING:
    from edge.core.doors.door import DoorMode
    from edge.core.outcome import Outcome
    from edge.core.people.roster import Roster
    from edge.core.plan import SitePlan
    from edge.core.stimulus import Stimulus

EPOCH = "0001-0a1b2c3d"


class Diary:
    """Stimuli in, kept events out; the clock goes on only by :meth:`at`."""

    def __init__(self, roster: Roster, site: SitePlan = SITE) -> None:
        self._site = site
        self.controller = Controller(site, next_seq=1)
        self.kept: list[Kept] = []
        self.now = moment(clock_ms("12:00"), s=100.0)
        self._keep(self.controller.start(self.now))
        self._keep(self.controller.adopt(roster, self.now))

    def at(self, local: str, *, unsure_ms: int = 0) -> None:
        """Let the time of day be this, later than before."""
        self.pass_ms(clock_ms(local) - self.now.earliest_ms, unsure_ms=unsure_ms)

    def pass_ms(self, by_ms: int, *, unsure_ms: int = 0) -> None:
        """Let time pass."""
        earliest_ms = self.now.earliest_ms + by_ms
        self.now = moment(
            earliest_ms,
            earliest_ms + unsure_ms,
            s=self.now.monotonic_s + by_ms / 1000,
        )
        self._keep(self.controller.tick(self.now))

    def handle(self, stimulus: Stimulus) -> None:
        """Let something happen."""
        self._keep(self.controller.handle(stimulus, self.now))

    def scan(self, name: str, point: str = "kitchen-in") -> None:
        """Let somebody hold a card to a reader."""
        seen_s = self.now.monotonic_s
        self.handle(Scan(access_point=point, credential=card(name), received_s=seen_s))

    def go_through(self, door: str = "kitchen-door") -> None:
        """Open a door and let it fall shut."""
        self.handle(ContactChanged(door=door, is_open=True))
        self.pass_ms(1_000)
        self.handle(ContactChanged(door=door, is_open=False))

    def mode(self, door: str, mode: DoorMode) -> None:
        """Give a door another mode."""
        self.handle(ModeOrdered(door=door, mode=mode, actor="chen", reason="a try"))

    def erase_all(self) -> None:
        """Forget whom everything was about."""
        self.kept = [
            replace(kept, event=replace(kept.event, person=NOBODY), is_erased=True)
            for kept in self.kept
        ]

    def restart(self) -> None:
        """Cut the power, and start with what was written down."""
        roster, site = self.controller.roster, self._site
        self.controller = Controller(site, next_seq=self.controller.next_seq)
        self.controller.recover(None, [kept.event for kept in self.kept])
        self._keep(self.controller.start(self.now))
        self._keep(self.controller.adopt(roster, self.now))

    def _keep(self, outcome: Outcome) -> None:
        self.kept += [
            Kept(event=each, epoch=EPOCH, seq=each.seq) for each in outcome.events
        ]
