# SPDX-License-Identifier: Apache-2.0
"""Frames between a host and a code scanner of the GM65 family.

The law of the module: bytes to values and back, nothing remembered. A reply carries no
name of its question; :func:`answers` decides by kind and size. How replies are found
among codes is :mod:`drivers.scanners.qr_gm65_framer`'s.

Source: GM65/GM812 serial manuals (V1.2.1 of GM812) as read by cryptoadvance/specter-diy
``qr.py`` and Tasmota ``xsns_107_gm861.ino``. Question: ``7E 00 TYPE N ADDRH ADDRL DATA
CRCH CRCL``, answer: ``02 00 00 N DATA CRCH CRCL``, to a heartbeat with 03. CRC-16,
polynomial 1021, start 0000, over all between the two bytes of the head and the CRC.
"""

from __future__ import annotations

from binascii import crc_hqx
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drivers.checksum import Bytes

_ASK = b"\x7e\x00"
_READ, _WRITE, _SAVE, _HEARTBEAT = 0x07, 0x08, 0x09, 0x0A
#: The first byte of an answer to a heartbeat; of any other it is 02.
HEARTBEAT_HEAD = 0x03
CRC_BYTES = 2
#: Two of a head and a CRC: no frame is so short.
_LEAST_BYTES = 4
BAUD_ZONE = 0x002A
#: 3 MHz divided by the speed; the last three are computed, not printed in a source.
_BAUD_OF = {0x0139: 9600, 0x001A: 115200, 0x009C: 19200, 0x004E: 38400, 0x0034: 57600}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A frame to be written, and how its answer is told from others."""

    frame: bytes
    answer_bytes: int = 1
    is_heartbeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A sound answer of the scanner's; it does not say what it answers."""

    data: bytes
    is_heartbeat: bool


def read_zone(address: int, size: int) -> Question:
    """Ask for ``size`` consecutive zones."""
    body = bytes([_READ, 1]) + address.to_bytes(2, "big") + bytes([size])
    return Question(frame=_sealed(body), answer_bytes=size)


def write_zone(address: int, data: bytes) -> Question:
    """Write consecutive zones; forgotten at power-off unless :func:`save` follows."""
    body = bytes([_WRITE, len(data)]) + address.to_bytes(2, "big") + data
    return Question(frame=_sealed(body))


def save() -> Question:
    """Have all zones kept in flash."""
    return Question(frame=_sealed(bytes([_SAVE, 1, 0, 0, 0])))


def heartbeat() -> Question:
    """Ask whether it lives."""
    frame = _sealed(bytes([_HEARTBEAT, 1, 0, 0, 0]))
    return Question(frame=frame, is_heartbeat=True)


def trigger() -> Question:
    """Have it look for one code, in command mode (zone 0002 = 01)."""
    return write_zone(0x0002, b"\x01")


def answers(question: Question, reply: Reply) -> bool:
    """Whether a reply can belong to a question; it carries no name of it."""
    is_kind = reply.is_heartbeat is question.is_heartbeat
    return is_kind and len(reply.data) == question.answer_bytes


def describe_baud(value: int) -> str:
    """Return the speed that zone 002A holds, in words."""
    baud = _BAUD_OF.get(value)
    return f"{baud} baud" if baud else f"speed zone {value:04X}"


def is_sealed(frame: Bytes) -> bool:
    """Whether the CRC of a whole frame fits, a question's or a reply's."""
    body, crc = frame[2:-CRC_BYTES], frame[-CRC_BYTES:]
    return len(frame) > _LEAST_BYTES and crc == _crc(body)


def _sealed(body: bytes) -> bytes:
    return _ASK + body + _crc(body)


def _crc(body: Bytes) -> bytes:
    return crc_hqx(body, 0).to_bytes(CRC_BYTES, "big")
