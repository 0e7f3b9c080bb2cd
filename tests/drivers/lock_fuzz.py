# SPDX-License-Identifier: Apache-2.0
"""Hostile frames for the families of lock-control boards, as many as are asked for.

By hand: ``python -m tests.drivers.lock_fuzz 1000000``.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from typing import TYPE_CHECKING

from drivers.device import InputChanged, OpenLock, Reachable
from drivers.locks.lock_boards import LockBoards
from tests.drivers.lock_families import FAMILIES, Family, wkly
from tests.drivers.test_fuzz import hostile, pieces

if TYPE_CHECKING:
    from tests.drivers.scripted import ScriptedWire

BATCH = 1000
UNITS = (1, 2)
CHANNELS = 8


def fuzz(family: Family, *, seed: int, frames: int) -> None:
    """Feed ``frames`` hostile frames; AssertionError if anything opened unasked."""
    chance = random.Random(seed)
    script = family.serving(*UNITS, channels=CHANNELS)
    sound = dict(script.replies)
    good = _good(family)
    openings = 0
    for _ in range(-(-frames // BATCH)):
        script.replies = {}
        ordered = _one_batch(family, chance, script, good)
        sent = Counter(frame for _, frame in family.opened_frames(script))
        # Each opening was ordered, and none was sent twice for one order.
        assert sent <= ordered
        openings += sent.total()
        commands = {family.command_of(frame) for _, frame in script.sent}
        assert commands <= set(family.may_send)
        script.replies = dict(sound)
        script.run(35.0)
        _find_its_way(family, chance, script)
        script.sent.clear()
        script.signals.clear()
    assert openings > 0


def _good(family: Family) -> list[bytes]:
    digits = [family.query_all(unit) for unit in UNITS]
    for unit in UNITS:
        digits += [family.levels(unit), family.levels(unit, 1, 8)]
        digits += [family.open_one(unit, channel) for channel in (1, 8)]
        if family.accepted is not None:
            digits += [family.accepted(unit, channel) for channel in (1, 8)]
        if family.name == "wkly":
            digits += [wkly(unit, "85", "01 00"), wkly(unit, "85", "01 01")]
    return [bytes.fromhex(text) for text in digits]


def _one_batch(
    family: Family, chance: random.Random, script: ScriptedWire, good: list[bytes]
) -> Counter[str]:
    boards = script.device
    assert isinstance(boards, LockBoards)
    ordered: Counter[str] = Counter()
    for _ in range(BATCH):
        for piece in pieces(chance, hostile(chance, good)):
            boards.receive(piece, script.now)
            assert boards.buffered_bytes < family.longest
        if chance.random() < 0.02:
            order = OpenLock(unit=chance.choice(UNITS), channel=chance.randint(1, 8))
            script.order(order)
            ordered[family.open_one(order.unit, order.channel)] += 1
        script.run(chance.choice((0.0, 0.0, 0.01, 0.05, 0.2)))
    return ordered


def _find_its_way(family: Family, chance: random.Random, script: ScriptedWire) -> None:
    """Whatever the noise imitated, the levels at the end are the true ones."""
    boards = script.device
    assert isinstance(boards, LockBoards)
    opened = tuple(n for n in range(1, CHANNELS + 1) if chance.random() < 0.5)
    for unit in UNITS:
        script.replies[family.query_all(unit)] = family.levels(unit, *opened)
    script.run(3.0)
    truth = tuple(channel not in opened for channel in range(1, CHANNELS + 1))
    for unit in UNITS:
        assert boards._units[unit]._are_closed == truth
    quiet = script.run(3.0)
    assert not [s for s in quiet if isinstance(s, InputChanged | Reachable)]


if __name__ == "__main__":
    for each in FAMILIES:
        fuzz(each, seed=20240701, frames=int(sys.argv[1]))
        sys.stdout.write(f"{each.name}: well\n")
