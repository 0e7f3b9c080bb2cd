# SPDX-License-Identifier: Apache-2.0
"""When bytes that were written should have left the box.

The law of the module: it only reckons with what it is told. A frame that a driver has
given up must not go out later and move a relay; whoever holds the port asks here when
it is time to look, and takes back what still lies there.
"""

from __future__ import annotations


class Sending:
    """The bytes on their way since the port was last seen empty."""

    def __init__(self, *, byte_s: float, late_s: float) -> None:
        self._byte_s = byte_s
        self._late_s = late_s
        self._late_at: float | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether bytes were written and nobody has seen them leave."""
        return self._late_at is not None

    def wrote(self, count: int, now: float) -> None:
        """Count bytes; those behind others leave after them."""
        begin = now + self._late_s if self._late_at is None else self._late_at
        self._late_at = begin + count * self._byte_s

    def is_late(self, now: float) -> bool:
        """Whether all that was written should have left by now."""
        return self._late_at is not None and now >= self._late_at

    def left(self) -> None:
        """Take note that nothing lies there any more."""
        self._late_at = None
