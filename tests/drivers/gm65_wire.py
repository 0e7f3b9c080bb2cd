# SPDX-License-Identifier: Apache-2.0
"""The far end of a GM65 scanner's line as far as its driver's tests need one.

Its checksum is reckoned bit by bit, as in Tasmota's ``Gm861Crc``, and shared with
nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.scanners.qr_gm65 import Gm65Scanner
from drivers.scanners.qr_gm65_settings import Gm65Options
from tests.drivers.scripted import Reply, ScriptedWire
from tests.drivers.vectors import frames

if TYPE_CHECKING:
    from drivers.device import Signal
    from drivers.options import OptionValue

HEARTBEAT = "7E000A01000000301A"
TRIGGER = "7E00080100020102DA"
SAVE = "7E000901000000DEC8"
HEARTBEAT_REPLY = "03000001003331"
OK = "02000001003331"
#: As the driver reads them.
READ_ORDER = (0x0000, 0x0003, 0x000D, 0x0060, 0x002A, 0x0013)


def crc(data: bytes) -> bytes:
    value = 0
    for bit in (byte >> shift & 1 for byte in data for shift in range(7, -1, -1)):
        carry = value >> 15 ^ bit
        value = (value << 1 & 0xFFFF) ^ 0x1021 * carry
    return value.to_bytes(2, "big")


def question(kind: int, address: int, data: str) -> str:
    """A whole frame of the host's."""
    body = bytes.fromhex(f"{kind:02X}{len(data) // 2:02X}{address:04X}{data}")
    return (b"\x7e\x00" + body + crc(body)).hex().upper()


def read(address: int, size: int = 1) -> str:
    return question(7, address, f"{size:02X}")


def write(address: int, data: str) -> str:
    return question(8, address, data)


def answer(data: bytes) -> str:
    body = bytes([0, len(data)]) + data
    return (b"\x02\x00" + body + crc(body)).hex().upper()


READS = [read(at, 2 if at == 0x002A else 1) for at in READ_ORDER]


class Gm65Wire(ScriptedWire):
    """A scanner with the zones of a factory-fresh GM861; ``replies`` override it.

    ``stubborn`` are zones that say "ok" and do not change. ``injected``: into the
    answer to the question of that count, at that place, these bytes are put once.
    """

    def __init__(self, **options: OptionValue) -> None:
        device = Gm65Scanner(options=Gm65Options(**options))  # type: ignore[arg-type]
        super().__init__(device, splits=lambda data: [data] if data else [])
        dump = next(v.frame for v in frames("gm65") if len(v.frame) == 104)
        self.zones = bytearray(dump[4:-2]) + bytearray(256 - 98)
        self.stubborn: set[int] = set()
        self.injected: tuple[int, int, bytes] | None = None
        self.is_dead = False

    @property
    def scanner(self) -> Gm65Scanner:
        assert isinstance(self.device, Gm65Scanner)
        return self.device

    def feed_text(self, text: bytes) -> list[Signal]:
        return self.feed(text.hex())

    def _reply_to(self, digits: str) -> str | None:
        if self.is_dead:
            return None
        reply = self._sound_reply_to(digits)
        if self.injected is None or reply is None:
            return reply
        count, at, text = self.injected
        if len(self.sent) != count + 1:
            return reply
        return reply[: 2 * at] + text.hex() + reply[2 * at :]

    def _sound_reply_to(self, digits: str) -> str | None:
        if digits in self.replies:
            return super()._reply_to(digits)
        frame = bytes.fromhex(digits)
        assert frame[:2] == b"\x7e\x00"
        assert frame[-2:] == crc(frame[2:-2])
        kind, at, data = frame[2], int.from_bytes(frame[4:6], "big"), frame[6:-2]
        if kind == 7:
            return answer(bytes(self.zones[at : at + data[0]]))
        if kind == 8 and at not in self.stubborn:
            self.zones[at : at + len(data)] = data
        return HEARTBEAT_REPLY if kind == 0x0A else OK


def opened(replies: dict[str, Reply] | None = None, **options: OptionValue) -> Gm65Wire:
    """A scanner whose settings were read and applied; nothing has happened since."""
    script = Gm65Wire(**options)
    script.replies = dict(replies or {})
    script.open()
    script.run(0.2)
    script.sent.clear()
    script.signals.clear()
    return script
