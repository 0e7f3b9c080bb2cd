# SPDX-License-Identifier: Apache-2.0
"""A hundred thousand hostile frames a driver: nothing raised, all bounded, all well.

Each run prints its seed through its test's name. After every batch the far end is
sound again and the driver has to find its way without being opened anew.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from drivers.device import CardRead, CodeRead, InputChanged, OutputChanged, Reachable
from drivers.id_card.sam import IdCardReader
from drivers.modbus.relay_board import RelayBoards
from drivers.scanners.qr_line import LineScanner, QrLineOptions
from tests.drivers import modbus_wire, sam_wire

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = (20240601, 20240602)
#: 2 seeds of 50 batches of 1000 frames: 100,000 a driver.
BATCHES = 50
FRAMES = 1000


def hostile(chance: random.Random, good: list[bytes]) -> bytes:
    """Return a frame that is torn, flipped, doubled, hidden in noise, or good."""
    frame = chance.choice(good)
    match chance.randrange(6):
        case 0:
            return frame[: chance.randrange(len(frame))]
        case 1:
            at = chance.randrange(len(frame))
            flipped = frame[at] ^ 1 << chance.randrange(8)
            return frame[:at] + bytes([flipped]) + frame[at + 1 :]
        case 2:
            return chance.randbytes(chance.randrange(12)) + frame
        case 3:
            at = chance.randrange(len(frame))
            return frame[:at] + chance.randbytes(1) + frame[at:]
        case 4:
            return frame + frame
        case _:
            return frame


def pieces(chance: random.Random, data: bytes) -> Iterator[bytes]:
    """Cut data as a serial port may."""
    while data:
        size = chance.choice((1, 3, 16, 64, 4096))
        yield data[:size]
        data = data[size:]


@pytest.mark.parametrize("seed", SEEDS)
def test_identity_card_reader(seed: int) -> None:
    chance = random.Random(seed)
    script = sam_wire.serving()
    sound = dict(script.replies)
    reader = script.device
    assert isinstance(reader, IdCardReader)
    short = [sam_wire.OK, sam_wire.FOUND, sam_wire.NO_CARD, sam_wire.SELECTED]
    short += [sam_wire.failure(status) for status in (0x10, 0x40, 0x41, 0x66, 0x81)]
    good = [bytes.fromhex(text) for text in [*short * 40, *sam_wire.REPLIES.values()]]
    for _ in range(BATCHES):
        script.replies = {}
        for _ in range(FRAMES):
            for piece in pieces(chance, hostile(chance, good)):
                reader.receive(piece, script.now)
                assert reader.buffered_bytes < 2400
            script.run(chance.choice((0.0, 0.0, 0.0, 0.01, 0.3)))
        script.replies = dict(sound)
        script.run(5.0)
        sam_wire.put(script, sam_wire.REPLIES[chance.choice("ABJIY")])
        reads = [s for s in script.run(4.0) if isinstance(s, CardRead)]
        assert len(reads) == 1
        sam_wire.take_away(script)
        script.run(1.0)
        script.sent.clear()
        script.signals.clear()


@pytest.mark.parametrize("seed", SEEDS)
def test_scanner(seed: int) -> None:
    chance = random.Random(seed)
    scanner = LineScanner(options=QrLineOptions())
    now = 0.0
    good = [b"MS1ABCDEF0\r", b"]Q1MS1ABCDEF0\n", b"A" * 512 + b"\r\n", b"short\r"]
    good += [b"\x03\x00\x00\x001\r", b"\xff\xfe" * 9 + b"\r", b"B" * 5000]
    for batch in range(BATCHES):
        for _ in range(FRAMES):
            for piece in pieces(chance, hostile(chance, good)):
                scanner.receive(piece, now)
                assert scanner.buffered_bytes <= 4096
            now += chance.choice((0.0, 0.0, 0.01, 0.06))
            scanner.tick(now)
        scanner.tick(now + 1.0)
        now += 2.0
        code = f"MS1GOOD{batch:04d}".encode()
        assert scanner.receive(code + b"\r", now) == [CodeRead(unit=0, payload=code)]


@pytest.mark.parametrize("seed", SEEDS)
def test_relay_board(seed: int) -> None:
    chance = random.Random(seed)
    script = modbus_wire.serving(1, 2)
    sound = dict(script.replies)
    boards = script.device
    assert isinstance(boards, RelayBoards)
    replies = [*sound, *[reply for reply in sound.values() if isinstance(reply, str)]]
    replies += [modbus_wire.refusal(unit, 5, 2) for unit in (1, 2)]
    good = [bytes.fromhex(text) for text in replies]
    is_active = False
    for _ in range(BATCHES):
        script.replies = {}
        for _ in range(FRAMES):
            for piece in pieces(chance, hostile(chance, good)):
                boards.receive(piece, script.now)
                assert boards.buffered_bytes <= 512
            script.run(chance.choice((0.0, 0.0, 0.01, 0.05, 0.2)))
        script.replies = dict(sound)
        script.run(5.0)
        is_active = not is_active
        for unit in (1, 2):
            mask = modbus_wire.inputs(unit, int(is_active))
            script.replies[modbus_wire.read_inputs(unit)] = mask
        script.run(1.0)
        # Whatever the noise imitated, the levels at the end are the true ones.
        assert boards._units[1]._inputs == (is_active, *[False] * 7)
        assert boards._units[2]._inputs == (is_active, *[False] * 7)
        quiet = script.run(3.0)
        assert not [s for s in quiet if isinstance(s, InputChanged | OutputChanged)]
        assert not [s for s in quiet if isinstance(s, Reachable)]
        script.sent.clear()
        script.signals.clear()
