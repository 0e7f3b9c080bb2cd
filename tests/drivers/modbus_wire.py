# SPDX-License-Identifier: Apache-2.0
"""The frames of a relay board with eight channels, sealed by a CRC of our own."""

from __future__ import annotations

from drivers.modbus.relay_board import RelayBoards
from drivers.modbus.relay_unit import RelayBoardOptions
from tests.drivers.scripted import Reply, ScriptedWire


def sealed(digits: str) -> str:
    """Append CRC-16/Modbus, bit by bit, as the standard writes it."""
    crc = 0xFFFF
    data = bytes.fromhex(digits)
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc, low = crc >> 1, crc & 1
            crc ^= 0xA001 * low
    return (data + crc.to_bytes(2, "little")).hex().upper()


def all_off(unit: int) -> str:
    return sealed(f"{unit:02X}0500FF0000")


def read_modes(unit: int) -> str:
    return sealed(f"{unit:02X}0310000008")


def modes(unit: int, *values: int) -> str:
    words = "".join(f"{value:04X}" for value in values or [0] * 8)
    return sealed(f"{unit:02X}0310{words}")


def clear_modes(unit: int) -> str:
    return sealed(f"{unit:02X}10100000081000000000000000000000000000000000")


def modes_cleared(unit: int) -> str:
    return sealed(f"{unit:02X}1010000008")


def read_inputs(unit: int) -> str:
    return sealed(f"{unit:02X}0200000008")


def inputs(unit: int, mask: int) -> str:
    return sealed(f"{unit:02X}0201{mask:02X}")


def read_coils(unit: int) -> str:
    return sealed(f"{unit:02X}0100000008")


def coils(unit: int, mask: int) -> str:
    return sealed(f"{unit:02X}0101{mask:02X}")


def pulse(unit: int, channel: int, units: int) -> str:
    return sealed(f"{unit:02X}0502{channel - 1:02X}{units:04X}")


def switch(unit: int, channel: int, *, is_on: bool) -> str:
    return sealed(f"{unit:02X}0500{channel - 1:02X}{'FF00' if is_on else '0000'}")


def refusal(unit: int, function: int, code: int) -> str:
    return sealed(f"{unit:02X}{function | 0x80:02X}{code:02X}")


def board(unit: int) -> dict[str, Reply]:
    """A sound board with all off; it obeys pulses of 1 s and switching of relay 1."""
    obeyed = (
        all_off(unit),
        pulse(unit, 1, 10),
        switch(unit, 1, is_on=True),
        switch(unit, 1, is_on=False),
    )
    return {
        **{frame: frame for frame in obeyed},
        read_modes(unit): modes(unit),
        read_inputs(unit): inputs(unit, 0),
        read_coils(unit): coils(unit, 0),
    }


def split(data: bytes) -> list[bytes]:
    """One frame at a time is all that a master may write."""
    return [data] if data else []


def wire(*units: int, **options: float | str | bool) -> ScriptedWire:
    """A line with sound boards, not opened yet."""
    kind = RelayBoardOptions(**options)  # type: ignore[arg-type]
    boards = RelayBoards(boards=dict.fromkeys(units, kind))
    script = ScriptedWire(boards, splits=split)
    for unit in units:
        script.replies |= board(unit)
    return script


def serving(*units: int, **options: float | str | bool) -> ScriptedWire:
    """The same, opened and reachable."""
    script = wire(*units, **options)
    script.open()
    script.run(0.2)
    return script
