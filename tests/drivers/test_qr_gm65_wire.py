# SPDX-License-Identifier: Apache-2.0
"""Frames of the GM65 family, and replies and codes on one line."""

from __future__ import annotations

import pytest

from drivers.framing import Line
from drivers.scanners import qr_gm65_wire as wire
from drivers.scanners.qr_codes import MAX_LINE_BYTES
from drivers.scanners.qr_gm65_framer import ScanFramer
from drivers.scanners.qr_gm65_wire import Reply, is_sealed
from tests.drivers import gm65_wire
from tests.drivers.vectors import Vector, frames

UNCHECKED = b"\xab\xcd"
VECTORS = frames("gm65")
OK = bytes.fromhex(gm65_wire.OK)
CODE = b"MS1ABCDEF0"


def framer(*, is_length_prefixed: bool = False) -> ScanFramer:
    return ScanFramer(silence_s=0.05, is_length_prefixed=is_length_prefixed)


def line(content: bytes) -> Line:
    return Line(content=content, is_cut=False)


def reply(data: bytes, *, is_heartbeat: bool = False) -> Reply:
    return Reply(data=data, is_heartbeat=is_heartbeat)


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_every_published_frame_has_its_checksum(vector: Vector) -> None:
    is_unchecked = vector.frame.endswith(UNCHECKED)
    assert (is_sealed(vector.frame) or is_unchecked) is vector.is_good


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_published_replies_are_replies_and_questions_are_none(vector: Vector) -> None:
    device = framer()
    items = device.receive(vector.frame, 1.0) + device.tick(2.0)
    is_reply = vector.is_good and vector.frame[0] in (2, 3)
    assert any(isinstance(item, Reply) for item in items) is is_reply
    if is_reply:
        expected = vector.frame[4:-2]
        is_heartbeat = vector.frame[0] == 3
        assert items == [reply(expected, is_heartbeat=is_heartbeat)]


@pytest.mark.parametrize(
    ("question", "digits"),
    [
        (wire.heartbeat(), "7E000A01000000301A"),
        (wire.trigger(), "7E00080100020102DA"),
        (wire.save(), "7E000901000000DEC8"),
        (wire.read_zone(0x002A, 2), "7E000701002A02D80F"),
        (wire.read_zone(0x00E2, 1), "7E00070100E2017791"),
        (wire.write_zone(0x002A, bytes.fromhex("3901")), "7E000802002A3901A7EA"),
        (wire.write_zone(0x0013, b"\x85"), "7E000801001385E394"),
        (wire.write_zone(0x0060, b"\x81"), "7E000801006081FE1A"),
    ],
)
def test_questions_are_sent_as_published(question: wire.Question, digits: str) -> None:
    assert question.frame.hex().upper() == digits
    assert question.frame in {vector.frame for vector in VECTORS}


def test_the_test_reckons_the_checksum_by_itself() -> None:
    for vector in VECTORS:
        if vector.is_good and not vector.frame.endswith(UNCHECKED):
            assert gm65_wire.crc(vector.frame[2:-2]) == vector.frame[-2:]


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_a_reply_torn_anywhere_is_a_reply(vector: Vector) -> None:
    if vector.is_good and vector.frame[0] in (2, 3):
        for cut in range(len(vector.frame)):
            device = framer()
            items = device.receive(vector.frame[:cut], 1.0)
            items += device.receive(vector.frame[cut:], 1.04)
            assert [type(item) for item in items] == [Reply]
            assert device.buffered_bytes == 0


@pytest.mark.parametrize("at", range(len(CODE) + 2))
def test_a_reply_in_the_midst_of_a_code_is_found_and_the_code_joined(at: int) -> None:
    stream = CODE + b"\r"
    items = framer().receive(stream[:at] + OK + stream[at:], 1.0)
    assert line(CODE) in items
    assert reply(b"\0") in items
    assert len(items) == 2


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize("cut", range(1, len(OK)))
def test_a_code_in_the_midst_of_a_reply_is_found_wherever_it_is_torn(
    cut: int, end: bytes
) -> None:
    stream = OK[:cut] + CODE + end + OK[cut:]
    for torn in range(len(stream)):
        device = framer()
        items = device.receive(stream[:torn], 1.0) + device.receive(stream[torn:], 1.01)
        items += device.tick(2.0)
        if cut >= 4:
            assert items == [line(CODE), reply(b"\0")]
        else:
            # Its length is not known: the reply is lost, the code stands at an end.
            lines = [item.content for item in items if isinstance(item, Line)]
            assert any(content.endswith(CODE) for content in lines)


def test_line_ends_inside_a_reply_end_no_line() -> None:
    data = b"\x0d\x0a\x0d"
    frame = bytes.fromhex(gm65_wire.answer(data))
    assert framer().receive(frame + CODE + b"\r\n", 1.0) == [reply(data), line(CODE)]


def test_silence_ends_a_code_and_a_reply_that_never_comes_whole() -> None:
    device = framer()
    assert device.receive(CODE, 1.0) == []
    assert device.deadline() == pytest.approx(1.05)
    assert device.tick(1.04) == []
    assert device.tick(1.06) == [line(CODE)]
    assert device.deadline() is None
    hostile = b"\x02\x00\x00\xff" + CODE + b"\r" + CODE
    assert device.receive(hostile, 2.0) == []
    assert device.tick(2.06) == [line(hostile[: -len(CODE) - 1]), line(CODE)]


def test_the_published_length_prefixed_code() -> None:
    stream = bytes.fromhex("03000A30333231353633383430")
    for cut in range(len(stream)):
        device = framer(is_length_prefixed=True)
        items = device.receive(stream[:cut], 1.0) + device.receive(stream[cut:], 1.01)
        assert items == [line(b"0321563840")]


def test_length_prefixed_codes_lines_and_replies_live_side_by_side() -> None:
    device = framer(is_length_prefixed=True)
    heartbeat = bytes.fromhex(gm65_wire.HEARTBEAT_REPLY)
    prefixed = b"\x03\x00\x0c" + b"AB\r\nCDEF\x02\x00\x00\x01"
    items = device.receive(heartbeat + prefixed + OK + CODE + b"\r" + prefixed, 1.0)
    assert items == [
        reply(b"\0", is_heartbeat=True),
        line(prefixed[3:]),
        reply(b"\0"),
        line(CODE),
        line(prefixed[3:]),
    ]


@pytest.mark.parametrize("head", [b"\x03\xff\xff", b"\x03\x10\x00", b"\x03\x00\x20"])
def test_a_length_that_never_comes_is_a_line_after_silence(head: bytes) -> None:
    device = framer(is_length_prefixed=True)
    device.receive(head + CODE, 1.0)
    assert device.tick(2.0) == [line(head + CODE)]
    assert device.receive(CODE + b"\r", 3.0) == [line(CODE)]


def test_a_line_that_grows_too_long_is_cut_and_ends() -> None:
    device = framer()
    for _ in range(100):
        assert device.receive(b"A" * 999, 1.0) == []
        assert device.buffered_bytes <= MAX_LINE_BYTES
    [cut] = device.receive(b"\r", 1.0)
    assert isinstance(cut, Line)
    assert cut.is_cut
    assert device.receive(CODE + b"\r", 1.0) == [line(CODE)]


def test_reset_forgets_and_overwrites() -> None:
    device = framer()
    device.receive(CODE, 1.0)
    device.reset()
    assert (device.buffered_bytes, device.deadline()) == (0, None)
    assert "ABCDEF" not in repr(device)
