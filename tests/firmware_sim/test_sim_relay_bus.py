# SPDX-License-Identifier: Apache-2.0
"""Several boards on one pair: addressing, echo, collision, gaps."""

from __future__ import annotations

import pytest

from firmware_sim.errors import SimulationError
from firmware_sim.relays.modbus_rtu import framed, is_sound
from firmware_sim.relays.relay_board import BoardFault, RelayBoard, RelayBoardSettings
from firmware_sim.relays.relay_bus import RelayBus, RelayBusSettings

NOW = 10.0


def bus_of(
    *addresses: int, settings: RelayBusSettings | None = None
) -> tuple[RelayBus, list[RelayBoard]]:
    boards = [
        RelayBoard(RelayBoardSettings(address=address), name=f"board-{index}")
        for index, address in enumerate(addresses)
    ]
    return RelayBus(boards, settings), boards


def ask(bus: RelayBus, request: bytes, now: float = NOW) -> bytes:
    bus.receive(request, now)
    return bus.take_outgoing(now)


def relay_on(address: int) -> bytes:
    return framed(address, 0x05, bytes.fromhex("0000FF00"))


def read_relays(address: int) -> bytes:
    return framed(address, 0x01, bytes.fromhex("00000008"))


def test_only_the_board_that_is_asked_answers_and_moves() -> None:
    bus, (first, second) = bus_of(1, 2)
    assert ask(bus, relay_on(2)) == relay_on(2)
    assert not first.snapshot().coils[0]
    assert second.snapshot().coils[0]


def test_nobody_answers_for_an_address_that_is_not_there() -> None:
    bus, _ = bus_of(1, 2)
    assert ask(bus, read_relays(3)) == b""
    assert bus.deadline() is None


def test_a_broadcast_moves_all_boards_in_silence() -> None:
    bus, boards = bus_of(1, 2, 3)
    assert ask(bus, relay_on(0)) == b""
    assert all(board.snapshot().coils[0] for board in boards)


def test_an_adapter_may_echo_even_when_the_board_is_lost() -> None:
    bus, boards = bus_of(1, settings=RelayBusSettings(local_echo=True))
    request = read_relays(1)
    assert ask(bus, request)[: len(request)] == request
    assert len(ask(bus, request)) == 8 + 6
    boards[0].spoil(BoardFault.DROPPED)
    assert ask(bus, request) == request


def test_two_boards_at_one_address_garble_each_other_where_they_differ() -> None:
    bus, boards = bus_of(1, 1)
    assert is_sound(ask(bus, read_relays(1))), "the same bits at once look sound"
    boards[0].bank.set(0, NOW, is_on=True)
    assert not is_sound(ask(bus, read_relays(1)))
    assert bus.collisions == 2


def test_a_request_too_soon_after_a_reply_is_lost() -> None:
    bus, _ = bus_of(1, 2, settings=RelayBusSettings(min_gap_s=0.004))
    assert ask(bus, read_relays(1), NOW) != b""
    assert ask(bus, read_relays(2), NOW + 0.0039) == b""
    assert ask(bus, read_relays(1), NOW + 0.0039) == b"", "the talker loses it too"
    assert ask(bus, read_relays(2), NOW + 0.0041) != b""


def test_a_cut_pair_carries_nothing_and_time_passes_all_the_same() -> None:
    bus, boards = bus_of(1)
    ask(bus, framed(1, 0x05, bytes.fromhex("02000007")))
    bus.settings = RelayBusSettings(is_cut=True)
    assert ask(bus, read_relays(1), NOW + 1) == b""
    assert not boards[0].snapshot().contacts[0]


def test_a_bus_without_boards_is_refused() -> None:
    with pytest.raises(SimulationError, match="at least one"):
        RelayBus([])
