# SPDX-License-Identifier: Apache-2.0
r"""What of all that a scanner reads is a code, and how often one is told.

The law of the module: what people hold up is hostile input. Only printable ASCII of
a bounded length is a code; its bytes are taken as they were read, and no text coding
is ever guessed. A code that is held before a scanner is one code: a payload is news
again once it was away for ``same_code_s``. Codes and garbled lines are limited apart,
so that noise never starves a code.

Source: ISO/IEC 15424 (``]Q1``); endroid/qr-code #309 and markusfisch/BinaryEye #542
(scanners that print an ECI designator as the text ``\000026``).
"""

from __future__ import annotations

from drivers.device import GARBLED_BYTES, CodeRead, Garbled, Signal
from drivers.limits import RateLimit

#: Beyond this a line is no code of anybody's; kept only to find its end.
MAX_LINE_BYTES = 4096
MIN_CODE_BYTES = 8
MAX_CODE_BYTES = 512
#: Nobody scans faster by hand; beyond, somebody plays or a line is broken.
CODES_A_SECOND = 5
GARBLED_A_SECOND = 5
AIM_PREFIX = b"]Q1"
ECI_PREFIX = rb"\000026"
_PRINTABLE = bytes(range(0x20, 0x7F))


class CodeFilter:
    """Turns the lines of one scanner into codes; ``unit`` is the scanner's."""

    def __init__(
        self, *, unit: int, same_code_s: float, min_code_bytes: int = MIN_CODE_BYTES
    ) -> None:
        self._unit = unit
        self._same_code_s = same_code_s
        self._min_code_bytes = min_code_bytes
        self._codes = RateLimit(most=CODES_A_SECOND, within_s=1.0)
        self._garbled = RateLimit(most=GARBLED_A_SECOND, within_s=1.0)
        self._last_code = b""
        self._last_code_at = 0.0

    def forget(self) -> None:
        """Forget which code was the last."""
        self._last_code = b""

    def take(
        self, line: bytes, now: float, *, is_cut: bool, raw: bytes | None = None
    ) -> list[Signal]:
        """Judge a line; ``raw`` is what to show of it if it is no code."""
        payload = line.removeprefix(AIM_PREFIX).removeprefix(ECI_PREFIX)
        why = self._fault_of(payload, is_cut=is_cut)
        if why:
            return self.refuse(line if raw is None else raw, why, now)
        if self._is_still_held(payload, now):
            return []
        if self._codes.admit(now):
            return [CodeRead(unit=self._unit, payload=payload)]
        # One word a burst; the codes themselves are nobody's business.
        if self._codes.dropped > 1:
            return []
        return [Garbled(unit=self._unit, raw=b"", why="rate limit")]

    def _fault_of(self, payload: bytes, *, is_cut: bool) -> str:
        """Return why a payload is no code; empty if it is one."""
        if is_cut or len(payload) > MAX_CODE_BYTES:
            return "too long"
        # translate deletes what is printable and leaves what is not
        if payload.translate(None, _PRINTABLE):
            return "not printable"
        return "too short" if len(payload) < self._min_code_bytes else ""

    def _is_still_held(self, payload: bytes, now: float) -> bool:
        is_same = payload == self._last_code
        is_held = is_same and now - self._last_code_at < self._same_code_s
        self._last_code, self._last_code_at = payload, now
        return is_held

    def refuse(self, raw: bytes, why: str, now: float) -> list[Signal]:
        """Report a line that is no code, unless too many were of late."""
        if not self._garbled.admit(now):
            return []
        return [Garbled(unit=self._unit, raw=raw[:GARBLED_BYTES], why=why)]
