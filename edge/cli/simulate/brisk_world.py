# SPDX-License-Identifier: Apache-2.0
"""The simulated world, for a host that knows when it has something to do.

The law of the module: it leaves out looking, never doing. A host tells the second
before which nothing in the world moves by itself; until then time may pass without
asking every board and every latch whether it is due, and what moved is asked for in
one list. All else is :class:`firmware_sim.world.World`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware_sim.world import World

if TYPE_CHECKING:
    from firmware_sim.happening import Happening
    from firmware_sim.site import Site


class BriskWorld(World):
    """A world whose host keeps :attr:`due_s`, the next second that matters."""

    def __init__(self, site: Site) -> None:
        self.due_s = 0.0
        self._diaries = []
        self._has_news = True
        super().__init__(site)
        groups = (self.boards, self.usb_relays, self.lockers, self.doors)
        readers = (self.readers, self.osdp_readers, self.scanners)
        self._diaries = [
            thing.diary for group in (*groups, *readers) for thing in group.values()
        ]
        self._has_news = True
        for diary in self._diaries:
            diary.on_note = self._hear

    def _hear(self) -> None:
        self._has_news = True

    def tick(self, now: float) -> None:
        """Let all happen that was due, if anything was."""
        if now >= self.due_s:
            super().tick(now)
        else:
            self._now = max(self._now, now)
            self._settle()

    def _advance(self, now: float) -> None:
        if now >= self.due_s:
            super()._advance(now)
        else:
            self._now = max(self._now, now)

    def _settle(self) -> None:
        if self._has_news:
            super()._settle()

    def _collect(self) -> list[Happening]:
        self._has_news = False
        return [news for diary in self._diaries for news in diary.take_news()]
