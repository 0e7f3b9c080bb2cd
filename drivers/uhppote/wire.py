# SPDX-License-Identifier: Apache-2.0
"""Packets of UHPPOTE (微耕) UT0311-L0x door controllers: 64 bytes by UDP, both ways.

The law of the module: what is no packet becomes a reason, never an exception. There is
no checksum and no proof of the sender, so length, first byte, function and serial
number are all that can be held against a packet. What is asked stands in
:mod:`drivers.uhppote.requests`. What wipes a controller or moves its address (functions
54, C8, 96) is in neither.

A packet: 17, function, 00 00, serial number, fields from byte 8 on. Numbers have their
lowest byte first, dates and times are BCD. Firmware 6.62 begins its events with 19.

Source: uhppoted/uhppote-core, messages/*.go and uhppote/get_event.go;
uhppoted-lib-python 0.9.1.1, encode.py and decode.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

PACKET_BYTES = 64
MAX_DOORS = 4
_START, _START_OF_EVENTS = 0x17, 0x19
_HEAD_BYTES = 8
_OVERWRITTEN = 0xFF


class Function(IntEnum):
    """What a packet is about; a reply bears the function of its request."""

    STATUS = 0x20
    SET_TIME = 0x30
    OPEN_DOOR = 0x40
    PUT_CARD = 0x50
    COUNT_CARDS = 0x58
    GET_CARD = 0x5A
    SET_DOOR = 0x80
    GET_DOOR = 0x82
    SET_PASSCODES = 0x8C
    RECORD_SPECIAL_EVENTS = 0x8E
    SET_LISTENER = 0x90
    FIND = 0x94
    PC_CONTROL = 0xA0
    GET_EVENT = 0xB0


class DoorMode(IntEnum):
    """Who holds a door."""

    NORMALLY_OPEN = 1
    NORMALLY_CLOSED = 2
    CONTROLLED = 3
    FIRST_CARD = 4


class Reason(IntEnum):
    """Why an event came about; those that the house acts upon."""

    PC_CONTROL = 0x05
    UNKNOWN_CARD = 0x12
    BUTTON = 0x14
    PASSCODE = 0x19
    REMOTE_OPEN = 0x2C


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A question; ``keys`` are the beginnings that the body of its reply may have."""

    function: Function
    body: bytes = b""
    keys: tuple[bytes, ...] = (b"",)

    def is_answered_by(self, packet: Packet) -> bool:
        """Tell whether a packet is the reply to this."""
        return packet.function == self.function and packet.body.startswith(self.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A packet as it came; ``body`` is what follows the serial number."""

    function: int
    serial: int
    body: bytes

    @property
    def is_done(self) -> bool:
        """Whether a reply of one byte says that it was done."""
        return self.body[0] == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of the controller's record; ``at`` is its own time, None unreadable."""

    index: int
    kind: int
    is_granted: bool
    door: int
    direction: int
    card: int
    at: datetime | None
    reason: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The controller as it stands, and its newest event, None if it has none.

    ``at`` is the controller's time, None if it is unreadable. The tuples count from
    door 1.
    """

    event: Event | None
    at: datetime | None
    are_open: tuple[bool, ...]
    are_pressed: tuple[bool, ...]
    relays: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorControl:
    """How a door is held, and for how many seconds a release lasts."""

    mode: int
    delay_s: int


def encode(request: Request, serial: int) -> bytes:
    """Return the whole packet; ``serial`` 0 means whoever hears it."""
    head = bytes((_START, request.function, 0, 0)) + serial.to_bytes(4, "little")
    return (head + request.body).ljust(PACKET_BYTES, b"\0")


def decode(data: bytes) -> Packet | str:
    """Return the packet, or why it is none."""
    if len(data) != PACKET_BYTES:
        return "not 64 bytes"
    is_event = data[0] == _START_OF_EVENTS and data[1] == Function.STATUS
    if data[0] != _START and not is_event:
        return "no packet of the controller's"
    serial = int.from_bytes(data[4:8], "little")
    return Packet(function=data[1], serial=serial, body=data[_HEAD_BYTES:])


def version_of(packet: Packet) -> str:
    """Return the firmware's version of a reply to :func:`find`."""
    return f"{packet.body[18]:x}.{packet.body[19]:02x}"


def status_of(packet: Packet) -> Status:
    """Return what a status or an event says of the controller."""
    body = packet.body
    return Status(
        event=event_of(packet),
        at=_time_of(f"20{body[43:46].hex()}{body[29:32].hex()}"),
        are_open=tuple(map(bool, body[20:24])),
        are_pressed=tuple(map(bool, body[24:28])),
        relays=tuple(bool(body[41] >> place & 1) for place in range(MAX_DOORS)),
    )


def event_of(packet: Packet) -> Event | None:
    """Return the event of a packet; None if there is none or it was overwritten."""
    body = packet.body
    index = int.from_bytes(body[0:4], "little")
    if not index or body[4] == _OVERWRITTEN:
        return None
    return Event(
        index=index,
        kind=body[4],
        is_granted=body[5] == 1,
        door=body[6],
        direction=body[7],
        card=int.from_bytes(body[8:12], "little"),
        at=_time_of(body[12:19].hex()),
        reason=body[19],
    )


def door_of(packet: Packet) -> DoorControl:
    """Return how a door is held, of a reply to its question or its setting."""
    return DoorControl(mode=packet.body[1], delay_s=packet.body[2])


def count_of(packet: Packet) -> int:
    """Return the number of cards, of a reply to its question."""
    return int.from_bytes(packet.body[0:4], "little")


def _time_of(digits: str) -> datetime | None:
    """Read YYYYMMDDhhmmss; the digits of a broken clock may be letters."""
    if not digits.isdecimal():
        return None
    pairs = (int(digits[at : at + 2]) for at in range(4, 14, 2))
    month, day, hour, minute, second = pairs
    try:
        # The controller knows no zone.
        return datetime(int(digits[:4]), month, day, hour, minute, second)  # noqa: DTZ001
    except ValueError:
        return None
