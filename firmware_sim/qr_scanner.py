# SPDX-License-Identifier: Apache-2.0
r"""A simulated QR scan module that prints each code it sees on a serial line.

The law of the module: it frames what a visitor shows and nothing else; it has no
command dialogue, and what a gateway writes to it is counted and ignored.
Source: GM65 family (maker's notes, Tasmota xsns_107, specter-diy qr.py): payload and
tail, CR at the factory; ``03 LENH LENL payload`` with zone 0060 = 81; the AIM prefix
``]Q1``; endroid/qr-code #309 for scanners that print the ECI as ``\000026``.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from firmware_sim.errors import SimulationError
from firmware_sim.happening import Diary, Subject, What
from firmware_sim.outbox import Outbox, earliest
from firmware_sim.wire import check_baud

#: The largest payload a QR code can hold (version 40-L, bytes).
MAX_PAYLOAD_BYTES = 2_953
#: Codes shown and not decoded yet; a hand shows one at a time.
MAX_WAITING_CODES = 64
AIM_PREFIX = b"]Q1"
ECI_PREFIX = rb"\000026"


class Framing(StrEnum):
    """What stands around a payload."""

    CR = "cr"
    LF = "lf"
    CRLF = "crlf"
    NONE = "none"
    LENGTH_PREFIXED = "length_prefixed"


class Coding(StrEnum):
    """How text leaves the module; the GM65's factory value is GBK."""

    UTF_8 = "utf-8"
    GB18030 = "gb18030"


_TAILS = {Framing.CR: b"\r", Framing.LF: b"\n", Framing.CRLF: b"\r\n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class QrScannerSettings:
    """A kind of scanner.

    ``same_code_delay_s``: the same code again only after so long. ``piece_bytes``: the
    line arrives in pieces of that size with ``piece_gap_s`` between (64 is an USB
    packet; 0: whole). ``chopped_after_bytes``: the cable is pulled behind so many.
    ``decode_s``: from showing to the first byte.
    """

    framing: Framing = Framing.CR
    coding: Coding = Coding.UTF_8
    aim_prefix: bool = False
    eci_prefix: bool = False
    same_code_delay_s: float = 0.0
    decode_s: float = 0.0
    piece_bytes: int = 0
    piece_gap_s: float = 0.0
    chopped_after_bytes: int | None = None
    baud: int = 9_600

    def __post_init__(self) -> None:
        check_baud(self.baud)
        if self.piece_bytes < 0 or (self.chopped_after_bytes or 0) < 0:
            raise SimulationError(
                "piece_bytes and chopped_after_bytes are not negative"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class QrScannerSnapshot:
    """The scanner as it stands."""

    codes_shown: int
    codes_read: int
    ignored_bytes: int
    lost_bytes: int


class QrScanner:
    """The scanner and the visitor before it; ``settings`` may be replaced."""

    def __init__(
        self, settings: QrScannerSettings | None = None, *, name: str = "scanner"
    ) -> None:
        self.settings = settings or QrScannerSettings()
        self.diary = Diary(Subject.SCANNER, name)
        self._outbox = Outbox()
        self._last: tuple[bytes, float] | None = None
        self._decoded_at: deque[float] = deque()
        self._shown = 0
        self._read = 0
        self._ignored_bytes = 0

    @property
    def baud(self) -> int:
        """The rate of its line."""
        return self.settings.baud

    def receive(self, data: bytes, now: float) -> None:
        """Count and ignore what the gateway writes."""
        self.tick(now)
        self._ignored_bytes += len(data)

    def take_outgoing(self, now: float) -> bytes:
        """Return the bytes of codes that are due by ``now``."""
        self.tick(now)
        return self._outbox.take(now)

    def deadline(self) -> float | None:
        """Return when the next piece is due or a code is decoded."""
        decoded = self._decoded_at[0] if self._decoded_at else None
        return earliest(self._outbox.deadline(), decoded)

    def tick(self, now: float) -> None:
        """Note the codes that were decoded by ``now``."""
        while self._decoded_at and self._decoded_at[0] <= now:
            self.diary.note(What.CODE_READ, self._decoded_at.popleft())

    def show(self, text: str | bytes, now: float) -> bool:
        """Hold up a code; False if the module suppresses it as the same one again.

        Text is sent in the scanner's coding, bytes as they are; what no QR code can
        hold is cut at ``MAX_PAYLOAD_BYTES``.
        """
        self.tick(now)
        settings = self.settings
        if isinstance(text, str):
            text = text.encode(settings.coding.value, errors="replace")
        payload = text[:MAX_PAYLOAD_BYTES]
        self._shown += 1
        self.diary.note(What.CODE_SHOWN, now)
        if self._is_same_again(payload, now):
            return False
        self._last = (payload, now)
        self._read += 1
        if len(self._decoded_at) < MAX_WAITING_CODES:
            self._decoded_at.append(now + settings.decode_s)
        line = _framed(payload, settings)[: settings.chopped_after_bytes]
        self._print(line, now + settings.decode_s)
        self.tick(now)
        return True

    def snapshot(self) -> QrScannerSnapshot:
        """Return the scanner as it stands."""
        return QrScannerSnapshot(
            codes_shown=self._shown,
            codes_read=self._read,
            ignored_bytes=self._ignored_bytes,
            lost_bytes=self._outbox.lost_bytes,
        )

    def _is_same_again(self, payload: bytes, now: float) -> bool:
        if self._last is None:
            return False
        last, at = self._last
        return payload == last and now - at < self.settings.same_code_delay_s

    def _print(self, line: bytes, at: float) -> None:
        size = self.settings.piece_bytes or len(line) or 1
        for index, start in enumerate(range(0, len(line), size)):
            piece = line[start : start + size]
            self._outbox.put(piece, at + index * self.settings.piece_gap_s)


def _framed(payload: bytes, settings: QrScannerSettings) -> bytes:
    prefix = AIM_PREFIX if settings.aim_prefix else b""
    prefix += ECI_PREFIX if settings.eci_prefix else b""
    line = prefix + payload
    if settings.framing is Framing.LENGTH_PREFIXED:
        return b"\x03" + len(line).to_bytes(2, "big") + line
    return line + _TAILS.get(settings.framing, b"")
