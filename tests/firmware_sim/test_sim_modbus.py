# SPDX-License-Identifier: Apache-2.0
"""The simulated relay board speaks the published frames, byte for byte."""

from __future__ import annotations

from random import Random

import pytest

from firmware_sim.relays.modbus_rtu import MAX_FRAME_BYTES, RequestFramer, framed
from firmware_sim.relays.relay_board import RelayBoard, RelayBoardSettings
from tests.firmware_sim.sim_vectors import Vector, frames, vectors

REQUESTS = frames("modbus_requests")
REPLIES = frames("modbus_replies")
NOW = 100.0
#: Requests answered with their own bytes.
ECHOED = [
    "relay 1 on",
    "relay 1 off",
    "relay 1 toggle",
    "all on",
    "all off",
    "all toggle",
    "relay 1 on for 0.7 s",
    "relay 1 on for 5.0 s",
    "relay 2 on for 0.8 s",
    "relay 1 off for 0.7 s",
    "relay 1 -> linkage",
    "relay 1 -> normal",
]


def ask(board: RelayBoard, request: bytes, now: float = NOW) -> bytes:
    board.receive(request, now)
    return board.take_outgoing(now)


def ask_hex(board: RelayBoard, content: str, now: float = NOW) -> str:
    """Ask with a CRC of our own; return the reply without its CRC."""
    raw = bytes.fromhex(content)
    return ask(board, framed(raw[0], raw[1], raw[2:]), now)[:-2].hex(" ")


@pytest.mark.parametrize(
    "vector", vectors("modbus_requests"), ids=lambda vector: str(vector.note)
)
def test_every_published_request_is_obeyed_and_a_wrong_crc_is_not(
    vector: Vector,
) -> None:
    board = RelayBoard()
    answer = ask(board, vector.data)
    assert board.snapshot().requests == int(vector.is_sound)
    if not vector.is_sound:
        assert answer == b""
        assert board.snapshot() == RelayBoard().snapshot()
    elif answer:
        assert answer[0] == 1
        assert answer[1] == vector.data[1], "no exception"
    else:
        assert vector.data[0] == 0, "only broadcasts are silent"


@pytest.mark.parametrize("name", ECHOED)
def test_single_writes_are_echoed(name: str) -> None:
    assert ask(RelayBoard(), REQUESTS[name]) == REQUESTS[name]


def test_reads_answer_as_published() -> None:
    board = RelayBoard()
    assert ask(board, REQUESTS["read 8 relays"]) == REPLIES["coils: all off"]
    assert ask(board, REQUESTS["mask FF"]) == REPLIES["reply to mask FF"]
    assert ask(board, REQUESTS["read 8 relays"]) == REPLIES["coils: all on"]
    assert ask(board, REQUESTS["read address"]) == REPLIES["address 1"]
    assert ask(board, REQUESTS["read version"]) == REPLIES["version 2.00"]


def test_inputs_and_modes_are_read() -> None:
    board = RelayBoard(RelayBoardSettings(closed_inputs=(1, 8), modes=(0, 1)))
    assert ask(board, REQUESTS["read 8 inputs"])[:4].hex() == "01020181"
    modes = "01 03 10 00 00 00 01" + " 00 00" * 6
    assert ask(board, REQUESTS["read modes"])[:-2].hex(" ") == modes
    normal = REQUESTS["all eight -> normal (FC 10)"]
    assert ask(board, normal)[:-2].hex(" ") == "01 10 10 00 00 08"
    assert board.snapshot().modes == (0,) * 8


def test_broadcast_writes_are_obeyed_in_silence() -> None:
    board = RelayBoard(RelayBoardSettings(address=7))
    assert ask_hex(board, "00 05 00 02 FF 00") == ""
    assert ask(board, REQUESTS["set address 1 (broadcast)"]) == b""
    assert ask(board, REQUESTS["115200 N (broadcast address)"]) == b""
    seen = board.snapshot()
    assert (seen.address, seen.baud, seen.coils[2]) == (1, 115_200, True)


def test_a_foreign_address_is_met_with_silence() -> None:
    board = RelayBoard(RelayBoardSettings(address=2))
    assert ask(board, REQUESTS["relay 1 on"]) == b""
    assert board.snapshot().coils == (False,) * 8


@pytest.mark.parametrize(
    ("request_hex", "exception"),
    [
        ("01 05 00 08 FF 00", "01 85 02"),  # no ninth relay
        ("01 05 02 08 00 07", "01 85 02"),
        ("01 05 00 00 12 34", "01 85 03"),  # neither on, off nor toggle
        ("01 05 02 00 00 00", "01 85 03"),  # no time at all
        ("01 05 02 00 80 00", "01 85 03"),  # longer than 7FFF
        ("01 01 00 01 00 08", "01 81 02"),
        ("01 01 00 00 00 00", "01 81 03"),
        ("01 02 00 00 00 09", "01 82 02"),
        ("01 03 10 01 00 08", "01 83 02"),
        ("01 03 20 00 00 01", "01 83 02"),
        ("01 03 10 00 00 7E", "01 83 03"),
        ("01 06 10 00 00 04", "01 86 03"),
        ("01 06 10 08 00 00", "01 86 02"),
        ("01 06 20 00 03 00", "01 86 03"),  # no such parity
        ("01 06 20 00 00 08", "01 86 03"),  # no such rate
        ("01 06 40 00 00 00", "01 86 03"),
        ("01 06 40 00 01 00", "01 86 03"),
        ("01 0F 00 00 00 09 02 FF 01", "01 8f 02"),
        ("01 0F 00 00 00 08 02 FF FF", "01 8f 03"),
        ("01 0F 00 00 00 00 00", "01 8f 03"),
        ("01 10 10 00 00 01 02 00 04", "01 90 03"),
        ("01 10 10 07 00 02 04 00 00 00 00", "01 90 02"),
        ("01 10 10 00 00 02 02 00 00", "01 90 03"),
        ("01 2B 0E 01 00", "01 ab 01"),  # unknown function
    ],
)
def test_wrong_addresses_and_values_are_exceptions_and_move_nothing(
    request_hex: str, exception: str
) -> None:
    board = RelayBoard()
    before = board.snapshot()
    assert ask_hex(board, request_hex) == exception
    after = board.snapshot()
    assert (after.coils, after.modes, after.address) == (
        before.coils,
        before.modes,
        before.address,
    )


def test_exceptions_have_the_published_bytes() -> None:
    illegal_value = framed(1, 0x05, bytes.fromhex("00001234"))
    illegal_address = framed(1, 0x05, bytes.fromhex("0008FF00"))
    told = REPLIES["exception 03 (illegal value) to FC 05"]
    assert ask(RelayBoard(), illegal_value) == told
    assert ask(RelayBoard(), illegal_address) == REPLIES["exception 02"]


@pytest.mark.parametrize("name", ["read 8 relays", "all eight -> normal (FC 10)"])
def test_a_request_cut_anywhere_is_understood_once_whole(name: str) -> None:
    request = REQUESTS[name]
    for cut in range(1, len(request)):
        board = RelayBoard()
        assert ask(board, request[:cut]) == b""
        assert ask(board, request[cut:]) != b""


def test_two_requests_in_one_read_are_both_answered() -> None:
    both = REQUESTS["relay 1 on"] + REQUESTS["read 8 relays"]
    assert ask(RelayBoard(), both)[8:].hex().startswith("01010101")


def test_a_broken_frame_costs_all_until_the_next_silence() -> None:
    board = RelayBoard()
    broken = REQUESTS["relay 1 on"][:-1] + b"\x00"
    assert ask(board, broken + REQUESTS["read 8 relays"]) == b""
    assert ask(board, REQUESTS["read 8 relays"], NOW + 0.019) == b""
    assert ask(board, REQUESTS["read 8 relays"], NOW + 0.040) != b""


def test_half_a_frame_is_forgotten_after_a_silence() -> None:
    board = RelayBoard()
    assert ask(board, REQUESTS["relay 1 on"][:5]) == b""
    assert ask(board, REQUESTS["read 8 relays"], NOW + 0.03) != b""


@pytest.mark.parametrize("start", ["01 05", "01 10", "01 2B", "00 00"])
def test_noise_without_silence_fills_no_memory(start: str) -> None:
    framer = RequestFramer(silence_s=0.02)
    for _ in range(1_000):
        assert framer.feed(bytes.fromhex(start) + bytes(62), NOW) == []
    assert len(framer._buffer) <= MAX_FRAME_BYTES + 64


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_bytes_never_raise_and_never_deafen(seed: int) -> None:
    chance, board, now = Random(seed), RelayBoard(), NOW
    for _ in range(500):
        now += chance.choice([0.0, 0.001, 0.05])
        garbage = chance.randbytes(chance.randrange(1, 40))
        ask(board, chance.choice([b"", b"\x01\x05", b"\x01\x10"]) + garbage, now)
    assert ask(board, REQUESTS["read version"], now + 1) == REPLIES["version 2.00"]
    assert board.snapshot().coils == (False,) * 8
