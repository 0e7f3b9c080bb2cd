# SPDX-License-Identifier: Apache-2.0
"""Bytes on their way out of a simulated device, each piece due at a time.

The law of the module: pieces leave in the order in which they were put, never before
their time; a line keeps its order even if a later piece was due earlier.
"""

from __future__ import annotations

from collections import deque

#: What a device may have waiting: fifty full identity-card replies. Beyond it bytes
#: are lost and counted, as in a UART whose reader sleeps.
MAX_WAITING_BYTES = 65_536


class Outbox:
    """A queue of ``(due, bytes)``."""

    def __init__(self) -> None:
        self.lost_bytes = 0
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._waiting_bytes = 0

    def put(self, data: bytes, due: float) -> None:
        """Queue ``data`` for ``due``; lost and counted if too much waits already."""
        if self._waiting_bytes + len(data) > MAX_WAITING_BYTES:
            self.lost_bytes += len(data)
            return
        if self._pieces:
            due = max(due, self._pieces[-1][0])
        self._pieces.append((due, data))
        self._waiting_bytes += len(data)

    def take(self, now: float) -> bytes:
        """Return all that is due by ``now``."""
        taken = b""
        while self._pieces and self._pieces[0][0] <= now:
            taken += self._pieces.popleft()[1]
        self._waiting_bytes -= len(taken)
        return taken

    def deadline(self) -> float | None:
        """Return when the next piece is due, or None if nothing waits."""
        return self._pieces[0][0] if self._pieces else None

    def clear(self) -> None:
        """Forget what waits: the power was cut or the cable pulled."""
        self._pieces.clear()
        self._waiting_bytes = 0


def earliest(*times: float | None) -> float | None:
    """Return the earliest of the times that are not None."""
    known = [time for time in times if time is not None]
    return min(known) if known else None
