# SPDX-License-Identifier: Apache-2.0
"""The PC/SC reader in the hands of chance; ``play`` takes a million steps by hand."""

from __future__ import annotations

import random

import pytest

from drivers.device import CardFound, CardUnreadable, Cue, Show, Signal, TagRead
from drivers.pcsc.reader import PcscOptions, PcscReader
from tests.drivers.vectors import frames

ATRS = [vector.frame for vector in frames("pcsc_atr")]
ANSWERS = [vector.frame for vector in frames("pcsc_number")]
ACR122 = "ACS ACR122U PICC Interface 00 00"


def play(seed: int, steps: int) -> None:
    """Let chance lay cards, answer, fail, and lose the link; nothing may break."""
    chance = random.Random(seed)
    device = PcscReader(options=PcscOptions(allow_random_uid=seed % 2 == 0))
    device.named(ACR122)
    now, tags, announced = 0.0, 0, 0
    for _ in range(steps):
        now += chance.choice((0.001, 0.05, 0.2, 1.5))
        answer = chance.choice(ANSWERS)
        signals: list[Signal] = []
        match chance.randrange(10):
            case 0:
                device.closed(now)
                device.opened(now)
            case 1:
                device.resumed(now)
            case 2 | 3:
                atr = chance.choice(ATRS) + chance.randbytes(chance.randrange(2))
                signals = device.arrived(atr, now)
            case 4:
                signals = device.removed(now)
            case 5:
                signals = device.failed(now)
            case 6:
                signals = device.receive(chance.randbytes(chance.randrange(12)), now)
            case 7:
                device.order(Show(unit=0, cue=chance.choice(list(Cue))), now)
            case _:
                device.take_outgoing()
                signals = device.receive(answer, now)
        signals += device.tick(now)
        for signal in signals:
            match signal:
                case CardFound():
                    announced += 1
                case CardUnreadable():
                    announced -= 1
                case TagRead(number=number):
                    announced -= 1
                    tags += 1
                    assert number.strip(b"\x00")
                    assert len(number) in (4, 7, 10)
                case _:
                    pass
            # No verdict without its announcement; a refused one may go unsaid.
            assert announced >= 0
        due = device.deadline()
        assert due is None or due <= now + 1.0
    assert tags > steps // 500


@pytest.mark.parametrize("seed", range(4))
def test_chance_breaks_nothing(seed: int) -> None:
    play(seed, 25_000)
