# SPDX-License-Identifier: Apache-2.0
"""Which broker is tried next.

The law of the module: all are tried before one is tried again; a round begins with the
first, and whoever has just failed comes last in it. So a broker that works is kept as
long as it works, and the first is preferred again at the next reconnect.
"""

from __future__ import annotations


class Preference:
    """The order in which ``count`` brokers are tried."""

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError("there is no broker to be tried")
        self._count = count
        self._tried: set[int] = set()
        self.current = 0

    def failed(self, *, had_conversed: bool) -> bool:
        """Go to the next after ``current`` ended; return whether a round is over.

        ``had_conversed``: the platform had answered through it, which ends a round,
        too; in the next one it comes last.
        """
        if had_conversed:
            self._tried.clear()
        self._tried.add(self.current)
        is_over = len(self._tried) == self._count
        if is_over:
            self._tried.clear()
        self.current = min(set(range(self._count)) - self._tried)
        return is_over or had_conversed
