# SPDX-License-Identifier: Apache-2.0
"""A host of UHPPOTE controllers with bytes of its own, on a clock of the test's."""

from __future__ import annotations

from firmware_sim.uhppote.controller import UhppoteController
from firmware_sim.uhppote.settings import UhppoteSettings
from tests.firmware_sim.sim_vectors import frames

PACKETS = frames("uhppote")
SERIAL = 405_419_896
HOST = ("127.0.0.1", 40_000)
LISTENER = ("127.0.0.1", 60_001)
NOW = 100.0
CARD = 10_058_400
MAGIC = "55AAAA55"


def packet(function: int, fields: str = "", serial: int = SERIAL) -> bytes:
    """Return a request; ``fields`` in hex from offset 8 on."""
    head = bytes((0x17, function, 0, 0)) + serial.to_bytes(4, "little")
    return (head + bytes.fromhex(fields)).ljust(64, b"\0")


def put_card(number: int, doors: str = "01010101", **fields: str) -> bytes:
    begins, ends = fields.get("begins", "20260101"), fields.get("ends", "20261231")
    low = number.to_bytes(4, "little").hex()
    return packet(0x50, low + begins + ends + doors + fields.get("pin", ""))


def controller(**settings: object) -> UhppoteController:
    return UhppoteController(UhppoteSettings(**settings))  # type: ignore[arg-type]


def hear(one: UhppoteController, data: bytes, now: float = NOW) -> list[bytes]:
    """Send a request; return all that is said to us by ``now``."""
    one.receive(data, HOST, now)
    return [told.data for told in one.take_outgoing(now) if told.to == HOST]


def ask(one: UhppoteController, data: bytes, now: float = NOW) -> bytes:
    """Send a request; return its one reply."""
    [reply] = hear(one, data, now)
    assert reply[1] == data[1]
    return reply


def is_ok(one: UhppoteController, data: bytes, now: float = NOW) -> bool:
    reply = ask(one, data, now)
    assert reply[8] in (0, 1)
    return reply[8] == 1


def listening(**settings: object) -> UhppoteController:
    """A controller that tells its events and has a card for all doors."""
    one = controller(**settings)
    assert is_ok(one, PACKETS["asked: tell 127.0.0.1:60001"])
    assert is_ok(one, put_card(CARD))
    return one


def told(one: UhppoteController, now: float) -> list[tuple[int, int, int, int, int]]:
    """Return the events told by ``now``: index, kind, granted, door, reason."""
    events = []
    for datagram in one.take_outgoing(now):
        data = datagram.data
        assert (datagram.to, data[1], len(data)) == (LISTENER, 0x20, 64)
        index = int.from_bytes(data[8:12], "little")
        events.append((index, data[12], data[13], data[14], data[27]))
    return events
