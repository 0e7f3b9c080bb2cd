# SPDX-License-Identifier: Apache-2.0
"""A hundred thousand hostile frames: nothing raised, nothing opened unasked."""

from __future__ import annotations

import random

import pytest

from drivers.device import InputChanged, OpenLock, Reachable
from drivers.locks.family_8a import LockerBoards
from tests.drivers import locker_8a_wire
from tests.drivers.locker_8a_wire import levels, open_one, openings, query_all, status
from tests.drivers.test_fuzz import hostile, pieces

SEEDS = (20240611, 20240612)
#: 2 seeds of 50 batches of 1000 frames.
BATCHES = 50
FRAMES = 1000
CHANNELS = 8


@pytest.mark.parametrize("seed", SEEDS)
def test_lock_control_boards(seed: int) -> None:
    chance = random.Random(seed)
    script = locker_8a_wire.serving(1, 2, channels=CHANNELS)
    sound = dict(script.replies)
    boards = script.device
    assert isinstance(boards, LockerBoards)
    replies = [*sound, *[reply for reply in sound.values() if isinstance(reply, str)]]
    replies += [open_one(unit, channel) for unit in (1, 2) for channel in (1, 8)]
    kinds = ("8A", "80", "81")
    replies += [status(kind, unit, 1, "11") for kind in kinds for unit in (1, 2)]
    good = [bytes.fromhex(text) for text in replies]
    level = 0xFF
    for _ in range(BATCHES):
        script.replies = {}
        orders = []
        for _ in range(FRAMES):
            for piece in pieces(chance, hostile(chance, good)):
                boards.receive(piece, script.now)
                assert boards.buffered_bytes <= 10
            if chance.random() < 0.02:
                order = OpenLock(
                    unit=chance.choice((1, 2)), channel=chance.randint(1, 8)
                )
                script.order(order)
                orders.append(open_one(order.unit, order.channel))
            script.run(chance.choice((0.0, 0.0, 0.01, 0.05, 0.2)))
        # Each opening was ordered, and none was sent twice for one order.
        for _, frame in openings(script):
            orders.remove(frame)
        script.replies = dict(sound)
        script.run(35.0)
        level ^= chance.randint(1, 0xFF)
        for unit in (1, 2):
            script.replies[query_all(unit)] = levels(unit, f"{level:02X}")
        script.run(3.0)
        # Whatever the noise imitated, the levels at the end are the true ones.
        truth = tuple(bool(level >> bit & 1) for bit in range(CHANNELS))
        assert boards._units[1]._are_closed == truth
        assert boards._units[2]._are_closed == truth
        quiet = script.run(3.0)
        assert not [s for s in quiet if isinstance(s, InputChanged | Reachable)]
        script.sent.clear()
        script.signals.clear()
