# SPDX-License-Identifier: Apache-2.0
"""Code scanner that sends each code as a line (GM65, DE2120, EM3080 in serial mode).

The law of the module: what people hold up is hostile input. Only 8 to 512 printable
ASCII bytes are a code, everything else is Garbled; nothing is ever sent. A code that
is held before a scanner in continuous mode is one code: a payload is news again once
it was away for ``same_code_s``, which is short, because a second scan within seconds
re-opens a door. The scanner is silent, so it is reachable while its link is open.

Source: GM65/GM805 serial manuals (terminator CR, AIM prefix of zone 00D0, command
replies 02 00 / 03 00), DE2120 and EM3080 manuals, revisions unknown; ISO/IEC 15424
(``]Q1``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.device import (
    GARBLED_BYTES,
    CodeRead,
    Garbled,
    Order,
    OrderFailed,
    Reachable,
    Signal,
    Unreachable,
)
from drivers.framing import LineFramer
from drivers.limits import RateLimit
from drivers.options import between
from drivers.waiting import WaitingSignals

if TYPE_CHECKING:
    from drivers.framing import Line

#: Beyond this a line is no code of anybody's; kept only to find its end.
MAX_LINE_BYTES = 4096
MIN_CODE_BYTES = 8
MAX_CODE_BYTES = 512
#: Nobody scans faster by hand; beyond, somebody plays or a line is broken.
CODES_A_SECOND = 5
#: Garbled lines have a limit of their own, so that noise never starves a code.
GARBLED_A_SECOND = 5
_AIM_PREFIX = b"]Q1"
_COMMAND_REPLIES = (b"\x02\x00", b"\x03\x00")
_PRINTABLE = bytes(range(0x20, 0x7F))


@dataclass(frozen=True, slots=True, kw_only=True)
class QrLineOptions:
    """``silence_s`` ends a line that has no terminator."""

    same_code_s: float = 0.5
    silence_s: float = 0.05

    def __post_init__(self) -> None:
        between("same_code_s", self.same_code_s, 0.0, 10.0)
        between("silence_s", self.silence_s, 0.01, 1.0)


class LineScanner:
    """The driver; see :class:`drivers.device.Device` for the verbs."""

    def __init__(self, *, unit: int = 0, options: QrLineOptions) -> None:
        self._unit = unit
        self._same_code_s = options.same_code_s
        self._silence_s = options.silence_s
        self._framer = LineFramer(
            max_line_bytes=MAX_LINE_BYTES, silence_s=options.silence_s
        )
        self._codes = RateLimit(most=CODES_A_SECOND, within_s=1.0)
        self._garbled = RateLimit(most=GARBLED_A_SECOND, within_s=1.0)
        self._last_code = b""
        self._last_code_at = 0.0
        self._reply_until = 0.0
        self._is_open = False
        self._waiting = WaitingSignals()

    @property
    def buffered_bytes(self) -> int:
        """How much of a line waits for its end."""
        return self._framer.buffered_bytes

    def opened(self, now: float) -> None:
        """Call the scanner reachable; the signal comes with the next tick."""
        self.resumed(now)
        self._is_open = True
        self._waiting.add(Reachable(unit=self._unit, detail=""))

    def resumed(self, now: float) -> None:  # noqa: ARG002
        """Forget the line that was coming, and which code was the last."""
        self._framer.reset()
        self._last_code = b""
        self._reply_until = 0.0

    def closed(self, now: float) -> list[Signal]:
        """Call the scanner unreachable."""
        signals = self._waiting.take()
        if self._is_open:
            signals.append(Unreachable(unit=self._unit, why="the link was lost"))
        self._is_open = False
        self.resumed(now)
        return signals

    def receive(self, data: bytes, now: float) -> list[Signal]:
        """Take bytes of the scanner's."""
        lines = self._framer.receive(data, now)
        return [signal for line in lines for signal in self._take(line, now)]

    def tick(self, now: float) -> list[Signal]:
        """End a line by silence."""
        signals = self._waiting.take()
        for line in self._framer.tick(now):
            signals += self._take(line, now)
        return signals

    def deadline(self) -> float | None:
        """Return when silence ends the line that is coming."""
        return 0.0 if self._waiting else self._framer.deadline()

    def order(self, order: Order, now: float) -> None:  # noqa: ARG002
        """Refuse: a scanner moves nothing."""
        why = "a scanner has no outputs"
        self._waiting.add(OrderFailed(unit=order.unit, order=order, why=why))

    def take_outgoing(self) -> bytes:
        """Return nothing: the scanner is only listened to."""
        return b""

    def _take(self, line: Line, now: float) -> list[Signal]:
        if line.content.startswith(_COMMAND_REPLIES):
            # Its length or checksum may hold a CR or LF: the rest is no code either.
            self._reply_until = now + self._silence_s
        if now < self._reply_until:
            return []
        payload = line.content.removeprefix(_AIM_PREFIX)
        why = _fault_of(payload, is_cut=line.is_cut)
        if why:
            return self._report_garbled(line.content, why, now)
        if self._is_still_held(payload, now):
            return []
        if self._codes.admit(now):
            return [CodeRead(unit=self._unit, payload=payload)]
        # One word a burst; the codes themselves are nobody's business.
        if self._codes.dropped > 1:
            return []
        return [Garbled(unit=self._unit, raw=b"", why="rate limit")]

    def _is_still_held(self, payload: bytes, now: float) -> bool:
        is_same = payload == self._last_code
        is_held = is_same and now - self._last_code_at < self._same_code_s
        self._last_code, self._last_code_at = payload, now
        return is_held

    def _report_garbled(self, raw: bytes, why: str, now: float) -> list[Signal]:
        if not self._garbled.admit(now):
            return []
        return [Garbled(unit=self._unit, raw=raw[:GARBLED_BYTES], why=why)]


def _fault_of(payload: bytes, *, is_cut: bool) -> str:
    """Return why a payload is no code; empty if it is one."""
    if is_cut or len(payload) > MAX_CODE_BYTES:
        return "too long"
    # translate deletes what is printable and leaves what is not
    if payload.translate(None, _PRINTABLE):
        return "not printable"
    return "too short" if len(payload) < MIN_CODE_BYTES else ""
