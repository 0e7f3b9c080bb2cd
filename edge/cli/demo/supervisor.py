# SPDX-License-Identifier: Apache-2.0
"""Keeps a demonstration's processes alive, and lets one be away on purpose.

The law of the module: what dies is started again, at most five times a minute; then
the demonstration ends and shows the end of that process's log. What was taken away on
purpose is left alone until it is given back.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.cli.children import Child

POLL_S = 0.1
MAX_RESTARTS = 5
WINDOW_S = 60.0
TAIL_LINES = 12


class ChildDiedError(Exception):
    """A process died too often; the text ends with the tail of its log."""


class Supervisor:
    """Watches children by name; ``restarts`` counts those that died by themselves.

    The mapping stays its owner's: children may join it until :meth:`watch`.
    """

    def __init__(self, children: Mapping[str, Child]) -> None:
        self._children = children
        self._away: set[str] = set()
        self._died_s: defaultdict[str, deque[float]] = defaultdict(deque)
        self.restarts: Counter[str] = Counter()

    async def watch(self) -> None:
        """Restart what dies until cancelled; ChildDiedError when it is hopeless."""
        while True:
            for name, child in self._children.items():
                if not child.is_running and name not in self._away:
                    await self._restart(name, child)
            await asyncio.sleep(POLL_S)

    async def take_away(self, name: str, away_s: float) -> None:
        """Kill a process, leave it away, and bring it back."""
        child = self._children[name]
        self._away.add(name)
        try:
            child.kill()
            await child.end()
            await asyncio.sleep(away_s)
        finally:
            await asyncio.shield(child.start())
            self._away.discard(name)

    async def _restart(self, name: str, child: Child) -> None:
        now_s = asyncio.get_running_loop().time()
        died_s = self._died_s[name]
        died_s.append(now_s)
        while died_s and now_s - died_s[0] > WINDOW_S:
            died_s.popleft()
        if len(died_s) > MAX_RESTARTS:
            raise ChildDiedError(
                f"{name} died {len(died_s)} times within a minute; its log ends:\n"
                + child.log_tail(TAIL_LINES)
            )
        self.restarts[name] += 1
        await child.start()
