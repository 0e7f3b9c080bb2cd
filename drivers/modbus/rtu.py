# SPDX-License-Identifier: Apache-2.0
"""Modbus RTU requests and their replies, as a master sees them.

The law of the module: bytes to values and back, nothing remembered. A reply is only
ever read as the answer to a given request: that fixes its address, function, size
and, for writes, its content. A fault is a value.

Source: Modbus Application Protocol V1.1b3, 6 and 7; Modbus over serial line V1.02,
2.5.1 (RTU); values beyond FF00/0000 in function 05 from the Waveshare wiki, "Modbus
RTU Relay".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from drivers.checksum import crc16_modbus
from drivers.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The longest frame on a serial line (V1.02, 2.5.1.1).
MAX_FRAME_BYTES = 256
EXCEPTION_BYTES = 5
_EXCEPTION_BIT = 0x80
_LONGEST_READ_BITS = 2000
_LONGEST_READ_WORDS = 125
_LONGEST_WRITE_BITS = 1968
_LONGEST_WRITE_WORDS = 123


class Function(IntEnum):
    """The functions that are spoken here."""

    READ_COILS = 0x01
    READ_INPUTS = 0x02
    READ_REGISTERS = 0x03
    WRITE_COIL = 0x05
    WRITE_REGISTER = 0x06
    WRITE_COILS = 0x0F
    WRITE_REGISTERS = 0x10


_READS = (Function.READ_COILS, Function.READ_INPUTS, Function.READ_REGISTERS)
_EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    6: "device busy",
}


class Fault(StrEnum):
    """Why bytes are no answer to a request."""

    TRUNCATED = "truncated"
    CHECKSUM = "wrong checksum"
    ADDRESS = "wrong address"
    FUNCTION = "wrong function"
    CONTENT = "wrong content"
    ECHO = "echo of the request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to one unit: what follows the function code, and items to be read."""

    unit: int
    function: Function
    body: bytes
    count: int = 0

    @property
    def is_read(self) -> bool:
        """Whether an echo of this request can't be taken for its reply."""
        return self.function in _READS

    @property
    def reply_bytes(self) -> int:
        """Size of the reply that is no exception."""
        return 5 + self._data_bytes if self.is_read else 8

    @property
    def _data_bytes(self) -> int:
        is_words = self.function is Function.READ_REGISTERS
        return 2 * self.count if is_words else (self.count + 7) // 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bits:
    """Coils or inputs, in the order of their addresses."""

    values: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Registers, in the order of their addresses."""

    values: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A write was carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The unit answered with an exception."""

    code: int

    @property
    def why(self) -> str:
        """The exception in words."""
        return f"exception {self.code:02X} ({_EXCEPTIONS.get(self.code, 'unknown')})"


Reply = Bits | Words | Done | Refused


def read_coils(unit: int, address: int, count: int) -> Request:
    """Function 01."""
    return _read(unit, Function.READ_COILS, address, count, _LONGEST_READ_BITS)


def read_inputs(unit: int, address: int, count: int) -> Request:
    """Function 02."""
    return _read(unit, Function.READ_INPUTS, address, count, _LONGEST_READ_BITS)


def read_registers(unit: int, address: int, count: int) -> Request:
    """Function 03."""
    return _read(unit, Function.READ_REGISTERS, address, count, _LONGEST_READ_WORDS)


def write_coil(unit: int, address: int, value: int) -> Request:
    """Function 05; ``value`` is FF00 on, 0000 off, or what the maker gives it."""
    body = _word("address", address) + _word("value", value)
    return _request(unit, Function.WRITE_COIL, body)


def write_register(unit: int, address: int, value: int) -> Request:
    """Function 06."""
    body = _word("address", address) + _word("value", value)
    return _request(unit, Function.WRITE_REGISTER, body)


def write_coils(unit: int, address: int, values: Sequence[bool]) -> Request:
    """Function 0F."""
    _check("count", len(values), 1, _LONGEST_WRITE_BITS)
    mask = sum(1 << index for index, is_on in enumerate(values) if is_on)
    data = mask.to_bytes((len(values) + 7) // 8, "little")
    return _write_many(unit, Function.WRITE_COILS, address, len(values), data)


def write_registers(unit: int, address: int, values: Sequence[int]) -> Request:
    """Function 10."""
    _check("count", len(values), 1, _LONGEST_WRITE_WORDS)
    data = b"".join(_word("value", value) for value in values)
    return _write_many(unit, Function.WRITE_REGISTERS, address, len(values), data)


def encode(request: Request) -> bytes:
    """Return the whole frame of a request."""
    return seal(bytes([request.unit, request.function]) + request.body)


def seal(frame: bytes) -> bytes:
    """Append the checksum."""
    return frame + crc16_modbus(frame).to_bytes(2, "little")


def is_sealed(frame: bytes | bytearray) -> bool:
    """Whether the checksum at the end of a frame is right."""
    body, seen = memoryview(frame)[:-2], frame[-2:]
    return len(frame) > 2 and crc16_modbus(body).to_bytes(2, "little") == seen


def decode(request: Request, frame: bytes | bytearray) -> Reply | Fault:
    """Read a whole frame as the answer to ``request``."""
    if len(frame) < EXCEPTION_BYTES:
        return Fault.TRUNCATED
    if not is_sealed(frame):
        return Fault.CHECKSUM
    if frame[0] != request.unit:
        return Fault.ADDRESS
    if frame[1] == request.function | _EXCEPTION_BIT and len(frame) == EXCEPTION_BYTES:
        return Refused(code=frame[2])
    if frame[1] != request.function:
        return Fault.FUNCTION
    if request.is_read:
        return _decode_read(request, frame)
    is_same = bytes(frame[2:-2]) == request.body[:4]
    return Done() if is_same and len(frame) == request.reply_bytes else Fault.CONTENT


def find_reply(request: Request, buffer: bytes | bytearray) -> tuple[int, Reply] | None:
    """Return where in ``buffer`` the first sound answer begins, and the answer.

    Noise before it, an echo of the request or a frame of another unit is passed over;
    a start that only looks like an answer does not hide the answer behind it.
    """
    at = buffer.find(request.unit)
    while 0 <= at <= len(buffer) - EXCEPTION_BYTES:
        is_exception = buffer[at + 1] == request.function | _EXCEPTION_BIT
        if is_exception or buffer[at + 1] == request.function:
            size = EXCEPTION_BYTES if is_exception else request.reply_bytes
            reply = decode(request, buffer[at : at + size])
            if not isinstance(reply, Fault):
                return at, reply
        at = buffer.find(request.unit, at + 1)
    return None


def explain(request: Request, buffer: bytes | bytearray) -> Fault:
    """Say why what arrived until the time-out was no answer; ``buffer`` not empty."""
    if buffer == encode(request):
        return Fault.ECHO
    fault = decode(request, buffer)
    if isinstance(fault, Fault) and fault is not Fault.CHECKSUM:
        return fault
    is_short = len(buffer) < request.reply_bytes
    return Fault.TRUNCATED if is_short else Fault.CHECKSUM


def _decode_read(request: Request, frame: bytes | bytearray) -> Reply | Fault:
    if len(frame) != request.reply_bytes or frame[2] != len(frame) - EXCEPTION_BYTES:
        return Fault.CONTENT
    data = frame[3:-2]
    if request.function is Function.READ_REGISTERS:
        words = (data[at : at + 2] for at in range(0, len(data), 2))
        return Words(values=tuple(int.from_bytes(word, "big") for word in words))
    mask = int.from_bytes(data, "little")
    return Bits(values=tuple(bool(mask >> bit & 1) for bit in range(request.count)))


def _read(
    unit: int, function: Function, address: int, count: int, longest: int
) -> Request:
    _check("count", count, 1, longest)
    body = _word("address", address) + _word("count", count)
    return _request(unit, function, body, count)


def _write_many(
    unit: int, function: Function, address: int, count: int, data: bytes
) -> Request:
    head = _word("address", address) + _word("count", count)
    return _request(unit, function, head + bytes([len(data)]) + data)


def _request(unit: int, function: Function, body: bytes, count: int = 0) -> Request:
    _check("unit", unit, 0, 247)
    return Request(unit=unit, function=function, body=body, count=count)


def _word(name: str, value: int) -> bytes:
    _check(name, value, 0, 0xFFFF)
    return value.to_bytes(2, "big")


def _check(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise LocalError(f"{name} must be {least} to {most}, not {value}")
