# SPDX-License-Identifier: Apache-2.0
"""The line scanner: what is a code, how often, and what is nothing."""

from __future__ import annotations

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
from drivers.scanners.qr_codes import MAX_LINE_BYTES
from drivers.scanners.qr_line import LineScanner, QrLineOptions


def scanner(**options: float) -> LineScanner:
    return LineScanner(options=QrLineOptions(**options))


def codes(signals: list[Signal]) -> list[bytes]:
    return [signal.payload for signal in signals if isinstance(signal, CodeRead)]


def faults(signals: list[Signal]) -> list[str]:
    return [signal.why for signal in signals if isinstance(signal, Garbled)]


def test_it_is_reachable_while_its_link_is_open() -> None:
    device = scanner()
    assert device.deadline() is None
    device.opened(1.0)
    assert device.deadline() is not None
    assert device.tick(1.0) == [Reachable(unit=0, detail="")]
    assert device.deadline() is None
    lost = Unreachable(unit=0, why="the link was lost")
    assert device.closed(2.0) == [lost]
    assert device.closed(2.0) == []
    assert device.take_outgoing() == b""


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize("cut", range(12))
def test_a_code_torn_anywhere_is_one_code(end: bytes, cut: int) -> None:
    device, stream = scanner(), b"MS1ABCDEF0" + end
    signals = device.receive(stream[:cut], 1.0) + device.receive(stream[cut:], 1.01)
    assert signals == [CodeRead(unit=0, payload=b"MS1ABCDEF0")]
    assert device.tick(9.0) == []


def test_silence_ends_a_code() -> None:
    device = scanner()
    assert device.receive(b"MS1ABCDEF0", 1.0) == []
    assert device.deadline() == 1.05
    assert device.tick(1.04) == []
    assert codes(device.tick(1.05)) == [b"MS1ABCDEF0"]


def test_a_second_scan_after_half_a_second_is_a_second_code() -> None:
    device = scanner()
    assert len(codes(device.receive(b"MS1ABCDEF0\r", 1.0))) == 1
    assert codes(device.receive(b"MS1ABCDEF0\r", 1.49)) == []
    assert len(codes(device.receive(b"MS1ABCDEF0\r", 2.0))) == 1


def test_a_code_that_is_held_is_one_code_and_another_is_another() -> None:
    device = scanner()
    for step in range(50):
        found = codes(device.receive(b"MS1ABCDEF0\r", 1.0 + step * 0.2))
        assert len(found) == (step == 0)
    assert len(codes(device.receive(b"MS1OTHER00\r", 11.0))) == 1
    assert len(codes(device.receive(b"MS1ABCDEF0\r", 11.3))) == 1


def test_the_time_of_a_held_code_is_an_option() -> None:
    device = scanner(same_code_s=0.0)
    found = [codes(device.receive(b"MS1ABCDEF0\r", 1.0 + n)) for n in range(3)]
    assert found == 3 * [[b"MS1ABCDEF0"]]


def test_more_than_five_codes_a_second_are_told_once_a_burst() -> None:
    device = scanner()
    signals: list[Signal] = []
    for step in range(40):
        line = f"MS1ABC{step:04d}\r".encode()
        signals += device.receive(line, 1.0 + step * 0.01)
    assert len(codes(signals)) == 5
    assert faults(signals) == ["rate limit"]
    later = device.receive(b"MS1LATER00\r", 2.5)
    assert codes(later) == [b"MS1LATER00"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"1234567", "too short"),
        (b"]Q11234567", "too short"),
        (b"A" * 513, "too long"),
        (b"A" * 5000, "too long"),
        (b"12345678\x00", "not printable"),
        (b"12345678\x7f", "not printable"),
        (b"1234\x1b5678", "not printable"),
        ("测试测试".encode(), "not printable"),
        ("测试测试".encode("gb18030"), "not printable"),
    ],
)
def test_what_is_no_code_is_garbled_once_a_line(line: bytes, why: str) -> None:
    signals = scanner().receive(line + b"\r\n", 1.0)
    assert signals == [Garbled(unit=0, raw=line[:64], why=why)]


@pytest.mark.parametrize("head", [b"\x02\x00", b"\x03\x00", b"\x03\x00\x00\n"])
def test_command_replies_are_nothing(head: bytes) -> None:
    device = scanner()
    assert device.receive(head + b"1234567890\r", 1.0) == []
    assert len(codes(device.receive(b"MS1ABCDEF0\r", 1.1))) == 1


def test_the_aim_prefix_is_taken_off_and_nothing_else_is() -> None:
    device = scanner()
    assert codes(device.receive(b"]Q1MS1ABCDEF0\r", 1.0)) == [b"MS1ABCDEF0"]
    assert codes(device.receive(b"]C1MS1ABCDEF0\r", 2.0)) == [b"]C1MS1ABCDEF0"]


@pytest.mark.parametrize("head", [rb"\000026", rb"]Q1\000026"])
def test_the_text_of_an_eci_is_taken_off(head: bytes) -> None:
    signals = scanner().receive(head + b"MS1ABCDEF0\r", 1.0)
    assert codes(signals) == [b"MS1ABCDEF0"]


def test_it_drops_cues_in_silence() -> None:
    device = scanner()
    device.order(Show(unit=0, cue=Cue.GRANTED), 1.0)
    assert device.deadline() is None
    assert device.tick(1.0) == []


def test_endless_garbage_is_bounded_and_never_starves_a_code() -> None:
    device = scanner()
    signals: list[Signal] = []
    for step in range(2000):
        now = 1.0 + step * 0.005
        signals += device.receive(b"\xff" * 300 + b"\r" * (step % 3), now)
        assert device.buffered_bytes <= MAX_LINE_BYTES
    assert 40 <= len(faults(signals)) <= 55
    assert codes(device.receive(b"\rMS1ABCDEF0\r", 11.01)) == [b"MS1ABCDEF0"]


def test_closing_and_stalling_drop_a_half_read_code() -> None:
    device = scanner()
    device.receive(b"MS1AB", 1.0)
    device.resumed(1.0)
    assert device.deadline() is None
    device.receive(b"MS1AB", 2.0)
    device.closed(2.0)
    assert codes(device.receive(b"MS1ABCDEF0\r", 3.0)) == [b"MS1ABCDEF0"]


def test_it_takes_no_orders() -> None:
    device = scanner()
    order = SetOutput(unit=0, channel=1, is_on=True)
    device.order(order, 1.0)
    [failed] = device.tick(1.0)
    assert isinstance(failed, OrderFailed)
    assert failed.order == order
