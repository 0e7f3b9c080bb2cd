# SPDX-License-Identifier: Apache-2.0
"""Commands of one connection: which are let through, and what became of them.

The law of the module: a command counts once, on the connection for whose nonce it was
signed, and never anywhere else. That holds with any clock. The expiry is a second
lock: held against the platform's own time, which hello brought and which has gone on
since, with any clock; against ours only where that is sure. What is refused before its
name is known to be new gets no answer on the wire: it may be the echo of a command that
was done. Results here are early; the truth is the event that tells of each.
Source: docs/commands.md.
"""

from __future__ import annotations

from collections import deque
from math import floor
from typing import TYPE_CHECKING

from cloud_sync import envelope
from cloud_sync.outputs import CommandOrdered, Output, Publish
from cloud_sync.refusal import RefusalKind, Refused
from edge.core.clock import DRIFT
from edge.core.moment import UNBOUNDED_MS
from edge.core.remote.command import CommandState

if TYPE_CHECKING:
    from cloud_sync.command_body import SignedCommand
    from cloud_sync.topics import Topics
    from edge.core.moment import Moment

#: No command lives longer, whatever its platform signs.
LIFE_S = 30
#: A platform's clock may be ahead of what ours is sure of by so much.
AHEAD_S = 30
#: Names remembered of one connection, half a megabyte. When they are full another
#: connection begins, with another nonce: none of them can count there.
MAX_NAMES = 4096
#: Results that wait for the wire; the journal tells of those that are lost.
MAX_RESULTS = 256


class Commands:
    """The names of one connection's commands, and the results on their way up."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._nonce: str | None = None
        #: What the platform signed as its time (UTC ms), and when that came.
        self._signed_ms, self._signed_s = 0, 0.0
        self._names: set[str] = set()
        self._results: deque[envelope.CommandResult] = deque(maxlen=MAX_RESULTS)

    @property
    def is_full(self) -> bool:
        """Whether this connection can remember no further command."""
        return len(self._names) >= MAX_NAMES

    def open(self, nonce: str) -> None:
        """Begin a connection: nothing signed for another one counts."""
        self.close()
        self._nonce = nonce

    def dated(self, signed_ms: int, now: Moment) -> None:
        """Learn from the platform's hello that its time is ``signed_ms`` at least."""
        self._signed_ms, self._signed_s = signed_ms, now.monotonic_s

    def close(self) -> None:
        """End a connection, with all that was signed for it."""
        self._nonce = None
        self._signed_ms, self._signed_s = 0, 0.0
        self._names.clear()
        self._results.clear()

    def receive(
        self, command: SignedCommand, now: Moment
    ) -> tuple[list[Output], Refused | None]:
        """Let a command through, or refuse it; the first thing that is wrong counts."""
        if self._nonce is None or command.nonce != self._nonce:
            return [], _refused(RefusalKind.NONCE, "a command for another connection")
        refused = _time_flaw(command, now, self._platform_ms(now))
        if command.jti in self._names:
            again = _refused(RefusalKind.REPLAY, "this command was here already")
            return [], refused or again
        self._names.add(command.jti)
        wish = refused or command.wish
        if isinstance(wish, Refused):
            rejected = envelope.CommandResult(
                jti=command.jti,
                state=CommandState.REJECTED,
                reason=wish.kind.value,
                why=wish.why,
            )
            self.tell(rejected)
            return self.results(now), wish
        received = CommandState.RECEIVED
        self.tell(envelope.CommandResult(jti=command.jti, state=received))
        return [CommandOrdered(command=wish), *self.results(now)], None

    def tell(self, result: envelope.CommandResult) -> None:
        """Keep a result for the wire, while there is a connection."""
        if self._nonce is not None:
            self._results.append(result)

    def results(self, now: Moment) -> list[Output]:
        """Return what is to be told now."""
        told: list[Output] = []
        gateway, topic = self._topics.gateway, self._topics.result
        while self._results:
            result = self._results.popleft()
            payload = envelope.result(gateway, result, now.earliest_ms)
            told.append(Publish(topic=topic, payload=payload))
        return told

    def _platform_ms(self, now: Moment) -> int:
        """Return what the platform's clock says by now, at the least."""
        since_ms = (now.monotonic_s - self._signed_s) * 1000
        return self._signed_ms + floor(since_ms * (1 - DRIFT))


def _time_flaw(command: SignedCommand, now: Moment, platform_ms: int) -> Refused | None:
    """Return what is wrong with a command's times.

    ``platform_ms``: the least that the platform's clock says now (UTC ms). Ours counts
    as far as it is sure.
    """
    if not 0 < command.expires_s - command.issued_s <= LIFE_S:
        why = f"'exp' is not within {LIFE_S} s of 'iat', both in seconds"
        return _refused(RefusalKind.LIFETIME, why)
    if platform_ms >= command.expires_s * 1000:
        return _refused(RefusalKind.EXPIRED, "its time is over for the platform")
    if now.latest_ms >= UNBOUNDED_MS:
        return None
    if now.earliest_ms >= command.expires_s * 1000:
        return _refused(RefusalKind.EXPIRED, "its time is over")
    if now.latest_ms < (command.issued_s - AHEAD_S) * 1000:
        return _refused(RefusalKind.EXPIRED, "its time has not come")
    return None


def _refused(kind: RefusalKind, why: str) -> Refused:
    return Refused(kind=kind, why=why)
