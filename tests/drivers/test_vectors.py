# SPDX-License-Identifier: Apache-2.0
"""Every published frame passes, every wrong one that circulates is refused."""

from __future__ import annotations

import pytest

from drivers.device import CodeRead
from drivers.id_card import sam_wire as id_card_sam_wire
from drivers.id_card.sam_wire import Command
from drivers.id_card.text import is_number
from drivers.modbus import rtu as modbus_rtu
from drivers.scanners.qr_line import LineScanner, QrLineOptions
from tests.drivers.vectors import Vector, frames, numbers, persons


@pytest.mark.parametrize("vector", frames("id_card_sam"), ids=str)
def test_identity_card_frames(vector: Vector) -> None:
    assert id_card_sam_wire.is_sound(vector.frame) is vector.is_good


@pytest.mark.parametrize("vector", frames("modbus"), ids=str)
def test_modbus_frames(vector: Vector) -> None:
    assert modbus_rtu.is_sealed(vector.frame) is vector.is_good


@pytest.mark.parametrize("vector", frames("qr_line"), ids=str)
def test_scanner_lines(vector: Vector) -> None:
    scanner = LineScanner(options=QrLineOptions())
    signals = scanner.receive(vector.frame, 1.0) + scanner.tick(2.0)
    codes = [signal for signal in signals if isinstance(signal, CodeRead)]
    assert len(codes) == vector.is_good
    for code in codes:
        assert code.payload == vector.frame.strip().removeprefix(b"]Q1")


@pytest.mark.parametrize(("number", "is_good"), numbers())
def test_identity_numbers(number: str, *, is_good: bool) -> None:
    assert is_number(number.encode()) is is_good


@pytest.mark.parametrize("person", persons().values(), ids=lambda person: person.name)
def test_whole_read_replies_are_sound(person: tuple[str, bytes, bytes]) -> None:
    reply = person[2]
    assert len(reply) == 1295
    assert id_card_sam_wire.is_sound(reply)
    assert not id_card_sam_wire.is_sound(reply[:-1] + bytes([reply[-1] ^ 1]))


@pytest.mark.parametrize(
    ("command", "digits"),
    [
        (Command.STATUS, "AAAAAA9669000311FFED"),
        (Command.MODULE_NUMBER, "AAAAAA9669000312FFEE"),
        (Command.FIND, "AAAAAA96690003200122"),
        (Command.SELECT, "AAAAAA96690003200221"),
        (Command.READ, "AAAAAA96690003300132"),
    ],
)
def test_commands_are_sent_as_published(command: Command, digits: str) -> None:
    assert id_card_sam_wire.encode(command).hex().upper() == digits
    assert digits in {v.frame.hex().upper() for v in frames("id_card_sam")}


def test_the_commands_are_no_replies() -> None:
    for command in Command:
        assert id_card_sam_wire.decode(id_card_sam_wire.encode(command)) is None
