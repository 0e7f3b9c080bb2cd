# SPDX-License-Identifier: Apache-2.0
"""Looking for addresses on a Modbus line: found, refused, garbled, echoed, silent."""

from __future__ import annotations

import random

import pytest

from drivers.device import (
    AddressConflict,
    Cue,
    OrderFailed,
    Pulse,
    Reachable,
    Show,
    Signal,
)
from drivers.errors import LocalError
from drivers.modbus.scan import ASKINGS, REPLY_TIMEOUT_S, AddressScan
from tests.drivers.modbus_wire import coils, read_coils, refusal, split
from tests.drivers.scripted import ScriptedWire


def scanned(
    replies: dict[str, str], *addresses: int
) -> tuple[ScriptedWire, AddressScan, list[Signal]]:
    """Run a whole search over a line with such boards."""
    scan = AddressScan(addresses) if addresses else AddressScan()
    script = ScriptedWire(scan, splits=split)
    script.replies |= replies
    script.open()
    signals = script.run(60.0)
    assert scan.is_done
    assert script.device.deadline() is None
    return script, scan, signals


def test_every_address_is_asked_once_by_reading_and_those_who_answer_are_found() -> (
    None
):
    boards = {1: 0, 4: 0xFF, 247: 1}
    script, scan, signals = scanned(
        {read_coils(n): coils(n, m) for n, m in boards.items()}
    )
    assert scan.answering == (1, 4, 247)
    assert scan.garbled == ()
    assert signals == [Reachable(unit=n, detail="") for n in boards]
    assert [sent for _, sent in script.sent] == [read_coils(n) for n in range(1, 248)]
    assert script.sent[-1][0] < 27.0


def test_an_exception_is_an_answer() -> None:
    _, scan, [found] = scanned({read_coils(7): refusal(7, 1, 2)}, *range(1, 9))
    assert scan.answering == (7,)
    assert found == Reachable(unit=7, detail="exception 02 (illegal data address)")


def test_an_echo_is_no_answer_and_a_board_behind_one_is_found() -> None:
    echo = {read_coils(n): read_coils(n) for n in range(1, 9)}
    script, scan, signals = scanned(echo, *range(1, 9))
    assert (scan.answering, scan.garbled, signals) == ((), (), [])
    assert len(script.sent) == 8
    echo[read_coils(3)] += coils(3, 1)
    _, scan, _ = scanned(echo, *range(1, 9))
    assert scan.answering == (3,)


def test_two_boards_on_one_address_are_told_after_three_askings() -> None:
    script, scan, [conflict] = scanned({read_coils(2): "0201F3FFAB00"}, 1, 2, 3)
    assert scan.garbled == (2,)
    assert isinstance(conflict, AddressConflict)
    assert "two boards" in conflict.why
    assert [sent for _, sent in script.sent].count(read_coils(2)) == ASKINGS


def test_noise_over_one_answer_hides_no_board() -> None:
    scan = AddressScan((2,))
    script = ScriptedWire(scan, splits=split)
    script.replies[read_coils(2)] = ["FF00FF", coils(2, 0)]
    script.open()
    assert script.run(5.0) == [Reachable(unit=2, detail="")]


def test_nothing_is_moved_meanwhile_and_a_stall_asks_again() -> None:
    scan = AddressScan((1, 2))
    script = ScriptedWire(scan, splits=split)
    script.open()
    pulse = Pulse(unit=1, channel=1, duration_s=1.0)
    script.order(pulse)
    script.order(Show(unit=1, cue=Cue.DENIED))
    [failed] = script.run(0.0)
    assert isinstance(failed, OrderFailed)
    assert failed.order == pulse
    script.now += 60.0
    scan.resumed(script.now)
    script.replies[read_coils(1)] = coils(1, 0)
    assert script.run(5.0) == [Reachable(unit=1, detail="")]


def test_opening_again_begins_anew_and_closing_stops() -> None:
    scan = AddressScan((1, 2, 3))
    script = ScriptedWire(scan, splits=split)
    script.replies[read_coils(1)] = coils(1, 0)
    script.open()
    script.run(REPLY_TIMEOUT_S)
    assert (scan.asked, scan.answering) == (1, (1,))
    assert scan.closed(script.now) == []
    assert scan.deadline() is None
    script.open()
    assert (scan.asked, scan.answering) == (0, ())


def fuzz(seed: int, frames: int) -> None:
    """Let a line babble for a whole search and longer; it ends, and stays bounded."""
    chance = random.Random(seed)
    scan = AddressScan()
    now = 0.0
    scan.opened(now)
    for _ in range(frames):
        scan.receive(chance.randbytes(chance.randrange(1, 9)), now)
        assert scan.buffered_bytes <= 512
        now += 0.01
        scan.tick(now)
    assert scan.is_done
    assert len(scan.garbled) > 200


@pytest.mark.parametrize("seed", [31, 32])
def test_a_babbling_line_ends_the_search_all_the_same(seed: int) -> None:
    fuzz(seed, 50_000)


@pytest.mark.parametrize("address", [0, 248])
def test_addresses_are_those_of_the_standard(address: int) -> None:
    with pytest.raises(LocalError, match="1 to 247"):
        AddressScan((address,))
