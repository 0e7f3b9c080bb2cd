# SPDX-License-Identifier: Apache-2.0
"""The simulated WKLY board: published frames, reports at any moment, its quirks."""

from __future__ import annotations

from typing import Any

import pytest

from firmware_sim.errors import SimulationError
from firmware_sim.lockers.locker_board import LockerBoard
from firmware_sim.lockers.wkly import WklySettings
from firmware_sim.lockers.wkly_frames import (
    Command,
    WklyFramer,
    WklyRequest,
    framed,
    is_sound,
)
from tests.firmware_sim.sim_vectors import Vector, frames, vectors

WIRE = frames("wkly")
OPEN, QUERY = WIRE["asked: open 0/1"], WIRE["asked: query 0/1"]
QUERY_ALL = WIRE["asked: query all of 0"]
OPENED = WIRE["told: 1 opened, open"]
NOW = 100.0


def board_of(**settings: Any) -> LockerBoard:
    return LockerBoard(WklySettings(**{"reports_changes": False, **settings}))


def ask(board: LockerBoard, request: bytes, now: float = NOW) -> bytes:
    board.receive(request, now)
    return board.take_outgoing(now + board.settings.reply_delay_s)


def open_ones(board: LockerBoard) -> list[int]:
    return [one.channel for one in board.snapshot().compartments if one.is_open]


# -- the wire ----------------------------------------------------------------------


@pytest.mark.parametrize("vector", vectors("wkly"), ids=lambda one: str(one.note))
def test_the_check_byte_holds_for_what_is_sound_alone(vector: Vector) -> None:
    assert is_sound(vector.data) is vector.is_sound
    assert len(WklyFramer(0.02).feed(vector.data, NOW)) == vector.is_sound


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_request_cut_anywhere_is_understood_once_whole(cut: int) -> None:
    request = WIRE["asked: open 1, 2, 3 of 0 together"]
    meant = WklyRequest(board=0, command=0x80, data=bytes((3, 1, 2, 3)))
    framer = WklyFramer(silence_s=0.02)
    assert framer.feed(request[:cut], NOW) == []
    assert framer.feed(request[cut:], NOW + 0.01) == [meant]


@pytest.mark.parametrize(
    "noise", ["00", "57", "574B", "574B4C", "574B4C5907", "574B57"]
)
def test_a_request_behind_noise_is_found(noise: str) -> None:
    found = WklyFramer(0.02).feed(bytes.fromhex(noise) + QUERY, NOW)
    assert [one.command for one in found] == [Command.QUERY]


def test_half_a_frame_is_dropped_by_silence() -> None:
    framer = WklyFramer(silence_s=0.02)
    assert framer.feed(QUERY[:6], NOW) == []
    assert len(framer.feed(QUERY, NOW + 0.03)) == 1


# -- openings ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "opened", "told"),
    [
        ("asked: open 0/1", [1], OPENED),
        ("asked: open 1/1", [], b""),
        ("asked: open 10/1", [], b""),
        ("asked: blink 0/1", [], WIRE["told: blink done"]),
        (
            "asked: open 1, 2, 3 of 0 together",
            [1, 2, 3],
            WIRE["told: together done"],
        ),
        ("asked: open 1, 2, 3 of 0 in turn", [1], framed(0, Command.OPEN_IN_TURN, 0)),
        ("asked: open all of 0 in turn", [1], framed(0, Command.OPEN_ALL_IN_TURN, 0)),
    ],
)
def test_an_opening_opens_what_it_names(
    name: str, opened: list[int], told: bytes
) -> None:
    board = board_of()
    assert ask(board, WIRE[name]) == told
    assert open_ones(board) == opened


def test_doors_in_turn_are_pulled_apart() -> None:
    board = board_of(step_s=0.5)
    ask(board, WIRE["asked: open 1, 2, 3 of 0 in turn"])
    board.tick(NOW + 0.5)
    assert open_ones(board) == [1, 2]
    board.tick(NOW + 1)
    assert open_ones(board) == [1, 2, 3]


def test_the_reply_comes_late_with_what_the_switch_feels_by_then() -> None:
    board = board_of(reply_delay_s=1.2)
    board.bank.at(1).hold_shut(NOW, is_held=True)
    board.receive(OPEN, NOW)
    assert board.take_outgoing(NOW + 1.19) == b""
    assert board.take_outgoing(NOW + 1.2) == framed(0, Command.OPEN, 0, 1, 1)


def test_some_boards_open_and_never_answer() -> None:
    board = board_of(answers_open=False)
    assert ask(board, OPEN) == b""
    assert open_ones(board) == [1]
    assert ask(board, QUERY, NOW + 1) == framed(0, Command.QUERY, 0, 1, 0)


@pytest.mark.parametrize(("fails_when_shut", "status"), [(False, 0x00), (True, 0xFF)])
def test_a_jam_is_told_as_a_failure_where_the_firmware_looks(
    fails_when_shut: bool,  # noqa: FBT001
    status: int,
) -> None:
    board = board_of(fails_when_shut=fails_when_shut)
    board.bank.at(1).jam(is_jammed=True)
    assert ask(board, OPEN) == framed(0, Command.OPEN, status, 1, 1)
    assert ask(board, QUERY, NOW + 1) == framed(0, Command.QUERY, 0, 1, 1)


def test_doors_that_are_not_there_fail_and_nothing_of_their_list_opens() -> None:
    board = board_of(channels=2)
    told = WIRE["told: together failed"]
    assert ask(board, WIRE["asked: open 1, 2, 3 of 0 together"]) == told
    failed = framed(0, Command.OPEN, 0xFF, 3, 0)
    assert ask(board, framed(0, Command.OPEN, 3), NOW + 1) == failed
    assert ask(board, framed(0, Command.OPEN, 0), NOW + 2)[7] == 0xFF
    assert ask(board, framed(0, Command.BLINK, 3), NOW + 3)[7] == 0xFF
    assert open_ones(board) == []


@pytest.mark.parametrize(
    "request_", [framed(0, Command.OPEN_TOGETHER, 3, 1), framed(0, Command.OPEN)]
)
def test_a_request_with_the_wrong_data_is_met_with_silence(request_: bytes) -> None:
    assert ask(board_of(), request_) == b""


def test_a_coil_is_held_on_and_let_go() -> None:
    board = board_of()
    told = ask(board, WIRE["asked: hold 0/1 on"])
    assert told == framed(0, Command.HOLD_ON, 0, 1)
    board.tick(NOW + 60)
    assert not board.bank.at(1).shut(NOW + 60)
    ask(board, WIRE["asked: hold 0/1 off"], NOW + 61)
    assert board.bank.at(1).shut(NOW + 62)


# -- states and reports ------------------------------------------------------------


def test_all_states_have_the_published_bytes() -> None:
    four = board_of(channels=4)
    for channel in (1, 4):
        four.bank.at(channel).pry(NOW)
    assert ask(four, QUERY_ALL) == WIRE["told: 4 doors, 2 and 3 closed"]
    assert (
        ask(board_of(channels=24, closed_is=0), QUERY_ALL)
        == (WIRE["told: 24 doors, all open"])
    )


def test_a_hand_is_reported_unasked_and_by_the_same_polarity() -> None:
    board = board_of(reports_changes=True)
    board.bank.at(2).pry(NOW)
    assert board.take_outgoing(NOW) == WIRE["told: 2 was opened"]
    board.bank.at(1).pry(NOW + 1)
    board.take_outgoing(NOW + 1)
    board.bank.at(1).shut(NOW + 2)
    assert board.take_outgoing(NOW + 2) == WIRE["told: 1 was closed"]


def test_a_report_comes_between_a_command_and_its_reply() -> None:
    board = board_of(reports_changes=True, reply_delay_s=0.5)
    board.receive(OPEN, NOW)
    own = framed(0, Command.DOOR_CHANGED, 1, 0)
    assert board.take_outgoing(NOW) == own
    board.bank.at(2).pry(NOW + 0.25)
    assert board.take_outgoing(NOW + 0.25) == WIRE["told: 2 was opened"]
    assert board.take_outgoing(NOW + 0.5) == OPENED


def test_in_a_late_read_report_and_reply_stand_in_the_order_of_their_times() -> None:
    board = board_of(reports_changes=True, reply_delay_s=0.1, pulse_s=0.3)
    board.bank.at(1).hold_shut(NOW, is_held=True)
    board.receive(OPEN, NOW)
    open_, shut = (framed(0, Command.DOOR_CHANGED, 1, state) for state in (0, 1))
    assert board.take_outgoing(NOW + 9) == open_ + OPENED + shut


@pytest.mark.parametrize(
    "wrong", [{"address": 32}, {"channels": 25}, {"step_s": -1.0}], ids=str
)
def test_impossible_boards_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SimulationError):
        WklySettings(**wrong)
