# SPDX-License-Identifier: Apache-2.0
"""Frames of "8A" boards: what is built, what is found, what never exists."""

from __future__ import annotations

import pytest

from drivers.errors import LocalError
from drivers.locks.family_8a_wire import (
    MAX_FRAME_BYTES,
    answers,
    frame_at,
    is_sealed,
    open_one,
    query_all,
    query_one,
)
from drivers.locks.lock_wire import Frame, Levels, Status
from tests.drivers.vectors import Vector, frames

PUBLISHED = {vector.frame.hex().upper() for vector in frames("locker_8a")}


@pytest.mark.parametrize("vector", frames("locker_8a"), ids=str)
def test_published_frames(vector: Vector) -> None:
    assert is_sealed(vector.frame) is vector.is_good


def test_requests_are_sent_as_published() -> None:
    built = [
        (open_one(1, 1, channels=24), "8A0101119B"),
        (open_one(1, 2, channels=24), "8A01021198"),
        (open_one(1, 24, channels=24), "8A01181182"),
        (query_one(1, 1, channels=24), "80010133B3"),
        (query_all(1, channels=24), "80010033B2"),
    ]
    for request, digits in built:
        assert request.frame.hex().upper() == digits
        assert digits in PUBLISHED


@pytest.mark.parametrize(
    ("address", "channel", "channels"),
    [
        (1, 0, 24),
        (1, -1, 24),
        (1, 25, 24),
        (1, 1, 0),
        (1, 51, 51),
        (0, 1, 24),
        (65, 1, 24),
        (256, 1, 24),
        (1, 256, 24),
    ],
)
def test_no_frame_exists_beyond_the_board(
    address: int, channel: int, channels: int
) -> None:
    with pytest.raises(LocalError):
        open_one(address, channel, channels=channels)
    with pytest.raises(LocalError):
        query_one(address, channel, channels=channels)


def test_no_opening_of_all_can_be_built() -> None:
    built = {
        open_one(address, channel, channels=channels).frame[2]
        for address in (1, 64)
        for channels in range(1, 51)
        for channel in range(1, channels + 1)
    }
    assert built == set(range(1, 51))


@pytest.mark.parametrize(
    ("digits", "kind"),
    [
        ("8A0101008A", 0x8A),
        ("8A0101119B", 0x8A),
        ("8001010080", 0x80),
        ("8001011191", 0x80),
        ("8101011190", 0x81),
        ("8101010081", 0x81),
    ],
)
def test_a_status_of_any_kind_is_found_and_answers_an_opening(
    digits: str, kind: int
) -> None:
    frame = Status(kind=kind, address=1, channel=1)
    assert frame_at(bytes.fromhex(digits), None) == (5, frame)
    assert answers(frame, open_one(1, 1, channels=24))
    assert not answers(frame, open_one(1, 2, channels=24))
    assert not answers(frame, open_one(2, 1, channels=24))
    assert answers(frame, query_one(1, 1, channels=24)) is (kind == 0x80)
    assert not answers(frame, query_all(1, channels=24))


@pytest.mark.parametrize(
    ("digits", "channels", "closed"),
    [
        ("8001FFFFFFFF33B2", 32, set(range(1, 33))),
        ("8001FFFFFF334D", 24, set(range(1, 25))),
        ("8001FFFFFE334C", 24, set(range(2, 25))),
        ("80018000003332", 24, {24}),
        ("800100010033B3", 24, {9}),
        ("80010033B2", 8, set()),
        ("80010133B3", 8, {1}),
        ("80010000000000000033B2", 50, set()),
    ],
)
def test_levels_come_highest_group_first(
    digits: str, channels: int, closed: set[int]
) -> None:
    data = bytes.fromhex(digits)
    size, frame = frame_at(data, query_all(1, channels=channels))
    assert size == len(data)
    assert isinstance(frame, Levels)
    assert frame.address == 1
    found = {number for number, bit in enumerate(frame.bits, start=1) if bit}
    assert found == closed
    assert len(data) <= MAX_FRAME_BYTES


def test_levels_that_begin_like_a_status_are_levels() -> None:
    # Channels 17 and 8 closed: the first five bytes are a sound status of channel 1.
    data = bytes.fromhex("80010100803333")
    data = data[:-1] + bytes([0x80 ^ 0x01 ^ 0x01 ^ 0x00 ^ 0x80 ^ 0x33])
    request = query_all(1, channels=24)
    assert frame_at(data[:5], None)[1] == Status(kind=0x80, address=1, channel=1)
    assert frame_at(data[:5], request) == (0, None)
    size, frame = frame_at(data, request)
    assert size == 7
    assert isinstance(frame, Levels)


NOISE: tuple[int, Frame | None] = (1, None)


@pytest.mark.parametrize(
    "digits",
    [
        "8A0101119A",
        "00",
        "FF",
        "8A01012288",
        "8A0001118A",
        "8A01331199",
        "9A010110",
        "8A4101119B",
        "8001FFFFFF334C",
        "80010133B3",
    ],
)
def test_what_is_no_reply_is_noise(digits: str) -> None:
    assert frame_at(bytes.fromhex(digits), None) == NOISE


def test_another_boards_levels_are_noise() -> None:
    data = bytes.fromhex("8002FFFFFF334E")
    assert frame_at(data, query_all(1, channels=24)) == NOISE
    assert frame_at(data, query_all(2, channels=24))[0] == 7


@pytest.mark.parametrize("cut", range(1, 7))
def test_a_torn_frame_waits_for_its_rest(cut: int) -> None:
    data = bytes.fromhex("8001FFFFFE334C")
    assert frame_at(data[:cut], query_all(1, channels=24)) == (0, None)
    if cut < 5:
        assert frame_at(bytes.fromhex("8101011190")[:cut], None) == (0, None)
