# SPDX-License-Identifier: Apache-2.0
"""One request at a time: tears, gaps, echoes, time-outs."""

from __future__ import annotations

import pytest

from drivers.errors import LocalError
from drivers.modbus.master import ModbusMaster
from drivers.modbus.rtu import Bits, Done, encode, read_coils, seal, write_coil

READ = read_coils(1, 0, 8)
WRITE = write_coil(1, 0, 0xFF00)
ALL_ON = bytes.fromhex("010101FF11C8")
WRITTEN = bytes.fromhex("01050000FF008C3A")
BITS = Bits(values=(True,) * 8)


def master() -> ModbusMaster:
    return ModbusMaster(turnaround_s=0.005, reply_timeout_s=0.15)


@pytest.mark.parametrize("cut", range(len(ALL_ON)))
def test_a_reply_torn_anywhere_is_one_reply(cut: int) -> None:
    line = master()
    line.ask(READ, 1.0)
    assert line.take_outgoing() == bytes.fromhex("0101000000083DCC")
    assert line.receive(ALL_ON[:cut], 1.01) is None
    assert line.receive(ALL_ON[cut:], 1.02) == BITS
    assert line.is_idle


def test_there_is_one_request_and_a_gap_after_its_reply() -> None:
    line = master()
    line.ask(READ, 1.0)
    with pytest.raises(LocalError, match="busy"):
        line.ask(READ, 1.0)
    assert line.receive(ALL_ON, 1.01) == BITS
    with pytest.raises(LocalError, match="busy"):
        line.ask(READ, 1.014)
    line.ask(READ, 1.015)


def test_a_missing_reply_ends_at_its_time_with_its_reason() -> None:
    line = master()
    line.ask(READ, 1.0)
    line.receive(ALL_ON[:3], 1.1)
    assert line.expire(1.149) is None
    unanswered = line.expire(1.15)
    assert unanswered is not None
    assert (unanswered.why, unanswered.raw) == ("truncated", ALL_ON[:3])
    line.ask(READ, 2.0)
    silent = line.expire(2.15)
    assert silent is not None
    assert (silent.why, silent.raw) == ("no answer", b"")
    assert line.expire(9.0) is None


def test_what_nobody_asked_for_is_nothing_and_delays_nothing() -> None:
    line = master()
    assert line.receive(ALL_ON, 1.0) is None
    line.ask(READ, 1.0)
    assert line.buffered_bytes == 0


def test_an_endless_stream_is_bounded_and_hides_no_reply() -> None:
    line = master()
    line.ask(READ, 1.0)
    for _ in range(100):
        assert line.receive(b"\x01\x01\x01" * 1000, 1.0) is None
        assert line.buffered_bytes <= 512
    assert line.receive(ALL_ON, 1.0) == BITS


def test_a_read_finds_the_echo_out_and_from_then_a_write_needs_two_copies() -> None:
    line = master()
    line.ask(READ, 1.0)
    assert line.receive(encode(READ) + ALL_ON, 1.0) == BITS
    assert line.is_echoing
    line.ask(WRITE, 2.0)
    assert line.receive(WRITTEN, 2.0) is None
    assert line.receive(WRITTEN, 2.01) == Done()
    line.ask(WRITE, 3.0)
    assert line.receive(WRITTEN, 3.0) is None
    unanswered = line.expire(3.15)
    assert unanswered is not None
    assert unanswered.why == "echo of the request"


def test_an_echo_that_was_none_is_forgotten_after_a_bare_reply() -> None:
    line = master()
    line.ask(READ, 1.0)
    assert line.receive(encode(READ) + ALL_ON, 1.0) == BITS
    line.ask(READ, 2.0)
    assert line.receive(b"\x00" + ALL_ON, 2.0) == BITS  # perhaps a torn echo
    assert line.is_echoing
    line.ask(READ, 3.0)
    assert line.receive(ALL_ON, 3.0) == BITS
    assert not line.is_echoing


def test_without_an_echo_one_copy_answers_a_write() -> None:
    line = master()
    line.ask(READ, 1.0)
    assert line.receive(ALL_ON, 1.0) == BITS
    assert not line.is_echoing
    line.ask(WRITE, 2.0)
    assert line.receive(WRITTEN, 2.0) == Done()


def test_an_echo_alone_is_a_lost_board_on_an_echoing_line() -> None:
    line = master()
    line.ask(READ, 1.0)
    assert line.receive(encode(READ), 1.0) is None
    unanswered = line.expire(1.15)
    assert unanswered is not None
    assert unanswered.why == "echo of the request"
    assert line.is_echoing
    line.opened(2.0)
    assert not line.is_echoing


def test_an_exception_behind_an_echo_is_an_answer() -> None:
    line = master()
    line.ask(READ, 1.0)
    refused = seal(bytes.fromhex("018102"))
    reply = line.receive(encode(READ) + refused, 1.0)
    assert reply is not None
    assert line.is_echoing
