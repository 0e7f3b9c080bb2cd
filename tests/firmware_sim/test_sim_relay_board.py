# SPDX-License-Identifier: Apache-2.0
"""Pulses, modes, faults and brown-outs of the simulated relay board."""

from __future__ import annotations

import pytest

from firmware_sim.errors import SimulationError
from firmware_sim.happening import MAX_REMEMBERED, What
from firmware_sim.relays.relay_board import BoardFault, RelayBoard, RelayBoardSettings
from tests.firmware_sim.sim_vectors import frames

REQUESTS = frames("modbus_requests")
REPLIES = frames("modbus_replies")
ON, OFF = What.RELAY_ON, What.RELAY_OFF
NOW = 100.0


def ask(board: RelayBoard, name: str, now: float = NOW) -> bytes:
    board.receive(REQUESTS[name], now)
    return board.take_outgoing(now)


def moves(board: RelayBoard) -> list[tuple[float, What, int | None]]:
    """Return the relay changes as (seconds since NOW, what, channel)."""
    return [
        (round(entry.at - NOW, 6), entry.what, entry.channel)
        for entry in board.diary.entries()
        if entry.what in (ON, OFF)
    ]


def is_on(board: RelayBoard, now: float, channel: int = 1) -> bool:
    board.tick(now)
    return board.snapshot().contacts[channel - 1]


# -- pulses ------------------------------------------------------------------------


def test_a_pulse_lasts_exactly_its_time() -> None:
    board = RelayBoard()
    ask(board, "relay 1 on for 0.7 s")
    assert board.deadline() == NOW + 0.7
    assert is_on(board, NOW + 0.6999)
    assert not is_on(board, NOW + 0.7)
    assert moves(board) == [(0, ON, 1), (0.7, OFF, 1)]


def test_a_pulse_ends_on_time_however_late_anybody_looks() -> None:
    board = RelayBoard()
    ask(board, "relay 1 on for 5.0 s")
    ask(board, "relay 2 on for 0.8 s")
    board.tick(NOW + 60)
    assert moves(board) == [(0, ON, 1), (0, ON, 2), (0.8, OFF, 2), (5, OFF, 1)]


def test_a_second_pulse_starts_its_time_anew() -> None:
    board = RelayBoard()
    ask(board, "relay 1 on for 0.7 s", NOW)
    ask(board, "relay 1 on for 0.7 s", NOW + 0.5)
    assert is_on(board, NOW + 1.1)
    board.tick(NOW + 9)
    assert moves(board) == [(0, ON, 1), (1.2, OFF, 1)]


def test_a_pulse_off_opens_a_relay_for_its_time() -> None:
    board = RelayBoard()
    ask(board, "relay 1 on")
    ask(board, "relay 1 off for 0.7 s", NOW + 1)
    board.tick(NOW + 9)
    assert moves(board) == [(0, ON, 1), (1, OFF, 1), (1.7, ON, 1)]


@pytest.mark.parametrize("name", ["relay 1 off", "all off", "relay 1 toggle"])
def test_a_steady_command_ends_a_pulse(name: str) -> None:
    board = RelayBoard()
    ask(board, "relay 1 on for 5.0 s")
    ask(board, name, NOW + 1)
    board.tick(NOW + 9)
    assert moves(board) == [(0, ON, 1), (1, OFF, 1)]
    assert board.deadline() is None


def test_a_steady_on_outlives_the_pulse_before_it() -> None:
    board = RelayBoard()
    ask(board, "relay 1 on for 0.7 s")
    ask(board, "relay 1 on", NOW + 0.1)
    assert is_on(board, NOW + 99)


def test_all_relays_move_at_once() -> None:
    board = RelayBoard()
    ask(board, "all on")
    assert board.snapshot().contacts == (True,) * 8
    ask(board, "all toggle")
    assert board.snapshot().contacts == (False,) * 8


def test_the_history_is_bounded() -> None:
    board = RelayBoard()
    for _ in range(MAX_REMEMBERED):
        ask(board, "relay 1 toggle")
        ask(board, "relay 1 toggle")
    assert len(board.diary.entries()) == MAX_REMEMBERED


# -- inputs and modes --------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "seen"),
    [
        (0, [False, False, False, False]),
        (1, [True, False, True, False]),
        (2, [True, True, False, False]),
        (3, [True, False, True, False]),
    ],
)
def test_an_input_moves_its_relay_by_the_mode(mode: int, seen: list[bool]) -> None:
    board = RelayBoard(RelayBoardSettings(modes=(mode,)))
    told = []
    for closed in (True, False, True, False):
        board.set_input(1, NOW, is_closed=closed)
        told.append(is_on(board, NOW))
    assert told == seen


def test_edge_and_linkage_differ_once_a_command_came_between() -> None:
    linked = RelayBoard(RelayBoardSettings(modes=(1,)))
    edged = RelayBoard(RelayBoardSettings(modes=(3,)))
    for board in (linked, edged):
        ask(board, "relay 1 on")
        board.set_input(1, NOW, is_closed=True)
    assert is_on(linked, NOW)
    assert not is_on(edged, NOW)


def test_a_relay_follows_at_once_when_it_is_linked() -> None:
    board = RelayBoard()
    board.set_input(1, NOW, is_closed=True)
    assert not is_on(board, NOW)
    ask(board, "relay 1 -> linkage", NOW + 1)
    assert moves(board) == [(1, ON, 1)]


# -- what goes wrong ---------------------------------------------------------------


@pytest.mark.parametrize("restores_state", [False, True])
def test_a_brown_out_drops_all_relays_and_some_boards_restore_them(
    *, restores_state: bool
) -> None:
    board = RelayBoard(RelayBoardSettings(restores_state=restores_state))
    ask(board, "relay 1 on for 5.0 s")
    board.brown_out(NOW + 1, dark_s=2)
    assert board.snapshot().is_dark
    assert ask(board, "relay 2 on for 0.8 s", NOW + 2.9) == b""
    board.tick(NOW + 99)
    restored = [(3, ON, 1)] if restores_state else []
    assert moves(board) == [(0, ON, 1), (1, OFF, 1), *restored]
    assert ask(board, "read 8 relays", NOW + 99) != b""


def test_a_second_brown_out_in_the_dark_prolongs_it_and_forgets_nothing() -> None:
    board = RelayBoard(RelayBoardSettings(restores_state=True))
    ask(board, "relay 1 on")
    board.brown_out(NOW + 1, dark_s=1)
    board.brown_out(NOW + 1.5, dark_s=1)
    board.tick(NOW + 9)
    assert moves(board) == [(0, ON, 1), (1, OFF, 1), (2.5, ON, 1)]


def test_an_input_that_moves_in_the_dark_moves_no_relay_until_power_is_back() -> None:
    board = RelayBoard(RelayBoardSettings(modes=(1,)))
    board.brown_out(NOW, dark_s=1)
    board.set_input(1, NOW + 0.5, is_closed=True)
    assert not is_on(board, NOW + 0.9)
    assert is_on(board, NOW + 1.0)


def test_faults_spoil_one_reply_each() -> None:
    sound = REPLIES["coils: all off"]
    expected = {
        BoardFault.WRONG_CRC: sound[:-1] + bytes((sound[-1] ^ 0xFF,)),
        BoardFault.TRUNCATED: sound[:3],
        BoardFault.DROPPED: b"",
        BoardFault.UNHEARD: b"",
    }
    for fault, answer in expected.items():
        board = RelayBoard()
        board.spoil(fault)
        assert ask(board, "read 8 relays") == answer
        assert ask(board, "read 8 relays") == sound


def test_a_dropped_reply_moved_the_relay_and_an_unheard_command_did_not() -> None:
    board = RelayBoard()
    board.spoil(BoardFault.DROPPED)
    board.spoil(BoardFault.UNHEARD)
    assert ask(board, "relay 1 on") == b""
    assert is_on(board, NOW)
    assert ask(board, "relay 1 off") == b""
    assert is_on(board, NOW)


def test_a_welded_contact_stays_closed_while_the_coil_reads_off() -> None:
    board = RelayBoard()
    ask(board, "relay 1 on for 0.7 s")
    board.weld(1, NOW + 0.1)
    assert is_on(board, NOW + 2)
    assert ask(board, "read 8 relays", NOW + 2) == REPLIES["coils: all off"]
    board.weld(1, NOW + 3, is_welded=False)
    assert moves(board) == [(0, ON, 1), (3, OFF, 1)]


def test_a_reply_waits_for_its_delay_and_the_relay_does_not() -> None:
    board = RelayBoard(RelayBoardSettings(reply_delay_s=0.05))
    assert ask(board, "relay 1 on") == b""
    assert moves(board) == [(0, ON, 1)]
    assert board.deadline() == NOW + 0.05
    assert board.take_outgoing(NOW + 0.05) == REQUESTS["relay 1 on"]


def test_a_new_rate_holds_behind_its_reply_and_a_new_address_at_once() -> None:
    board = RelayBoard(RelayBoardSettings(reply_delay_s=0.05))
    board.receive(bytes.fromhex("010620000005" + "4209"), NOW)
    assert board.baud == 9_600
    assert board.take_outgoing(NOW + 0.05) == bytes.fromhex("0106200000054209")
    assert board.baud == 115_200


@pytest.mark.parametrize(
    ("field", "value"),
    [("address", 0), ("relays", 33), ("modes", (4,)), ("modes", (0,) * 9)],
)
def test_impossible_boards_are_refused(field: str, value: object) -> None:
    with pytest.raises(SimulationError):
        RelayBoardSettings(**{field: value})  # type: ignore[arg-type]


def test_terminals_that_are_not_there_are_refused() -> None:
    board = RelayBoard()
    with pytest.raises(SimulationError, match="no input 9; this board has 1 to 8"):
        board.set_input(9, NOW, is_closed=True)
    with pytest.raises(SimulationError, match="no relay 0"):
        board.weld(0, NOW)
