# SPDX-License-Identifier: Apache-2.0
"""One request at a time on a Modbus RTU line.

The law of the module: a second request is never sent before the first was answered
or given up, nor within ``turnaround_s`` of the last byte of an answer; it knows no
board and repeats nothing by itself.

Some RS-485 adapters hand back what they send. After a write such an echo equals the
reply of a board, so that a lost board would look alive. A read tells: its echo can't
be its reply. From then on a write counts as answered by the second copy alone, until
a read is answered by its reply and not one byte more.

Source: Modbus over serial line V1.02, 2.4.1 and 2.5.1; gap and echo as measured by
users of Waveshare boards (Open-Locker ADR-0035; Waveshare wiki).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.errors import LocalError
from drivers.modbus.rtu import (
    MAX_FRAME_BYTES,
    Fault,
    Reply,
    Request,
    encode,
    explain,
    find_reply,
)

#: A reply behind its echo; of more only the newest is kept.
_MAX_BUFFER_BYTES = 2 * MAX_FRAME_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A request ran out of time; ``raw`` is what came instead, if anything."""

    why: str
    raw: bytes = field(repr=False)


class ModbusMaster:
    """The line's one conversation; time comes in as ``now``."""

    def __init__(self, *, turnaround_s: float, reply_timeout_s: float) -> None:
        self._turnaround_s = turnaround_s
        self._reply_timeout_s = reply_timeout_s
        self._request: Request | None = None
        self._sent = b""
        self._buffer = bytearray()
        # Starts before this one were looked at in full: none is looked at twice.
        self._passed = 0
        self._outgoing = bytearray()
        self.ready_at = 0.0
        self.answer_by = 0.0
        self.is_echoing = False

    @property
    def buffered_bytes(self) -> int:
        """How much of an answer waits for its rest."""
        return len(self._buffer)

    @property
    def is_idle(self) -> bool:
        """Whether no request is in flight."""
        return self._request is None

    def ask(self, request: Request, now: float) -> None:
        """Send a request; LocalError while another is in flight or too early."""
        if self._request is not None or now < self.ready_at:
            raise LocalError("the line is busy")
        self._request = request
        self._sent = encode(request)
        self._outgoing += self._sent
        self.answer_by = now + self._reply_timeout_s

    def receive(self, data: bytes, now: float) -> Reply | None:
        """Take bytes; return the answer if it is complete."""
        if self._request is None:
            # A late answer or noise. It must not put the next request off, or a line
            # that babbles would neither be asked nor be found silent.
            return None
        self._buffer += data
        reply = self._find(self._request)
        if reply is None:
            self._shorten()
            return None
        self._end(now)
        return reply

    def expire(self, now: float) -> Unanswered | None:
        """Give the request up, if its time has passed."""
        if self._request is None or now < self.answer_by:
            return None
        is_silent = not self._buffer
        why = "no answer" if is_silent else str(explain(self._request, self._buffer))
        raw = bytes(self._buffer)
        if why == Fault.ECHO:
            self.is_echoing = True
        self._end(now)
        return Unanswered(why=why, raw=raw)

    def opened(self, now: float) -> None:
        """Begin anew on a fresh line."""
        self.forget(now)
        self.ready_at = now
        self.is_echoing = False

    def forget(self, now: float) -> None:
        """Drop what is in flight, sent or not."""
        self._outgoing.clear()
        self._end(now)

    def take_outgoing(self) -> bytes:
        """Hand over the frame that is to be written."""
        outgoing = bytes(self._outgoing)
        self._outgoing.clear()
        return outgoing

    def _find(self, request: Request) -> Reply | None:
        echo_at = self._buffer.find(self._sent)
        after = echo_at + len(self._sent) if echo_at >= 0 else 0
        start = after if request.is_read or self.is_echoing else 0
        start = max(start, self._passed)
        found = find_reply(request, self._buffer[start:])
        self._passed = max(start, len(self._buffer) - request.reply_bytes + 1)
        if found is None:
            return None
        if request.is_read:
            is_bare = start == 0 and len(self._buffer) == request.reply_bytes
            self.is_echoing = bool(after) or (self.is_echoing and not is_bare)
        return found[1]

    def _shorten(self) -> None:
        excess = max(0, len(self._buffer) - _MAX_BUFFER_BYTES)
        del self._buffer[:excess]
        self._passed = max(0, self._passed - excess)

    def _end(self, now: float) -> None:
        self._request = None
        self._buffer.clear()
        self._passed = 0
        self.ready_at = now + self._turnaround_s
