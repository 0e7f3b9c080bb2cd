# SPDX-License-Identifier: Apache-2.0
"""Packets between an OSDP control panel and its readers.

The law of the module: bytes to values and back, nothing remembered, no key known.
A reply is looked for as one of a given address, wherever in the bytes it begins; a
fault is a value.

Source: libosdp, doc/protocol/packet-structure.rst and src/osdp_phy.c (OSDP v2.2, IEC
60839-11-5). ``[FF] 53 ADDR LEN CTRL [security block] CODE DATA [MAC] CRC``; LEN
(little-endian) counts from 53 to the last byte, a reply's ADDR has bit 7.
"""

from __future__ import annotations

from binascii import crc_hqx
from dataclasses import dataclass, field
from enum import StrEnum

START = 0x53
#: Sent before each packet, so that a receiver's clock has an edge to start from.
MARK = b"\xff"
REPLY_BIT = 0x80
CRC_BIT = 0x04
SECURITY_BIT = 0x08
MULTI_PART_BIT = 0x80
MAX_ADDRESS = 0x7E
#: What a control panel takes unless it told a reader of more (ACURXSIZE); we do not.
MAX_PACKET_BYTES = 256
MAC_BYTES = 4
_CRC_BYTES = 2
_CRC_START = 0x1D0F
#: START ADDR LEN LEN CTRL CODE CKSUM.
_LEAST_BYTES = 7
#: Size of a security block by its type, its own length byte included.
_BLOCK_BYTES = {kind: 3 if kind < 0x15 else 2 for kind in range(0x11, 0x19)}
_FIRST_MAC_BLOCK = 0x15


class Fault(StrEnum):
    """Why bytes are no packet."""

    TRUNCATED = "truncated"
    LENGTH = "impossible length"
    CHECKSUM = "wrong checksum"
    STRUCTURE = "wrong structure"
    NOISE = "noise"


@dataclass(frozen=True, slots=True)
class Packet:
    """A sound packet. ``security``: the block behind its length byte, or empty.

    ``signed`` is all that a MAC is reckoned over. ``data`` may be encrypted.
    """

    address: int
    is_reply: bool
    sequence: int
    has_crc: bool
    security: bytes
    code: int
    data: bytes = field(repr=False)
    mac: bytes
    signed: bytes = field(repr=False)


def head(
    address: int, sequence: int, code: int, security: bytes, rest_bytes: int
) -> bytes:
    """Return a packet up to its code; ``rest_bytes`` of data and MAC will follow."""
    block = bytes((len(security) + 1,)) + security if security else b""
    size = 5 + len(block) + 1 + rest_bytes + _CRC_BYTES
    control = sequence | CRC_BIT | (SECURITY_BIT if security else 0)
    start = bytes((START, address, size & 0xFF, size >> 8, control))
    return start + block + bytes((code,))


def finish(packet: bytes) -> bytes:
    """Return the bytes for the wire: the mark before and the CRC behind."""
    return MARK + packet + crc_hqx(packet, _CRC_START).to_bytes(2, "little")


def encode(
    address: int, sequence: int, code: int, data: bytes, security: bytes = b""
) -> bytes:
    """Return the bytes of a packet without MAC."""
    return finish(head(address, sequence, code, security, len(data)) + data)


def decode(packet: bytes) -> Packet | Fault:
    """Take a whole packet of either side apart, from 53 to its last byte."""
    size = len(packet)
    if size < _LEAST_BYTES or packet[0] != START:
        return Fault.TRUNCATED if packet[:1] == bytes((START,)) else Fault.NOISE
    if packet[2] | packet[3] << 8 != size:
        return Fault.LENGTH
    control = packet[4]
    has_crc = bool(control & CRC_BIT)
    if not _is_sound(packet, has_crc=has_crc):
        return Fault.CHECKSUM
    if control & MULTI_PART_BIT:
        return Fault.STRUCTURE
    return _take_apart(packet, size - (_CRC_BYTES if has_crc else 1), has_crc=has_crc)


def find_reply(buffer: bytes | bytearray, address: int) -> tuple[Packet, int] | None:
    """Return the first sound reply of ``address`` in ``buffer``, and where it ends.

    A start that only looks like a reply does not hide the reply behind it.
    """
    if len(buffer) < _LEAST_BYTES:
        return None
    begin = bytes((START, address | REPLY_BIT))
    at = buffer.find(begin)
    while 0 <= at <= len(buffer) - _LEAST_BYTES:
        size = buffer[at + 2] | buffer[at + 3] << 8
        if size <= MAX_PACKET_BYTES and at + size <= len(buffer):
            packet = decode(bytes(buffer[at : at + size]))
            if isinstance(packet, Packet):
                return packet, at + size
        at = buffer.find(begin, at + 1)
    return None


def explain(buffer: bytes | bytearray, address: int) -> Fault:
    """Say why ``buffer`` holds no reply of ``address``."""
    at = buffer.find(bytes((START, address | REPLY_BIT)))
    if at < 0:
        return Fault.NOISE
    if len(buffer) - at < _LEAST_BYTES:
        return Fault.TRUNCATED
    size = buffer[at + 2] | buffer[at + 3] << 8
    if not _LEAST_BYTES <= size <= MAX_PACKET_BYTES:
        return Fault.LENGTH
    if len(buffer) - at < size:
        return Fault.TRUNCATED
    fault = decode(bytes(buffer[at : at + size]))
    return fault if isinstance(fault, Fault) else Fault.NOISE


def _is_sound(packet: bytes, *, has_crc: bool) -> bool:
    if has_crc:
        stored = packet[-2] | packet[-1] << 8
        return crc_hqx(packet[:-2], _CRC_START) == stored
    return sum(packet) & 0xFF == 0


def _take_apart(packet: bytes, end: int, *, has_crc: bool) -> Packet | Fault:
    """Split what lies between the control byte and ``end``."""
    code_at, security = 5, b""
    if packet[4] & SECURITY_BIT:
        code_at += packet[5]
        security = packet[6:code_at]
        if not security or _BLOCK_BYTES.get(security[0]) != packet[5]:
            return Fault.STRUCTURE
    has_mac = bool(security) and security[0] >= _FIRST_MAC_BLOCK
    data_end = end - MAC_BYTES if has_mac else end
    if code_at >= data_end:
        return Fault.STRUCTURE
    return Packet(
        packet[1] & ~REPLY_BIT,
        bool(packet[1] & REPLY_BIT),
        packet[4] & 0x03,
        has_crc,
        security,
        packet[code_at],
        packet[code_at + 1 : data_end],
        packet[data_end:end],
        packet[:data_end],
    )
