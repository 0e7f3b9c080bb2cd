# SPDX-License-Identifier: Apache-2.0
"""WKLY boards: the published bytes, doors that speak by themselves, mute openings."""

from __future__ import annotations

import pytest

from drivers.device import InputChanged, OpenLock, Reachable
from drivers.errors import LocalError
from drivers.locks.lock_wire import Levels, Status
from drivers.locks.wkly import WklyBoards, WklyOptions
from drivers.locks.wkly_wire import (
    answers,
    frame_at,
    is_sealed,
    open_one,
    query_all,
    query_one,
)
from tests.drivers.lock_families import WKLY, arrive, wkly
from tests.drivers.test_lock_families import IT_OPENED, OPEN, refusals
from tests.drivers.vectors import Vector, frames

PUBLISHED = {v.frame.hex().upper() for v in frames("locker_wkly") if v.is_good}
OPENING, QUERY_ONE = WKLY.open_one(1, 1), wkly(1, "83", "01")
SAYS_OPEN, SAYS_CLOSED = wkly(1, "85", "01 00"), wkly(1, "85", "01 01")


@pytest.mark.parametrize("vector", frames("locker_wkly"), ids=str)
def test_published_frames(vector: Vector) -> None:
    assert is_sealed(vector.frame) is vector.is_good


def test_requests_are_sent_as_published() -> None:
    built = [
        (query_all(0, channels=12), "574B4C5908008485"),
        (query_one(0, 1, channels=12), "574B4C590900830182"),
        (open_one(0, 1, channels=12), "574B4C590900820183"),
        (open_one(1, 1, channels=12), "574B4C590901820182"),
        (open_one(10, 1, channels=12), "574B4C59090A820189"),
    ]
    for request, digits in built:
        assert request.frame.hex().upper() == digits
        assert digits in PUBLISHED


@pytest.mark.parametrize(
    ("address", "channel", "channels"),
    [(32, 1, 12), (-1, 1, 12), (0, 0, 12), (0, 13, 12), (0, 25, 24), (0, 1, 25)],
)
def test_no_frame_exists_beyond_the_board(
    address: int, channel: int, channels: int
) -> None:
    with pytest.raises(LocalError):
        open_one(address, channel, channels=channels)
    with pytest.raises(LocalError):
        query_one(address, channel, channels=channels)


@pytest.mark.parametrize(
    ("digits", "frame"),
    [
        ("574B4C590B008200010081", Status(kind=0x82, address=0, channel=1, bit=False)),
        (
            "574B4C590B0082FF01017F",
            Status(kind=0x82, address=0, channel=1, is_refused=True),
        ),
        ("574B4C590A0085010186", Status(kind=0x85, address=0, channel=1, bit=True)),
        ("574B4C590A0085020084", Status(kind=0x85, address=0, channel=2, bit=False)),
        (
            "574B4C590E008400040001010087",
            Levels(address=0, bits=(False, True, True, False)),
        ),
    ],
)
def test_what_is_found(digits: str, frame: Status | Levels) -> None:
    data = bytes.fromhex(digits)
    assert frame_at(data, None) == (len(data), frame)


@pytest.mark.parametrize(
    "digits",
    [
        "574B4C590900820183",
        "574B4C5908008485",
        "574B4C59090080FF7F",
        "574B4C590A0081000183",
        "574B4C5907",
        "574B4C5923",
        "574B4C58",
        wkly(0, "85", "01 02"),
        wkly(0, "85", "00 00"),
        wkly(0, "85", "19 00"),
        wkly(32, "85", "01 00"),
        wkly(0, "84", "00 03 0001"),
        wkly(0, "84", "FF 02 0001"),
        wkly(0, "82", "01 01 00"),
    ],
)
def test_what_is_no_reply_is_noise(digits: str) -> None:
    assert frame_at(bytes.fromhex(digits), None) == (1, None)


def test_levels_of_fewer_locks_answer_nothing() -> None:
    few = Levels(address=0, bits=(True,) * 4)
    assert answers(few, query_all(0, channels=4))
    assert answers(few, query_all(0, channels=3))
    assert not answers(few, query_all(0, channels=12))
    assert not answers(few, query_all(1, channels=4))


def test_a_dialogue_in_the_published_bytes() -> None:
    board = WklyBoards(boards={0: WklyOptions(channels=4)})
    board.opened(0.0)
    assert board.take_outgoing().hex() == "574b4c5908008485"
    signals = board.receive(bytes.fromhex("574B4C590E008400040001010087"), 0.02)
    told = [one.is_active for one in signals if isinstance(one, InputChanged)]
    assert told == [False, True, True, False]
    assert signals[-1] == Reachable(unit=0, detail="")
    board.receive(bytes.fromhex("574B4C590A0085010186"), 0.5)
    board.receive(bytes.fromhex("574B4C590E008400040101010086"), 0.6)
    board.order(OpenLock(unit=0, channel=1), 1.0)
    assert board.take_outgoing().hex().endswith("574b4c590900820183")
    signals = board.receive(bytes.fromhex("574B4C590B008200010081"), 1.1)
    assert signals == [InputChanged(unit=0, channel=1, is_active=False)]


def test_a_door_that_opens_and_shuts_between_two_looks_is_told() -> None:
    script = WKLY.serving(1)
    assert arrive(script, SAYS_OPEN) == [IT_OPENED]
    shut = InputChanged(unit=1, channel=1, is_active=True)
    assert arrive(script, SAYS_CLOSED) == [shut]
    assert script.run(5.0) == []


@pytest.mark.parametrize("cut", range(1, 10))
def test_a_report_between_an_opening_and_its_reply_is_no_reply(cut: int) -> None:
    script = WKLY.serving(1)
    script.order(OPEN)
    other = wkly(1, "85", "05 00")
    assert arrive(script, other[: 2 * cut]) == []
    signals = arrive(script, other[2 * cut :])
    assert signals == [InputChanged(unit=1, channel=5, is_active=False)]
    assert script.sent[-1][1] == OPENING
    script.replies[WKLY.query_all(1)] = WKLY.levels(1, 5)
    assert arrive(script, wkly(1, "82", "00 01 01")) == []
    assert refusals(script.run(5.0)) == [(OPEN, "the lock did not open")]


def test_a_lock_that_says_it_opened_counts_even_if_it_is_shut_at_the_look() -> None:
    script = WKLY.serving(1)
    script.order(OPEN)
    script.run(0.1)
    assert arrive(script, SAYS_OPEN) == [IT_OPENED]
    script.run(0.1)
    arrive(script, SAYS_CLOSED)
    assert refusals(script.run(5.0)) == []
    assert len(WKLY.opened_frames(script)) == 1


def test_a_board_that_never_answers_an_opening_is_asked_for_that_lock() -> None:
    script = WKLY.serving(1)
    script.replies[QUERY_ONE] = wkly(1, "83", "00 01 00")
    script.replies[WKLY.query_all(1)] = WKLY.levels(1, 1)
    start = script.now
    script.order(OPEN)
    assert script.run(1.6) == [IT_OPENED]
    expected = [OPENING, QUERY_ONE, WKLY.query_all(1)]
    assert script.sent_since(start)[:3] == expected


@pytest.mark.parametrize("answer", [None, wkly(1, "83", "FF 01 00")])
def test_a_board_that_knows_no_question_for_one_is_asked_for_all(
    answer: str | None,
) -> None:
    script = WKLY.serving(1)
    script.replies[QUERY_ONE] = answer
    start = script.now
    script.order(OPEN)
    assert refusals(script.run(5.0)) == [(OPEN, "unknown outcome")]
    expected = [OPENING, QUERY_ONE, WKLY.query_all(1)]
    assert script.sent_since(start)[:3] == expected


def test_a_refusal_is_told_at_once() -> None:
    script = WKLY.serving(1)
    script.replies[OPENING] = wkly(1, "82", "FF 01 01")
    script.order(OPEN)
    assert refusals(script.run(0.1)) == [(OPEN, "the board refused to open")]


@pytest.mark.parametrize("closed_is", [0, 1])
def test_the_polarity_holds_for_reports_too(closed_is: int) -> None:
    script = WKLY.wire(1, closed_is=closed_is)
    states = f"{closed_is:02X}" * 12
    script.replies[WKLY.query_all(1)] = wkly(1, "84", f"00 0C {states}")
    script.open()
    script.run(0.2)
    other = wkly(1, "85", f"01 {1 - closed_is:02X}")
    assert arrive(script, other) == [IT_OPENED]


def test_reports_of_unknown_boards_and_channels_are_nothing() -> None:
    script = WKLY.serving(1)
    assert arrive(script, wkly(2, "85", "01 00")) == []
    assert arrive(script, wkly(1, "85", "0D 00")) == []


def test_a_report_before_the_first_levels_is_not_believed() -> None:
    script = WKLY.wire(1)
    script.replies = {}
    script.open()
    assert arrive(script, SAYS_OPEN) == []


def test_a_flood_of_reports_leaves_other_boards_their_turn() -> None:
    script = WKLY.serving(1, 2)
    start = script.now
    for _ in range(1000):
        arrive(script, SAYS_CLOSED)
        script.run(0.005)
    assert script.sent_since(start).count(WKLY.query_all(2)) in (2, 3)


@pytest.mark.parametrize("is_report_first", [True, False])
def test_a_report_in_one_piece_with_levels_is_followed_by_a_look(
    *, is_report_first: bool
) -> None:
    script = WKLY.serving(1)
    script.replies = {}
    script.run_until_sent()
    pair = [SAYS_OPEN, WKLY.levels(1)]
    signals = arrive(script, "".join(pair if is_report_first else reversed(pair)))
    assert signals == [IT_OPENED]
    script.replies = {WKLY.query_all(1): WKLY.levels(1)}
    shut = InputChanged(unit=1, channel=1, is_active=True)
    assert script.run(0.02) == [shut]
