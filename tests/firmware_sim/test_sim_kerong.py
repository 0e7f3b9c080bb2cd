# SPDX-License-Identifier: Apache-2.0
"""The simulated KERONG CU16: published frames, late unlocking, the busy board."""

from __future__ import annotations

from typing import Any

import pytest

from firmware_sim.errors import SimulationError
from firmware_sim.lockers.kerong import KerongSettings
from firmware_sim.lockers.kerong_frames import (
    Command,
    KerongFramer,
    KerongRequest,
    check_sum,
    is_sound,
    status_reply,
    unlock_time_reply,
)
from firmware_sim.lockers.locker_board import LockerBoard
from firmware_sim.lockers.locker_bus import LockerBus
from tests.firmware_sim.sim_vectors import Vector, frames, vectors

WIRE = frames("kerong")
STATUS, UNLOCK = WIRE["asked: status of 0"], WIRE["asked: unlock 0/0"]
LOCKED = WIRE["told: all locked, nothing inside"]
UNLOCKED = WIRE["told: lock 0 unlocked, nothing inside"]
RESET = WIRE["asked: reset 0"]
NOW = 100.0
MEANT = {
    "asked: status of 0": (0, 0, Command.STATUS, ""),
    "asked: unlock 0/0": (0, 0, Command.UNLOCK, ""),
    "asked: unlock 0/1": (0, 1, Command.UNLOCK, ""),
    "asked: unlock 1/0": (1, 0, Command.UNLOCK, ""),
    "asked: unlock all of 0": (0, 0, Command.UNLOCK_ALL, ""),
    "asked: status of all boards": (15, 0, Command.STATUS_OF_ALL, ""),
    "asked: unlock time of 0": (0, 0, Command.UNLOCK_TIME, ""),
    "asked: unlock time of 0 is 1 s": (0, 0, Command.UNLOCK_TIME, "0064"),
    "asked: unlock 0/0 in 5 s": (0, 0, Command.UNLOCK_LATER, "05"),
    "asked: reset 0": (0, 0, Command.RESET, ""),
    "asked: reset 0, with data": (0, 0, Command.RESET, "00"),
    "asked: rate 1 of 0": (0, 0, Command.BAUD, "01"),
}
FULL, NONE = (True,) * 16, (False,) * 16
ALL_BUT_0, ONLY_0 = (False, *FULL[1:]), (True, *NONE[1:])
TOLD = {
    "told: all locked, nothing inside": status_reply(0, FULL, NONE, to_all=False),
    "told: lock 0 unlocked, nothing inside": status_reply(
        0, ALL_BUT_0, NONE, to_all=False
    ),
    "told: lock 0 unlocked, something in it": status_reply(
        0, ALL_BUT_0, ONLY_0, to_all=False
    ),
    "told: all locked at board 1, asked of all": status_reply(
        1, FULL, NONE, to_all=True
    ),
    "told: unlock time of 0 is 0.3 s": unlock_time_reply(0, 30),
}


def board_of(**settings: Any) -> LockerBoard:
    return LockerBoard(KerongSettings(**settings))


def ask(board: LockerBoard, request: bytes, now: float = NOW) -> bytes:
    """Ask and wait for the reply, however late it is due."""
    board.receive(request, now)
    return board.take_outgoing(now + board.settings.reply_delay_s)


def framed(content: str) -> bytes:
    raw = bytes.fromhex(f"02{content}03")
    return raw + bytes((check_sum(raw),))


def open_ones(board: LockerBoard) -> list[int]:
    return [one.channel for one in board.snapshot().compartments if one.is_open]


# -- the wire ----------------------------------------------------------------------


def test_every_published_frame_is_in_one_of_the_tables() -> None:
    assert {*MEANT, *TOLD} == set(WIRE)


@pytest.mark.parametrize("vector", vectors("kerong"), ids=lambda one: str(one.note))
def test_ends_and_check_byte_hold_for_what_is_sound_alone(vector: Vector) -> None:
    assert is_sound(vector.data) is vector.is_sound
    if not vector.is_sound:
        assert KerongFramer(0.02).feed(vector.data, NOW) == []


@pytest.mark.parametrize("name", MEANT)
def test_every_published_request_is_understood_wherever_it_is_cut(name: str) -> None:
    board, lock, command, data = MEANT[name]
    meant = KerongRequest(
        board=board, lock=lock, command=command, data=bytes.fromhex(data)
    )
    request = WIRE[name]
    for cut in range(len(request)):
        framer = KerongFramer(silence_s=0.02)
        assert framer.feed(request[:cut], NOW) == []
        assert framer.feed(request[cut:], NOW + 0.01) == [meant]


@pytest.mark.parametrize("name", TOLD)
def test_every_published_reply_is_said(name: str) -> None:
    assert TOLD[name] == WIRE[name]


def test_requests_in_one_read_are_told_apart() -> None:
    found = KerongFramer(0.02).feed(b"".join(WIRE[name] for name in MEANT), NOW)
    assert len(found) == len(MEANT)


# -- unlocking ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "opened"),
    [
        ("asked: status of 0", []),
        ("asked: unlock 0/0", [1]),
        ("asked: unlock 0/1", [2]),
        ("asked: unlock 1/0", []),
        ("asked: unlock all of 0", list(range(1, 17))),
        ("asked: unlock 0/0 in 5 s", []),
        ("asked: reset 0", []),
    ],
)
def test_an_unlocking_opens_what_it_names(name: str, opened: list[int]) -> None:
    board = board_of()
    board.receive(WIRE[name], NOW)
    assert open_ones(board) == opened


def test_the_reply_comes_late_with_what_the_hooks_feel_by_then() -> None:
    board = board_of(reply_delay_s=1.2)
    board.receive(UNLOCK, NOW)
    assert board.take_outgoing(NOW + 1.19) == b""
    assert board.take_outgoing(NOW + 1.2) == UNLOCKED


def test_an_unlocking_without_a_reply_is_seen_by_a_question() -> None:
    board = board_of(answers_unlock=False)
    assert ask(board, UNLOCK) == b""
    assert ask(board, STATUS, NOW + 1) == UNLOCKED


def test_a_delayed_unlocking_pulls_at_its_time_and_not_without_power() -> None:
    board = board_of()
    assert ask(board, WIRE["asked: unlock 0/0 in 5 s"]) == b""
    assert board.deadline() == NOW + 5
    board.tick(NOW + 4.99)
    assert open_ones(board) == []
    board.tick(NOW + 5)
    assert open_ones(board) == [1]
    board = board_of()
    board.receive(WIRE["asked: unlock 0/0 in 5 s"], NOW)
    board.brown_out(NOW + 1)
    board.tick(NOW + 9)
    assert open_ones(board) == []


def test_a_delay_that_the_wire_does_not_know_is_no_order() -> None:
    board = board_of()
    board.receive(framed("0039FB"), NOW)
    assert board.deadline() is None


@pytest.mark.parametrize("content", ["0F31", "1030", "0041", "F030", "0032"])
def test_unknown_locks_boards_and_commands_are_met_with_silence(content: str) -> None:
    board = board_of(channels=12)
    assert ask(board, framed(content)) == b""
    assert open_ones(board) == []


# -- the busy board ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["asked: reset 0", "asked: reset 0, with data"])
def test_a_busy_board_ignores_everything_until_its_reset(name: str) -> None:
    board = board_of(stays_busy=True)
    assert ask(board, UNLOCK) == UNLOCKED
    assert board.snapshot().is_busy
    assert ask(board, STATUS, NOW + 1) == b""
    assert ask(board, WIRE["asked: unlock 0/1"], NOW + 2) == b""
    assert open_ones(board) == [1]
    assert ask(board, WIRE[name], NOW + 3) == b""
    assert ask(board, STATUS, NOW + 4) == UNLOCKED
    assert not board.snapshot().is_busy


def test_in_one_read_too_what_comes_behind_the_unlocking_is_ignored() -> None:
    board = board_of(stays_busy=True, reply_delay_s=0.0)
    board.receive(UNLOCK + STATUS + RESET + STATUS, NOW)
    assert board.take_outgoing(NOW) == UNLOCKED * 2


def test_a_brown_out_ends_the_busy_state() -> None:
    board = board_of(stays_busy=True)
    ask(board, UNLOCK)
    board.brown_out(NOW + 1)
    assert ask(board, STATUS, NOW + 2.9) == b""
    assert ask(board, STATUS, NOW + 3.1) == UNLOCKED


# -- states and settings -----------------------------------------------------------


def test_hooks_and_gates_are_told_with_their_polarity() -> None:
    board = board_of()
    board.bank.at(1).pry(NOW)
    board.bank.at(1).put_in("rice")
    assert ask(board, STATUS) == WIRE["told: lock 0 unlocked, something in it"]
    assert ask(board_of(closed_is=0, item_is=0), STATUS) == framed("00350000FFFF")


def test_the_bits_of_locks_that_are_not_there_read_zero() -> None:
    assert ask(board_of(channels=12), STATUS) == framed("0035FF0F0000")


def test_all_boards_answer_one_after_another() -> None:
    boards = [LockerBoard(KerongSettings(address=one)) for one in (0, 1)]
    bus = LockerBus(boards)
    bus.receive(WIRE["asked: status of all boards"], NOW)
    assert bus.take_outgoing(NOW) == framed("0036FFFF0000")
    told = WIRE["told: all locked at board 1, asked of all"]
    assert bus.take_outgoing(NOW + 0.02) == told
    assert bus.collisions == 0


def test_the_unlock_time_is_told_and_set() -> None:
    board = board_of()
    asked = WIRE["asked: unlock time of 0"]
    assert ask(board, asked) == WIRE["told: unlock time of 0 is 0.3 s"]
    told = ask(board, WIRE["asked: unlock time of 0 is 1 s"], NOW + 1)
    assert told == framed("00380064")
    board.receive(UNLOCK, NOW + 2)
    assert not board.bank.at(1).shut(NOW + 2.9)
    board.tick(NOW + 3)
    assert board.bank.at(1).shut(NOW + 3)


def test_the_rate_is_changed_by_what_the_board_knows() -> None:
    board = board_of()
    board.receive(framed("004000"), NOW)
    assert board.baud == 9_600
    board.receive(framed("004004"), NOW + 1)
    assert board.baud == 9_600


@pytest.mark.parametrize(
    "wrong",
    [{"address": 15}, {"channels": 17}, {"item_is": 2}, {"closed_is": 2}],
    ids=str,
)
def test_impossible_boards_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SimulationError):
        KerongSettings(**wrong)
