# SPDX-License-Identifier: Apache-2.0
"""A hundred thousand hostile frames on an OSDP line: nothing raised, nothing opened.

By hand with more: ``python -m tests.drivers.test_osdp_fuzz 1000000``.
"""

from __future__ import annotations

import random
import sys

import pytest

from drivers.device import AddressConflict, PinEntered, Reachable, TagRead
from tests.drivers.osdp_wire import NOTES, OsdpWire, packet, serving
from tests.drivers.test_fuzz import hostile, pieces

SEEDS = (20240721, 20240722)
#: 2 seeds of 50 batches of 1000 frames.
BATCHES = 50
FRAMES = 1000
CARD = "0000380004A1B2C3D4E5F6"


def imitations(chance: random.Random, script: OsdpWire) -> list[bytes]:
    """Good frames of other sessions, unsigned ones, and ones with a fitting number."""
    good = [frame for note, frame in NOTES.items() if "off by one" not in note]
    codes = (0x40, 0x41, 0x45, 0x46, 0x48, 0x49, 0x50, 0x53, 0x76, 0x78, 0x79)
    for address in script.readers:
        for code in codes:
            inside = bytes([code]) + chance.randbytes(chance.choice((0, 1, 2, 8, 12)))
            sequence = chance.randrange(4)
            good.append(packet(address | 0x80, 4 | sequence, inside))
            signed = bytes([2, chance.choice((0x16, 0x18))]) + inside + bytes(20)
            good.append(packet(address | 0x80, 0x0C | sequence, signed))
    return good


def fuzz(seed: int, batches: int) -> None:
    chance = random.Random(seed)
    script = serving(1, 5)
    for batch in range(batches):
        script.signals.clear()
        good = imitations(chance, script)
        for unit in script.readers.values():
            unit.is_silent = chance.random() < 0.5
        for _ in range(FRAMES):
            for piece in pieces(chance, hostile(chance, good)):
                script.hear(piece)
                assert script.bus.buffered_bytes <= 512
            if chance.random() < 0.1:
                script.run(chance.choice((0.0, 0.01, 0.06, 0.3)))
        heard = [s for _, s in script.signals if isinstance(s, TagRead | PinEntered)]
        assert heard == [], batch
        conflicts = [s for _, s in script.signals if isinstance(s, AddressConflict)]
        assert len(conflicts) <= 2 + FRAMES * 0.3 / 60
        for unit in script.readers.values():
            unit.is_silent = False
        script.run(2.5)
        for unit in script.readers.values():
            unit.report(0x50, CARD)
        tags = [s.unit for s in script.run(0.5) if isinstance(s, TagRead)]
        assert sorted(tags) == [1, 5], batch
        quiet = script.run(1.0)
        assert not [s for s in quiet if isinstance(s, Reachable | TagRead)]
        script.sent.clear()
        for unit in script.readers.values():
            unit.done.clear()


@pytest.mark.parametrize("seed", SEEDS)
def test_readers(seed: int) -> None:
    fuzz(seed, BATCHES)


if __name__ == "__main__":
    fuzz(20240723, int(sys.argv[1]) // FRAMES)
