# SPDX-License-Identifier: Apache-2.0
"""A cable: whole and in order on a good day, anything but that in a noisy spell."""

from __future__ import annotations

from random import Random

import pytest

from edge.cli.simulate.cable import Cable
from edge.cli.simulate.clockwork import Clockwork
from edge.cli.simulate.weather import Weather

FRAME = bytes(range(40))
BYTE_S = 10 / 9_600


class Stand:
    """A cable between a device that keeps what it hears and a box that does, too."""

    def __init__(self, weather: Weather | None = None, seed: int = 1) -> None:
        self.clockwork = Clockwork()
        self.device = bytearray()
        self.box = bytearray()
        self.cable = Cable(
            "port",
            self.clockwork,
            baud=9_600,
            to_device=self.device.extend,
            chance=Random(seed),
            weather=weather or Weather(),
        )
        self.cable.listener = self.box.extend


def test_bytes_take_ten_bits_each_and_arrive_whole() -> None:
    stand = Stand()
    stand.cable.send(FRAME)
    stand.clockwork.run(len(FRAME) * BYTE_S * 0.99)
    assert not stand.device
    assert stand.cable.on_way == 1
    stand.clockwork.run(len(FRAME) * BYTE_S)
    assert stand.device == FRAME
    assert stand.cable.on_way == 0


def test_what_is_on_its_way_when_the_cable_is_pulled_is_gone() -> None:
    stand = Stand()
    stand.cable.send(FRAME)
    stand.cable.unplug()
    stand.cable.say(FRAME)
    stand.cable.plug()
    stand.clockwork.run(9.0)
    assert not stand.device
    assert not stand.box
    stand.cable.say(FRAME)
    stand.clockwork.run(20.0)
    assert stand.box == FRAME


def test_a_dropped_piece_never_comes() -> None:
    stand = Stand(Weather(drop_share=1.0))
    stand.cable.disturb(5.0)
    stand.cable.send(FRAME)
    stand.clockwork.run(9.0)
    assert not stand.device


def test_a_flip_changes_one_bit() -> None:
    stand = Stand(Weather(flip_share=1.0))
    stand.cable.disturb(5.0)
    stand.cable.say(FRAME)
    stand.clockwork.run(9.0)
    changed = [a ^ b for a, b in zip(stand.box, FRAME, strict=True)]
    assert sum(each.bit_count() for each in changed) == 1


@pytest.mark.parametrize("seed", range(4))
def test_pieces_that_are_split_and_held_up_keep_their_order(seed: int) -> None:
    stand = Stand(Weather(split_share=1.0, delay_share=0.5), seed)
    stand.cable.disturb(5.0)
    stand.cable.send(FRAME)
    stand.clockwork.run(9.0)
    assert stand.device == FRAME


def test_an_echo_comes_twice_and_a_collision_loses_bits_alone() -> None:
    stand = Stand(Weather(echo_share=1.0))
    stand.cable.disturb(5.0)
    stand.cable.say(FRAME)
    stand.clockwork.run(9.0)
    assert stand.box == FRAME + FRAME
    stand = Stand(Weather(collide_share=1.0))
    stand.cable.disturb(5.0)
    stand.cable.say(FRAME)
    stand.clockwork.run(9.0)
    assert stand.box != FRAME
    assert all(
        heard & said == heard for heard, said in zip(stand.box, FRAME, strict=True)
    )


def test_the_spell_ends_by_itself() -> None:
    stand = Stand(Weather(drop_share=1.0))
    stand.cable.disturb(5.0)
    stand.clockwork.run(5.0)
    assert not stand.cable.is_noisy
    stand.cable.send(FRAME)
    stand.clockwork.run(9.0)
    assert stand.device == FRAME
