# SPDX-License-Identifier: Apache-2.0
"""Cutting a stream of bytes into frames and lines, with a bound on everything.

The law of the module: a framer knows no device. It takes pieces of any size, never
raises on them, keeps at most one frame or line, and after a fault steps on by a
single byte, so that a good frame inside a bad one is still found. What was consumed
is overwritten, since frames may hold what must not stay in memory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drivers.secret import wipe

if TYPE_CHECKING:
    from collections.abc import Callable

#: Bytes of a refused frame that are shown: a header, never a body.
HEAD_BYTES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A whole, sound frame, preamble included; the receiver owns and wipes it."""

    content: bytearray = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A fault in the stream; ``head`` is empty for noise, else the frame's header."""

    head: bytes
    why: str


class LengthFramer:
    """Frames of a preamble, a header with their length, and a body.

    ``size_of`` tells the whole frame's size from its first ``header_bytes``, or None
    if no frame begins so; ``is_sound`` checks a whole frame. A run of noise is
    reported once; stray copies of the preamble's first byte before it are not noise.
    """

    def __init__(
        self,
        *,
        preamble: bytes,
        header_bytes: int,
        max_frame_bytes: int,
        size_of: Callable[[bytearray], int | None],
        is_sound: Callable[[bytearray], bool],
    ) -> None:
        self._preamble = preamble
        self._header_bytes = header_bytes
        self._max_frame_bytes = max_frame_bytes
        self._size_of = size_of
        self._is_sound = is_sound
        self._buffer = bytearray()
        self._is_lost = False

    @property
    def buffered_bytes(self) -> int:
        """How much waits for its rest: always less than the largest frame."""
        return len(self._buffer)

    def reset(self) -> None:
        """Forget what has arrived so far."""
        self._drop(len(self._buffer))
        self._is_lost = False

    def receive(self, data: bytes) -> list[Frame | Rejected]:
        """Take bytes; return what became complete, in order."""
        items: list[Frame | Rejected] = []
        taken = 0
        while taken < len(data):
            room = self._max_frame_bytes - len(self._buffer)
            self._buffer += data[taken : taken + room]
            taken += room
            while self._step(items):
                pass
        return items

    def _step(self, items: list[Frame | Rejected]) -> bool:
        """Consume one frame or one fault; False if more bytes are needed."""
        if noise := self._noise_bytes():
            self._pass_noise(noise, items)
            return True
        if len(self._buffer) < self._header_bytes:
            return False
        size = self._size_of(self._buffer)
        if size is None:
            self._refuse("impossible length", items)
            return True
        if len(self._buffer) < size:
            return False
        content = self._buffer[:size]
        if not self._is_sound(content):
            wipe(content)
            self._refuse("wrong checksum", items)
            return True
        self._drop(size)
        self._is_lost = False
        items.append(Frame(content=content))
        return True

    def _noise_bytes(self) -> int:
        """How many bytes lie before anything that may be a preamble."""
        at = self._buffer.find(self._preamble)
        if at >= 0:
            return at
        longest = min(len(self._preamble) - 1, len(self._buffer))
        for kept in range(longest, 0, -1):
            if self._preamble.startswith(self._buffer[-kept:]):
                return len(self._buffer) - kept
        return len(self._buffer)

    def _pass_noise(self, size: int, items: list[Frame | Rejected]) -> None:
        is_run_in = self._buffer.count(self._preamble[0], 0, size) == size
        self._drop(size)
        if not is_run_in and not self._is_lost:
            self._is_lost = True
            items.append(Rejected(head=b"", why="noise"))

    def _refuse(self, why: str, items: list[Frame | Rejected]) -> None:
        """Report the frame that begins here and step over its first byte."""
        head = bytes(self._buffer[:HEAD_BYTES])
        self._drop(1)
        self._is_lost = True
        items.append(Rejected(head=head, why=why))

    def _drop(self, size: int) -> None:
        self._buffer[:size] = bytes(size)
        del self._buffer[:size]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line without its terminator; ``is_cut`` if it grew too long to be kept."""

    content: bytes = field(repr=False)
    is_cut: bool


class LineFramer:
    """Lines that end with CR, LF, both, or a silence; empty ones are nothing.

    One that grows too long is handed out cut as soon as it does, since on a line that
    is stuck it never ends; what follows up to its end is dropped.

    Only :meth:`tick` ends a line by silence: after a stall of the process, bytes that
    lay waiting would look like a pause to :meth:`receive` and tear a code in two.
    """

    _ENDS = re.compile(rb"[\r\n]")

    def __init__(self, *, max_line_bytes: int, silence_s: float) -> None:
        self._max_line_bytes = max_line_bytes
        self._silence_s = silence_s
        self._buffer = bytearray()
        self._is_cut = False
        self._last_at = 0.0

    @property
    def buffered_bytes(self) -> int:
        """How much waits for its end: never more than the longest line."""
        return len(self._buffer)

    def reset(self) -> None:
        """Forget what has arrived so far."""
        wipe(self._buffer)
        self._buffer.clear()
        self._is_cut = False

    def deadline(self) -> float | None:
        """When silence ends the line; None while there is no line."""
        is_coming = self._buffer or self._is_cut
        return self._last_at + self._silence_s if is_coming else None

    def receive(self, data: bytes, now: float) -> list[Line]:
        """Take bytes; return the lines that ended."""
        lines: list[Line] = []
        *ended, rest = self._ENDS.split(data)
        for piece in ended:
            lines += self._take(piece, now)
            lines += self._end()
        return lines + self._take(rest, now)

    def tick(self, now: float) -> list[Line]:
        """Return the line that silence has ended, if it has."""
        deadline = self.deadline()
        return self._end() if deadline is not None and now >= deadline else []

    def _take(self, piece: bytes, now: float) -> list[Line]:
        """Keep what fits; return what has grown too long."""
        if piece:
            self._last_at = now
        if self._is_cut:
            return []
        room = self._max_line_bytes - len(self._buffer)
        self._buffer += piece[:room]
        if len(piece) <= room:
            return []
        line = Line(content=bytes(self._buffer), is_cut=True)
        self.reset()
        self._is_cut = True
        return [line]

    def _end(self) -> list[Line]:
        content = bytes(self._buffer)
        self.reset()
        return [Line(content=content, is_cut=False)] if content else []
