# SPDX-License-Identifier: Apache-2.0
"""Codes and replies of a GM65 scanner, taken apart from one stream of bytes.

The law of the module: both share the line without separator, so a reply is a reply
only where its head, its length and its checksum agree; everything else is a code. A
reply in the midst of a code is found, and the other way round; the halves are joined.
One bounded buffer, nothing raised; what was consumed is overwritten, since a code
opens doors.

Source: as for :mod:`drivers.scanners.qr_gm65_wire`; the length-prefixed form
``03 LENH LENL`` of zone 0060 = 81 is found in Tasmota ``xsns_107_gm861.ino`` alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from drivers.framing import Line
from drivers.scanners.qr_codes import MAX_LINE_BYTES
from drivers.scanners.qr_gm65_wire import CRC_BYTES, HEARTBEAT_HEAD, Reply, is_sealed

_ENDS = re.compile(rb"[\r\n]")
_LINE_END = re.compile(rb"\r\n?|\n")
_REPLY_HEADS = re.compile(rb"[\x02\x03]\x00\x00")
#: A head may have begun in so many last bytes.
_HEAD_REST_BYTES = 2
#: The head and N.
_REPLY_HEADER_BYTES = 4
#: The longest reply that is asked for (two zones); only such a one is looked for when
#: a code may stand in its midst.
_TEARABLE_BYTES = 8
_PREFIX = 0x03
_PREFIX_BYTES = 3
#: How much is looked at in one go; the buffer outgrows its limit by no more.
_PIECE_BYTES = 256
#: What is kept of a line that grew too long: enough to recognise it.
_CUT_BYTES = 64


@dataclass(slots=True, kw_only=True)
class ScanFramer:
    """Lines and replies of one scanner.

    A line ends with CR, LF, both, or ``silence_s``, which :meth:`tick` alone decides:
    after a stall, bytes that lay waiting would look like a pause. A scanner that
    ``is_length_prefixed`` sends ``03 LENH LENL`` and so many bytes instead.
    """

    silence_s: float
    is_length_prefixed: bool
    _buffer: bytearray = field(default_factory=bytearray, repr=False)
    #: So many bytes hold neither an end nor a head; they are not looked at again.
    _plain: int = 0
    _is_cut: bool = False
    _last_at: float = 0.0

    @property
    def buffered_bytes(self) -> int:
        """How much waits for its end: never more than the longest line."""
        return len(self._buffer)

    def reset(self) -> None:
        """Forget what has arrived so far."""
        self._drop(0, len(self._buffer))
        self._is_cut = False

    def deadline(self) -> float | None:
        """When silence ends what is coming; None while nothing is."""
        return self._last_at + self.silence_s if self._buffer else None

    def receive(self, data: bytes, now: float) -> list[Line | Reply]:
        """Take bytes; return what became complete, in order."""
        items: list[Line | Reply] = []
        for start in range(0, len(data), _PIECE_BYTES):
            self._buffer += data[start : start + _PIECE_BYTES]
            self._last_at = now
            while self._buffer and self._step(items, is_over=False):
                pass
            if len(self._buffer) > MAX_LINE_BYTES:
                self._drop(_CUT_BYTES, len(self._buffer))
                self._is_cut = True
        return items

    def tick(self, now: float) -> list[Line | Reply]:
        """Return what silence has ended, if it has."""
        items: list[Line | Reply] = []
        deadline = self.deadline()
        if deadline is not None and now >= deadline:
            while self._buffer and self._step(items, is_over=True):
                pass
        return items

    def _step(self, items: list[Line | Reply], *, is_over: bool) -> bool:
        """Consume one line or reply; False if more bytes are needed."""
        if self.is_length_prefixed and self._buffer[0] == _PREFIX and not self._is_cut:
            size = self._prefixed_size()
            if size and len(self._buffer) >= size:
                self._end_line(items, _PREFIX_BYTES, size, size)
                return True
            if size and not is_over:
                return False
        return self._step_line(items, is_over=is_over)

    def _prefixed_size(self) -> int:
        """Return the size of a length-prefixed code; 0 if this is none."""
        if len(self._buffer) < _PREFIX_BYTES:
            return _PREFIX_BYTES
        size = int.from_bytes(self._buffer[1:_PREFIX_BYTES], "big")
        is_code = 0 < size <= MAX_LINE_BYTES - _PREFIX_BYTES
        return _PREFIX_BYTES + size if is_code else 0

    def _step_line(self, items: list[Line | Reply], *, is_over: bool) -> bool:
        end = _ENDS.search(self._buffer, self._plain)
        end_at = end.start() if end else len(self._buffer)
        # A list: a living iterator would forbid to shorten the buffer.
        found = _REPLY_HEADS.finditer(self._buffer, self._plain, end_at)
        heads = [head.start() for head in found]
        for at in heads:
            size = self._reply_size(at)
            if len(self._buffer) < at + size:
                if is_over:
                    continue
                return False
            if is_sealed(self._buffer[at : at + size]):
                self._end_reply(items, at, size)
                return True
            if size <= _TEARABLE_BYTES and self._is_torn(items, at, size):
                return True
            if end is not None and not is_over and self._may_be_torn(at, size):
                return False
        if end is None and not is_over:
            self._plain = max(0, min([*heads, len(self._buffer) - _HEAD_REST_BYTES]))
            return False
        self._end_line(items, 0, end_at, end_at + bool(end))
        return True

    def _is_torn(self, items: list[Line | Reply], at: int, size: int) -> bool:
        """Take a whole line out of the midst of a reply, if it is one then."""
        for cut in range(at + _REPLY_HEADER_BYTES, at + size):
            end = _LINE_END.search(self._buffer, cut)
            if end is None:
                return False
            rest = self._buffer[end.end() : end.end() + at + size - cut]
            frame = self._buffer[at:cut] + rest
            if len(frame) == size and is_sealed(frame):
                content = bytes(self._buffer[cut : end.start()])
                items.append(Line(content=content, is_cut=False))
                self._drop(cut, end.end())
                self._end_reply(items, at, size)
                return True
        return False

    def _may_be_torn(self, at: int, size: int) -> bool:
        """Whether a code may stand inside of a reply whose rest is still to come."""
        if size > _TEARABLE_BYTES:
            return False
        end = _LINE_END.search(self._buffer, at + _REPLY_HEADER_BYTES)
        rest = size - _REPLY_HEADER_BYTES
        return end is not None and len(self._buffer) - end.end() < rest

    def _reply_size(self, at: int) -> int:
        if len(self._buffer) < at + _REPLY_HEADER_BYTES:
            return _REPLY_HEADER_BYTES
        return _REPLY_HEADER_BYTES + self._buffer[at + 3] + CRC_BYTES

    def _end_reply(self, items: list[Line | Reply], at: int, size: int) -> None:
        data = self._buffer[at + _REPLY_HEADER_BYTES : at + size - CRC_BYTES]
        is_heartbeat = self._buffer[at] == HEARTBEAT_HEAD
        items.append(Reply(data=bytes(data), is_heartbeat=is_heartbeat))
        self._drop(at, at + size)

    def _end_line(
        self, items: list[Line | Reply], start: int, end: int, used: int
    ) -> None:
        content = bytes(self._buffer[start:end])
        if content or self._is_cut:
            items.append(Line(content=content, is_cut=self._is_cut))
        self._is_cut = False
        self._drop(0, used)

    def _drop(self, start: int, end: int) -> None:
        with memoryview(self._buffer) as view:
            view[start:end] = bytes(end - start)
        del self._buffer[start:end]
        self._plain = 0
