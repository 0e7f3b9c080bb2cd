# SPDX-License-Identifier: Apache-2.0
"""What every simulated device at the end of a line can do.

The law of the module: a device is a value that is told the time (monotonic seconds);
it knows no clock, no file descriptor and no event loop. Verbs of "the hand in the
world" (put a card, push a door) are methods of the device itself.
"""

from __future__ import annotations

from typing import Protocol


class SimulatedDevice(Protocol):
    """The five things a host needs; ``now`` never runs backwards."""

    @property
    def baud(self) -> int:
        """The rate at which the device talks and listens at present."""

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes of the gateway, in pieces of any size."""

    def take_outgoing(self, now: float) -> bytes:
        """Return the bytes that are due by ``now``."""

    def deadline(self) -> float | None:
        """Return when ``tick`` or ``take_outgoing`` has something new, or None."""

    def tick(self, now: float) -> None:
        """Let happen what was due by ``now``, each thing at its own time."""
