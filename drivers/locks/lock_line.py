# SPDX-License-Identifier: Apache-2.0
"""One question at a time on a line of lock-control boards, of whatever family.

The law of the module: while a question is in flight nothing else is sent, nor within
``turnaround_s`` of its end; it repeats nothing. A board answers an opening only when
the lock's feedback moved or did not, so that the whole wait for that reply belongs to
it, even if the question was given up. Frames that answer nothing are reports.

Some adapters hand back what they send, and an echo may equal a reply. So a request
that is like its reply is never the first after an opening of the line: what the first
one brings back settles the matter, and from then on one copy is taken off.

Source: Open-Locker ADR-0035 (gap between frames) and ADR-0067 (late replies).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drivers.device import GARBLED_BYTES
from drivers.errors import LocalError
from drivers.locks.lock_wire import Frame, LockWire, Request, Status

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came: the answer, if it is complete, and the boards that reported.

    ``told`` are those reports whose feedback bit may be believed, in order.
    """

    answer: Frame | None
    reporting: AbstractSet[int]
    told: tuple[Status, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A question ran out of time; ``raw`` is the noise that came instead, if any."""

    why: str
    raw: bytes = field(repr=False)


class LockLine:
    """The line's one conversation; time comes in as ``now``."""

    def __init__(self, *, wire: LockWire, turnaround_s: float) -> None:
        self._wire = wire
        self._turnaround_s = turnaround_s
        self._request: Request | None = None
        self._buffer = bytearray()
        self._noise = bytearray()
        self._outgoing = bytearray()
        self._awaits_echo = False
        self.ready_at = 0.0
        self.answer_by = 0.0
        #: None until it is known.
        self.is_echoing: bool | None = None

    @property
    def buffered_bytes(self) -> int:
        """How much waits for its rest: less than the longest frame."""
        return len(self._buffer)

    @property
    def is_idle(self) -> bool:
        """Whether no question is in flight."""
        return self._request is None

    def ask(self, request: Request, now: float, *, timeout_s: float) -> None:
        """Send a request; LocalError while another is in flight or too early.

        LocalError also for a request that an echo could answer, before it is known
        whether the line has one.
        """
        if self._request is not None or now < self.ready_at:
            raise LocalError("the line is busy")
        if self.is_echoing is None and request.is_like_its_echo:
            raise LocalError("it is not known yet whether the line echoes")
        self._request = request
        # What is left of the time before would only be in the answer's way.
        self._buffer.clear()
        self._noise.clear()
        self._awaits_echo = self.is_echoing is not False
        self._outgoing += request.frame
        self.answer_by = now + timeout_s

    def receive(self, data: bytes, now: float) -> Heard:
        """Take bytes, asked for or not."""
        self._buffer += data
        answer: Frame | None = None
        reporting: set[int] = set()
        told: list[Status] = []
        while self._buffer:
            if self._passed_echo():
                continue
            if self._may_be_echo():
                break
            size, frame = self._wire.frame_at(self._buffer, self._request)
            if size == 0:
                break
            self._take_off(size, is_noise=frame is None)
            if frame is None:
                continue
            if self._request and self._wire.answers(frame, self._request):
                answer = frame
                self._answered(now)
                continue
            reporting.add(frame.address)
            if isinstance(frame, Status) and frame.bit is not None:
                told.append(frame)
        return Heard(answer=answer, reporting=reporting, told=tuple(told))

    def expire(self, now: float) -> Unanswered | None:
        """Give the question up, if its time has passed."""
        if self._request is None or now < self.answer_by:
            return None
        raw = bytes((self._noise + self._buffer)[:GARBLED_BYTES])
        if not raw and self.is_echoing is None:
            # An adapter that echoes does so whether a board answers or not.
            self.is_echoing = False
        self._end(now)
        return Unanswered(why="garbled answer" if raw else "no answer", raw=raw)

    def opened(self, now: float) -> None:
        """Begin anew on a fresh line; an opening of before still has its time."""
        self.forget(now)
        self.is_echoing = None

    def forget(self, now: float) -> None:
        """Drop what is in flight, sent or not."""
        is_opening = self._request is not None and self._request.is_opening
        quiet_until = max(self.ready_at, self.answer_by if is_opening else now)
        self._outgoing.clear()
        self._end(now)
        self.ready_at = max(now, quiet_until)

    def take_outgoing(self) -> bytes:
        """Hand over the frame that is to be written."""
        outgoing = bytes(self._outgoing)
        self._outgoing.clear()
        return outgoing

    def _passed_echo(self) -> bool:
        """Take the echo off, if it lies at the front."""
        request = self._request
        if request is None or not self._awaits_echo:
            return False
        if not self._buffer.startswith(request.frame):
            return False
        self._take_off(len(request.frame), is_noise=False)
        self._awaits_echo = False
        self.is_echoing = True
        return True

    def _may_be_echo(self) -> bool:
        """Whether the rest of an echo may be to come."""
        if self._request is None or not self._awaits_echo:
            return False
        return self._request.frame.startswith(self._buffer)

    def _take_off(self, size: int, *, is_noise: bool) -> None:
        if is_noise and len(self._noise) < GARBLED_BYTES:
            self._noise += self._buffer[:size]
        del self._buffer[:size]

    def _answered(self, now: float) -> None:
        if self.is_echoing is None:
            self.is_echoing = False
        self._awaits_echo = False
        self._request = None
        self.ready_at = now + self._turnaround_s

    def _end(self, now: float) -> None:
        self._request = None
        self._awaits_echo = False
        self._buffer.clear()
        self._noise.clear()
        self.ready_at = now + self._turnaround_s
