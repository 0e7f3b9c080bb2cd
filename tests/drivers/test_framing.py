# SPDX-License-Identifier: Apache-2.0
"""Framers: every tear, every noise, a bound on everything."""

from __future__ import annotations

import random
from typing import SupportsIndex

import pytest

from drivers.framing import Frame, Line, LineFramer, Rejected
from drivers.id_card.sam_wire import MAX_REPLY_BYTES, reply_framer
from tests.drivers.vectors import persons

NO_CARD = bytes.fromhex("AAAAAA9669000400008084")
FOUND = bytes.fromhex("AAAAAA9669000800009F0000000097")


def contents(items: list[Frame | Rejected]) -> list[bytes]:
    return [bytes(item.content) for item in items if isinstance(item, Frame)]


def faults(items: list[Frame | Rejected]) -> list[str]:
    return [item.why for item in items if isinstance(item, Rejected)]


@pytest.mark.parametrize("cut", range(1, len(FOUND)))
def test_a_frame_torn_anywhere_is_one_frame(cut: int) -> None:
    framer = reply_framer()
    items = framer.receive(FOUND[:cut])
    assert items == []
    assert contents(framer.receive(FOUND[cut:])) == [FOUND]
    assert framer.buffered_bytes == 0


def test_frames_in_one_piece_come_one_by_one() -> None:
    assert contents(reply_framer().receive(FOUND + NO_CARD + FOUND)) == [
        FOUND,
        NO_CARD,
        FOUND,
    ]


@pytest.mark.parametrize("extra", range(1, 9))
def test_more_preamble_than_needed_is_no_noise(extra: int) -> None:
    items = reply_framer().receive(b"\xaa" * extra + FOUND)
    assert contents(items) == [FOUND]
    assert faults(items) == []


@pytest.mark.parametrize("noise", ["00", "AA00", "AAAAAA96", "AAAAAA9668", "FF" * 50])
def test_noise_before_a_frame_is_told_once_and_passed(noise: str) -> None:
    framer = reply_framer()
    items = framer.receive(bytes.fromhex(noise) * 3)
    items += framer.receive(FOUND + NO_CARD)
    assert contents(items) == [FOUND, NO_CARD]
    assert faults(items) == ["noise"]
    assert all(i.head == b"" for i in items if isinstance(i, Rejected))


def test_a_wrong_checksum_costs_its_own_frame_alone() -> None:
    broken = FOUND[:-1] + b"\x98"
    items = reply_framer().receive(broken + NO_CARD)
    assert contents(items) == [NO_CARD]
    assert faults(items) == ["wrong checksum"]
    assert items[0] == Rejected(head=broken[:10], why="wrong checksum")


@pytest.mark.parametrize("length", ["0000", "0003", "095A", "FFFF"])
def test_an_impossible_length_is_not_waited_for(length: str) -> None:
    items = reply_framer().receive(bytes.fromhex("AAAAAA9669" + length) + FOUND)
    assert contents(items) == [FOUND]
    assert faults(items) == ["impossible length"]


def test_a_good_frame_inside_a_bad_one_is_found() -> None:
    head = bytes.fromhex("AAAAAA9669 0020 000090")
    stream = head + FOUND + bytes(32)
    items = reply_framer().receive(stream + NO_CARD)
    assert contents(items) == [FOUND, NO_CARD]
    assert faults(items)[0] == "wrong checksum"


@pytest.mark.parametrize("seed", range(3))
def test_endless_garbage_takes_no_memory_and_hides_no_frame(seed: int) -> None:
    chance = random.Random(seed)
    framer = reply_framer()
    words = [b"\xaa", b"\xaa\xaa\xaa\x96\x69", b"\x09\x00", chance.randbytes(7)]
    for _ in range(3000):
        framer.receive(b"".join(chance.choices(words, k=chance.randrange(1, 40))))
        assert framer.buffered_bytes < MAX_REPLY_BYTES
    # The longest frame that the garbage may have begun is filled up, then all is well.
    framer.receive(bytes(MAX_REPLY_BYTES))
    assert contents(framer.receive(FOUND)) == [FOUND]


class Watched(bytearray):
    """Remembers what stood in the bytes that are given up."""

    def __init__(self) -> None:
        super().__init__()
        self.given_up = b""

    def __delitem__(self, key: SupportsIndex | slice) -> None:
        assert isinstance(key, slice)
        self.given_up += bytes(self[key])
        super().__delitem__(key)


def test_what_was_consumed_is_overwritten() -> None:
    framer = reply_framer()
    framer._buffer = watched = Watched()
    reply = persons()["A"].reply
    framer.receive(b"noise" + reply + reply[:800])
    framer.reset()
    assert watched.given_up == bytes(5 + len(reply) + 800)


def test_a_frame_is_not_printed() -> None:
    [frame] = reply_framer().receive(persons()["A"].reply)
    assert repr(frame) == "Frame()"


def lines_of(framer: LineFramer, data: bytes) -> list[bytes]:
    return [line.content for line in framer.receive(data, 0.0)]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\r\r\n", b"\n\r"])
def test_lines_end_in_every_way(end: bytes) -> None:
    framer = LineFramer(max_line_bytes=64, silence_s=0.05)
    assert lines_of(framer, b"one" + end + b"two" + end) == [b"one", b"two"]
    assert framer.deadline() is None


@pytest.mark.parametrize("cut", range(12))
def test_lines_torn_anywhere_are_the_same_lines(cut: int) -> None:
    stream = b"first\r\nlast\r"
    framer = LineFramer(max_line_bytes=64, silence_s=0.05)
    found = lines_of(framer, stream[:cut]) + lines_of(framer, stream[cut:])
    assert found == [b"first", b"last"]


def test_silence_ends_a_line_and_only_a_tick_says_so() -> None:
    framer = LineFramer(max_line_bytes=64, silence_s=0.05)
    assert framer.receive(b"ab", 1.0) == []
    assert framer.receive(b"cd", 2.0) == []  # bytes that waited in a stalled process
    assert framer.deadline() == 2.05
    assert framer.tick(2.049) == []
    assert framer.tick(2.05) == [Line(content=b"abcd", is_cut=False)]
    assert framer.tick(9.0) == []


def test_a_line_without_an_end_is_bounded_and_marked() -> None:
    framer = LineFramer(max_line_bytes=64, silence_s=0.05)
    lines = []
    for _ in range(1000):
        lines += framer.receive(b"x" * 100, 0.0)
        assert framer.buffered_bytes <= 64
    assert lines == [Line(content=b"x" * 64, is_cut=True)]
    assert framer.receive(b"rest\rnext\r", 0.0) == [Line(content=b"next", is_cut=False)]


def test_what_is_too_long_may_end_by_silence() -> None:
    framer = LineFramer(max_line_bytes=64, silence_s=0.05)
    assert framer.receive(b"x" * 65, 0.0) == [Line(content=b"x" * 64, is_cut=True)]
    assert framer.deadline() == 0.05
    assert framer.tick(0.05) == []
    assert framer.deadline() is None
    assert framer.receive(b"next\r", 0.1) == [Line(content=b"next", is_cut=False)]
