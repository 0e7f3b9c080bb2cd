# SPDX-License-Identifier: Apache-2.0
"""The simulated lock-control board speaks the published frames, byte for byte."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from firmware_sim.lockers.locker_board import LockerBoard
from firmware_sim.lockers.locker_frames import (
    AskAddress,
    LockerFramer,
    Open,
    OpenSeveral,
    Query,
    ReplyKind,
    address_reply,
    bcc,
    change_report,
    is_sound,
    opened_reply,
    state_reply,
    states_reply,
)
from firmware_sim.lockers.locker_settings import LockerBoardSettings
from tests.firmware_sim.sim_vectors import Vector, frames, vectors

if TYPE_CHECKING:
    from firmware_sim.lockers.locker_frames import LockerRequest

WIRE = frames("locker_8a")
NOW = 100.0
MEANT: dict[str, LockerRequest] = {
    "asked: open 1/1": Open(address=1, channel=1),
    "asked: open 1/2": Open(address=1, channel=2),
    "asked: open 1/24": Open(address=1, channel=24),
    "asked: open all of 1": Open(address=1, channel=0),
    "asked: open all of 2": Open(address=2, channel=0),
    "asked: open 1/1 for 5 s": Open(address=1, channel=1, seconds=5),
    "asked: open 1 and 2 of 1": OpenSeveral(address=1, channels=(1, 2)),
    "asked: query 1/1": Query(address=1, channel=1),
    "asked: query all of 1": Query(address=1, channel=0),
    "asked: which address": AskAddress(),
}
TOLD = {
    "told: 32 channels, all bits 1": states_reply(1, (True,) * 32),
    "told: 24 channels, all bits 1": states_reply(1, (True,) * 24),
    "told: 24 channels, channel 1 = 0": states_reply(1, (False,) + (True,) * 23),
    "told: 12 channels, all bits 1": states_reply(1, (True,) * 12),
    "told: address 1": address_reply(1),
    "told: kind 80, state 00": opened_reply(ReplyKind.STATUS, 1, 1, is_one=False),
    "told: kind 80, state 11": state_reply(1, 1, is_one=True),
    "told: kind 8A, state 00": opened_reply(ReplyKind.ECHO, 1, 1, is_one=False),
    "told: kind 8A, state 11": opened_reply(ReplyKind.ECHO, 1, 1, is_one=True),
    "told: report, state 00": change_report(1, 1, is_one=False),
    "told: report, state 11": change_report(1, 1, is_one=True),
}


def fed(data: bytes, now: float = NOW, *, timed: bool = True) -> list[LockerRequest]:
    framer = LockerFramer(silence_s=0.02, knows_timed_opening=timed)
    return framer.feed(data, now)


def test_every_published_frame_is_in_one_of_the_tables() -> None:
    assert {*MEANT, *TOLD} == set(WIRE)


@pytest.mark.parametrize("vector", vectors("locker_8a"), ids=lambda one: str(one.note))
def test_the_check_byte_holds_for_what_is_sound_alone(vector: Vector) -> None:
    assert is_sound(vector.data) is vector.is_sound


@pytest.mark.parametrize("name", MEANT)
def test_every_published_request_is_understood(name: str) -> None:
    assert fed(WIRE[name]) == [MEANT[name]]


@pytest.mark.parametrize("name", TOLD)
def test_every_published_reply_is_said(name: str) -> None:
    assert TOLD[name] == WIRE[name]


def test_a_wrong_check_byte_is_not_understood() -> None:
    (broken,) = (one.data for one in vectors("locker_8a") if not one.is_sound)
    assert fed(broken) == []


def test_closed_with_the_echoing_firmware_is_the_request_itself() -> None:
    assert TOLD["told: kind 8A, state 11"] == WIRE["asked: open 1/1"]


@pytest.mark.parametrize("name", MEANT)
def test_a_request_cut_anywhere_is_understood_once_whole(name: str) -> None:
    request = WIRE[name]
    for cut in range(1, len(request)):
        framer = LockerFramer(silence_s=0.02)
        assert framer.feed(request[:cut], NOW) == []
        assert framer.feed(request[cut:], NOW + 0.01) == [MEANT[name]]


def test_requests_in_one_read_are_told_apart() -> None:
    assert fed(b"".join(WIRE[name] for name in MEANT)) == list(MEANT.values())


def test_no_plain_opening_is_taken_for_a_timed_one() -> None:
    for address in range(1, 65):
        for channel in range(51):
            content = bytes((0x8A, address, channel, 0x11))
            asked = content + bytes((bcc(content),))
            assert fed(asked) == [Open(address=address, channel=channel)]


def test_a_firmware_without_timed_openings_is_lost_in_one() -> None:
    assert fed(WIRE["asked: open 1/1 for 5 s"], timed=False) == []


def test_a_mask_counts_its_highest_group_first() -> None:
    content = bytes.fromhex("9001810280")
    (request,) = fed(content + bytes((bcc(content),)))
    assert request == OpenSeveral(address=1, channels=(8, 10, 17, 24))


def test_a_broken_frame_costs_all_until_the_next_silence() -> None:
    framer, query = LockerFramer(silence_s=0.02), WIRE["asked: query 1/1"]
    assert framer.feed(b"\x00" + query, NOW) == []
    assert framer.feed(query, NOW + 0.01) == []
    assert framer.feed(query, NOW + 0.04) == [MEANT["asked: query 1/1"]]


@pytest.mark.parametrize("content", ["80010134", "8A010112", "9A010110", "9D010033"])
def test_what_the_board_does_not_know_is_met_with_silence(content: str) -> None:
    raw = bytes.fromhex(content)
    assert fed(raw + bytes((bcc(raw),))) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_bytes_never_raise_never_deafen_and_fill_no_memory(seed: int) -> None:
    chance, now = Random(seed), NOW
    board = LockerBoard(LockerBoardSettings(address=60, channels=50))
    firmware: Any = board._firmware
    for _ in range(500):
        now += chance.choice([0.0, 0.001, 0.05])
        start = chance.choice([b"", b"\x8a\x3c", b"\x80\x3c", b"\x90\x3c"])
        board.receive(start + chance.randbytes(chance.randrange(1, 40)), now)
        board.take_outgoing(now)
        assert len(firmware._framer._buffer) < 6
    query = bytes.fromhex("803C0033")
    board.receive(query + bytes((bcc(query),)), now + 2)
    said = board.take_outgoing(now + 2)
    assert len(said) == 3 + 7 + 1
    assert is_sound(said)
