# SPDX-License-Identifier: Apache-2.0
"""Coils and registers of the Waveshare "Modbus RTU Relay" boards.

The law of the module: one request in, one reply body or one exception out; what it
changes stands in the relay bank and in address and rate of the board.
Source: Waveshare wiki, "Modbus RTU Relay" and "Modbus RTU Relay (D)", protocol V2
(since September 2021): flash at 0200 and 0400 plus channel in units of 100 ms, 00FF
for all relays, control modes at 1000 to 1007, UART at 2000, address at 4000, version
at 8000. A request to address 0 is obeyed without a reply; reading address or version
is answered all the same, against the Modbus standard, from the board's own address.
Reading 2000 is not documented and refused here.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from firmware_sim.relays.relay_bank import ControlMode

if TYPE_CHECKING:
    from firmware_sim.relays.modbus_rtu import ModbusRequest
    from firmware_sim.relays.relay_bank import RelayBank

FLASH_UNIT_MS = 100
FLASH_LONGEST = 0x7FFF
ALL_RELAYS = 0x00FF
FLASH_ON, FLASH_OFF = 0x0200, 0x0400
MODES, UART, ADDRESS, VERSION = 0x1000, 0x2000, 0x4000, 0x8000
ON, OFF, TOGGLE = 0xFF00, 0x0000, 0x5500
#: Index of register 2000 to the UART's rate; another generation counts 0 = 9600.
BAUD_RATES = (4_800, 9_600, 19_200, 38_400, 57_600, 115_200, 128_000, 256_000)


class Refusal(IntEnum):
    """Modbus exception codes."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3


class RegisterMap:
    """What a board answers; ``address`` and ``baud`` are written over the wire."""

    def __init__(
        self, bank: RelayBank, *, address: int, baud: int, version: int
    ) -> None:
        self.address = address
        self.baud = baud
        self._version = version
        self._bank = bank

    def answer(self, request: ModbusRequest, now: float) -> bytes | Refusal:
        """Carry out ``request`` and return the reply's body (behind the function)."""
        body = request.body
        match request.function:
            case 0x01 | 0x02 | 0x03:
                return self._read(request.function, body)
            case 0x05 | 0x06 | 0x0F | 0x10:
                return self._write(request.function, body, now)
            case _:
                return Refusal.ILLEGAL_FUNCTION

    def is_answered_broadcast(self, request: ModbusRequest) -> bool:
        """Tell whether boards answer this although it goes to address 0."""
        wanted = (ADDRESS, 1), (VERSION, 1)
        return request.function == 0x03 and _words(request.body) in wanted

    def _read(self, function: int, body: bytes) -> bytes | Refusal:
        match function:
            case 0x01:
                return self._read_bits(self._bank.coils, body)
            case 0x02:
                return self._read_bits(self._bank.inputs, body)
            case _:
                return self._read_registers(body)

    def _write(self, function: int, body: bytes, now: float) -> bytes | Refusal:
        match function:
            case 0x05:
                return self._write_coil(body, now)
            case 0x06:
                return self._write_register(body, now)
            case 0x0F:
                return self._write_coils(body, now)
            case _:
                return self._write_registers(body, now)

    def _read_bits(self, bits: list[bool], body: bytes) -> bytes | Refusal:
        start, count = _words(body)
        if not 1 <= count <= 2_000:
            return Refusal.ILLEGAL_VALUE
        if start + count > len(bits):
            return Refusal.ILLEGAL_ADDRESS
        wanted = bits[start : start + count]
        value = sum(bit << place for place, bit in enumerate(wanted))
        size = (count + 7) // 8
        return bytes((size,)) + value.to_bytes(size, "little")

    def _read_registers(self, body: bytes) -> bytes | Refusal:
        start, count = _words(body)
        if not 1 <= count <= 125:
            return Refusal.ILLEGAL_VALUE
        values = [self._register(start + index) for index in range(count)]
        known = [value for value in values if value is not None]
        if len(known) < count:
            return Refusal.ILLEGAL_ADDRESS
        words = b"".join(value.to_bytes(2, "big") for value in known)
        return bytes((len(words),)) + words

    def _register(self, number: int) -> int | None:
        modes = self._bank.modes
        if MODES <= number < MODES + len(modes):
            return int(modes[number - MODES])
        return {ADDRESS: self.address, VERSION: self._version}.get(number)

    def _write_coil(self, body: bytes, now: float) -> bytes | Refusal:
        number, value = _words(body)
        relays = len(self._bank.coils)
        if number == ALL_RELAYS:
            refusal = self._switch(range(relays), value, now)
        elif number < relays:
            refusal = self._switch([number], value, now)
        elif FLASH_ON <= number < FLASH_ON + relays:
            refusal = self._flash(number - FLASH_ON, value, now, is_on=True)
        elif FLASH_OFF <= number < FLASH_OFF + relays:
            refusal = self._flash(number - FLASH_OFF, value, now, is_on=False)
        else:
            refusal = Refusal.ILLEGAL_ADDRESS
        return refusal or body

    def _switch(
        self, channels: range | list[int], value: int, now: float
    ) -> Refusal | None:
        if value not in (ON, OFF, TOGGLE):
            return Refusal.ILLEGAL_VALUE
        for channel in channels:
            toggled = not self._bank.coils[channel]
            is_on = toggled if value == TOGGLE else value == ON
            self._bank.set(channel, now, is_on=is_on)
        return None

    def _flash(
        self, channel: int, units: int, now: float, *, is_on: bool
    ) -> Refusal | None:
        if not 1 <= units <= FLASH_LONGEST:
            return Refusal.ILLEGAL_VALUE
        self._bank.pulse(channel, units * FLASH_UNIT_MS / 1_000, now, is_on=is_on)
        return None

    def _write_register(self, body: bytes, now: float) -> bytes | Refusal:
        number, value = _words(body)
        if MODES <= number < MODES + len(self._bank.modes):
            refusal = self._set_modes(number - MODES, [value], now)
        elif number == UART:
            refusal = self._set_uart(value)
        elif number == ADDRESS:
            refusal = self._set_address(value)
        else:
            refusal = Refusal.ILLEGAL_ADDRESS
        return refusal or body

    def _set_modes(self, first: int, values: list[int], now: float) -> Refusal | None:
        if any(value not in tuple(ControlMode) for value in values):
            return Refusal.ILLEGAL_VALUE
        for channel, value in enumerate(values, first):
            self._bank.set_mode(channel, ControlMode(value), now)
        return None

    def _set_uart(self, value: int) -> Refusal | None:
        parity, index = value >> 8, value & 0xFF
        if parity > 2 or index >= len(BAUD_RATES):
            return Refusal.ILLEGAL_VALUE
        self.baud = BAUD_RATES[index]
        return None

    def _set_address(self, value: int) -> Refusal | None:
        if not 1 <= value <= 0xFF:
            return Refusal.ILLEGAL_VALUE
        self.address = value
        return None

    def _write_coils(self, body: bytes, now: float) -> bytes | Refusal:
        start, count = _words(body[:4])
        mask = body[5:]
        if count < 1 or len(mask) != (count + 7) // 8 or body[4] != len(mask):
            return Refusal.ILLEGAL_VALUE
        if start + count > len(self._bank.coils):
            return Refusal.ILLEGAL_ADDRESS
        value = int.from_bytes(mask, "little")
        for place in range(count):
            self._bank.set(start + place, now, is_on=bool(value >> place & 1))
        return body[:4]

    def _write_registers(self, body: bytes, now: float) -> bytes | Refusal:
        start, count = _words(body[:4])
        data = body[5:]
        if count < 1 or len(data) != 2 * count or body[4] != len(data):
            return Refusal.ILLEGAL_VALUE
        if not MODES <= start <= start + count <= MODES + len(self._bank.modes):
            return Refusal.ILLEGAL_ADDRESS
        values = [
            int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)
        ]
        return self._set_modes(start - MODES, values, now) or body[:4]


def _words(body: bytes) -> tuple[int, int]:
    return int.from_bytes(body[:2], "big"), int.from_bytes(body[2:4], "big")
