# SPDX-License-Identifier: Apache-2.0
"""The check sums of the wires.

The law of the module: bytes in, number out, any bytes-like object, no copy kept.
Source: SAM_V serial protocol text (XOR); Modbus over serial line V1.02, 6.2.2 (CRC).
"""

from __future__ import annotations

from functools import reduce
from operator import xor

Bytes = bytes | bytearray | memoryview


def xor_of(data: Bytes) -> int:
    """XOR of all bytes; 0 over a sound SAM_V frame behind its preamble."""
    return reduce(xor, data, 0)


def _crc16_row(index: int) -> int:
    for _ in range(8):
        index = (index >> 1) ^ 0xA001 if index & 1 else index >> 1
    return index


_CRC16 = tuple(_crc16_row(index) for index in range(256))


def crc16_modbus(data: Bytes) -> int:
    """CRC-16/Modbus: start FFFF, polynomial A001 reflected; low byte is sent first."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC16[(crc ^ byte) & 0xFF]
    return crc


def low_sum_of(data: Bytes) -> int:
    """Low byte of the sum of all bytes."""
    return sum(data) & 0xFF
