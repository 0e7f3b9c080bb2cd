# SPDX-License-Identifier: Apache-2.0
"""The platform's way to and from gateways, and no more than it asks of one.

The law of the module: protocols alone. A line lives for one connection and is thrown
away with all that waited in it; whoever implements one turns every loss into
:class:`LineError`. What was taken from a line is told to be done only after the commit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager


class LineError(Exception):
    """The line is lost, or was never there; the text says why."""


@dataclass(slots=True)
class Handful:
    """Messages for one commit: ``(topic, payload)`` in their order.

    ``receipts`` are the line's own, of these messages and of those that it passed over.
    """

    said: list[tuple[str, bytes]] = field(default_factory=list)
    receipts: list[Any] = field(default_factory=list)


class Line(Protocol):
    """One connection."""

    async def hear(self, topics: Sequence[str]) -> None:
        """Begin to hear gateways; ``topics`` are MQTT's, with ``+`` for whoever."""

    async def take(self) -> Handful:
        """Wait for a message, and return all that wait, so far as one commit holds."""

    async def done(self, handful: Handful) -> None:
        """Say that a handful need not come again."""

    async def publish(self, topic: str, payload: bytes, qos: int = 1) -> None:
        """Send one answer; ``qos`` is the most that the line may make of it."""


class Lines(Protocol):
    """Where lines come from."""

    @property
    def shards(self) -> frozenset[str] | None:
        """Whose gateways this platform serves now; None for everybody's."""

    def opened(self) -> AbstractAsyncContextManager[Line]:
        """Open another line; it fails with LineError, also while it is held."""
