# SPDX-License-Identifier: Apache-2.0
"""Modbus RTU: requests as published, replies with every fault."""

from __future__ import annotations

import pytest

from drivers.errors import LocalError
from drivers.modbus.rtu import (
    Bits,
    Done,
    Fault,
    Refused,
    Reply,
    Request,
    Words,
    decode,
    encode,
    explain,
    find_reply,
    read_coils,
    read_inputs,
    read_registers,
    seal,
    write_coil,
    write_coils,
    write_register,
    write_registers,
)
from tests.drivers.vectors import frames, unhex

PUBLISHED = {vector.frame for vector in frames("modbus") if vector.is_good}
READ_COILS = read_coils(1, 0, 8)
READ_VERSION = read_registers(1, 0x8000, 1)
RELAY_1_ON = write_coil(1, 0, 0xFF00)


@pytest.mark.parametrize(
    ("request_", "digits"),
    [
        (READ_COILS, "0101000000083DCC"),
        (read_inputs(1, 0, 8), "01020000000879CC"),
        (RELAY_1_ON, "01050000FF008C3A"),
        (write_coil(1, 0, 0x0000), "010500000000CDCA"),
        (write_coil(1, 0x00FF, 0x0000), "010500FF0000FDFA"),
        (write_coil(1, 0x0200, 7), "0105020000078DB0"),
        (write_coil(1, 0x0200, 50), "0105020000324DA7"),
        (write_coil(1, 0x0201, 8), "0105020100089C74"),
        (write_coil(1, 0x0400, 7), "0105040000078D38"),
        (write_coils(1, 0, [True] * 8), "010F0000000801FFBED5"),
        (read_registers(1, 0x1000, 8), "01031000000840CC"),
        (write_register(1, 0x1000, 1), "0106100000014CCA"),
        (write_register(0, 0x2000, 5), "00062000000543D8"),
        (write_register(0, 0x4000, 1), "0006400000015C1B"),
        (read_registers(0, 0x4000, 1), "000340000001901B"),
        (read_registers(0, 0x8000, 1), "000380000001AC1B"),
        (write_registers(1, 0x1000, [0] * 8), "01101000000810 00*16 0B5C"),
    ],
)
def test_requests_are_encoded_as_published(request_: Request, digits: str) -> None:
    assert encode(request_) == unhex(digits)
    assert encode(request_) in PUBLISHED


@pytest.mark.parametrize(
    ("request_", "digits", "reply"),
    [
        (READ_COILS, "010101005188", Bits(values=(False,) * 8)),
        (READ_COILS, "010101FF11C8", Bits(values=(True,) * 8)),
        (RELAY_1_ON, "01050000FF008C3A", Done()),
        (RELAY_1_ON, "0185030291", Refused(code=3)),
        (RELAY_1_ON, "018502C351", Refused(code=2)),
        (write_coils(1, 0, [True] * 8), "010F00000008540D", Done()),
        (READ_VERSION, "01030200C8B9D2", Words(values=(200,))),
    ],
)
def test_replies_are_decoded(request_: Request, digits: str, reply: Reply) -> None:
    assert decode(request_, unhex(digits)) == reply
    assert unhex(digits) in PUBLISHED


def test_bits_come_in_the_order_of_their_addresses() -> None:
    request = read_inputs(1, 0, 10)
    reply = decode(request, seal(bytes.fromhex("0102020102")))
    assert reply == Bits(values=(True, *[False] * 8, True))


def test_a_write_of_registers_is_answered_by_its_head() -> None:
    request = write_registers(1, 0x1000, [0] * 8)
    assert decode(request, seal(bytes.fromhex("011010000008"))) == Done()
    assert decode(request, seal(bytes.fromhex("011010000007"))) is Fault.CONTENT


@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        (b"", Fault.TRUNCATED),
        (bytes.fromhex("01010100"), Fault.TRUNCATED),
        (bytes.fromhex("0101010051"), Fault.CHECKSUM),
        (bytes.fromhex("010101005189"), Fault.CHECKSUM),
        (seal(bytes.fromhex("02010100")), Fault.ADDRESS),
        (seal(bytes.fromhex("01020100")), Fault.FUNCTION),
        (seal(bytes.fromhex("01820200")), Fault.FUNCTION),
        (seal(bytes.fromhex("0101020000")), Fault.CONTENT),
        (seal(bytes.fromhex("01010200")), Fault.CONTENT),
        (encode(READ_COILS), Fault.CONTENT),
    ],
)
def test_what_is_no_answer_has_a_reason(frame: bytes, fault: Fault) -> None:
    assert decode(READ_COILS, frame) is fault


@pytest.mark.parametrize("frame", ["01050001FF00", "010500000000", "010500000007"])
def test_the_echo_of_another_write_is_no_answer(frame: str) -> None:
    assert decode(RELAY_1_ON, seal(bytes.fromhex(frame))) is Fault.CONTENT


def test_an_answer_is_found_behind_noise_echo_and_other_units() -> None:
    reply = unhex("010101FF11C8")
    other = seal(bytes.fromhex("02010155"))
    for before in (b"", b"\x01", b"\x01\x01", b"\xff" * 9, encode(READ_COILS), other):
        found = find_reply(READ_COILS, before + reply + b"\x00")
        assert found == (len(before), Bits(values=(True,) * 8))
    assert find_reply(READ_COILS, reply[:-1]) is None
    assert find_reply(READ_COILS, b"") is None


def test_a_start_that_looks_like_a_longer_answer_hides_nothing() -> None:
    # The request for modes names address 10 00, which reads as "16 bytes follow".
    request = read_registers(1, 0x1000, 8)
    reply = seal(bytes.fromhex("010310") + bytes(16))
    found = find_reply(request, encode(request) + reply)
    assert found == (8, Words(values=(0,) * 8))


@pytest.mark.parametrize(
    ("buffer", "fault"),
    [
        (encode(READ_COILS), Fault.ECHO),
        (bytes.fromhex("0101"), Fault.TRUNCATED),
        (bytes.fromhex("0101010051"), Fault.TRUNCATED),
        (bytes.fromhex("010101005189"), Fault.CHECKSUM),
        (seal(bytes.fromhex("02010100")), Fault.ADDRESS),
        (seal(bytes.fromhex("01020100")), Fault.FUNCTION),
    ],
)
def test_a_timeout_is_explained_by_what_came(buffer: bytes, fault: Fault) -> None:
    assert explain(READ_COILS, buffer) is fault


@pytest.mark.parametrize("code", [1, 2, 3, 4, 6, 0x77])
def test_exceptions_are_told_in_words(code: int) -> None:
    assert f"exception {code:02X} (" in Refused(code=code).why


@pytest.mark.parametrize("count", [0, 2001])
def test_a_read_of_too_many_bits_is_our_own_mistake(count: int) -> None:
    with pytest.raises(LocalError, match="count must be 1 to 2000"):
        read_coils(1, 0, count)


def test_what_cannot_be_sent_is_our_own_mistake() -> None:
    with pytest.raises(LocalError, match="unit"):
        read_coils(248, 0, 8)
    with pytest.raises(LocalError, match="count"):
        read_registers(1, 0, 126)
    with pytest.raises(LocalError, match="address"):
        write_coil(1, 0x10000, 0)
    with pytest.raises(LocalError, match="value"):
        write_coil(1, 0, -1)
    with pytest.raises(LocalError, match="count"):
        write_coils(1, 0, [])
    with pytest.raises(LocalError, match="count"):
        write_registers(1, 0, [0] * 124)
