# SPDX-License-Identifier: Apache-2.0
"""Code scanner that types what it reads, as a USB keyboard does.

The law of the module: bytes of the kernel's input events in, codes out
(:mod:`drivers.scanners.qr_codes` says what is one); nothing is ever sent. Enter ends a
code, or a pause. It is a makeshift: a code of two hundred characters takes up to 3 s,
and what is not ASCII is lost. The link must have grabbed the device, or the code is
typed into the console as well.

Source: Linux ``include/uapi/linux/input.h`` (struct input_event: seconds and micro-
seconds as two longs, type, code, value) and ``input-event-codes.h``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from drivers.device import Order, OrderFailed, Reachable, Show, Signal, Unreachable
from drivers.errors import LocalError
from drivers.options import between
from drivers.scanners.key_text import KeyText, TypedLine
from drivers.scanners.qr_codes import MIN_CODE_BYTES, CodeFilter
from drivers.waiting import WaitingSignals

EV_SYN, EV_KEY = 0x00, 0x01
#: The kernel's queue overflowed: events between this and the next report are missing.
SYN_REPORT, SYN_DROPPED = 0, 3
#: By size: two longs of 64 or of 32 bits before type, code and value.
_LAYOUTS = {24: struct.Struct("=16xHHi"), 16: struct.Struct("=8xHHi")}
NATIVE_EVENT_BYTES = struct.calcsize("@llHHi")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWedgeOptions:
    """``silence_s`` ends a code without Enter.

    ``event_bytes``: 24 where a long has 64 bits, 16 where it has 32; the default is
    that of this machine.
    """

    same_code_s: float = 3.0
    min_length: int = MIN_CODE_BYTES
    silence_s: float = 0.05
    event_bytes: int = NATIVE_EVENT_BYTES

    def __post_init__(self) -> None:
        between("same_code_s", self.same_code_s, 0.0, 10.0)
        between("min_length", self.min_length, 1, 512)
        between("silence_s", self.silence_s, 0.01, 1.0)
        if self.event_bytes not in _LAYOUTS:
            raise LocalError(f"event_bytes must be 16 or 24, not {self.event_bytes}")


class KeyWedge:
    """The driver; see :class:`drivers.device.Device` for the verbs."""

    def __init__(self, *, unit: int = 0, options: KeyWedgeOptions) -> None:
        self._unit = unit
        self._silence_s = options.silence_s
        self._layout = _LAYOUTS[options.event_bytes]
        self._codes = CodeFilter(
            unit=unit,
            same_code_s=options.same_code_s,
            min_code_bytes=options.min_length,
        )
        self._keys = KeyText()
        self._part = b""
        self._last_at = 0.0
        self._is_missing = False
        self._is_open = False
        self._waiting = WaitingSignals()

    def opened(self, now: float) -> None:
        """Call the scanner reachable; the signal comes with the next tick."""
        self.resumed(now)
        self._is_open = True
        self._waiting.add(Reachable(unit=self._unit, detail=""))

    def resumed(self, now: float) -> None:  # noqa: ARG002
        """Forget what was half typed, and which code was the last."""
        self._keys.reset()
        self._codes.forget()
        self._part = b""
        self._is_missing = False

    def closed(self, now: float) -> list[Signal]:
        """Call the scanner unreachable."""
        signals = self._waiting.take()
        if self._is_open:
            signals.append(Unreachable(unit=self._unit, why="the link was lost"))
        self._is_open = False
        self.resumed(now)
        return signals

    def receive(self, data: bytes, now: float) -> list[Signal]:
        """Take input events, in pieces of any size."""
        if data:
            self._last_at = now
        data = self._part + data
        whole = len(data) - len(data) % self._layout.size
        self._part = data[whole:]
        signals: list[Signal] = []
        for kind, code, value in self._layout.iter_unpack(data[:whole]):
            signals += self._take(self._event(kind, code, value), now)
        return signals

    def tick(self, now: float) -> list[Signal]:
        """End a code by a pause; a torn event is none."""
        signals = self._waiting.take()
        ends_at = self._ends_at()
        if ends_at is not None and now >= ends_at:
            self._part = b""
            signals += self._take(self._keys.end(), now)
        return signals

    def deadline(self) -> float | None:
        """Return when a pause ends what is being typed."""
        return 0.0 if self._waiting else self._ends_at()

    def order(self, order: Order, now: float) -> None:  # noqa: ARG002
        """Refuse: a scanner moves nothing. It has no lamp of ours for a cue either."""
        if isinstance(order, Show):
            return
        why = "a scanner has no outputs"
        self._waiting.add(OrderFailed(unit=order.unit, order=order, why=why))

    def take_outgoing(self) -> bytes:
        """Return nothing: the scanner is only listened to."""
        return b""

    def _ends_at(self) -> float | None:
        is_idle = self._keys.is_empty and not self._part
        return None if is_idle else self._last_at + self._silence_s

    def _event(self, kind: int, code: int, value: int) -> TypedLine | None:
        if kind == EV_SYN and code in (SYN_REPORT, SYN_DROPPED):
            self._is_missing = code == SYN_DROPPED
            if self._is_missing:
                self._keys.lost()
        elif kind == EV_KEY and not self._is_missing:
            return self._keys.press(code, value)
        return None

    def _take(self, line: TypedLine | None, now: float) -> list[Signal]:
        if line is None:
            return []
        if line.fault:
            return self._codes.refuse(line.content, line.fault, now)
        return self._codes.take(line.content, now, is_cut=line.is_cut)
