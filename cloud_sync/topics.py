# SPDX-License-Identifier: Apache-2.0
"""The topics of a gateway.

The law of the module: identifiers are checked once, here, before they become part of
a topic; a topic holds nothing but ``[a-z0-9-]`` levels, since some brokers cut the
connection for a dot or a space and every broker reads ``+`` and ``#`` its own way.
Source: docs/sync-contract.md, section 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9-]{2,30}")
_SHARD = re.compile(r"0[0-9]|1[0-5]")


class Channel(StrEnum):
    """What the platform says to a gateway: the last level of a topic down."""

    HELLO = "hello"
    ACK = "ack"
    FEED = "feed"
    NUDGE = "nudge"
    COMMAND = "cmd"
    HEARTBEAT = "hb"
    DAY = "day"
    CERTIFICATE = "crt"

    @property
    def purpose(self) -> str:
        """The ``typ`` that a body on this channel must have been signed for."""
        return f"mn.{self.value}.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """The topics of one gateway; ValueError for identifiers that cannot be one."""

    gateway: str
    shard: str

    def __post_init__(self) -> None:
        if not _IDENTIFIER.fullmatch(self.gateway):
            raise ValueError(
                f"gateway {self.gateway!r} is not an identifier: 3 to 31 of a-z, 0-9 "
                "and '-', not beginning with '-'"
            )
        if not _SHARD.fullmatch(self.shard):
            raise ValueError(f"shard {self.shard!r} is not two digits from 00 to 15")

    @property
    def hello(self) -> str:
        """Where a connection introduces itself."""
        return self._up("hello")

    @property
    def events(self) -> str:
        """Where batches of events go."""
        return self._up("evt")

    @property
    def pull(self) -> str:
        """Where the feed is asked for."""
        return self._up("pull")

    @property
    def result(self) -> str:
        """Where it is told early how far a command has come."""
        return self._up("res")

    @property
    def heartbeat(self) -> str:
        """Where a gateway says that it is there, and for how long that holds."""
        return self._up("hb")

    @property
    def alarm(self) -> str:
        """Where alarms are told before the events that wait in front of them."""
        return self._up("alm")

    @property
    def day(self) -> str:
        """Where a day that is over is counted, to be compared."""
        return self._up("day")

    @property
    def certificate(self) -> str:
        """Where the next certificate is asked for."""
        return self._up("csr")

    @property
    def down(self) -> tuple[str, ...]:
        """Every topic to subscribe to, none with a wildcard."""
        return tuple(self.on(channel) for channel in Channel)

    def on(self, channel: Channel) -> str:
        """Return the topic of a channel down."""
        return f"mn/v1/dn/{self.gateway}/{channel}"

    def channel(self, topic: str) -> Channel | None:
        """Return the channel of a topic down, or None if it is not one of ours."""
        prefix, _, name = topic.rpartition("/")
        if prefix != f"mn/v1/dn/{self.gateway}":
            return None
        return next((channel for channel in Channel if channel == name), None)

    def _up(self, name: str) -> str:
        return f"mn/v1/up/{self.shard}/{self.gateway}/{name}"
