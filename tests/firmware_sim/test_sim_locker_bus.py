# SPDX-License-Identifier: Apache-2.0
"""Several lock-control boards on one pair: addressing, echo, collision, gaps."""

from __future__ import annotations

import pytest

from firmware_sim.errors import SimulationError
from firmware_sim.lockers.locker_board import LockerBoard
from firmware_sim.lockers.locker_bus import LockerBus, LockerBusSettings
from firmware_sim.lockers.locker_frames import bcc, is_sound
from firmware_sim.lockers.locker_settings import LockerBoardSettings, LockerFault
from tests.firmware_sim.sim_vectors import frames

WIRE = frames("locker_8a")
NOW = 10.0


def bus_of(
    *addresses: int, settings: LockerBusSettings | None = None
) -> tuple[LockerBus, list[LockerBoard]]:
    boards = [
        LockerBoard(LockerBoardSettings(address=address), name=f"board-{index}")
        for index, address in enumerate(addresses)
    ]
    return LockerBus(boards, settings), boards


def ask(bus: LockerBus, request: bytes, now: float = NOW) -> bytes:
    bus.receive(request, now)
    return bus.take_outgoing(now)


def query(address: int) -> bytes:
    content = bytes((0x80, address, 0x00, 0x33))
    return content + bytes((bcc(content),))


def is_open(board: LockerBoard) -> bool:
    return any(one.is_open for one in board.snapshot().compartments)


def test_only_the_board_that_is_asked_answers_and_opens() -> None:
    bus, (first, second) = bus_of(1, 2)
    bus.receive(WIRE["asked: open all of 2"], NOW)
    assert is_open(second)
    assert not is_open(first)
    assert bus.deadline() == NOW + 0.02
    assert bus.take_outgoing(NOW + 0.02)[:3].hex() == "8a0200"


def test_nobody_answers_for_an_address_that_is_not_there() -> None:
    bus, boards = bus_of(1, 2)
    assert ask(bus, query(3)) == b""
    assert bus.deadline() is None
    assert [board.snapshot().requests for board in boards] == [0, 0]


def test_without_a_gap_the_second_board_misses_the_frame_and_the_first_does_not() -> (
    None
):
    bus, _ = bus_of(1, 2)
    assert ask(bus, query(1), NOW) != b""
    assert ask(bus, query(2), NOW + 0.0039) == b""
    assert bus.missed == 1
    assert ask(bus, query(1), NOW + 0.0039) != b""
    assert ask(bus, query(2), NOW + 0.009) != b""
    assert bus.missed == 2


def test_a_forgiving_pair_needs_no_gap() -> None:
    bus, _ = bus_of(1, 2, settings=LockerBusSettings(min_gap_s=0.0))
    assert ask(bus, query(1)) != b""
    assert ask(bus, query(2)) != b""


def test_an_adapter_may_echo_before_the_reply_and_without_one() -> None:
    bus, boards = bus_of(1, settings=LockerBusSettings(local_echo=True))
    request = query(1)
    assert ask(bus, request) == request + WIRE["told: 12 channels, all bits 1"]
    boards[0].spoil(LockerFault.DROPPED)
    assert ask(bus, request) == request


def test_two_boards_at_one_address_garble_each_other_where_they_differ() -> None:
    bus, boards = bus_of(1, 1)
    assert is_sound(ask(bus, query(1))), "the same bits at once look sound"
    boards[0].bank.at(1).pry(NOW)
    boards[1].bank.at(2).pry(NOW)
    assert not is_sound(ask(bus, query(1)))
    assert bus.collisions == 2


def test_two_boards_asked_for_their_address_make_up_a_third_that_looks_sound() -> None:
    bus, _ = bus_of(1, 2)
    who = WIRE["asked: which address"]
    assert ask(bus, who) == who, "1 and 2 are 0 on the wire: the question itself"
    assert bus.collisions == 1


def test_a_cut_pair_carries_nothing_and_time_passes_all_the_same() -> None:
    bus, (board,) = bus_of(1)
    board.bank.at(1).hold_shut(NOW, is_held=True)
    bus.receive(WIRE["asked: open 1/1"], NOW)
    bus.settings = LockerBusSettings(is_cut=True)
    assert ask(bus, query(1), NOW + 1) == b""
    assert board.bank.at(1).feels_closed


def test_impossible_pairs_are_refused() -> None:
    with pytest.raises(SimulationError, match="at least one"):
        LockerBus([])
    with pytest.raises(SimulationError, match="negative"):
        LockerBusSettings(min_gap_s=-0.001)
