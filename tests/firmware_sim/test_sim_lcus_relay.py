# SPDX-License-Identifier: Apache-2.0
"""A simulated USB relay: what it obeys, what it loses, what it never does by itself."""

from __future__ import annotations

from random import Random

import pytest

from firmware_sim.errors import SimulationError
from firmware_sim.happening import What
from firmware_sim.relays.lcus_relay import LcusFault, LcusRelay, LcusSettings
from tests.firmware_sim.sim_vectors import frames, vectors

NOW = 50.0
FRAMES = frames("lcus_relay")
ON, OFF = FRAMES["channel 1 on"], FRAMES["channel 1 off"]
ASK_ALL, ASK = FRAMES["ask all"], FRAMES["ask channel 1"]


def relay(**settings: object) -> LcusRelay:
    return LcusRelay(LcusSettings(**settings))  # type: ignore[arg-type]


def test_a_relay_is_switched_and_nothing_is_said() -> None:
    one = relay()
    one.receive(ON, NOW)
    assert one.snapshot().contacts == (True,)
    one.receive(OFF, NOW + 1)
    assert one.snapshot().contacts == (False,)
    assert one.take_outgoing(NOW + 2) == b""
    told = [(entry.what, entry.at, entry.channel) for entry in one.diary.entries()]
    assert told == [(What.RELAY_ON, NOW, 1), (What.RELAY_OFF, NOW + 1, 1)]


def test_a_relay_that_is_on_stays_on_for_ever() -> None:
    one = relay()
    one.receive(ON, NOW)
    one.tick(NOW + 1e6)
    assert one.snapshot().contacts == (True,)
    assert one.deadline() is None


@pytest.mark.parametrize("vector", vectors("lcus_relay"), ids=lambda one: one.note)
def test_a_frame_that_does_not_hold_changes_nothing(vector: object) -> None:
    one = relay(channels=2, answers=True, knows_query=True)
    one.receive(vector.data, NOW)  # type: ignore[attr-defined]
    assert one.snapshot().commands == vector.is_sound  # type: ignore[attr-defined]


def test_a_broken_frame_costs_what_follows_up_to_a_silence() -> None:
    one = relay()
    one.receive(b"\xa1" + ON, NOW)
    assert one.snapshot().contacts == (False,)
    one.receive(ON[:2], NOW + 1)
    one.receive(ON[2:], NOW + 1.01)
    assert one.snapshot().contacts == (True,)


def test_what_comes_too_soon_is_lost() -> None:
    one = relay()
    one.receive(ON + OFF, NOW)
    assert (one.snapshot().contacts, one.snapshot().missed) == ((True,), 1)
    one.receive(OFF, NOW + 0.029)
    assert one.snapshot().missed == 2
    one.receive(OFF, NOW + 0.06)
    assert one.snapshot().contacts == (False,)


def test_a_channel_that_is_not_there_moves_nothing() -> None:
    one = relay()
    one.receive(FRAMES["channel 2 on"], NOW)
    assert one.snapshot().contacts == (False,)


def test_several_channels_tell_their_states_when_asked() -> None:
    one = relay(channels=2, answers=True, reply_delay_s=0.01)
    one.receive(FRAMES["channel 2 on"], NOW)
    one.receive(ASK_ALL, NOW + 1)
    assert one.deadline() == NOW + 1.01
    assert one.take_outgoing(NOW + 1.01) == b"\x00\x01"
    one.receive(ASK, NOW + 2)
    assert one.take_outgoing(NOW + 3) == b""


def test_the_variant_answers_for_one_channel() -> None:
    one = relay(answers=True, knows_query=True)
    one.receive(ON, NOW)
    one.receive(ASK, NOW + 1)
    assert one.take_outgoing(NOW + 1) == ON


def test_faults_spoil_commands_one_by_one() -> None:
    one = relay(answers=True)
    one.spoil(LcusFault.UNHEARD)
    one.spoil(LcusFault.DROPPED)
    one.receive(ON, NOW)
    assert one.snapshot().contacts == (False,)
    one.receive(ASK_ALL, NOW + 1)
    assert one.take_outgoing(NOW + 1) == b""
    one.receive(ASK_ALL, NOW + 2)
    assert one.take_outgoing(NOW + 2) == b"\x00"


def test_without_power_all_relays_drop_and_stay_off() -> None:
    one = relay(channels=2)
    one.receive(ON, NOW)
    one.brown_out(NOW + 1, dark_s=2.0)
    assert one.snapshot().is_dark
    assert one.deadline() == NOW + 3
    one.receive(ON, NOW + 2)
    one.tick(NOW + 3)
    assert one.snapshot().contacts == (False, False)
    told = [entry.what for entry in one.diary.entries()]
    assert told == [What.RELAY_ON, What.POWER_LOST, What.RELAY_OFF, What.POWER_BACK]


def test_a_welded_contact_stays_closed() -> None:
    one = relay()
    one.weld(1, NOW)
    one.receive(ON, NOW + 1)
    one.receive(OFF, NOW + 2)
    assert one.snapshot().contacts == (True,)
    with pytest.raises(SimulationError, match="no relay 2; this board has 1 to 1"):
        one.weld(2, NOW)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"channels": 9}, "9 is not 1 to 8 relays"),
        ({"min_gap_s": -1.0}, "are not negative"),
        ({"baud": 1}, "1 baud is no rate"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, object], told: str) -> None:
    with pytest.raises(SimulationError, match=told):
        relay(**settings)


@pytest.mark.parametrize("seed", range(3))
def test_hostile_bytes_neither_raise_nor_pile_up(seed: int) -> None:
    chance = Random(seed)
    one = relay(channels=8, answers=True, knows_query=True)
    for turn in range(2_000):
        alphabet = bytes((0xA0, 0xFF, 0, 1, 5, 0xA2, chance.randrange(256)))
        data = bytes(chance.choices(alphabet, k=chance.randrange(12)))
        one.receive(data, NOW + turn * 0.1)
        assert len(one.take_outgoing(NOW + turn * 0.1)) <= 12 * 8
    one.receive(ON, NOW + 1e4)
    assert one.snapshot().contacts[0]
