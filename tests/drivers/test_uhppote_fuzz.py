# SPDX-License-Identifier: Apache-2.0
"""A hundred thousand hostile datagrams: nothing raised, nothing opened unasked.

By hand with a million: ``python -m pytest`` with ``UHPPOTE_FUZZ_BATCHES=500``.
"""

from __future__ import annotations

import os
import random

import pytest

from drivers.device import Pulse, Reachable
from drivers.uhppote.controller import UhppoteController
from tests.drivers.uhppote_wire import (
    STATUS,
    UhppoteWire,
    event,
    open_door,
    serving,
    sound,
    status,
)

SEEDS = (20241101, 20241102)
#: 2 seeds of 50 batches of 1000 datagrams.
BATCHES = int(os.environ.get("UHPPOTE_FUZZ_BATCHES", "50"))
FRAMES = 1000


def hostile(chance: random.Random, good: list[bytes]) -> bytes:
    """Return a datagram that is torn, flipped, of another, made up, or good."""
    frame = bytearray(chance.choice(good))
    match chance.randrange(6):
        case 0:
            return bytes(frame[: chance.randrange(len(frame))])
        case 1:
            frame[chance.randrange(64)] ^= 1 << chance.randrange(8)
        case 2:
            return bytes(frame) + chance.randbytes(chance.randrange(1, 9))
        case 3:
            at = chance.randrange(8, 60)
            frame[at : at + 4] = chance.randbytes(4)
        case 4:
            frame[8:] = chance.randbytes(56)
        case _:
            pass
    return bytes(frame)


def openings(script: UhppoteWire) -> list[str]:
    return [frame for _, frame in script.sent if frame[2:4] == "40"]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_controller(seed: int) -> None:
    chance = random.Random(seed)
    script = serving(1, 5, offline_cards="7, 8")
    device = script.device
    assert isinstance(device, UhppoteController)
    replies = [one for one in sound().values() if isinstance(one, str)]
    reports = [
        status(event(index, kind=1, door=1, card=7, reason=5), relays=index % 16)
        for index in range(1, 30)
    ]
    good = [bytes.fromhex(one) for one in [*replies, *reports]]
    for batch in range(BATCHES):
        script.replies = {}
        orders = []
        for _ in range(FRAMES):
            device.receive(hostile(chance, good), script.now)
            assert len(device._controller._record.missing) <= 16
            if chance.random() < 0.02:
                door = chance.randint(1, 4)
                script.order(Pulse(unit=0, channel=door, duration_s=5.0))
                orders.append(open_door(door))
            script.run(chance.choice((0.0, 0.0, 0.0, 0.05, 0.6)))
        # Each opening was ordered, and none was sent twice for one order.
        for frame in openings(script):
            orders.remove(frame)
        script.replies = sound()
        opened = bytes(batch >> place & 1 for place in range(4)).hex()
        script.replies[STATUS] = status(are_open=opened)
        script.run(60.0)
        # Whatever the noise imitated, the levels at the end are the true ones.
        shut = tuple(digit == "0" for digit in opened[1::2])
        assert device._controller._inputs[:4] == shut
        quiet = script.run(10.0)
        assert not [one for one in quiet if isinstance(one, Reachable)]
        script.sent.clear()
        script.signals.clear()
