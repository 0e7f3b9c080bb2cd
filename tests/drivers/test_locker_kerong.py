# SPDX-License-Identifier: Apache-2.0
"""KERONG boards: the published bytes, and boards that are busy."""

from __future__ import annotations

from itertools import pairwise

import pytest

from drivers.device import InputChanged, OpenLock, Reachable
from drivers.errors import LocalError
from drivers.locks.kerong import KerongBoards, KerongOptions
from drivers.locks.kerong_wire import (
    clear,
    frame_at,
    is_sealed,
    open_one,
    query_all,
)
from drivers.locks.lock_wire import Levels
from tests.drivers.lock_families import KERONG
from tests.drivers.test_lock_families import IT_OPENED, OPEN, refusals
from tests.drivers.vectors import Vector, frames

PUBLISHED = {v.frame.hex().upper() for v in frames("locker_kerong") if v.is_good}
LOOK, UNLOCK, CLEAR = KERONG.query_all(1), KERONG.open_one(1, 1), "021038034D"


@pytest.mark.parametrize("vector", frames("locker_kerong"), ids=str)
def test_published_frames(vector: Vector) -> None:
    assert is_sealed(vector.frame) is vector.is_good


def test_requests_are_sent_as_published() -> None:
    built = [
        (query_all(0, channels=16), "0200300335"),
        (open_one(0, 1, channels=16), "0200310336"),
        (open_one(0, 2, channels=16), "0201310337"),
        (open_one(1, 1, channels=16), "0210310346"),
        (clear(0, channels=16), "020038033D"),
    ]
    for request, digits in built:
        assert request.frame.hex().upper() == digits
        assert digits in PUBLISHED


@pytest.mark.parametrize(
    ("address", "channel", "channels"),
    [(15, 1, 16), (-1, 1, 16), (0, 0, 16), (0, 17, 16), (0, 13, 12), (0, 1, 17)],
)
def test_no_frame_exists_beyond_the_board(
    address: int, channel: int, channels: int
) -> None:
    with pytest.raises(LocalError):
        open_one(address, channel, channels=channels)


def test_levels_come_lowest_channel_first() -> None:
    size, frame = frame_at(bytes.fromhex("021035FF7F000003C8"), None)
    assert size == 9
    assert frame == Levels(address=1, bits=(*[True] * 15, False))


def test_a_dialogue_in_the_published_bytes() -> None:
    board = KerongBoards(boards={0: KerongOptions(channels=2)})
    board.opened(0.0)
    assert board.take_outgoing().hex() == "0200300335"
    assert board.receive(bytes.fromhex("020035FFFF00000338"), 0.02) == [
        InputChanged(unit=0, channel=1, is_active=True),
        InputChanged(unit=0, channel=2, is_active=True),
        Reachable(unit=0, detail=""),
    ]
    board.order(OpenLock(unit=0, channel=1), 1.0)
    assert board.take_outgoing().hex() == "0200300335"  # is it busy?
    assert board.receive(bytes.fromhex("020035FFFF00000338"), 1.01) == []
    board.tick(1.016)
    assert board.take_outgoing().hex() == "0200310336"
    board.tick(1.22)
    board.tick(1.23)
    assert board.take_outgoing().hex() == "0200300335"
    signals = board.receive(bytes.fromhex("020035FEFF00000337"), 1.24)
    assert signals == [InputChanged(unit=0, channel=1, is_active=False)]


def test_a_busy_board_is_cleared_and_asked_before_it_is_sent_an_opening() -> None:
    script = KERONG.serving(1)
    script.run(1.0)
    start = script.now
    script.replies[LOOK] = [None, None, KERONG.levels(1)]
    script.order(OPEN)
    script.run(1.5)
    sent = [(at - start, frame) for at, frame in script.sent if at >= start]
    frames_ = [frame for _, frame in sent]
    assert frames_[:6] == [LOOK, CLEAR, LOOK, CLEAR, LOOK, UNLOCK]
    # Each clearing gets its pause before the next question.
    assert sent[2][0] - sent[1][0] == pytest.approx(0.105)
    assert sent[4][0] - sent[3][0] == pytest.approx(0.155)
    assert frames_.count(UNLOCK) == 1


def test_a_board_that_stays_busy_is_sent_no_opening() -> None:
    script = KERONG.serving(1)
    script.run(1.0)
    script.replies = {}
    script.order(OPEN)
    assert refusals(script.run(5.0)) == [(OPEN, "the board is unreachable")]
    assert KERONG.opened_frames(script) == []


def test_a_board_that_is_busy_behind_an_opening_is_woken_and_not_sent_it_again() -> (
    None
):
    script = KERONG.serving(1)
    script.replies[LOOK] = [KERONG.levels(1), None, KERONG.levels(1, 1)]
    script._asked.clear()
    script.run(0.5)
    script.order(OPEN)
    assert script.run(3.0) == [IT_OPENED]
    sent = script.sent_since(0.7)
    assert sent[:5] == [LOOK, UNLOCK, LOOK, CLEAR, LOOK]
    assert sent.count(UNLOCK) == 1


def test_what_comes_while_a_board_is_cleared_is_flushed() -> None:
    script = KERONG.serving(1)
    script.replies = {LOOK: [None, KERONG.levels(1, 1)], CLEAR: "0210"}
    signals = script.run(4.0)
    assert signals == [IT_OPENED]


def test_the_last_pause_lasts_longest_and_for_ever() -> None:
    script = KERONG.serving(1)
    script.replies = {}
    script.run(70.0)
    sent = [(at, frame) for at, frame in script.sent if at > 0.2]
    pauses = [
        round(after - at, 3)
        for (at, frame), (after, _) in pairwise(sent)
        if frame == CLEAR
    ]
    assert pauses == [0.105, 0.155, 0.205, 0.205]


def test_an_answer_of_a_moment_ago_is_enough_and_an_older_one_is_not() -> None:
    script = KERONG.serving(1)
    script.run_until_sent()
    script.run(0.1)
    script.order(OPEN)
    assert script.sent[-1] == (script.now, UNLOCK)
    script.run(3.0)
    script.run_until_sent()
    script.run(0.55)
    script.order(OpenLock(unit=1, channel=2))
    assert script.sent[-1] == (script.now, LOOK)
    script.run(0.1)
    assert script.sent[-1][1] == KERONG.open_one(1, 2)


def test_the_longest_gap_between_frames_leaves_time_for_an_opening() -> None:
    script = KERONG.serving(1, turnaround_s=0.2)
    script.run(1.0)
    script.order(OPEN)
    script.run(0.5)
    assert [frame for _, frame in KERONG.opened_frames(script)] == [UNLOCK]
