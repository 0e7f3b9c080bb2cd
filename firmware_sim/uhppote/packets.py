# SPDX-License-Identifier: Apache-2.0
"""The 64-byte packets of UHPPOTE (Weigeng) door controllers, as the far end has them.

The law of the module: bytes in, values out and back; no state. A packet has no check
sum: what has the right length and the right first byte is a packet, and fields that
cannot be (BCD of 9A, 30 February) are None.

    17 function 00 00 serial(4) fields...   integers little-endian, dates in BCD

Source: uhppoted/uhppote-core, messages/*.go with their test packets;
uhppoted/uhppoted-lib-python 0.9.1, encode.py and decode.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import IntEnum
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKET_BYTES = 64
BEGIN = 0x17
#: With firmware 6.62 events begin so.
BEGIN_OF_OLD_EVENTS = 0x19
MAGIC = bytes.fromhex("55AAAA55")
#: Years beyond it are no dates: the status has two digits for them.
CENTURY = "20"
#: Asks every controller; only GET_CONTROLLER may.
ANY_SERIAL = 0


class Function(IntEnum):
    """What a packet is about."""

    STATUS = 0x20
    SET_TIME = 0x30
    GET_TIME = 0x32
    OPEN_DOOR = 0x40
    PUT_CARD = 0x50
    DELETE_CARD = 0x52
    DELETE_ALL_CARDS = 0x54
    COUNT_CARDS = 0x58
    GET_CARD = 0x5A
    GET_CARD_AT = 0x5C
    SET_DOOR = 0x80
    GET_DOOR = 0x82
    SET_ANTIPASSBACK = 0x84
    GET_ANTIPASSBACK = 0x86
    SET_PROFILE = 0x88
    CLEAR_PROFILES = 0x8A
    SET_PASSCODES = 0x8C
    RECORD_SPECIAL = 0x8E
    SET_LISTENER = 0x90
    GET_LISTENER = 0x92
    GET_CONTROLLER = 0x94
    SET_ADDRESS = 0x96
    GET_PROFILE = 0x98
    PC_CONTROL = 0xA0
    SET_INTERLOCK = 0xA2
    SET_KEYPADS = 0xA4
    CLEAR_TASKS = 0xA6
    ADD_TASK = 0xA8
    SET_FIRST_CARD = 0xAA
    REFRESH_TASKS = 0xAC
    GET_EVENT = 0xB0
    SET_EVENT_INDEX = 0xB2
    GET_EVENT_INDEX = 0xB4
    RESTORE = 0xC8


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A whole packet; its methods read fields at offsets from the packet's begin."""

    function: int
    serial: int
    raw: bytes

    def number(self, at: int, size: int = 1) -> int:
        """Return a little-endian integer."""
        return int.from_bytes(self.raw[at : at + size], "little")

    def flag(self, at: int) -> bool:
        """Return a boolean; anything but 01 is no."""
        return self.raw[at] == 1

    def is_magic(self, at: int) -> bool:
        """Whether the word stands there that guards what destroys."""
        return self.raw[at : at + len(MAGIC)] == MAGIC

    def address(self, at: int) -> str:
        """Return an IPv4 address."""
        return str(IPv4Address(self.raw[at : at + 4]))

    def day(self, at: int) -> date | None:
        """Return a date; None where there is none or none that can be."""
        digits = _digits(self.raw[at : at + 4])
        if not digits.startswith(CENTURY):
            return None
        try:
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        except ValueError:
            return None

    def moment(self, at: int) -> datetime | None:
        """Return a date with its time."""
        day, digits = self.day(at), _digits(self.raw[at + 4 : at + 7])
        try:
            clock = time(int(digits[:2]), int(digits[2:4]), int(digits[4:]))
        except ValueError:
            return None
        return datetime.combine(day, clock) if day else None

    def clock(self, at: int) -> time | None:
        """Return a time of day without seconds."""
        digits = _digits(self.raw[at : at + 2])
        try:
            return time(int(digits[:2]), int(digits[2:]))
        except ValueError:
            return None


def parse(data: bytes) -> Packet | None:
    """Return the packet; None for what is none."""
    if len(data) != PACKET_BYTES or data[0] != BEGIN:
        return None
    serial = int.from_bytes(data[4:8], "little")
    return Packet(function=data[1], serial=serial, raw=data)


def build(
    function: int, serial: int, fields: Mapping[int, bytes], *, begin: int = BEGIN
) -> bytes:
    """Return a packet with ``fields`` at their offsets, all else zero."""
    packet = bytearray(PACKET_BYTES)
    packet[0], packet[1] = begin, function
    packet[4:8] = number(serial, 4)
    for at, content in fields.items():
        packet[at : at + len(content)] = content
    return bytes(packet)


def number(value: int, size: int = 1) -> bytes:
    """Write a little-endian integer."""
    return value.to_bytes(size, "little")


def flags(*values: bool) -> bytes:
    """Write booleans, a byte each."""
    return bytes(values)


def address(text: str) -> bytes:
    """Write an IPv4 address."""
    return IPv4Address(text).packed


def day(value: date | None) -> bytes:
    """Write a date; zeros where there is none."""
    return bytes.fromhex(f"{value:%Y%m%d}") if value else bytes(4)


def short_day(value: date) -> bytes:
    """Write a date with two digits of its year."""
    return bytes.fromhex(f"{value:%y%m%d}")


def moment(value: datetime | None) -> bytes:
    """Write a date with its time; zeros where there is none."""
    return bytes.fromhex(f"{value:%Y%m%d%H%M%S}") if value else bytes(7)


def clock(value: time) -> bytes:
    """Write a time of day without seconds."""
    return bytes.fromhex(f"{value:%H%M}")


def seconds_of_day(value: datetime) -> bytes:
    """Write a time of day with seconds."""
    return bytes.fromhex(f"{value:%H%M%S}")


def _digits(data: bytes) -> str:
    return data.hex()
