# SPDX-License-Identifier: Apache-2.0
"""The simulated CU48: published frames, late openings, success and failure."""

from __future__ import annotations

from typing import Any

import pytest

from firmware_sim.errors import SimulationError
from firmware_sim.lockers.cu48 import Cu48Settings, is_request
from firmware_sim.lockers.kerong_frames import check_sum
from firmware_sim.lockers.locker_board import LockerBoard
from tests.firmware_sim.sim_vectors import Vector, frames, vectors

WIRE = frames("cu48")
STATUS, OPEN = WIRE["asked: status of 0"], WIRE["asked: open 0/0"]
OPENED = WIRE["told: lock 0 opened"]
NOW = 100.0


def board_of(**settings: Any) -> LockerBoard:
    return LockerBoard(Cu48Settings(**settings))


def ask(board: LockerBoard, request: bytes, now: float = NOW) -> bytes:
    board.receive(request, now)
    return board.take_outgoing(now + board.settings.reply_delay_s)


def framed(content: str) -> bytes:
    raw = bytes.fromhex(content)
    return raw + bytes((check_sum(raw),))


def open_ones(board: LockerBoard) -> list[int]:
    return [one.channel for one in board.snapshot().compartments if one.is_open]


@pytest.mark.parametrize("vector", vectors("cu48"), ids=lambda one: str(one.note))
def test_requests_alone_are_taken_for_requests(vector: Vector) -> None:
    is_asked = vector.note.startswith("asked")
    assert is_request(vector.data) is (vector.is_sound and is_asked)
    assert vector.is_sound or ask(board_of(), vector.data) == b""


def test_all_states_have_the_published_bytes() -> None:
    board = board_of()
    assert ask(board, STATUS) == WIRE["told: all 48 closed"]
    board.bank.at(1).pry(NOW)
    assert ask(board, STATUS) == WIRE["told: lock 0 open"]
    small = board_of(channels=12)
    assert ask(small, STATUS) == framed("0200007506FF0F00000000")


def test_with_the_other_switch_all_closed_reads_zero() -> None:
    assert ask(board_of(closed_is=0), STATUS) == framed("0200007506000000000000")


def test_an_opening_opens_its_lock_and_is_answered_late() -> None:
    board = board_of(reply_delay_s=0.5)
    board.receive(OPEN, NOW)
    assert open_ones(board) == [1]
    assert board.take_outgoing(NOW + 0.49) == b""
    assert board.take_outgoing(NOW + 0.5) == OPENED
    assert ask(board, WIRE["asked: open 0/5"], NOW + 1) == framed("0200057500")
    assert open_ones(board) == [1, 6]


@pytest.mark.parametrize(("fails_when_shut", "status"), [(False, "75"), (True, "7F")])
def test_a_jam_is_told_as_a_failure_where_the_firmware_looks(
    fails_when_shut: bool,  # noqa: FBT001
    status: str,
) -> None:
    board = board_of(fails_when_shut=fails_when_shut)
    board.bank.at(1).jam(is_jammed=True)
    assert ask(board, OPEN) == framed(f"020000{status}00")
    assert ask(board, STATUS, NOW + 1) == WIRE["told: all 48 closed"]


def test_a_lock_that_is_not_there_fails() -> None:
    board = board_of(channels=12)
    assert ask(board, framed("02000C6103")) == framed("02000C7F00")
    assert open_ones(board) == []


@pytest.mark.parametrize("content", ["0201006003", "0200006203", "0300006003"])
def test_foreign_devices_and_unknown_commands_are_met_with_silence(
    content: str,
) -> None:
    assert ask(board_of(), framed(content)) == b""


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_request_cut_anywhere_is_understood_once_whole(cut: int) -> None:
    board = board_of()
    assert ask(board, STATUS[:cut]) == b""
    assert ask(board, STATUS[cut:], NOW + 0.01) == WIRE["told: all 48 closed"]


@pytest.mark.parametrize("wrong", [{"address": 256}, {"channels": 49}], ids=str)
def test_impossible_boards_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SimulationError):
        Cu48Settings(**wrong)
