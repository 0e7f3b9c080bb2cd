# SPDX-License-Identifier: Apache-2.0
r"""A simulated QR scan module: it prints each code it sees on a serial line.

The law of the module: it frames what a visitor shows. Without a ``dialogue`` in its
settings it has no commands, and what a gateway writes to it is counted and ignored;
with one it is a module of the GM65 family, ruled by its zones.
Source: see :mod:`firmware_sim.scanners.qr_style` for the lines and
:mod:`firmware_sim.scanners.gm65_module` for the dialogue.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from firmware_sim.errors import SimulationError
from firmware_sim.happening import Diary, Subject, What
from firmware_sim.outbox import Outbox, earliest
from firmware_sim.scanners.gm65_module import Gm65Module
from firmware_sim.scanners.qr_settings import (
    Gm65Settings,
    QrScannerSettings,
    ScannerFault,
    SetupCode,
)
from firmware_sim.scanners.qr_style import (
    AIM_PREFIX,
    ECI_PREFIX,
    Coding,
    Framing,
    QrStyle,
)

__all__ = [
    "AIM_PREFIX",
    "ECI_PREFIX",
    "Coding",
    "Framing",
    "Gm65Settings",
    "QrScanner",
    "QrScannerSettings",
    "QrScannerSnapshot",
    "ScannerFault",
    "SetupCode",
]

#: The largest payload a QR code can hold (version 40-L, bytes).
MAX_PAYLOAD_BYTES = 2_953
#: Codes shown and not decoded yet; a hand shows one at a time.
MAX_WAITING_CODES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class QrScannerSnapshot:
    """The scanner as it stands; the last four are of a module with a dialogue."""

    codes_shown: int
    codes_read: int
    ignored_bytes: int
    lost_bytes: int
    commands: int = 0
    reboots: int = 0
    is_deaf: bool = False
    prints_on_line: bool = True


class QrScanner:
    """The scanner and the visitor before it.

    ``settings`` may be replaced; a dialogue begins or ends with the scanner alone.
    """

    def __init__(
        self, settings: QrScannerSettings | None = None, *, name: str = "scanner"
    ) -> None:
        self.settings = settings or QrScannerSettings()
        self.diary = Diary(Subject.SCANNER, name)
        self._outbox = Outbox()
        self.module = _module_of(self.settings, self._outbox, self.diary)
        self._last: tuple[bytes, float] | None = None
        self._decoded_at: deque[float] = deque()
        self._free_at = 0.0
        self._lives = 0
        self._shown = 0
        self._read = 0
        self._ignored_bytes = 0

    @property
    def baud(self) -> int:
        """The rate of its line at present."""
        return self.module.baud if self.module else self.settings.baud

    def receive(self, data: bytes, now: float) -> None:
        """Take what the gateway writes."""
        self.tick(now)
        if self.module is None:
            self._ignored_bytes += len(data)
        else:
            self.module.receive(data, now)
            self.tick(now)

    def take_outgoing(self, now: float) -> bytes:
        """Return the bytes of replies and codes that are due by ``now``."""
        self.tick(now)
        data = self._outbox.take(now)
        if self.module and self._outbox.deadline() is None:
            self.module.sent_all()
        return data

    def deadline(self) -> float | None:
        """Return when the next piece is due, a code is decoded, a command is done."""
        decoded = self._decoded_at[0] if self._decoded_at else None
        module = self.module.deadline() if self.module else None
        return earliest(self._outbox.deadline(), decoded, module)

    def tick(self, now: float) -> None:
        """Carry out what is due by ``now`` and note the codes decoded by then."""
        if self.module:
            self.module.tick(now)
            self._begin_life(self.module.reboots)
        while self._decoded_at and self._decoded_at[0] <= now:
            self.diary.note(What.CODE_READ, self._decoded_at.popleft())

    def show(self, text: str | bytes, now: float) -> bool:
        """Hold up a code until it is read; False if the module does not read it.

        It does not if it is the same one again, or if the module is not looking. Text
        is sent in the scanner's coding, bytes as they are; what no QR code can hold is
        cut at ``MAX_PAYLOAD_BYTES``.
        """
        self.tick(now)
        style = self._style()
        payload = style.encoded(text)[:MAX_PAYLOAD_BYTES]
        self._shown += 1
        self.diary.note(What.CODE_SHOWN, now)
        is_blind = self.module is not None and not self.module.is_reading
        if is_blind or self._is_same_again(payload, now):
            return False
        self._last = (payload, now)
        self._read += 1
        decoded_at = self._decode(now)
        if len(self._decoded_at) < MAX_WAITING_CODES:
            self._decoded_at.append(decoded_at)
        if self.module is None or self.module.zones.prints_on_line:
            line = style.printed(payload)[: self.settings.chopped_after_bytes]
            self._print(line, decoded_at)
        self.tick(now)
        return True

    def show_setup_code(self, code: SetupCode, now: float) -> bool:
        """Hold up a code that sets the module up; tell whether it obeyed."""
        self.tick(now)
        obeyed = self._listening().show_setup_code(code, now)
        self.tick(now)
        return obeyed

    def power_cycle(self, now: float) -> None:
        """Cut the power and give it back: what was not saved is gone."""
        self.tick(now)
        self._listening().reboot(now)
        self.tick(now)

    def spoil(self, fault: ScannerFault, replies: int = 1) -> None:
        """Spoil the next ``replies`` replies, behind those already to be spoiled."""
        self._listening().spoil(fault, replies)

    def snapshot(self) -> QrScannerSnapshot:
        """Return the scanner as it stands."""
        module = self.module
        return QrScannerSnapshot(
            codes_shown=self._shown,
            codes_read=self._read,
            ignored_bytes=module.ignored_bytes if module else self._ignored_bytes,
            lost_bytes=self._outbox.lost_bytes,
            commands=module.commands if module else 0,
            reboots=module.reboots if module else 0,
            is_deaf=module.is_deaf if module else False,
            prints_on_line=module.zones.prints_on_line if module else True,
        )

    def _listening(self) -> Gm65Module:
        if self.module is None:
            raise SimulationError(
                f"{self.diary.name} only prints; give its settings a dialogue"
            )
        return self.module

    def _style(self) -> QrStyle:
        if self.module is None:
            return self.settings.style
        return self.module.zones.style(eci_prefix=self.settings.eci_prefix)

    def _begin_life(self, lives: int) -> None:
        """Forget, behind a reboot, what was seen before."""
        if lives != self._lives:
            self._lives = lives
            self._decoded_at.clear()
            self._last = None
            self._free_at = 0.0

    def _is_same_again(self, payload: bytes, now: float) -> bool:
        if self._last is None:
            return False
        delay_s = self.settings.same_code_delay_s
        if self.module:
            unit_s = self.module.settings.same_code_unit_s
            delay_s = self.module.zones.same_code_delay_s(unit_s)
        last, at = self._last
        return payload == last and now - at < delay_s

    def _decode(self, now: float) -> float:
        """Return when a code shown now is decoded: a module pauses between reads."""
        if self.module is None:
            return now + self.settings.decode_s
        self.module.has_read()
        decoded_at = max(now, self._free_at) + self.settings.decode_s
        self._free_at = decoded_at + self.module.zones.read_gap_s
        return decoded_at

    def _print(self, line: bytes, at: float) -> None:
        size = self.settings.piece_bytes or len(line) or 1
        for index, start in enumerate(range(0, len(line), size)):
            piece = line[start : start + size]
            self._outbox.put(piece, at + index * self.settings.piece_gap_s)


def _module_of(
    settings: QrScannerSettings, outbox: Outbox, diary: Diary
) -> Gm65Module | None:
    if settings.dialogue is None:
        return None
    return Gm65Module(settings.dialogue, outbox, diary)
