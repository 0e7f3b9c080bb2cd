# SPDX-License-Identifier: Apache-2.0
"""The port through which the platform is reached: six methods, whatever carries them.

The law of the module: a transport carries bytes, at least once and in order as long as
its connection lasts; it keeps nothing from one connection to the next and sends nothing
again by itself. Whatever fails is a :class:`TransportError` with a kind for which there
is advice (:mod:`cloud_sync.advice`); anything else that it raises is a bug.
Source: docs/sync-contract.md; docs/sync.md, section 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


class Trouble(StrEnum):
    """Why a broker cannot be used; a closed set, so that each has its advice."""

    NAME_UNKNOWN = "NAME_UNKNOWN"
    UNREACHABLE = "UNREACHABLE"
    TIMED_OUT = "TIMED_OUT"
    LOST = "LOST"
    NOT_ADMITTED = "NOT_ADMITTED"
    TLS_FILES = "TLS_FILES"
    TLS_FAILED = "TLS_FAILED"
    BROKER_UNTRUSTED = "BROKER_UNTRUSTED"
    BROKER_NAME = "BROKER_NAME"
    BROKER_DATES = "BROKER_DATES"
    BROKER_REVOKED = "BROKER_REVOKED"
    CERTIFICATE_REFUSED = "CERTIFICATE_REFUSED"


class TransportError(Exception):
    """The connection cannot be made or has ended; the text is for people."""

    def __init__(self, kind: Trouble, why: str) -> None:
        super().__init__(why)
        self.kind = kind


class State(Enum):
    """How a transport stands."""

    CLOSED = auto()  # never connected, or left by our own will
    CONNECTING = auto()
    CONNECTED = auto()  # as far as is known: half open looks the same
    LOST = auto()  # ended from outside; to be closed


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One message; ``is_retained``: kept by the broker from before, so it is old."""

    topic: str
    payload: bytes
    is_retained: bool = False


class Transport(Protocol):
    """One way to one broker, for one connection after another."""

    @property
    def state(self) -> State:
        """How it stands; never waits."""

    async def connect(self) -> None:
        """Make a new connection, with nothing of the one before.

        Cancelling leaves nothing behind. Whoever connected also closes, once it has
        returned.
        """

    async def subscribe(self, topics: Sequence[str]) -> bool:
        """Ask for messages of ``topics`` at QoS 1; False if one was refused."""

    async def publish(self, topic: str, payload: bytes, qos: int = 1) -> None:
        """Send one message, not retained; at QoS 1 return when the broker has it.

        Sent in the order of the calls, also where several wait at once. There is no
        time limit: whoever calls watches the silence, and gives up by cancelling.
        """

    def messages(self) -> AsyncIterator[Incoming]:
        """Return what comes, one by one.

        Asking for the next says that the one before was dealt with: not before that
        is it acknowledged to the broker, which keeps the others for so long.
        """

    async def close(self) -> None:
        """End the connection; nothing of it is left. Harmless if there is none."""
