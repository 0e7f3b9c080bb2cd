# SPDX-License-Identifier: Apache-2.0
"""Relay boards: opening, polling, losing and finding again, on a scripted line."""

from __future__ import annotations

from itertools import pairwise

import pytest

from drivers.device import (
    Garbled,
    InputChanged,
    OutputChanged,
    Reachable,
    Signal,
    Unreachable,
)
from drivers.errors import LocalError
from drivers.modbus.relay_board import RelayBoards
from tests.drivers.modbus_wire import (
    all_off,
    clear_modes,
    coils,
    inputs,
    modes,
    modes_cleared,
    pulse,
    read_coils,
    read_inputs,
    read_modes,
    refusal,
    sealed,
    serving,
    wire,
)


def levels(unit: int, mask: int) -> list[InputChanged]:
    return [
        InputChanged(unit=unit, channel=n + 1, is_active=bool(mask >> n & 1))
        for n in range(8)
    ]


def reachable(unit: int, detail: str = "") -> Reachable:
    return Reachable(unit=unit, detail=detail)


def lost(signals: list[Signal]) -> list[tuple[int, str]]:
    found = [signal for signal in signals if isinstance(signal, Unreachable)]
    return [(signal.unit, signal.why) for signal in found]


def test_the_frames_of_this_test_are_the_published_ones() -> None:
    assert all_off(1) == "010500FF0000FDFA"
    assert read_modes(1) == "01031000000840CC"
    assert read_inputs(1) == "01020000000879CC"
    assert read_coils(1) == "0101000000083DCC"
    assert clear_modes(1).endswith("0B5C")
    assert pulse(2, 1, 10)[:4] == "0205"


def test_outputs_are_switched_off_before_anything_else() -> None:
    script = wire(1)
    script.replies[read_inputs(1)] = inputs(1, 0b101)
    script.open()
    assert script.run(0.1) == [*levels(1, 0b101), reachable(1)]
    expected = [all_off(1), read_modes(1), read_inputs(1), read_coils(1)]
    assert script.sent_since(0.0)[:4] == expected


def test_all_boards_are_switched_off_before_any_is_asked() -> None:
    script = wire(1, 2, 3)
    script.replies[all_off(1)] = None
    script.open()
    script.run(0.5)
    assert script.sent_since(0.0)[:3] == [all_off(1), all_off(2), all_off(3)]


def test_all_are_switched_off_first_however_fast_they_answer() -> None:
    script = wire(1, 2, 3)
    script.open()
    for unit in (1, 2, 3):
        # The reply and the next question fall into one moment.
        assert script.sent[-1][1] == all_off(unit)
        script.feed(all_off(unit))
        script.now += 0.005
        script.device.tick(script.now)
        script._write()
    assert script.sent[-1][1] == read_modes(1)


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({"model": "waveshare"}, [all_off(1), read_coils(1)]),
        ({"model": "waveshare_b"}, [all_off(1), read_inputs(1), read_coils(1)]),
    ],
)
def test_what_a_model_has_not_is_not_asked(
    options: dict[str, str | bool], steps: list[str]
) -> None:
    script = wire(1, **options)
    script.open()
    script.run(0.09)
    assert script.sent_since(0.0)[: len(steps)] == steps
    script.run(3.0)
    assert (read_inputs(1) in script.sent_since(0.0)) is (read_inputs(1) in steps)
    assert read_modes(1) not in script.sent_since(0.0)


def test_linked_inputs_are_set_to_normal_and_looked_at_again() -> None:
    script = wire(1)
    linked, normal = modes(1, 1, 0, 0, 0, 0, 0, 0, 0), modes(1)
    script.replies[read_modes(1)] = [linked, normal]
    script.replies[clear_modes(1)] = modes_cleared(1)
    script.open()
    assert script.run(0.1)[-1] == reachable(1)
    sent = script.sent_since(0.0)
    expected = [all_off(1), read_modes(1), clear_modes(1), read_modes(1)]
    assert sent[:5] == [*expected, read_inputs(1)]


@pytest.mark.parametrize("linked", [(1, 0, 0, 0, 0, 0, 0, 2), (0,) * 8])
def test_where_linkage_is_wanted_modes_are_told_and_never_written(
    linked: tuple[int, ...],
) -> None:
    script = wire(1, linkage=True)
    script.replies[read_modes(1)] = modes(1, *linked)
    script.open()
    kept = f"input modes {list(linked)} are kept"
    assert script.run(0.2)[-1] == reachable(1, kept)
    sent = script.sent_since(0.0)
    assert sent[:4] == [all_off(1), read_modes(1), read_inputs(1), read_coils(1)]
    assert clear_modes(1) not in sent


def test_modes_that_stay_or_are_not_there_are_told_in_the_detail() -> None:
    script = wire(1)
    script.replies[read_modes(1)] = modes(1, 1, 0, 0, 0, 0, 0, 0, 2)
    script.replies[clear_modes(1)] = modes_cleared(1)
    script.open()
    stuck = "input modes [1, 0, 0, 0, 0, 0, 0, 2] can't be set to normal"
    assert script.run(0.2)[-1] == reachable(1, stuck)
    script = wire(1)
    script.replies[read_modes(1)] = refusal(1, 3, 2)
    script.open()
    unknown = "input modes unknown: exception 02 (illegal data address)"
    assert script.run(0.2)[-1] == reachable(1, unknown)


def test_inputs_are_polled_ten_times_and_coils_once_a_second() -> None:
    script = serving(1)
    assert script.run(10.0) == []
    sent = script.sent_since(0.2)
    assert 98 <= sent.count(read_inputs(1)) <= 101
    assert 9 <= sent.count(read_coils(1)) <= 11


def test_a_change_of_an_input_is_told_once() -> None:
    script = serving(1)
    script.replies[read_inputs(1)] = inputs(1, 0b1000_0010)
    changes = [
        InputChanged(unit=1, channel=2, is_active=True),
        InputChanged(unit=1, channel=8, is_active=True),
    ]
    assert script.run(0.15) == changes
    assert script.run(5.0) == []
    script.replies[read_inputs(1)] = inputs(1, 0b1000_0000)
    assert script.run(0.15) == [InputChanged(unit=1, channel=2, is_active=False)]


def test_a_relay_that_moves_by_itself_is_told() -> None:
    script = serving(1)
    script.replies[read_coils(1)] = coils(1, 0b100)
    moved = OutputChanged(unit=1, channel=3, is_on=True)
    assert script.run(1.1) == [moved]
    assert script.run(5.0) == []


def test_a_relay_that_sticks_at_opening_is_told() -> None:
    script = wire(1)
    script.replies[read_coils(1)] = coils(1, 0b1)
    script.open()
    signals = script.run(0.2)
    assert signals[-2:] == [OutputChanged(unit=1, channel=1, is_on=True), reachable(1)]


def test_three_polls_without_an_answer_lose_a_board() -> None:
    script = serving(1)
    script.replies[read_inputs(1)] = None
    start = script.now
    assert script.run(0.4) == []
    assert script.run(0.4) == [Unreachable(unit=1, why="no answer")]
    attempts = script.sent_since(start)
    assert attempts.count(read_inputs(1)) == 3


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("02020100", "wrong address"),
        ("01010100", "wrong function"),
        ("01020200", "wrong content"),
    ],
)
def test_a_wrong_reply_is_garbled_and_counts_as_none(reply: str, why: str) -> None:
    script = serving(1)
    script.replies[read_inputs(1)] = sealed(reply)
    signals = script.run(1.0)
    raw = bytes.fromhex(sealed(reply))
    assert signals[0] == Garbled(unit=1, raw=raw, why=why)
    assert lost(signals) == [(1, why)]


@pytest.mark.parametrize(
    ("reply", "why"), [("01020100FFFF", "wrong checksum"), ("010201", "truncated")]
)
def test_a_broken_reply_is_garbled_once_and_the_next_is_good(
    reply: str, why: str
) -> None:
    script = serving(1)
    script.replies[read_inputs(1)] = [reply, inputs(1, 0)]
    garbled = Garbled(unit=1, raw=bytes.fromhex(reply), why=why)
    assert script.run(5.0) == [garbled]


def test_a_lost_board_is_listened_for_once_a_second() -> None:
    script = serving(1)
    sound = dict(script.replies)
    script.replies = {}
    script.run(1.0)
    start = script.now
    script.run(10.0)
    assert set(script.sent_since(start)) == {read_coils(1)}
    assert 8 <= len(script.sent_since(start)) <= 10
    script.replies = sound
    script.replies[read_inputs(1)] = inputs(1, 0b1)
    start = script.now
    assert script.run(1.5) == [*levels(1, 0b1), reachable(1)]
    steps = [all_off(1), read_modes(1), read_inputs(1), read_coils(1)]
    assert script.sent_since(start)[:5] == [read_coils(1), *steps]


def test_a_lost_board_does_not_harm_the_others() -> None:
    script = serving(1, 2)
    for frame in (all_off(2), read_inputs(2), read_coils(2)):
        script.replies[frame] = None
    start = script.now
    assert lost(script.run(2.0)) == [(2, "no answer")]
    script.replies[read_inputs(1)] = inputs(1, 0b1)
    [change] = script.run(0.3)
    assert change == InputChanged(unit=1, channel=1, is_active=True)
    script.run(7.7)
    polls = [at for at, frame in script.sent if frame == read_inputs(1) and at > start]
    gaps = [late - early for early, late in pairwise(polls)]
    assert len(polls) > 80
    assert max(gaps) < 0.3
    script.replies |= wire(2).replies
    assert script.run(2.0)[-1] == reachable(2)


def test_a_board_that_was_never_there_is_told_once() -> None:
    script = wire(1, 2)
    for frame in list(wire(2).replies):
        del script.replies[frame]
    script.open()
    signals = script.run(20.0)
    assert lost(signals) == [(2, "no answer")]
    assert reachable(1) in signals
    assert reachable(2) not in signals


def test_a_board_that_refuses_its_polls_is_lost_with_the_reason() -> None:
    script = wire(1)
    script.replies[read_inputs(1)] = refusal(1, 2, 1)
    script.open()
    why = "exception 01 (illegal function)"
    assert lost(script.run(5.0)) == [(1, why)]


def test_an_echo_found_out_repeats_the_steps_it_may_have_answered() -> None:
    script = wire(1, model="waveshare_b")
    script.replies = {
        all_off(1): all_off(1) * 2,
        read_inputs(1): read_inputs(1) + inputs(1, 0),
        read_coils(1): read_coils(1) + coils(1, 0),
    }
    script.open()
    assert script.run(0.2)[-1] == reachable(1)
    steps = [all_off(1), read_inputs(1), all_off(1), read_inputs(1), read_coils(1)]
    assert script.sent_since(0.0)[:5] == steps


def test_an_echo_alone_never_makes_a_board_reachable() -> None:
    script = wire(1)
    script.replies = {frame: frame for frame in script.replies}
    script.open()
    signals = script.run(20.0)
    assert not any(isinstance(s, Reachable | InputChanged) for s in signals)
    assert lost(signals) == [(1, "echo of the request")]


def test_closing_calls_all_boards_unreachable_and_opening_begins_anew() -> None:
    script = serving(1, 2)
    why = "the link was lost"
    gone = [Unreachable(unit=1, why=why), Unreachable(unit=2, why=why)]
    assert script.device.closed(script.now) == gone
    assert script.device.deadline() is None
    assert script.device.closed(script.now) == []
    start = script.now
    script.open()
    signals = script.run(0.3)
    assert [s for s in signals if isinstance(s, Reachable)] == [
        reachable(1),
        reachable(2),
    ]
    assert script.sent_since(start)[:2] == [all_off(1), all_off(2)]


def test_after_a_stall_all_levels_are_told_anew_and_no_output_is_touched() -> None:
    script = serving(1)
    start = script.now = script.now + 60.0
    script.device.resumed(script.now)
    assert script.run(0.1) == levels(1, 0)
    assert all_off(1) not in script.sent_since(start)


def test_endless_garbage_is_told_once_a_second_and_bounded() -> None:
    script = serving(1)
    boards = script.device
    assert isinstance(boards, RelayBoards)
    script.replies = {}
    told = 0
    for _ in range(1000):
        signals = script.run(0.01) + script.feed("0101FF" * 500)
        told += sum(isinstance(signal, Garbled) for signal in signals)
        assert boards.buffered_bytes <= 512
    # One a probe of the lost board, each 1.15 s, at most one a second.
    assert 7 <= told <= 10


def test_a_line_has_at_least_one_board() -> None:
    with pytest.raises(LocalError):
        RelayBoards(boards={})
