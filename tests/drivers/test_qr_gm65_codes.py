# SPDX-License-Identifier: Apache-2.0
"""Codes of a GM65 scanner: which bytes are one, in and out of a dialogue."""

from __future__ import annotations

import pytest

from drivers.device import CodeRead, Garbled, Reachable, Signal
from tests.drivers.gm65_wire import HEARTBEAT, HEARTBEAT_REPLY, OK, Gm65Wire, opened

CODE = b"MS1ABCDEF0"
READ = CodeRead(unit=0, payload=CODE)


def codes(signals: list[Signal]) -> list[bytes]:
    return [signal.payload for signal in signals if isinstance(signal, CodeRead)]


def faults(signals: list[Signal]) -> list[str]:
    return [signal.why for signal in signals if isinstance(signal, Garbled)]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b""])
@pytest.mark.parametrize("head", [b"", b"]Q1", rb"\000026", rb"]Q1\000026"])
def test_every_end_and_every_prefix(end: bytes, head: bytes) -> None:
    script = opened()
    signals = script.feed_text(head + CODE + end) + script.run(0.1)
    assert signals == [READ]


@pytest.mark.parametrize("head", [b"", b"]Q1"])
def test_length_prefixed_codes(head: bytes) -> None:
    script = opened(tail="length")
    text = head + CODE
    stream = b"\x03" + len(text).to_bytes(2, "big") + text
    assert script.feed_text(stream) == [READ]
    script.run(5.0)
    for at in range(0, len(stream), 4):
        script.feed_text(stream[at : at + 4])
    assert codes([signal for _, signal in script.signals]) == [CODE, CODE]


def test_a_long_code_in_usb_pieces_is_one_code() -> None:
    script = opened()
    stream = b"A" * 500 + b"\r"
    signals: list[Signal] = []
    for at in range(0, len(stream), 64):
        signals += script.feed_text(stream[at : at + 64]) + script.run(0.02)
    assert codes(signals) == [b"A" * 500]


def test_a_cable_that_is_pulled_in_a_code_ends_it() -> None:
    script = opened()
    assert script.feed_text(b"MS1AB") == []
    assert faults(script.run(0.1)) == ["too short"]
    assert script.feed_text(CODE + b"\r") == [READ]


@pytest.mark.parametrize(
    "line", [b"\0MS1ABCDEF0", b"MS1\x1bABC\0DEF0", b"MS1ABCDEF0\x06", b"MS1ABCDEF0\t"]
)
def test_control_characters_are_dropped(line: bytes) -> None:
    assert opened().feed_text(line + b"\r") == [READ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"1234567", "too short"),
        (b"]Q1" + b"1234567", "too short"),
        (b"A" * 513, "too long"),
        (b"A" * 5000, "too long"),
        ("测试测试".encode(), "not printable"),
        ("测试测试".encode("gb18030"), "not printable"),
        ("MS1ABCDÉF".encode("latin-1"), "not printable"),
    ],
)
def test_what_is_no_code_is_garbled_and_no_text_is_guessed(
    line: bytes, why: str
) -> None:
    signals = opened().feed_text(line + b"\r\n")
    assert signals == [Garbled(unit=0, raw=line[:64], why=why)]


def test_the_least_length_is_an_option() -> None:
    assert codes(opened(min_length=3).feed_text(b"ABC\r")) == [b"ABC"]
    assert faults(opened(min_length=11).feed_text(CODE + b"\r")) == ["too short"]


def test_a_code_that_is_held_is_one_code_for_three_seconds_after() -> None:
    script = opened()
    assert script.feed_text(CODE + b"\r") == [READ]
    for _ in range(10):
        script.now += 2.0
        assert script.feed_text(CODE + b"\r") == []
    assert codes(script.feed_text(b"MS1OTHER00\r")) == [b"MS1OTHER00"]
    script.now += 3.1
    assert script.feed_text(b"MS1OTHER00\r") != []
    other = opened(same_code_s=0.0)
    assert [other.feed_text(CODE + b"\r") for _ in range(3)] == 3 * [[READ]]


def test_more_than_five_codes_a_second_are_told_once_a_burst() -> None:
    script = opened()
    stream = b"".join(f"MS1ABC{step:04d}\r".encode() for step in range(40))
    signals = script.feed_text(stream)
    assert len(codes(signals)) == 5
    assert faults(signals) == ["rate limit"]
    script.now += 1.1
    assert script.feed_text(CODE + b"\r") == [READ]


@pytest.mark.parametrize("head", [b"\x02\x00", b"\x03\x00", b"\x03\x00\x0a"])
def test_a_code_that_looks_like_a_reply_is_nothing_while_nobody_asked(
    head: bytes,
) -> None:
    script = opened()
    assert codes(script.feed_text(head + b"\x01" + CODE) + script.run(1.0)) == []
    assert script.feed_text(CODE + b"\r") == [READ]


@pytest.mark.parametrize("reply", [OK, HEARTBEAT_REPLY, "020000023901C14C"])
def test_a_sound_reply_that_nobody_asked_for_is_nothing(reply: str) -> None:
    script = opened()
    assert script.feed(reply) == []
    assert script.run(5.0) == []
    script.run_until_sent()
    other = OK if script.sent[-1][1] == HEARTBEAT else HEARTBEAT_REPLY
    script.is_dead = True
    script.feed(other)
    assert script.run(1.0) == []


@pytest.mark.parametrize("cut", range(8))
def test_a_code_inside_a_heartbeat_costs_neither(cut: int) -> None:
    """Injected at each place of a reply: the code is read, the question repeated."""
    reply = bytes.fromhex(HEARTBEAT_REPLY)
    torn = (reply[:cut] + CODE + b"\r" + reply[cut:]).hex()
    script = opened({HEARTBEAT: [torn, HEARTBEAT_REPLY]})
    signals = script.run(30.0)
    assert codes(signals) == [CODE]
    assert {type(signal) for signal in signals} <= {CodeRead, Garbled}


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize("at", range(8))
@pytest.mark.parametrize("count", range(15))
def test_codes_in_the_midst_of_the_settings_dialogue_are_read(
    count: int, at: int, end: bytes
) -> None:
    script = Gm65Wire()
    script.injected = (count, at, CODE + end)
    script.open()
    signals = script.run(5.0)
    assert codes(signals) == [CODE]
    assert Reachable(unit=0, detail="9600 baud") in signals


def test_an_answer_that_comes_late_is_waited_for() -> None:
    script = opened()
    script.is_dead = True
    script.run_until_sent()
    script.run(0.4)
    assert script.feed(HEARTBEAT_REPLY) == []
    asked = len(script.sent)
    script.run(5.0)
    assert len(script.sent) == asked


def test_a_scanner_that_is_unreachable_still_opens_doors() -> None:
    script = Gm65Wire()
    script.is_dead = True
    script.open()
    script.run(60.0)
    assert script.feed_text(CODE + b"\r") == [READ]
