# SPDX-License-Identifier: Apache-2.0
"""The line of "8A" boards: one question, gaps, echoes, tears, late replies."""

from __future__ import annotations

import pytest

from drivers.errors import LocalError
from drivers.locks.family_8a import LOCKER_8A
from drivers.locks.family_8a_wire import open_one, query_all, query_one
from drivers.locks.lock_line import Heard, LockLine
from drivers.locks.lock_wire import Levels, Request, Status
from tests.drivers.locker_8a_wire import sealed

PROBE = query_one(1, 1, channels=24)
LOOK = query_all(1, channels=24)
SMALL = query_all(1, channels=8)
OPENING = open_one(1, 1, channels=24)
STATUS = bytes.fromhex("8001011191")
ALL_CLOSED = bytes.fromhex("8001FFFFFF334D")
CLOSED = Levels(address=1, bits=(True,) * 24)
NOTHING = Heard(answer=None, reporting=set())


def ask(line: LockLine, request: Request, now: float) -> None:
    line.ask(request, now, timeout_s=1.5 if request.is_opening else 0.3)
    assert line.take_outgoing() == request.frame


def line_with(*, echo: bool) -> LockLine:
    line = LockLine(wire=LOCKER_8A, turnaround_s=0.005)
    ask(line, PROBE, 0.0)
    assert line.receive((PROBE.frame if echo else b"") + STATUS, 0.1).answer
    assert line.is_echoing is echo
    return line


@pytest.mark.parametrize("cut", range(len(ALL_CLOSED)))
def test_a_reply_torn_anywhere_is_one_reply(cut: int) -> None:
    line = line_with(echo=False)
    ask(line, LOOK, 1.0)
    assert line.receive(ALL_CLOSED[:cut], 1.01) == NOTHING
    assert line.receive(ALL_CLOSED[cut:], 1.02).answer == CLOSED
    assert line.is_idle


@pytest.mark.parametrize("cut", range(len(LOOK.frame + ALL_CLOSED)))
def test_an_echo_and_its_reply_may_be_torn_anywhere(cut: int) -> None:
    line = line_with(echo=True)
    ask(line, LOOK, 1.0)
    data = LOOK.frame + ALL_CLOSED
    assert line.receive(data[:cut], 1.01) == NOTHING
    assert line.receive(data[cut:], 1.02).answer == CLOSED


def test_there_is_one_question_and_a_gap_after_its_reply() -> None:
    line = line_with(echo=False)
    ask(line, LOOK, 1.0)
    with pytest.raises(LocalError, match="busy"):
        line.ask(LOOK, 1.0, timeout_s=0.3)
    line.receive(ALL_CLOSED, 1.01)
    with pytest.raises(LocalError, match="busy"):
        line.ask(LOOK, 1.014, timeout_s=0.3)
    ask(line, LOOK, 1.015)


@pytest.mark.parametrize("request_", [LOOK, OPENING], ids=["look", "opening"])
def test_the_first_question_is_one_that_tells_the_echo(request_: Request) -> None:
    line = LockLine(wire=LOCKER_8A, turnaround_s=0.005)
    with pytest.raises(LocalError, match="echoes"):
        line.ask(request_, 0.0, timeout_s=0.3)
    assert line.take_outgoing() == b""


def test_an_echo_alone_tells_too_and_so_does_silence() -> None:
    for back, is_echoing in ((PROBE.frame, True), (b"", False)):
        line = LockLine(wire=LOCKER_8A, turnaround_s=0.005)
        ask(line, PROBE, 0.0)
        assert line.receive(back, 0.1) == NOTHING
        unanswered = line.expire(0.3)
        assert unanswered is not None
        assert (unanswered.why, unanswered.raw) == ("no answer", b"")
        assert line.is_echoing is is_echoing


def test_noise_instead_of_an_answer_tells_nothing() -> None:
    line = LockLine(wire=LOCKER_8A, turnaround_s=0.005)
    ask(line, PROBE, 0.0)
    assert line.receive(b"\x00\x81\x01", 0.1) == NOTHING
    unanswered = line.expire(0.3)
    assert unanswered is not None
    assert (unanswered.why, unanswered.raw) == ("garbled answer", b"\x00\x81\x01")
    assert line.is_echoing is None


def test_a_small_board_with_all_open_answers_like_its_echo() -> None:
    reply = bytes.fromhex("80010033B2")
    assert reply == SMALL.frame
    line = line_with(echo=False)
    ask(line, SMALL, 1.0)
    assert line.receive(reply, 1.1).answer == Levels(address=1, bits=(False,) * 8)
    line = line_with(echo=True)
    ask(line, SMALL, 1.0)
    assert line.receive(reply, 1.1) == NOTHING
    assert line.receive(reply, 1.2).answer == Levels(address=1, bits=(False,) * 8)


def test_one_copy_of_an_opening_is_no_answer_on_an_echoing_line() -> None:
    line = line_with(echo=True)
    ask(line, OPENING, 1.0)
    assert line.receive(OPENING.frame, 1.01) == NOTHING
    assert not line.is_idle
    answer = line.receive(OPENING.frame, 2.4).answer
    assert answer == Status(kind=0x8A, address=1, channel=1)


def test_a_wait_for_the_reply_to_an_opening_outlives_its_question() -> None:
    line = line_with(echo=False)
    ask(line, OPENING, 1.0)
    line.forget(1.2)
    assert (line.is_idle, line.ready_at) == (True, 2.5)
    line.opened(1.3)
    assert line.ready_at == 2.5
    line = line_with(echo=False)
    ask(line, LOOK, 1.0)
    line.forget(1.2)
    assert line.ready_at == 1.2


def test_reports_come_at_any_moment() -> None:
    line = line_with(echo=False)
    report = bytes.fromhex(sealed("81020311"))
    assert line.receive(report, 0.5).reporting == {2}
    ask(line, LOOK, 1.0)
    heard = line.receive(report + ALL_CLOSED + report, 1.1)
    assert heard == Heard(answer=CLOSED, reporting={2})
    ask(line, OPENING, 2.0)
    heard = line.receive(b"\xff" + report + bytes.fromhex("8A0101008A"), 2.1)
    assert heard.answer == Status(kind=0x8A, address=1, channel=1)
    assert heard.reporting == {2}


def test_leftovers_of_before_are_not_in_an_answers_way() -> None:
    line = line_with(echo=False)
    line.receive(b"\x81\x01", 0.5)
    ask(line, LOOK, 1.0)
    assert line.receive(b"\x80\x01" + ALL_CLOSED, 1.1).answer == CLOSED
    line.receive(b"\xff\x81\x01", 1.5)
    ask(line, LOOK, 2.0)
    unanswered = line.expire(2.3)
    assert unanswered is not None
    assert (unanswered.why, unanswered.raw) == ("no answer", b"")


def test_an_endless_stream_is_bounded_and_hides_no_reply() -> None:
    line = line_with(echo=True)
    ask(line, LOOK, 1.0)
    for _ in range(100):
        assert line.receive(b"\x80\x01\x01" * 1000, 1.0).answer is None
        assert line.buffered_bytes <= 10
    assert line.receive(ALL_CLOSED, 1.1).answer == CLOSED
    ask(line, LOOK, 2.0)
    line.receive(b"\x80\x01\x01" * 1000, 2.0)
    unanswered = line.expire(2.3)
    assert unanswered is not None
    assert len(unanswered.raw) == 64
