# SPDX-License-Identifier: Apache-2.0
"""The packets of a sound controller, laid out by hand, and a wire to it."""

from __future__ import annotations

from datetime import datetime

from drivers.device import Signal, TagRead
from drivers.uhppote.controller import UhppoteController
from drivers.uhppote.options import UhppoteOptions
from tests.drivers.scripted import Reply, ScriptedWire

SERIAL = 405419896
MAGIC = "55AAAA55"
#: What the controller's clock says in all packets unless told otherwise.
CLOCK = "20260301081530"
FIND = "94"
SWIPE = {"kind": 1, "door": 1, "direction": 1, "card": 10058400, "reason": 0x05}


def packet(function: str, body: str = "", *, serial: int = SERIAL) -> str:
    """A packet of 64 bytes; ``body`` begins behind the serial number."""
    head = f"17{function}0000" + serial.to_bytes(4, "little").hex()
    return (head + body).upper().ljust(128, "0")


def long(number: int) -> str:
    return number.to_bytes(4, "little").hex()


def event(
    index: int = 0,
    *,
    kind: int = 0,
    granted: bool = False,
    door: int = 0,
    direction: int = 0,
    card: int = 0,
    at: str = CLOCK,
    reason: int = 0,
) -> str:
    """The twenty bytes of an event; ``index`` 0 is none at all."""
    if not index:
        return "00" * 20
    fields = bytes((kind, granted, door, direction)).hex()
    return long(index) + fields + long(card) + at + f"{reason:02x}"


def status(
    what: str = "",
    *,
    are_open: str = "00000000",
    are_pressed: str = "00000000",
    relays: int = 0,
    clock: str = CLOCK,
    serial: int = SERIAL,
) -> str:
    """A status, or a report: the controller makes no difference."""
    body = (what or event()) + are_open + are_pressed
    body += "00" + clock[8:] + "00" * 9 + f"{relays:02x}" + "00" + clock[2:8]
    return packet("20", body, serial=serial)


def open_door(door: int) -> str:
    return packet("40", f"{door:02x}")


def done(function: str) -> str:
    return packet(function, "01")


def get_door(door: int) -> str:
    return packet("82", f"{door:02x}")


def held(door: int, mode: int, delay_s: int, *, function: str = "82") -> str:
    """How a door is held: a setting, its reply, and the reply to the question."""
    return packet(function, bytes((door, mode, delay_s)).hex())


def set_door(door: int, mode: int, delay_s: int) -> str:
    return held(door, mode, delay_s, function="80")


def passcodes(door: int) -> str:
    return packet("8c", f"{door:02x}")


def get_event(index: int) -> str:
    return packet("b0", long(index))


def cards(count: int) -> str:
    """The reply to the question how many cards its list has."""
    return packet("58", long(count))


STATUS = packet("20")
SET_TIME = packet("30", CLOCK)
PC_CONTROL = packet("a0", MAGIC + "01")
RECORD = packet("8e", "01")
LISTENER = packet("90", "c0a8010a61ea00")
COUNT = packet("58")
#: The mark in the record is other programs'; it is never asked for, nor left.
GET_MARK = packet("b4")
FOUND = packet(FIND, "7f000001ff00000000000000001223344556089220230105")


def sound() -> dict[str, Reply]:
    """A controller of four doors, controlled, 5 s each; its record is empty."""
    replies: dict[str, Reply] = {
        packet(FIND): FOUND,
        packet(FIND, serial=0): FOUND,
        SET_TIME: SET_TIME,
        PC_CONTROL: done("a0"),
        RECORD: done("8e"),
        LISTENER: done("90"),
        COUNT: COUNT,
        STATUS: status(),
    }
    for door in range(1, 5):
        replies[passcodes(door)] = done("8c")
        replies[get_door(door)] = held(door, 3, 5)
        replies[open_door(door)] = done("40")
        for mode, delay_s in ((1, 5), (3, 5), (3, 3), (3, 8)):
            setting = set_door(door, mode, delay_s)
            replies[setting] = setting
    return replies


def split(data: bytes) -> list[bytes]:
    """Datagrams, as the link cuts them."""
    assert len(data) % 64 == 0
    return [data[at : at + 64] for at in range(0, len(data), 64)]


def wall_clock() -> datetime:
    return datetime(2026, 3, 1, 8, 15, 30)  # noqa: DTZ001 the controller has no zone


class UhppoteWire(ScriptedWire):
    """A wire that writes at once what a report leads to."""

    def feed(self, digits: str) -> list[Signal]:
        signals = super().feed(digits)
        self._write()
        return signals


def wire(*readers: int, **options: float | str | bool) -> UhppoteWire:
    """A wire to a sound controller, not opened yet."""
    kind = UhppoteOptions(**{"serial": SERIAL, "poll_s": 2.0, **options})  # type: ignore[arg-type]
    device = UhppoteController(options=kind, readers=readers, wall_clock=wall_clock)
    script = UhppoteWire(device, splits=split)
    script.replies = sound()
    return script


def serving(*readers: int, **options: float | str | bool) -> UhppoteWire:
    """The same, opened and reachable."""
    script = wire(*readers, **options)
    script.open()
    script.run(0.2)
    return script


def swipes(signals: list[Signal]) -> list[tuple[int, int]]:
    """The units and cards of all swipes among signals."""
    tags = [signal for signal in signals if isinstance(signal, TagRead)]
    return [(tag.unit, int.from_bytes(tag.number, "big")) for tag in tags]
