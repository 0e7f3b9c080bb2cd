# SPDX-License-Identifier: Apache-2.0
"""The slave's end of Modbus RTU: requests out of a byte stream, replies framed.

The law of the module: it knows lengths and the CRC, not what coils and registers
mean. A frame that does not hold loses everything up to the next silence, as in a real
slave; it is never answered and never raises.
Source: MODBUS over Serial Line V1.02, 2.5.1 (RTU framing) and appendix B (CRC-16,
initial FFFF, polynomial A001 reflected, low byte first).
"""

from __future__ import annotations

from dataclasses import dataclass

#: The largest RTU frame (MODBUS over Serial Line V1.02, 2.5.1.1).
MAX_FRAME_BYTES = 256
#: Address that every board obeys and none answers.
BROADCAST = 0
_FIXED_LENGTH = (0x01, 0x02, 0x03, 0x05, 0x06)
_COUNTED_LENGTH = (0x0F, 0x10)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusRequest:
    """A sound request: to whom, which function, and the bytes up to the CRC."""

    address: int
    function: int
    body: bytes


class RequestFramer:
    """Cuts a stream into requests; ``silence_s`` ends a frame that did not hold."""

    def __init__(self, silence_s: float) -> None:
        self.silence_s = silence_s
        self._buffer = bytearray()
        self._is_lost = False
        self._heard_at = float("-inf")

    def feed(self, data: bytes, now: float) -> list[ModbusRequest]:
        """Return the requests that are complete with ``data``, in order."""
        if now - self._heard_at > self.silence_s:
            self.forget()
        self._heard_at = now
        if self._is_lost:
            return []
        self._buffer += data
        found: list[ModbusRequest] = []
        while (request := self._next()) is not None:
            found.append(request)
        return found

    def forget(self) -> None:
        """Drop what was heard: the line fell silent or the power was cut."""
        self._buffer.clear()
        self._is_lost = False

    def _next(self) -> ModbusRequest | None:
        size = self._expected_bytes()
        if size is None or size > len(self._buffer):
            return None
        frame = bytes(self._buffer[:size])
        if not is_sound(frame):
            # An unknown function has no length of its own: wait for more of it.
            self._is_lost = _is_known(frame) or len(self._buffer) >= MAX_FRAME_BYTES
            if self._is_lost:
                self._buffer.clear()
            return None
        del self._buffer[:size]
        return ModbusRequest(address=frame[0], function=frame[1], body=frame[2:-2])

    def _expected_bytes(self) -> int | None:
        buffer = self._buffer
        if len(buffer) < 4:
            return None
        if buffer[1] in _FIXED_LENGTH:
            return 8
        if buffer[1] in _COUNTED_LENGTH:
            return 9 + buffer[6] if len(buffer) > 6 else None
        return len(buffer)


def _is_known(frame: bytes) -> bool:
    return frame[1] in _FIXED_LENGTH or frame[1] in _COUNTED_LENGTH


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1  # noqa: PLW2901
        table.append(value)
    return tuple(table)


_TABLE = _crc_table()


def crc16(data: bytes) -> bytes:
    """Return the two CRC bytes of ``data``, in the order of the wire."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


def is_sound(frame: bytes) -> bool:
    """Tell whether the last two bytes are the CRC of the others."""
    return len(frame) >= 4 and crc16(frame[:-2]) == frame[-2:]


def framed(address: int, function: int, body: bytes) -> bytes:
    """Return ``address function body`` with its CRC."""
    content = bytes((address, function)) + body
    return content + crc16(content)
