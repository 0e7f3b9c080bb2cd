# SPDX-License-Identifier: Apache-2.0
"""CU48 boards: the published bytes, replies without 03, refusals."""

from __future__ import annotations

import pytest

from drivers.device import InputChanged, OpenLock
from drivers.errors import LocalError
from drivers.locks.cu48 import Cu48Boards, Cu48Options
from drivers.locks.cu48_wire import (
    answers,
    frame_at,
    is_sealed,
    open_one,
    query_all,
)
from drivers.locks.lock_wire import Levels, Status
from tests.drivers.lock_families import CU48, summed
from tests.drivers.test_lock_families import IT_OPENED, OPEN, refusals
from tests.drivers.vectors import Vector, frames

PUBLISHED = {v.frame.hex().upper() for v in frames("locker_cu48") if v.is_good}
REFUSED = summed("02 01 00 81 00")


@pytest.mark.parametrize("vector", frames("locker_cu48"), ids=str)
def test_published_frames(vector: Vector) -> None:
    assert is_sealed(vector.frame) is vector.is_good


def test_requests_are_sent_as_published() -> None:
    built = [
        (query_all(0, channels=48), "020000600365"),
        (open_one(0, 1, channels=48), "020000610366"),
        (open_one(0, 6, channels=48), "02000561036B"),
        (open_one(0, 48, channels=48), "02002F610395"),
    ]
    for request, digits in built:
        assert request.frame.hex().upper() == digits
        assert digits in PUBLISHED


@pytest.mark.parametrize(
    ("address", "channel", "channels"),
    [(255, 1, 48), (-1, 1, 48), (0, 0, 48), (0, 49, 48), (0, 13, 12), (0, 1, 49)],
)
def test_no_frame_exists_beyond_the_board(
    address: int, channel: int, channels: int
) -> None:
    with pytest.raises(LocalError):
        open_one(address, channel, channels=channels)


def test_replies_carry_no_end_byte_and_tell_their_length() -> None:
    opened = bytes.fromhex("020000750077")
    status = Status(kind=0x75, address=0, channel=1)
    assert frame_at(opened, None) == (6, status)
    assert answers(status, open_one(0, 1, channels=48))
    assert answers(status, open_one(0, 2, channels=48))
    assert not answers(status, open_one(1, 1, channels=48))
    other = Status(kind=0x75, address=0, channel=3)
    assert not answers(other, open_one(0, 2, channels=48))
    assert not answers(status, query_all(0, channels=48))
    levels = bytes.fromhex("0200007506FEFFFFFFFFFF76")
    size, frame = frame_at(levels, None)
    assert size == 12
    assert frame == Levels(address=0, bits=(False, *[True] * 47))
    assert answers(frame, query_all(0, channels=48))
    assert not answers(frame, query_all(1, channels=48))


@pytest.mark.parametrize(
    "digits", ["020000610366", "020000600365", "020000750078", "0200007506FF00000000"]
)
def test_what_is_no_reply_is_none(digits: str) -> None:
    assert frame_at(bytes.fromhex(digits), None)[1] is None


def test_a_dialogue_in_the_published_bytes() -> None:
    board = Cu48Boards(boards={0: Cu48Options(channels=1)})
    board.opened(0.0)
    assert board.take_outgoing().hex() == "020000600365"
    assert len(board.receive(bytes.fromhex("0200007506FFFFFFFFFFFF77"), 0.02)) == 2
    board.order(OpenLock(unit=0, channel=1), 1.0)
    assert board.take_outgoing().hex() == "020000610366"
    assert board.receive(bytes.fromhex("020000750077"), 1.1) == []
    board.tick(1.11)
    assert board.take_outgoing().hex() == "020000600365"
    signals = board.receive(bytes.fromhex("0200007506FEFFFFFFFFFF76"), 1.13)
    assert signals == [InputChanged(unit=0, channel=1, is_active=False)]


def test_a_success_is_no_success_while_the_feedback_says_closed() -> None:
    script = CU48.serving(1)
    assert CU48.accepted is not None
    script.replies[CU48.open_one(1, 1)] = CU48.accepted(1, 1)
    script.order(OPEN)
    assert refusals(script.run(5.0)) == [(OPEN, "the lock did not open")]
    assert len(CU48.opened_frames(script)) == 1


def test_a_refusal_is_told_at_once_unless_the_feedback_says_it_opened() -> None:
    script = CU48.serving(1)
    script.replies[CU48.open_one(1, 1)] = REFUSED
    script.order(OPEN)
    assert refusals(script.run(0.1)) == [(OPEN, "the board refused to open")]
    script.run(1.0)
    script.order(OPEN)
    script.replies[CU48.query_all(1)] = CU48.levels(1, 1)
    assert script.run(1.0) == [IT_OPENED]


def test_a_refused_question_is_no_answer() -> None:
    script = CU48.serving(1)
    script.replies[CU48.query_all(1)] = [REFUSED, CU48.levels(1, 1)]
    script._asked.clear()
    assert script.run(3.0) == [IT_OPENED]
