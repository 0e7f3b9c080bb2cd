# SPDX-License-Identifier: Apache-2.0
"""Keys into text, and input events into codes."""

from __future__ import annotations

import string
import struct

import pytest

from drivers.device import (
    CodeRead,
    Cue,
    Garbled,
    OrderFailed,
    Reachable,
    SetOutput,
    Show,
    Signal,
    Unreachable,
)
from drivers.errors import LocalError
from drivers.options import read_options
from drivers.scanners.key_text import KeyText, TypedLine
from drivers.scanners.key_wedge import KeyWedge, KeyWedgeOptions
from tests.drivers.key_lists import (
    ALT,
    CAPS,
    CTRL,
    DOWN,
    ENTER,
    KEYS,
    REPEAT,
    RIGHT_SHIFT,
    SHIFT,
    TAB,
    UP,
    Presses,
    events,
    tap,
    typed,
)

CODE = b"MS1ABCDEF0"
READ = CodeRead(unit=0, payload=CODE)
#: "MS1" and Enter as recorded of a scanner that holds shift over neighbours and lets
#: keys overlap.
OVERLAPPING = [
    (42, 1), (50, 1), (31, 1), (50, 0), (31, 0), (42, 0), (2, 1), (28, 1), (2, 0),
    (28, 0),
]  # fmt: skip
DROPPED = struct.pack("=16xHHi", 0, 3, 0)
REPORT = struct.pack("=16xHHi", 0, 0, 0)


def lines(presses: Presses) -> list[TypedLine]:
    keys = KeyText()
    found = [keys.press(code, value) for code, value in presses]
    return [line for line in [*found, keys.end()] if line is not None]


def wedge(**options: float) -> KeyWedge:
    return KeyWedge(options=KeyWedgeOptions(event_bytes=24, **options))  # type: ignore[arg-type]


def faults(signals: list[Signal]) -> list[str]:
    return [signal.why for signal in signals if isinstance(signal, Garbled)]


@pytest.mark.parametrize("shift", [SHIFT, RIGHT_SHIFT])
def test_every_printable_character_is_typed_and_read(shift: int) -> None:
    text = (string.ascii_letters + string.digits + string.punctuation + " ").encode()
    [line] = lines(typed(text, shift=shift))
    assert line == TypedLine(content=text, is_cut=False, fault="")


def test_a_recorded_list_with_overlapping_keys() -> None:
    assert [line.content for line in lines(OVERLAPPING)] == [b"MS1"]


def test_the_number_pad_types_digits_whatever_its_lamp() -> None:
    pad = {7: 71, 8: 72, 9: 73, 4: 75, 5: 76, 6: 77, 1: 79, 2: 80, 3: 81, 0: 82}
    presses = [press for digit in range(10) for press in tap(pad[digit])]
    assert [line.content for line in lines(presses + tap(96))] == [b"0123456789"]


def test_caps_lock_tab_and_repeats_mean_nothing() -> None:
    presses = [*tap(CAPS), (KEYS["A"], DOWN), *[(KEYS["A"], REPEAT)] * 9]
    presses += [(KEYS["A"], UP), *tap(CAPS), *tap(KEYS["B"]), *tap(TAB), *tap(ENTER)]
    assert [line.content for line in lines(presses)] == [b"ab"]


@pytest.mark.parametrize(
    ("chord", "why"),
    [(ALT, "typed with ALT"), (100, "typed with ALT"), (CTRL, "typed with CTRL")],
)
def test_characters_typed_by_their_number_spoil_the_line(chord: int, why: str) -> None:
    number = [(chord, DOWN), *tap(79), *tap(82), *tap(80), (chord, UP)]
    [line] = lines(typed(CODE, end=None) + number + typed(b"AB"))
    assert line.fault == why
    assert lines(typed(CODE)) == [TypedLine(content=CODE, is_cut=False, fault="")]


@pytest.mark.parametrize("code", [1, 14, 59, 86, 103, 111, 240, 0x2FF])
def test_a_key_that_is_no_character_spoils_its_line_alone(code: int) -> None:
    first, second = lines(tap(code) + typed(CODE) + typed(CODE))
    assert first.fault == "a key that is no character"
    assert second.fault == ""


def test_a_line_is_bounded() -> None:
    [line] = lines(tap(KEYS["A"]) * 5000)
    assert line.is_cut
    assert len(line.content) == 4096


def test_empty_lines_are_nothing() -> None:
    assert lines(tap(ENTER) * 3 + tap(TAB)) == []


@pytest.mark.parametrize("size", [24, 16])
@pytest.mark.parametrize("piece", [1, 7, 16, 24, 72, 4096])
def test_events_of_both_layouts_in_pieces_of_any_size(size: int, piece: int) -> None:
    device = KeyWedge(options=KeyWedgeOptions(event_bytes=size))
    data = events(typed(CODE), size=size)
    signals: list[Signal] = []
    for at in range(0, len(data), piece):
        signals += device.receive(data[at : at + piece], 1.0)
    assert signals == [READ]
    assert device.deadline() is None


def test_the_layout_is_this_machines_by_default() -> None:
    assert KeyWedgeOptions().event_bytes == struct.calcsize("@llHHi")
    with pytest.raises(LocalError, match="event_bytes must be 16 or 24, not 20"):
        read_options(KeyWedgeOptions, {"event_bytes": 20})


def test_a_pause_ends_a_code() -> None:
    device = wedge()
    assert device.receive(events(typed(CODE, end=None)), 1.0) == []
    assert device.deadline() == pytest.approx(1.05)
    assert device.tick(1.04) == []
    assert device.tick(1.06) == [READ]
    assert device.deadline() is None


def test_a_torn_event_is_forgotten_after_a_pause() -> None:
    device = wedge()
    device.receive(events(typed(CODE))[:17], 1.0)
    assert device.deadline() is not None
    assert device.tick(1.1) == []
    assert device.deadline() is None
    assert device.receive(events(typed(CODE)), 2.0) == [READ]


def test_events_that_the_kernel_dropped_spoil_the_code() -> None:
    device = wedge()
    half = events(typed(CODE, end=None))
    stale = struct.pack("=16xHHi", 1, KEYS["A"], DOWN)
    signals = device.receive(half + DROPPED + stale + REPORT, 1.0)
    signals += device.receive(events(typed(b"DEF0")), 1.0)
    assert faults(signals) == ["keys were lost"]
    assert device.receive(events(typed(CODE)), 2.0) == [READ]


def test_shift_that_was_held_when_events_were_dropped_is_let_go() -> None:
    device = wedge()
    device.receive(events([(SHIFT, DOWN)]) + DROPPED + REPORT, 1.0)
    device.tick(2.0)
    assert device.receive(events(typed(b"abcdefgh")), 3.0) == [
        CodeRead(unit=0, payload=b"abcdefgh")
    ]


def test_what_is_a_code_is_the_scanners_rule() -> None:
    device = wedge()
    assert faults(device.receive(events(typed(b"SHORT")), 1.0)) == ["too short"]
    assert device.receive(events(typed(b"]Q1" + CODE)), 2.0) == [READ]
    assert device.receive(events(typed(CODE)), 4.0) == []
    assert device.receive(events(typed(CODE)), 7.1) == [READ]
    assert faults(device.receive(events(typed(b"A" * 600)), 9.0)) == ["too long"]


def test_other_kinds_of_events_are_nothing() -> None:
    device = wedge()
    lamps = struct.pack("=16xHHi", 0x11, 1, 1) + struct.pack("=16xHHi", 3, 0, 7)
    data = events(typed(CODE))
    assert device.receive(lamps + data[:72] + lamps + data[72:], 1.0) == [READ]


def test_opening_closing_and_stalling() -> None:
    device = wedge()
    assert device.deadline() is None
    device.opened(1.0)
    assert device.deadline() == 0.0
    assert device.tick(1.0) == [Reachable(unit=0, detail="")]
    device.receive(events([(SHIFT, DOWN), *typed(b"MS1", end=None)]), 1.0)
    device.resumed(1.0)
    assert device.receive(events(typed(b"abcdefgh")), 2.0) != []
    device.receive(events(typed(b"MS1", end=None)), 3.0)
    assert device.closed(3.0) == [Unreachable(unit=0, why="the link was lost")]
    assert device.closed(3.0) == []
    assert device.receive(events(typed(CODE)), 4.0) == [READ]


def test_it_moves_nothing_and_drops_cues() -> None:
    device = wedge()
    device.order(Show(unit=0, cue=Cue.DENIED), 1.0)
    assert device.deadline() is None
    device.order(SetOutput(unit=0, channel=1, is_on=True), 1.0)
    [failed] = device.tick(1.0)
    assert isinstance(failed, OrderFailed)
    assert device.take_outgoing() == b""
