# SPDX-License-Identifier: Apache-2.0
"""Cards, keys, inputs and tamper: told as they are, or not at all."""

from __future__ import annotations

import pytest

from drivers.device import (
    Garbled,
    InputChanged,
    PinEntered,
    Reachable,
    Signal,
    TagRead,
    TamperChanged,
    Technology,
)
from drivers.osdp.keypad import Keypad
from tests.drivers.osdp_wire import codes, serving, wire

CARD = "0000380004A1B2C3D4E5F6"
TAG = TagRead(
    unit=5,
    technology=Technology.WIEGAND,
    bits=56,
    number=bytes.fromhex("04A1B2C3D4E5F6"),
)
#: 26 bits with right parity: even over the first half, odd over the second.
GOOD_26 = "00011A00123456C0"


def pins(signals: list[Signal]) -> list[bytes]:
    found = [signal for signal in signals if isinstance(signal, PinEntered)]
    return [bytes(signal.secret.take()) for signal in found]


def test_a_card_is_told_within_a_poll() -> None:
    script = serving(5)
    script.readers[5].report(0x50, CARD)
    assert script.run(0.06) == [TAG]
    assert "A1B2" not in repr(TAG)


@pytest.mark.parametrize(
    ("digits", "is_read"),
    [
        (GOOD_26, True),
        ("00001A00123456C0", True),
        ("00001A0012345680", False),
        ("00011A0012345680", False),
        ("00002200891A2B3C40", True),
        ("00002200891A2B3C00", False),
        ("0001220080000000C0", False),
        ("00012200800000018040"[:18], False),
        ("000038000000000000000000"[:22], False),
        ("00000000", False),
        ("0000080012", False),
        ("0000190012345680", False),
        ("00001A00123456", False),
        ("00001A001234568000", False),
        ("00001A0012345681", False),
        ("00021A0012345680", False),
        ("0000010280" + "00" * 32, False),
        ("00", False),
        ("", False),
    ],
)
def test_only_whole_numbers_are_cards(digits: str, *, is_read: bool) -> None:
    script = serving(5)
    script.readers[5].report(0x50, digits)
    script.readers[5].report(0x50, CARD)
    first, last = script.run(0.3)
    assert isinstance(first, TagRead) is is_read
    assert isinstance(first, Garbled) is not is_read
    assert last == TAG


def test_parity_may_be_left_alone() -> None:
    for name in ("00", "01"):
        script = serving(5, check_parity=False)
        script.readers[5].report(0x50, f"00{name}1A0012345680")
        (tag,) = script.run(0.1)
        assert isinstance(tag, TagRead)
        assert tag.number.hex() == "12345680"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (b"1234#", [b"1234"]),
        (b"1234\r", [b"1234"]),
        (b"12*34#", [b"34"]),
        (b"12\x7f34\x0d", [b"34"]),
        (b"1#2#", [b"1", b"2"]),
        (b"#\r*", []),
        (b"123456789012#", [b"123456789012"]),
        (b"1234567890123#55#", [b"55"]),
        (b"12A4#", []),
        (b"12A*4#", [b"4"]),
    ],
)
def test_numbers_of_a_keypad(keys: bytes, expected: list[bytes]) -> None:
    for size in (1, 3, 20):
        script = serving(5)
        for at in range(0, len(keys), size):
            part = keys[at : at + size]
            script.readers[5].report(0x53, f"00{len(part):02X}{part.hex()}")
        signals = script.run(1.5)
        assert pins(signals) == expected
        assert len(signals) == len(expected)


def test_a_half_typed_number_is_forgotten() -> None:
    script = serving(5)
    script.readers[5].report(0x53, "00023132")
    script.run(5.1)
    assert script.bus._units[5]._reports._keypad.is_empty
    script.readers[5].report(0x53, "00023323")
    assert pins(script.run(0.1)) == [b"3"]


def test_a_keypad_forgets_by_itself_too() -> None:
    keypad = Keypad()
    assert keypad.pressed(b"12", 10.0) == []
    assert keypad.pressed(b"3#", 14.9) == [bytearray(b"123")]
    assert keypad.pressed(b"12", 20.0) == []
    assert keypad.pressed(b"3#", 25.0) == [bytearray(b"3")]


def test_keys_that_do_not_match_their_count_are_no_keys() -> None:
    script = serving(5)
    script.readers[5].report(0x53, "00033132")
    assert isinstance(script.run(0.1)[0], Garbled)


def test_inputs_and_tamper_are_told_as_they_change() -> None:
    script = serving(5)
    reader = script.readers[5]
    reader.report(0x49, "0100")
    reader.report(0x49, "0100")
    reader.report(0x48, "0100")
    reader.report(0x48, "0101")
    reader.report(0x48, "0001")
    reader.report(0x48, "0000")
    assert script.run(0.5) == [
        InputChanged(unit=5, channel=1, is_active=True),
        TamperChanged(unit=5, is_tampered=True, why="the reader's tamper switch"),
        TamperChanged(
            unit=5,
            is_tampered=True,
            why="the reader reports a fault of its power supply",
        ),
        TamperChanged(
            unit=5,
            is_tampered=False,
            why="the reader reports a fault of its power supply",
        ),
    ]


def test_levels_are_asked_for_too() -> None:
    script = serving(5)
    script.readers[5].answers[0x65] = (0x49, "0001")
    script.readers[5].answers[0x64] = (0x48, "0100")
    signals = script.run(5.1)
    assert InputChanged(unit=5, channel=2, is_active=True) in signals
    assert [s.is_tampered for s in signals if isinstance(s, TamperChanged)] == [True]


def test_a_refused_question_does_not_cost_the_reader() -> None:
    script = wire(5)
    script.readers[5].answers = {0x64: (0x41, "09"), 0x65: (0x41, "03")}
    script.open()
    signals = script.run(20.0)
    assert [type(signal) for signal in signals] == [Reachable]
    assert codes(script, 5)[0x64] == codes(script, 5)[0x65] == 1
