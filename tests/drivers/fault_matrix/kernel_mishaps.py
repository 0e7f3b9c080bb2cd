# SPDX-License-Identifier: Apache-2.0
"""What befalls contacts at the box's own pins, and a scanner that types.

The law of the module: an edge or a record that is lost was lost before the driver.
"""

from __future__ import annotations

import struct
from random import Random
from typing import TYPE_CHECKING

from tests.drivers.fault_matrix.keyboard import EVENT_BYTES, KeyWedge
from tests.drivers.fault_matrix.mishap import Mishap
from tests.drivers.fault_matrix.untimed import CONTACT, GpioLines
from tests.drivers.key_lists import ALT, DOWN, UP, Presses, events, tap, typed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.drivers.fault_matrix.stand import Stand

BOUNCES, BOUNCE_S = 9, 0.002
STANDS_STILL_S = 5.0
#: Longer than the silence that ends a code.
PAUSE_S = 0.1
FIRST, SECOND = b"MSTICKET-A", b"MSTICKET-B"
_KEYPAD = {"1": 79, "2": 80, "3": 81, "4": 75, "5": 76, "6": 77, "7": 71, "8": 72,
           "9": 73, "0": 82}  # fmt: skip
F1 = 59


def _bounces(*, is_active_at_last: bool) -> Callable[[Stand], None]:
    def begins(stand: Stand) -> None:
        assert isinstance(stand, GpioLines)
        is_active = True
        for _ in range(BOUNCES if is_active_at_last else BOUNCES - 1):
            stand.chip.move(CONTACT, is_active=is_active)
            stand.joined.run(BOUNCE_S)
            is_active = not is_active

    return begins


def _contact(*, is_active: bool) -> Callable[[Stand], None]:
    def moves(stand: Stand) -> None:
        assert isinstance(stand, GpioLines)
        stand.chip.move(CONTACT, is_active=is_active)

    return moves


def _edges_lost(stand: Stand) -> None:
    """Hand over one edge of four, which tells of a level that is no more."""
    assert isinstance(stand, GpioLines)
    for is_active, is_lost in ((True, True), (False, False), (True, True)):
        stand.chip.move(CONTACT, is_active=is_active, is_lost=is_lost)


def _moved_while_away(stand: Stand) -> None:
    assert isinstance(stand, GpioLines)
    stand.joined.unplug()
    stand.chip.move(CONTACT, is_active=True)


def _moved_in_standstill(stand: Stand) -> None:
    assert isinstance(stand, GpioLines)
    stand.chip.move(CONTACT, is_active=True)
    stand.joined.stand_still(STANDS_STILL_S)


def _say(stand: Stand, *pieces: bytes) -> None:
    assert isinstance(stand, KeyWedge)
    stand.keyboard.say(*pieces)


def _types(presses: Presses) -> Callable[[Stand], None]:
    return lambda stand: _say(stand, _events(presses))


def _events(presses: Presses) -> bytes:
    return events(presses, size=EVENT_BYTES)


def _torn(stand: Stand) -> None:
    """Cut the records anywhere but at their ends."""
    data = _events(typed(FIRST))
    _say(stand, *(data[at : at + 7] for at in range(0, len(data), 7)))


def _cut_off(stand: Stand) -> None:
    """Hand over the first half of a record, and no more."""
    _say(stand, _events(tap(F1))[: EVENT_BYTES + 10])


def _unplugged_in_code(stand: Stand) -> None:
    _say(stand, _events(typed(FIRST, end=None)))
    stand.joined.run(0.0)
    stand.joined.unplug()


def _standstill_in_code(stand: Stand) -> None:
    _say(stand, _events(typed(FIRST, end=None)))
    stand.joined.run(0.0)
    _say(stand, _events(typed(SECOND)))
    stand.joined.stand_still(STANDS_STILL_S)


def _garbage_records(stand: Stand) -> None:
    _say(stand, Random(20261122).randbytes(200 * EVENT_BYTES))


def _events_dropped(stand: Stand) -> None:
    """Let the kernel's queue overflow in the middle of a code (SYN_DROPPED)."""
    dropped = struct.pack("=qqHHi", 0, 0, 0, 3, 0)
    report = struct.pack("=qqHHi", 0, 0, 0, 0, 0)
    rest = _events(typed(SECOND))
    _say(stand, _events(typed(FIRST, end=None)), dropped, report, rest)


def _two_codes(pause_s: float) -> Callable[[Stand], None]:
    def begins(stand: Stand) -> None:
        for code in (FIRST, SECOND):
            _say(stand, _events(typed(code, end=None)))
            stand.joined.run(pause_s)

    return begins


def _alt_code(number: str) -> Presses:
    digits = [press for digit in number for press in tap(_KEYPAD[digit])]
    return [(ALT, DOWN), *digits, (ALT, UP)]


KERNEL_MISHAPS = {
    "bounce that ends closed": Mishap(begins=_bounces(is_active_at_last=True)),
    "bounce that ends open": Mishap(begins=_bounces(is_active_at_last=False)),
    "stuck contact": Mishap(
        begins=_contact(is_active=True), ends=_contact(is_active=False)
    ),
    "edges lost": Mishap(begins=_edges_lost),
    "contact moved while unplugged": Mishap(
        begins=_moved_while_away, ends=lambda stand: stand.plug_again()
    ),
    "contact moved in a standstill": Mishap(begins=_moved_in_standstill),
    "torn records": Mishap(begins=_torn),
    "record cut off": Mishap(begins=_cut_off),
    "unplugged in a code": Mishap(
        begins=_unplugged_in_code, ends=lambda stand: stand.plug_again()
    ),
    "standstill in a code": Mishap(begins=_standstill_in_code),
    "garbage records": Mishap(begins=_garbage_records),
    "events dropped in a code": Mishap(begins=_events_dropped),
    "two codes without Enter": Mishap(begins=_two_codes(PAUSE_S)),
    "two codes without Enter or pause": Mishap(begins=_two_codes(0.0)),
    "code typed with ALT": Mishap(
        begins=_types([*typed(FIRST, end=None), *_alt_code("0228"), *typed(b"")])
    ),
    "code with a key F1": Mishap(
        begins=_types([*typed(FIRST, end=None), *tap(F1), *typed(b"")])
    ),
    "code typed short": Mishap(begins=_types(typed(b"1234"))),
}
