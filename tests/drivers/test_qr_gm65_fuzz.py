# SPDX-License-Identifier: Apache-2.0
"""A hundred thousand hostile pieces of line for a GM65 scanner and for a key wedge.

``python -m tests.drivers.test_qr_gm65_fuzz 1000000`` runs as many as one likes. Each
run's seed is in its test's name.
"""

from __future__ import annotations

import random
import struct
import sys

import pytest

from drivers.device import CodeRead, Reachable, Unreachable
from drivers.scanners.key_wedge import KeyWedge, KeyWedgeOptions
from drivers.scanners.qr_codes import MAX_LINE_BYTES
from tests.drivers.gm65_wire import HEARTBEAT_REPLY, OK, Gm65Wire
from tests.drivers.key_lists import events, typed
from tests.drivers.test_fuzz import FRAMES, hostile, pieces

SEEDS = (20240611, 20240612)
#: 2 seeds of 50 batches of 1000: 100,000 a driver.
BATCHES = 50
LONGEST_QUESTION = 10
GOOD = [
    b"MS1ABCDEF0\r",
    b"]Q1MS1ABCDEF0\n",
    b"A" * 512 + b"\r\n",
    b"B" * 5000,
    b"\x03\x00\x0a0321563840",
    b"\x02\x00\x00\xff",
    b"\xff\xfe" * 9 + b"\r",
    *[bytes.fromhex(OK)] * 3,
    *[bytes.fromhex(HEARTBEAT_REPLY)] * 3,
    bytes.fromhex("020000023901C14C"),
]


def fuzz_scanner(seed: int, batches: int) -> None:
    """Feed hostile bytes, then a sound scanner: it is found and its code is read."""
    chance = random.Random(seed)
    for tail in ("cr", "length"):
        script = Gm65Wire(tail=tail, check_every_s=60)
        script.open()
        for batch in range(batches // 2):
            script.is_dead = True
            for _ in range(FRAMES):
                for piece in pieces(chance, hostile(chance, GOOD)):
                    script._note(script.device.receive(piece, script.now))
                    assert len(script.device.take_outgoing()) <= LONGEST_QUESTION
                    assert script.scanner.buffered_bytes <= MAX_LINE_BYTES
                script.run(chance.choice((0.0, 0.0, 0.01, 0.06, 0.4)))
            script.is_dead = False
            script.run(70.0)
            reach = [s for _, s in script.signals]
            reach = [s for s in reach if isinstance(s, Reachable | Unreachable)]
            assert isinstance(reach[-1], Reachable)
            code = f"MS1GOOD{batch:04d}".encode()
            assert script.feed_text(code + b"\r") == [CodeRead(unit=0, payload=code)]
            script.sent.clear()
            script.signals[:] = [(script.now, reach[-1])]


def fuzz_wedge(seed: int, batches: int) -> None:
    """Feed hostile events and torn ones, then a code."""
    chance = random.Random(seed)
    wedge = KeyWedge(options=KeyWedgeOptions(event_bytes=24))
    good = [events(typed(b"MS1ABCDEF0")), struct.pack("=16xHHi", 0, 3, 0)]
    good += [struct.pack("=16xHHi", 1, code, 1) for code in range(130)]
    now = 0.0
    for batch in range(batches):
        for _ in range(FRAMES):
            for piece in pieces(chance, hostile(chance, good)):
                wedge.receive(piece, now)
            now += chance.choice((0.0, 0.0, 0.0, 0.01, 0.06))
            wedge.tick(now)
        # A pause ends what was typed; keys that hang are let go by their own events.
        wedge.tick(now + 1.0)
        now += 2.0
        for code in (29, 97, 42, 54, 56, 100, 125, 126):
            wedge.receive(struct.pack("=16xHHi", 1, code, 0), now)
        wedge.receive(struct.pack("=16xHHi", 0, 0, 0), now)
        wedge.tick(now + 1.0)
        now += 2.0
        text = f"MS1GOOD{batch:04d}".encode()
        signals = wedge.receive(events(typed(text)), now)
        assert signals == [CodeRead(unit=0, payload=text)]


@pytest.mark.parametrize("seed", SEEDS)
def test_scanner(seed: int) -> None:
    fuzz_scanner(seed, BATCHES)


@pytest.mark.parametrize("seed", SEEDS)
def test_wedge(seed: int) -> None:
    fuzz_wedge(seed, BATCHES)


if __name__ == "__main__":
    count = int(sys.argv[1]) // FRAMES
    fuzz_scanner(SEEDS[0], count)
    fuzz_wedge(SEEDS[0], count)
    print(f"{count * FRAMES} pieces each, seed {SEEDS[0]}: well")
