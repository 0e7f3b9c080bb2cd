# SPDX-License-Identifier: Apache-2.0
"""Code scanner that sends each code as a line (any make, in serial mode).

The law of the module: nothing is ever sent, and a line that is not printable as it
came is no code (:mod:`drivers.scanners.qr_codes` says what is). ``same_code_s`` is
short here, because a second scan within seconds re-opens a door. The scanner is
silent, so it is reachable while its link is open; one whose settings and health are
to be watched is a ``qr_gm65``.

Source: GM65/GM805 serial manuals (terminator CR, AIM prefix of zone 00D0, command
replies 02 00 / 03 00), DE2120 and EM3080 manuals, revisions unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.device import Order, OrderFailed, Reachable, Show, Signal, Unreachable
from drivers.framing import LineFramer
from drivers.options import between
from drivers.scanners.qr_codes import MAX_LINE_BYTES, CodeFilter
from drivers.waiting import WaitingSignals

if TYPE_CHECKING:
    from drivers.framing import Line

_COMMAND_REPLIES = (b"\x02\x00", b"\x03\x00")


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
        self._silence_s = options.silence_s
        self._framer = LineFramer(
            max_line_bytes=MAX_LINE_BYTES, silence_s=options.silence_s
        )
        self._codes = CodeFilter(unit=unit, same_code_s=options.same_code_s)
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
        self._codes.forget()
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
        """Refuse: a scanner moves nothing. It has no lamp of ours for a cue either."""
        if isinstance(order, Show):
            return
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
        return self._codes.take(line.content, now, is_cut=line.is_cut)
