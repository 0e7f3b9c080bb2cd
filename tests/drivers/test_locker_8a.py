# SPDX-License-Identifier: Apache-2.0
"""Lock-control boards: opening of the line, polls, feedback, silence, echo."""

from __future__ import annotations

from itertools import pairwise

import pytest

from drivers.device import (
    Garbled,
    InputChanged,
    OpenLock,
    OrderFailed,
    Reachable,
    Signal,
    Unreachable,
)
from drivers.errors import LocalError
from drivers.locks.family_8a import LockerBoards
from drivers.registry import DRIVERS, Unit, build
from tests.drivers.locker_8a_wire import (
    arrive,
    board,
    levels,
    open_one,
    openings,
    query_all,
    query_one,
    serving,
    split,
    wire,
)
from tests.drivers.scripted import ScriptedWire


def closed(unit: int, *channels: int) -> list[Signal]:
    return [InputChanged(unit=unit, channel=n, is_active=True) for n in channels]


def opened(unit: int, *channels: int) -> list[Signal]:
    return [InputChanged(unit=unit, channel=n, is_active=False) for n in channels]


def test_a_dialogue_in_the_published_bytes() -> None:
    board = build("locker_8a", [Unit(address=1)])
    board.opened(0.0)
    assert board.take_outgoing().hex() == "80010133b3"
    assert board.receive(bytes.fromhex("8001011191"), 0.02) == []
    assert board.take_outgoing() == b""  # the gap between frames
    assert board.deadline() == pytest.approx(0.025)
    assert board.tick(0.026) == []
    assert board.take_outgoing().hex() == "80010033b2"
    signals = board.receive(bytes.fromhex("8001FFFFFF334D"), 0.05)
    assert signals == [*closed(1, *range(1, 25)), Reachable(unit=1, detail="")]
    board.order(OpenLock(unit=1, channel=1), 1.0)
    assert board.take_outgoing().hex() == "8a0101119b"
    assert board.receive(bytes.fromhex("8A0101008A"), 1.6) == []
    assert board.tick(1.606) == []
    assert board.take_outgoing().hex() == "80010033b2"
    assert board.receive(bytes.fromhex("8001FFFFFE334C"), 1.63) == opened(1, 1)


def test_every_level_comes_before_reachable_and_no_lock_is_touched() -> None:
    script = wire(1, 2)
    script.replies[query_all(2)] = levels(2, "7FFFFE")
    script.open()
    signals = script.run(1.0)
    first = [*closed(1, *range(1, 25)), Reachable(unit=1, detail="")]
    assert signals[:25] == first
    assert signals[25:26] == opened(2, 1)
    assert signals[-2:] == [*opened(2, 24), Reachable(unit=2, detail="")]
    assert len(signals) == 50
    assert script.sent_since(0.0)[:3] == [query_one(1), query_all(1), query_all(2)]
    assert openings(script) == []


def test_channels_beyond_the_board_are_no_channels() -> None:
    script = wire(1, channels=12)
    script.replies[query_all(1)] = levels(1, "0FFF")
    script.open()
    assert script.run(0.5) == [
        *closed(1, *range(1, 13)),
        Reachable(unit=1, detail=""),
    ]


def test_the_polarity_is_a_setting_of_the_board() -> None:
    script = wire(1, closed_is=0)
    script.replies[query_all(1)] = levels(1, "000001")
    script.open()
    assert script.run(0.5)[:2] == [*opened(1, 1), *closed(1, 2)]


def test_a_closed_bank_is_asked_every_two_seconds_an_open_one_more_often() -> None:
    script = serving(1)
    start = script.now
    script.run(10.0)
    assert script.sent_since(start) == [query_all(1)] * 5
    script.replies[query_all(1)] = levels(1, "FFFFFE")
    assert script.run(2.0) == opened(1, 1)
    start = script.now
    script.run(3.0)
    assert len(script.sent_since(start)) == pytest.approx(10, abs=1)
    script.replies[query_all(1)] = levels(1, "FFFFFF")
    assert script.run(0.4) == closed(1, 1)
    start = script.now
    script.run(10.0)
    assert len(script.sent_since(start)) == 5


def test_the_rhythm_is_an_option() -> None:
    script = serving(1, poll_s=5.0)
    start = script.now
    script.run(20.0)
    assert len(script.sent_since(start)) == 4


@pytest.mark.parametrize("report", ["8101011190", "8101010081"])
def test_a_report_makes_look_at_once_and_is_itself_not_believed(report: str) -> None:
    script = serving(1)
    script.run(0.5)
    script.replies[query_all(1)] = levels(1, "FFFFFE")
    assert arrive(script, report) == []
    assert script.run(0.05) == opened(1, 1)


def test_a_flood_of_reports_leaves_other_boards_their_turn() -> None:
    script = serving(1, 2)
    start = script.now
    for _ in range(1000):
        arrive(script, "8101011190")
        script.run(0.005)
    assert script.sent_since(start).count(query_all(2)) in (2, 3)


def test_reports_of_unknown_boards_are_nothing() -> None:
    script = serving(1)
    start = script.now
    assert arrive(script, "8102011193") == []
    script.run(0.5)
    assert script.sent_since(start) == []


def test_three_missing_answers_make_a_board_unreachable() -> None:
    script = serving(1)
    script.replies = {}
    start = script.now
    signals = script.run(10.0)
    assert signals == [Unreachable(unit=1, why="no answer")]
    assert script.sent_since(start) == [query_all(1)] * 3


def test_a_silent_board_is_probed_every_thirty_seconds() -> None:
    script = serving(1)
    script.replies = {}
    script.run(4.0)
    start = script.now
    assert script.run(90.0) == []
    assert script.sent_since(start) == [query_all(1)] * 3
    arrive(script, "8101011190")
    script.run(1.0)
    assert script.sent_since(start) == [query_all(1)] * 3
    script.replies = board(1)
    signals = script.run(31.0)
    assert signals == [*closed(1, *range(1, 25)), Reachable(unit=1, detail="")]


def test_one_missing_answer_is_nothing() -> None:
    script = serving(1)
    good = levels(1, "FFFFFF")
    script.replies[query_all(1)] = [None, None, good, None, None, good]
    assert script.run(10.0) == []


def test_a_silent_board_does_not_starve_its_neighbour() -> None:
    script = serving(1, 2)
    del script.replies[query_all(1)]
    script.run(5.0)
    start = script.now
    script.run(60.0)
    assert script.sent_since(start).count(query_all(2)) in (29, 30, 31)
    assert script.sent_since(start).count(query_all(1)) == 2


def test_a_board_that_never_answered_is_reported() -> None:
    script = wire(1)
    script.replies = {}
    script.open()
    assert script.run(5.0) == [Unreachable(unit=1, why="no answer")]
    assert script.sent_since(0.0) == [query_one(1), query_all(1), query_all(1)]


def test_a_board_without_query_one_serves_all_the_same() -> None:
    script = wire(1)
    del script.replies[query_one(1)]
    script.open()
    assert Reachable(unit=1, detail="") in script.run(1.0)


def echoing(*units: int, channels: int) -> ScriptedWire:
    script = wire(*units, channels=channels)
    for frame, reply in script.replies.items():
        assert isinstance(reply, str)
        script.replies[frame] = frame + reply
    return script


@pytest.mark.parametrize("channels", [8, 24])
def test_an_echo_is_found_at_the_opening_and_taken_off(channels: int) -> None:
    script = echoing(1, channels=channels)
    script.open()
    signals = script.run(1.0)
    assert signals == [
        *closed(1, *range(1, channels + 1)),
        Reachable(unit=1, detail="the line echoes"),
    ]
    assert script.run(20.0) == []


def test_a_lost_small_board_does_not_live_on_in_its_echo() -> None:
    script = echoing(1, channels=8)
    script.open()
    script.run(1.0)
    script.replies = {frame: frame for frame in script.replies}
    assert script.run(10.0) == [Unreachable(unit=1, why="no answer")]


def test_the_echo_of_an_absent_small_board_is_no_board() -> None:
    script = wire(1, channels=8)
    script.replies = {frame: frame for frame in script.replies}
    script.open()
    assert script.run(10.0) == [Unreachable(unit=1, why="no answer")]


def test_garbage_is_reported_once_a_second_with_its_board() -> None:
    script = serving(1)
    script.replies[query_all(1)] = "8001FFFFFF334C"
    signals = script.run(4.0)
    raw = bytes.fromhex("8001FFFFFF334C")
    assert signals[0] == Garbled(unit=1, raw=raw, why="garbled answer")
    assert signals[1:] == [Unreachable(unit=1, why="garbled answer")]


def test_noise_at_the_opening_keeps_the_echo_unknown_and_is_asked_again() -> None:
    script = wire(1)
    script.replies[query_one(1)] = ["00FF", "8001011191"]
    script.open()
    assert Reachable(unit=1, detail="") in script.run(1.0)
    assert script.sent_since(0.0)[:3] == [query_one(1), query_one(1), query_all(1)]


def test_a_lost_link_calls_all_boards_unreachable_and_opens_anew() -> None:
    script = serving(1, 2)
    signals = script.device.closed(script.now)
    why = "the link was lost"
    assert signals == [Unreachable(unit=1, why=why), Unreachable(unit=2, why=why)]
    assert script.device.deadline() is None
    assert script.device.receive(bytes.fromhex("8101011190"), script.now) == []
    start = script.now = script.now + 1.0
    script.open()
    assert len(script.run(1.0)) == 50
    assert script.sent_since(start)[0] == query_one(1)


def test_after_a_stall_all_levels_are_read_and_reported_anew() -> None:
    script = serving(1)
    script.run(0.5)
    arrive(script, "8001FF")
    script.now += 5.0
    script.device.resumed(script.now)
    assert script.run(0.1) == closed(1, *range(1, 25))
    assert openings(script) == []


def test_a_closed_line_resumes_nothing() -> None:
    script = wire(1)
    script.device.resumed(1.0)
    assert script.device.deadline() is None
    assert script.device.take_outgoing() == b""


def test_frames_of_the_line_keep_their_distance() -> None:
    script = serving(1, 2, 3)
    script.order(OpenLock(unit=2, channel=5))
    script.run(20.0)
    moments = [at for at, _ in script.sent]
    pairs = pairwise(moments)
    # The answer takes 2 ms in this script, the gap is 5 ms.
    assert min(later - earlier for earlier, later in pairs) >= 0.007 - 1e-9


def test_what_the_house_must_know() -> None:
    spec = DRIVERS["locker_8a"]
    assert (spec.is_shared, spec.pulse_on_board) == (True, True)
    assert (spec.default_baud, spec.roles) == (9600, frozenset({"lock_board"}))
    assert spec.options["closed_is"] == 1


@pytest.mark.parametrize(
    ("units", "words"),
    [
        ([], "at least one board"),
        ([Unit(address=0)], "address 1 to 64, not 0"),
        ([Unit(address=65)], "address 1 to 64, not 65"),
        ([Unit(address=3)] * 2, "two devices have the address 3"),
        ([Unit(address=1, options={"channels": 51})], "channels must be 1 to 50"),
        ([Unit(address=1, options={"closed_is": 2})], "closed_is must be 0 to 1"),
        ([Unit(address=1, options={"open_reply_s": 1.0})], "open_reply_s must be 1.5"),
        ([Unit(address=1, options={"turnaround_s": 0.0})], "turnaround_s must be 0.00"),
    ],
)
def test_wrong_units_are_refused(units: list[Unit], words: str) -> None:
    with pytest.raises(LocalError, match=f"locker_8a: .*{words}"):
        build("locker_8a", units)


def test_the_script_writes_one_frame_at_a_time() -> None:
    script = ScriptedWire(build("locker_8a", [Unit(address=64)]), splits=split)
    assert isinstance(script.device, LockerBoards)
    script.open()
    script.order(OpenLock(unit=64, channel=1))
    signals = script.run(5.0)
    assert {len(frame) for _, frame in script.sent} == {10}
    assert [type(signal) for signal in signals] == [OrderFailed, Unreachable]
    assert open_one(64, 1) not in script.sent_since(0.0)
