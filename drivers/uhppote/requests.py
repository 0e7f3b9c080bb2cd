# SPDX-License-Identifier: Apache-2.0
"""What a UHPPOTE controller is asked and told to do.

The law of the module: one function a request, values in, a request out; a door or a
delay that no controller has is the house's mistake (LocalError).

Source: uhppoted/uhppote-core, messages/*.go; uhppoted-lib-python 0.9.1.1, encode.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.errors import LocalError
from drivers.uhppote.wire import MAX_DOORS, DoorMode, Function, Request

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime
    from ipaddress import IPv4Address

#: What the controller counts of a door's release.
MAX_DELAY_S = 255
#: Said with whatever changes how the controller works.
_MAGIC = bytes.fromhex("55AAAA55")


def find() -> Request:
    """Ask who is there."""
    return Request(function=Function.FIND)


def get_status() -> Request:
    """Ask for levels and the newest event."""
    return Request(function=Function.STATUS)


def set_time(at: datetime) -> Request:
    """Set the controller's clock, which knows no time zone."""
    return Request(function=Function.SET_TIME, body=bytes.fromhex(f"{at:%Y%m%d%H%M%S}"))


def open_door(door: int) -> Request:
    """Release a door once, for as long as its delay says."""
    return Request(function=Function.OPEN_DOOR, body=_door(door))


def get_door(door: int) -> Request:
    """Ask how a door is held."""
    key = _door(door)
    return Request(function=Function.GET_DOOR, body=key, keys=(key,))


def set_door(door: int, mode: DoorMode, delay_s: int) -> Request:
    """Set how a door is held, and its delay of 1 to 255 s."""
    key = _door(door)
    if not 1 <= delay_s <= MAX_DELAY_S:
        raise LocalError(f"a delay lasts 1 to {MAX_DELAY_S} s, not {delay_s}")
    body = key + bytes((mode, delay_s))
    return Request(function=Function.SET_DOOR, body=body, keys=(key,))


def clear_passcodes(door: int) -> Request:
    """Set all four supervisor passcodes of a door to none: they pass every rule."""
    body = _door(door).ljust(4, b"\0") + bytes(16)
    return Request(function=Function.SET_PASSCODES, body=body)


def record_special_events() -> Request:
    """Have doors and buttons recorded too."""
    return Request(function=Function.RECORD_SPECIAL_EVENTS, body=b"\x01")


def set_listener(address: IPv4Address, port: int) -> Request:
    """Have events sent to an address of ours, and nothing but events."""
    body = address.packed + port.to_bytes(2, "little") + b"\0"
    return Request(function=Function.SET_LISTENER, body=body)


def pc_control(*, is_on: bool) -> Request:
    """Have the house decide, as long as it is heard every 30 s."""
    return Request(function=Function.PC_CONTROL, body=_MAGIC + bytes((is_on,)))


def get_event(index: int) -> Request:
    """Ask for one event; the reply bears its index, or 0 if it is gone."""
    key = _long(index)
    return Request(function=Function.GET_EVENT, body=key, keys=(key, _long(0)))


def count_cards() -> Request:
    """Ask how many cards the controller's own list has."""
    return Request(function=Function.COUNT_CARDS)


def get_card(number: int) -> Request:
    """Ask for one card of that list; the reply bears its number, or 0 for none."""
    key = _long(number)
    return Request(function=Function.GET_CARD, body=key, keys=(key, _long(0)))


def put_card(
    number: int, valid_from: date, valid_to: date, doors: Collection[int]
) -> Request:
    """Write one card to that list; it opens ``doors`` at any hour, without a PIN."""
    dates = bytes.fromhex(f"{valid_from:%Y%m%d}{valid_to:%Y%m%d}")
    may_open = bytes(door in doors for door in range(1, MAX_DOORS + 1))
    return Request(function=Function.PUT_CARD, body=_long(number) + dates + may_open)


def _door(door: int) -> bytes:
    if not 1 <= door <= MAX_DOORS:
        raise LocalError(f"a controller has doors 1 to {MAX_DOORS}, not {door}")
    return bytes((door,))


def _long(number: int) -> bytes:
    return number.to_bytes(4, "little")
