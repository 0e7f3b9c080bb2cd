# SPDX-License-Identifier: Apache-2.0
"""Openings, replies, knobs and faults of the simulated lock-control board."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from firmware_sim.errors import SimulationError
from firmware_sim.happening import What
from firmware_sim.lockers.locker_board import LockerBoard
from firmware_sim.lockers.locker_frames import ReplyKind, bcc
from firmware_sim.lockers.locker_settings import LockerBoardSettings, LockerFault
from tests.firmware_sim.sim_vectors import frames

WIRE = frames("locker_8a")
OPEN, OPEN_ALL = WIRE["asked: open 1/1"], WIRE["asked: open all of 1"]
QUERY, QUERY_ALL = WIRE["asked: query 1/1"], WIRE["asked: query all of 1"]
OPENED, CLOSED = WIRE["told: kind 8A, state 00"], WIRE["told: kind 8A, state 11"]
NOW = 100.0


def board_of(**settings: Any) -> LockerBoard:
    return LockerBoard(LockerBoardSettings(**settings))


def ask(board: LockerBoard, request: bytes, now: float = NOW) -> bytes:
    """Ask and wait for the reply, however late it is due."""
    board.receive(request, now)
    return board.take_outgoing(now + board.settings.reply_delay_s)


def framed(content: str) -> bytes:
    raw = bytes.fromhex(content)
    return raw + bytes((bcc(raw),))


def open_ones(board: LockerBoard) -> list[int]:
    return [one.channel for one in board.snapshot().compartments if one.is_open]


# -- openings ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "channels", "opened"),
    [
        ("asked: open 1/1", 12, [1]),
        ("asked: open 1/2", 12, [2]),
        ("asked: open 1/24", 24, [24]),
        ("asked: open 1/24", 12, []),
        ("asked: open all of 1", 12, list(range(1, 13))),
        ("asked: open all of 2", 12, []),
        ("asked: open 1/1 for 5 s", 12, [1]),
        ("asked: open 1 and 2 of 1", 12, [1, 2]),
        ("asked: open 1 and 2 of 1", 1, [1]),
        ("asked: query 1/1", 12, []),
        ("asked: query all of 1", 12, []),
        ("asked: which address", 12, []),
    ],
)
def test_an_opening_opens_what_it_names(
    name: str, channels: int, opened: list[int]
) -> None:
    board = board_of(channels=channels)
    board.receive(WIRE[name], NOW)
    assert open_ones(board) == opened


def test_the_reply_comes_late_with_what_the_switch_feels_by_then() -> None:
    board = board_of(reply_delay_s=0.5)
    board.receive(OPEN, NOW)
    assert open_ones(board) == [1], "the latch does not wait for the reply"
    assert board.take_outgoing(NOW + 0.499) == b""
    board.bank.at(1).end_pulse()
    board.bank.at(1).shut(NOW + 0.4995)
    assert board.deadline() == NOW + 0.5
    assert board.take_outgoing(NOW + 0.5) == CLOSED


def test_a_held_leaf_reads_open_during_the_pulse_and_closed_behind_it() -> None:
    for delay_s, reply in ((0.2, OPENED), (0.3, CLOSED), (1.0, CLOSED)):
        board = board_of(reply_delay_s=delay_s, pulse_s=0.3)
        board.bank.at(1).hold_shut(NOW, is_held=True)
        assert ask(board, OPEN) == reply
        assert open_ones(board) == []


def test_a_timed_opening_pulls_for_its_seconds() -> None:
    board = board_of()
    ask(board, WIRE["asked: open 1/1 for 5 s"])
    assert not board.bank.at(1).shut(NOW + 4.9)
    board.tick(NOW + 5.0)
    assert board.bank.at(1).shut(NOW + 5.0)


def test_a_jammed_latch_is_told_as_closed_which_reads_like_an_echo() -> None:
    board = board_of()
    board.bank.at(1).jam(is_jammed=True)
    assert ask(board, OPEN) == OPEN == CLOSED
    assert board.diary.entries()[-1].what is What.COMPARTMENT_JAMMED
    assert ask(board, QUERY, NOW + 1) == WIRE["told: kind 80, state 11"]


def test_open_all_is_told_as_open_only_if_all_are() -> None:
    assert ask(board_of(), OPEN_ALL) == framed("8A010000")
    board = board_of()
    board.bank.at(7).jam(is_jammed=True)
    assert ask(board, OPEN_ALL) == framed("8A010011")
    assert len(open_ones(board)) == 11


def test_open_several_has_no_reply() -> None:
    board = board_of()
    assert ask(board, WIRE["asked: open 1 and 2 of 1"]) == b""
    assert board.snapshot().requests == 1


def test_while_a_reply_is_due_nothing_else_is_heard() -> None:
    board = board_of(reply_delay_s=0.5)
    board.receive(OPEN + WIRE["asked: open 1/2"], NOW)
    board.receive(QUERY_ALL, NOW + 0.25)
    assert board.take_outgoing(NOW + 0.5) == OPENED
    assert open_ones(board) == [1]
    assert board.deadline() is None
    assert ask(board, QUERY, NOW + 0.6) == WIRE["told: kind 80, state 00"]


# -- queries -----------------------------------------------------------------------


def test_all_states_have_the_published_bytes() -> None:
    board = board_of(channels=24)
    assert ask(board, QUERY_ALL) == WIRE["told: 24 channels, all bits 1"]
    board.bank.at(1).pry(NOW)
    assert ask(board, QUERY_ALL) == WIRE["told: 24 channels, channel 1 = 0"]
    assert ask(board_of(), QUERY_ALL) == WIRE["told: 12 channels, all bits 1"]
    wide = board_of(channels=32)
    assert ask(wide, QUERY_ALL) == WIRE["told: 32 channels, all bits 1"]


def test_the_address_is_told_whatever_it_is() -> None:
    who = WIRE["asked: which address"]
    assert ask(board_of(), who) == WIRE["told: address 1"]
    assert ask(board_of(address=5), who) == framed("80010599")


def test_a_query_waits_for_its_delay() -> None:
    board = board_of(query_delay_s=0.1)
    board.receive(QUERY, NOW)
    assert board.take_outgoing(NOW + 0.09) == b""
    assert board.take_outgoing(NOW + 0.1) == WIRE["told: kind 80, state 11"]


@pytest.mark.parametrize("content", ["80010D33", "8A010D11", "80020133", "8A020111"])
def test_unknown_channels_and_foreign_addresses_are_met_with_silence(
    content: str,
) -> None:
    board = board_of()
    assert ask(board, framed(content)) == b""
    assert open_ones(board) == []
    assert board.deadline() is None


# -- knobs -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(ReplyKind))
@pytest.mark.parametrize(("closed_is", "state"), [(1, "00"), (0, "11")])
def test_reply_kind_and_polarity_are_the_boards(
    kind: ReplyKind, closed_is: int, state: str
) -> None:
    board = board_of(reply_kind=kind, closed_is=closed_is)
    assert ask(board, OPEN) == framed(f"{kind.value}0101{state}")
    assert ask(board, QUERY, NOW + 1) == framed(f"800101{state}")


def test_with_the_other_switch_all_closed_reads_zero() -> None:
    board = board_of(closed_is=0)
    assert ask(board, QUERY_ALL) == framed("8001000033")
    board.bank.at(12).pry(NOW)
    assert ask(board, QUERY_ALL) == framed("8001080033")


@pytest.mark.parametrize(
    ("closed_is", "report_opened_is", "opened"),
    [(0, None, "11"), (1, None, "00"), (1, 1, "11"), (0, 0, "00")],
)
def test_some_firmware_reports_what_hands_and_commands_do(
    closed_is: int, report_opened_is: int | None, opened: str
) -> None:
    board = board_of(
        reports_changes=True, closed_is=closed_is, report_opened_is=report_opened_is
    )
    closed = "11" if opened == "00" else "00"
    board.bank.at(1).pry(NOW)
    assert board.take_outgoing(NOW) == WIRE[f"told: report, state {opened}"]
    board.bank.at(1).shut(NOW + 1)
    assert board.take_outgoing(NOW + 1) == WIRE[f"told: report, state {closed}"]
    assert board.take_outgoing(NOW + 2) == b"", "each change is told once"
    board.receive(OPEN, NOW + 3)
    assert board.deadline() == NOW + 3
    assert board.take_outgoing(NOW + 3) == WIRE[f"told: report, state {opened}"]
    assert board.take_outgoing(NOW + 4)[0] == 0x8A, "and the reply behind it"


def test_the_other_firmware_reports_nothing() -> None:
    board = board_of()
    board.bank.at(1).pry(NOW)
    assert board.take_outgoing(NOW) == b""


def test_a_held_leaf_is_reported_at_the_end_of_its_pulse_however_late() -> None:
    board = board_of(reports_changes=True, reply_delay_s=0.1, pulse_s=0.3)
    board.bank.at(1).hold_shut(NOW, is_held=True)
    board.receive(OPEN, NOW)
    said = board.take_outgoing(NOW + 9)
    reports = [WIRE["told: report, state 00"], WIRE["told: report, state 11"]]
    assert said == reports[0] + OPENED + reports[1]


def test_a_silent_board_neither_hears_nor_speaks() -> None:
    board = board_of(is_silent=True, reports_changes=True)
    assert ask(board, OPEN) == b""
    board.bank.at(2).pry(NOW)
    assert board.take_outgoing(NOW + 1) == b""
    assert open_ones(board) == [2]
    board.settings = replace(board.settings, is_silent=False)
    assert ask(board, QUERY, NOW + 2) == WIRE["told: kind 80, state 11"]


# -- what goes wrong ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (LockerFault.WRONG_BCC, OPENED[:-1] + bytes((OPENED[-1] ^ 0xFF,))),
        (LockerFault.TRUNCATED, OPENED[:2]),
        (LockerFault.FIRST_BYTE_LOST, OPENED[1:]),
        (LockerFault.DROPPED, b""),
        (LockerFault.UNHEARD, b""),
    ],
)
def test_a_fault_spoils_one_reply(fault: LockerFault, answer: bytes) -> None:
    board = board_of()
    board.spoil(fault)
    assert ask(board, OPEN) == answer
    assert open_ones(board) == ([] if fault is LockerFault.UNHEARD else [1])
    assert ask(board, OPEN, NOW + 1) == OPENED


def test_a_fault_spoils_a_query_too_and_silence_stays_silence() -> None:
    board = board_of()
    board.spoil(LockerFault.WRONG_BCC, 2)
    assert ask(board, QUERY)[:-1] == WIRE["told: kind 80, state 11"][:-1]
    assert ask(board, framed("80010D33")) == b""


def test_a_brown_out_lets_the_coils_fall_back_and_the_board_deaf() -> None:
    board = board_of(reports_changes=True, reply_delay_s=0.5)
    board.bank.at(1).hold_shut(NOW, is_held=True)
    board.receive(WIRE["asked: open 1/1 for 5 s"], NOW)
    board.brown_out(NOW + 0.1)
    assert board.snapshot().is_dark
    board.bank.at(2).pry(NOW + 1)
    assert ask(board, QUERY, NOW + 1) == b""
    assert board.take_outgoing(NOW + 2.1) == b"", "the reply went with the power"
    assert board.bank.at(1).feels_closed
    assert ask(board, QUERY_ALL, NOW + 3) == framed("80010FFD33")
    told = [entry.what for entry in board.diary.entries()]
    assert told == [What.POWER_LOST, What.COMPARTMENT_OPENED, What.POWER_BACK]


def test_what_moves_as_the_power_goes_is_never_reported() -> None:
    board = board_of(reports_changes=True, reply_delay_s=0.5)
    board.bank.at(1).hold_shut(NOW, is_held=True)
    board.receive(OPEN, NOW)
    assert board.take_outgoing(NOW) == WIRE["told: report, state 00"]
    board.brown_out(NOW + 0.1)
    assert board.take_outgoing(NOW + 9) == b""


def test_half_a_frame_goes_with_the_power() -> None:
    board = board_of()
    board.receive(OPEN[:3], NOW)
    board.brown_out(NOW, dark_s=0.001)
    assert ask(board, OPEN[3:], NOW + 0.002) == b""
    assert open_ones(board) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": 0},
        {"address": 65},
        {"channels": 0},
        {"channels": 51},
        {"closed_is": 2},
        {"report_opened_is": -1},
        {"pulse_s": -0.1},
        {"reply_delay_s": -1.0},
        {"baud": 0},
    ],
    ids=str,
)
def test_impossible_boards_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SimulationError):
        LockerBoardSettings(**wrong)
