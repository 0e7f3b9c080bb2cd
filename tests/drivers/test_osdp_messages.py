# SPDX-License-Identifier: Apache-2.0
"""Commands and replies as values, against the recorded packets."""

from __future__ import annotations

import random

import pytest

from drivers.osdp.messages import (
    ACK,
    Busy,
    Capabilities,
    CardData,
    Colour,
    Command,
    FirstMac,
    Function,
    Identity,
    InputLevels,
    KeysPressed,
    LocalStatus,
    Malformed,
    Nak,
    Other,
    OutputLevels,
    Reply,
    light,
    pulse,
    read_reply,
    show_text,
    sound,
)
from drivers.osdp.wire import Packet, decode, encode
from tests.drivers.osdp_wire import NOTES


def recorded(note: str) -> Reply:
    found = decode(NOTES[note].removeprefix(b"\xff"))
    assert isinstance(found, Packet)
    return read_reply(found.code, found.data)


def test_recorded_replies() -> None:
    assert recorded("ACK seq 1") is ACK
    assert recorded("NAK 03 unknown command") == Nak(3)
    assert recorded("BUSY") == Busy()
    assert recorded("LSTATR: tamper 1, power 0") == LocalStatus(
        is_tampered=True, has_power_fault=False
    )
    assert recorded("RAW: reader 0, fmt 1, 26 bits") == CardData(
        has_parity=True, bits=26, number=bytes.fromhex("12345680")
    )
    assert recorded("KEYPAD: 5 digits 1234#") == KeysPressed(b"1234#")
    identity = recorded("PDID")
    assert isinstance(identity, Identity)
    assert identity.vendor.hex() == "bebafe"
    assert (identity.model, identity.version) == (1, 1)


def test_recorded_capabilities() -> None:
    found = recorded("PDCAP")
    assert isinstance(found, Capabilities)
    assert (found.level(Function.CONTACTS), found.count(Function.CONTACTS)) == (1, 2)
    assert (found.level(Function.OUTPUTS), found.count(Function.OUTPUTS)) == (1, 2)
    assert (found.level(Function.CRC), found.level(Function.SECURITY)) == (1, 1)
    assert Capabilities().count(Function.LED) == Capabilities().level(Function.LED) == 0


@pytest.mark.parametrize(
    ("command", "sequence", "note"),
    [
        (pulse(1, 50), 2, "OUT: output 0, code 5 (on for time), 50 x 100 ms"),
        (
            light(Colour.GREEN, timer_units=30, on_units=2, off_units=2),
            3,
            "LED: reader 0 led 0 temp 2/2 green/black",
        ),
        (
            sound(on_units=1, off_units=1, count=3),
            1,
            "BUZ: tone 2, 1 on 1 off, 3 times",
        ),
    ],
)
def test_recorded_commands(command: Command, sequence: int, note: str) -> None:
    frame = encode(0, sequence, command.code, command.data)
    assert frame == b"\xff" + NOTES[note]


def test_a_line_of_text() -> None:
    assert show_text(b"Hi", seconds=3).data.hex() == "0003030101024869"


@pytest.mark.parametrize(
    ("code", "digits", "reply"),
    [
        (0x49, "010001", InputLevels((True, False, True))),
        (0x4A, "0001", OutputLevels((False, True))),
        (0x78, "00" * 16, FirstMac(bytes(16))),
        (0x51, "00", Other(0x51)),
        (0x90, "", Other(0x90)),
        (0x41, "", Malformed("a NAK without its reason")),
        (0x48, "00", Malformed("reply 48 of a wrong size")),
        (0x48, "000000", Malformed("reply 48 of a wrong size")),
        (0x45, "00" * 11, Malformed("reply 45 of a wrong size")),
        (0x46, "0901", Malformed("reply 46 of a wrong size")),
        (0x76, "00" * 31, Malformed("reply 76 of a wrong size")),
        (0x78, "00" * 15, Malformed("reply 78 of a wrong size")),
        (0x49, "", Malformed("levels other than 0 and 1")),
        (0x49, "0002", Malformed("levels other than 0 and 1")),
        (0x50, "000000", Malformed("card data without its header")),
        (0x50, "00021A0012345680", Malformed("card data without its header")),
        (0x50, "00001A00123456", Malformed("3 bytes for a card of 26 bits")),
        (0x50, "00001A001234568000", Malformed("5 bytes for a card of 26 bits")),
        (0x53, "00", Malformed("keys that do not match their count")),
        (0x53, "000231", Malformed("keys that do not match their count")),
        (0x53, "0001313233", Malformed("keys that do not match their count")),
    ],
)
def test_replies_that_fit_and_that_do_not(code: int, digits: str, reply: Reply) -> None:
    assert read_reply(code, bytes.fromhex(digits)) == reply


@pytest.mark.parametrize("seed", [20240711])
def test_random_data_never_raises(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(20_000):
        read_reply(chance.randrange(256), chance.randbytes(chance.randrange(40)))
