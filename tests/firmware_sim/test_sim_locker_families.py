# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with boards of every family alike, and hostile bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from firmware_sim.errors import SimulationError
from firmware_sim.happening import What
from firmware_sim.lockers.locker_board import MAX_PULLS, LockerBoard
from firmware_sim.lockers.locker_bus import LockerBus, LockerBusSettings
from firmware_sim.lockers.locker_families import FAMILIES, firmware_of, settings_kind
from firmware_sim.lockers.locker_settings import BoardTraits, LockerFault
from tests.firmware_sim.sim_vectors import frames

NOW = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A family by its name, and one opening and one question of its wire."""

    name: str
    opening: bytes
    question: bytes


LOCKER_8A, KERONG = frames("locker_8a"), frames("kerong")
CU48, WKLY = frames("cu48"), frames("wkly")
EVERY = [
    Family(
        name="8a",
        opening=LOCKER_8A["asked: open 1/1"],
        question=LOCKER_8A["asked: query all of 1"],
    ),
    Family(
        name="kerong",
        opening=KERONG["asked: unlock 0/0"],
        question=KERONG["asked: status of 0"],
    ),
    Family(
        name="cu48",
        opening=CU48["asked: open 0/0"],
        question=CU48["asked: status of 0"],
    ),
    Family(
        name="wkly",
        opening=WKLY["asked: open 0/1"],
        question=WKLY["asked: query all of 0"],
    ),
]
every_family = pytest.mark.parametrize("family", EVERY, ids=lambda one: str(one.name))


def board_of(family: Family) -> LockerBoard:
    return LockerBoard(FAMILIES[family.name](channels=12))


def ask(board: LockerBoard, request: bytes, now: float = NOW) -> bytes:
    board.receive(request, now)
    return board.take_outgoing(now + board.settings.reply_delay_s)


def is_open(board: LockerBoard) -> bool:
    return board.snapshot().compartments[0].is_open


def test_every_family_is_tried_here() -> None:
    assert [one.name for one in EVERY] == list(FAMILIES)
    with pytest.raises(
        SimulationError, match=r"ports\.x: 'yt' is not known; write one of"
    ):
        settings_kind("yt", "ports.x")
    with pytest.raises(SimulationError, match="no board's of a family"):
        firmware_of(BoardTraits())


@every_family
@pytest.mark.parametrize("delay_s", [0.0, 0.3, 1.2])
def test_the_latch_springs_at_once_and_the_reply_takes_its_time(
    family: Family, delay_s: float
) -> None:
    board = board_of(family)
    board.settings = replace(board.settings, reply_delay_s=delay_s)
    board.receive(family.opening, NOW)
    assert is_open(board)
    board.take_outgoing(NOW)
    said = board.take_outgoing(NOW + delay_s)
    assert bool(said) is (delay_s > 0)
    assert board.snapshot().requests == 1


@every_family
def test_while_a_reply_is_due_nothing_else_is_heard(family: Family) -> None:
    board = board_of(family)
    board.settings = replace(board.settings, reply_delay_s=0.5)
    board.receive(family.opening + family.question, NOW)
    board.receive(family.question, NOW + 0.4)
    assert board.snapshot().requests == 1
    board.receive(family.question, NOW + 0.6)
    assert board.snapshot().requests == 2


@every_family
def test_faults_spoil_one_reply_each(family: Family) -> None:
    board = board_of(family)
    sound = ask(board, family.question)
    spoils = {
        LockerFault.WRONG_BCC: sound[:-1] + bytes((sound[-1] ^ 0xFF,)),
        LockerFault.TRUNCATED: sound[: len(sound) // 2],
        LockerFault.FIRST_BYTE_LOST: sound[1:],
        LockerFault.DROPPED: b"",
        LockerFault.UNHEARD: b"",
    }
    for at, (fault, spoiled) in enumerate(spoils.items(), start=1):
        board.spoil(fault)
        assert ask(board, family.question, NOW + at) == spoiled
    assert ask(board, family.question, NOW + 9) == sound
    board.spoil(LockerFault.UNHEARD)
    ask(board, family.opening, NOW + 10)
    assert not is_open(board)


@every_family
def test_a_jammed_latch_stays_and_a_pried_door_shows(family: Family) -> None:
    board = board_of(family)
    closed = ask(board, family.question)
    board.bank.at(1).jam(is_jammed=True)
    ask(board, family.opening, NOW + 1)
    assert not is_open(board)
    assert ask(board, family.question, NOW + 2) == closed
    board.bank.at(1).pry(NOW + 3)
    assert ask(board, family.question, NOW + 4)[-len(closed) :] != closed


@every_family
def test_a_brown_out_is_two_seconds_of_silence(family: Family) -> None:
    board = board_of(family)
    board.settings = replace(board.settings, reply_delay_s=0.5)
    board.receive(family.opening, NOW)
    board.take_outgoing(NOW)
    board.brown_out(NOW + 0.1)
    assert board.take_outgoing(NOW + 2.0) == b"", "the reply went with the power"
    board.receive(family.question, NOW + 2.0)
    assert board.take_outgoing(NOW + 2.05) == b""
    assert ask(board, family.question, NOW + 2.2) != b""
    assert board.diary.entries()[-1].what is What.POWER_BACK


@every_family
def test_an_absent_board_is_silent_for_ever(family: Family) -> None:
    board = board_of(family)
    board.settings = replace(board.settings, is_silent=True)
    assert ask(board, family.opening) == b""
    assert ask(board, family.question, NOW + 1) == b""
    assert not is_open(board)


@every_family
def test_an_adapter_may_echo_every_byte(family: Family) -> None:
    board = board_of(family)
    bus = LockerBus([board], LockerBusSettings(local_echo=True))
    bus.receive(family.question, NOW)
    said = bus.take_outgoing(NOW)
    assert said == family.question + ask(board, family.question, NOW + 1)


@every_family
def test_two_boards_at_one_address_talk_over_each_other(family: Family) -> None:
    boards = [board_of(family), board_of(family)]
    bus = LockerBus(boards)
    boards[0].bank.at(1).pry(NOW)
    boards[1].bank.at(2).pry(NOW)
    bus.take_outgoing(NOW)
    alone = [ask(board, family.question, NOW + 1) for board in boards]
    bus.receive(family.question, NOW + 2)
    said = bus.take_outgoing(NOW + 2)
    assert said not in alone
    assert bus.collisions >= 1


def test_pulls_that_wait_are_bounded() -> None:
    board = LockerBoard(FAMILIES["kerong"]())
    later = KERONG["asked: unlock 0/0 in 5 s"]
    for at in range(MAX_PULLS + 5):
        board.receive(later, NOW + at / 1000)
    assert len(board._pulls) == MAX_PULLS


@every_family
@pytest.mark.parametrize("seed", [1, 2])
def test_hostile_bytes_never_raise_and_never_deafen(family: Family, seed: int) -> None:
    chance, now = Random(seed), NOW
    board = board_of(family)
    firmware: Any = board._firmware
    sound = [family.opening, family.question]
    for _ in range(2_000):
        now += chance.choice([0.0, 0.001, 0.05])
        frame = bytearray(chance.choice(sound))
        frame[chance.randrange(len(frame))] ^= 1 << chance.randrange(8)
        noise = chance.randbytes(chance.randrange(12))
        board.receive(chance.choice([bytes(frame), noise, bytes(frame) + noise]), now)
        board.take_outgoing(now)
        assert len(firmware._framer._buffer) < 40
        assert len(board._pulls) <= MAX_PULLS
    board.brown_out(now, dark_s=0.1)
    assert ask(board, family.question, now + 1) != b""
