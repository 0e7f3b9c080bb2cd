# SPDX-License-Identifier: Apache-2.0
"""Every driver against its simulator, which were written apart from each other."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from drivers.device import (
    CardRead,
    OpenLock,
    OrderFailed,
    PinEntered,
    Reachable,
    TagRead,
)
from drivers.locks.kerong_wire import clear
from firmware_sim.id_card.persons import PERSONS
from firmware_sim.id_card.sam_settings import SamLatencies
from firmware_sim.lockers.kerong import KerongSettings
from firmware_sim.lockers.kerong_frames import Command, KerongFramer
from firmware_sim.osdp.cards import CardFormat
from firmware_sim.scanners.gm65_zones import Zone
from tests.drivers.fault_matrix.on_pair import OSDP_READERS, Lockers, Osdp
from tests.drivers.fault_matrix.single import IdCardSam, Scanner, qr_gm65
from tests.drivers.fault_matrix.stands import STANDS

if TYPE_CHECKING:
    from tests.drivers.fault_matrix.stand import Stand


def found(stand: Stand) -> float:
    took = stand.find()
    assert took is not None, stand.joined.told
    return took


@pytest.mark.parametrize("name", STANDS)
def test_a_driver_finds_its_device_and_both_do_their_work(name: str) -> None:
    stand = STANDS[name]()
    found(stand)
    for _ in range(3):
        assert stand.works(), stand.joined.told[-20:]


@pytest.mark.parametrize("name", STANDS)
def test_a_device_that_is_well_says_nothing_for_ten_minutes(name: str) -> None:
    stand = STANDS[name]()
    found(stand)
    stand.joined.run(5.0)
    mark = len(stand.joined.told)
    stand.joined.run(120.0 if name == "osdp" else 600.0)
    assert stand.joined.since(mark) == []


@pytest.mark.parametrize("letter", PERSONS)
def test_every_layout_of_card_is_read_at_the_pace_of_life(letter: str) -> None:
    stand = IdCardSam()
    # What field code waits for at most, less what the wire and the driver need.
    latencies = replace(SamLatencies.realistic(), module_number_s=0.25, read_s=1.8)
    stand.reader.settings = replace(stand.reader.settings, latencies=latencies)
    found(stand)
    mark = len(stand.joined.told)
    stand.reader.put(PERSONS[letter], stand.joined.now)
    stand.joined.run(4.0)
    [read] = [one for one in stand.joined.since(mark) if isinstance(one, CardRead)]
    assert read.secret.take() == PERSONS[letter].number.encode()


def test_a_reader_that_finds_its_card_again_and_again_reads_it_once() -> None:
    stand = IdCardSam()
    stand.reader.settings = replace(stand.reader.settings, repeat_find=True)
    found(stand)
    mark = len(stand.joined.told)
    stand.reader.put(PERSONS["A"], stand.joined.now)
    stand.joined.run(10.0)
    reads = [one for one in stand.joined.since(mark) if isinstance(one, CardRead)]
    assert len(reads) == 1


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mode": "trigger"},
        {"mode": "presence", "tail": "crlf"},
        {"tail": "length", "light": "never", "sound": False},
        {"tail": "none", "save": True},
    ],
    ids=str,
)
def test_a_scan_module_from_its_factory_is_set_and_reads(
    options: dict[str, Any],
) -> None:
    stand = qr_gm65(**options)
    assert isinstance(stand, Scanner)
    assert found(stand) < 2.0
    assert stand.works(), stand.joined.told
    module = stand.scanner.module
    assert module is not None
    assert module.zones.prints_on_line
    assert not module.zones.setup_codes_work
    # What shall survive a power cut does; what shall not wears no flash.
    is_saved = module.zones.saved[Zone.OUTPUT] == module.zones.working[Zone.OUTPUT]
    assert is_saved is options.get("save", False)
    [reachable] = [
        signal for _, signal in stand.joined.told if isinstance(signal, Reachable)
    ]
    assert reachable.detail == "9600 baud"


@pytest.mark.parametrize("baud", [9_600, 38_400, 115_200])
def test_four_readers_on_one_bus_are_secure_within_two_seconds(baud: int) -> None:
    stand = Osdp(baud=baud)
    assert found(stand) < 2.0
    assert all(reader.snapshot().is_secure for reader in stand.readers.values())


def test_a_card_is_told_within_a_poll() -> None:
    stand = Osdp()
    found(stand)
    waits = []
    for number in range(100):
        reader = stand.readers[OSDP_READERS[number % 4]]
        stand.joined.run(0.1 + 0.0037 * number)
        mark, begun = len(stand.joined.told), stand.joined.now
        reader.swipe(CardFormat.WIEGAND_34, 1_000 + number, begun)
        took = stand.joined.until(partial(_is_tag, stand, mark), within_s=1.0)
        assert took is not None
        waits.append(took)
    assert median(waits) <= 0.040
    assert max(waits) <= 0.090


def test_digits_typed_at_a_reader_arrive_as_one_number() -> None:
    stand = Osdp()
    found(stand)
    stand.readers[3].type_keys("1234#", stand.joined.now)
    stand.joined.run(1.0)
    [pin] = [one for _, one in stand.joined.told if isinstance(one, PinEntered)]
    assert (pin.unit, bytes(pin.secret.take())) == (3, b"1234")


def test_a_reader_back_on_the_bus_is_usable_at_once() -> None:
    stand = Osdp()
    found(stand)
    for away_s in (0.3, 1.0, 3.0, 9.0):
        stand.take_off(stand.unit)
        stand.joined.run(away_s)
        begun, mark = stand.joined.now, len(stand.joined.told)
        stand.put_back(stand.unit)
        while not _is_tag(stand, mark):
            # As people do who are not heard: they hold their card up again.
            stand.readers[stand.unit].swipe(CardFormat.RAW_64, 7, stand.joined.now)
            stand.joined.run(0.1)
            assert stand.joined.now - begun < 1.5
        stand.joined.run(0.1)
        assert stand.works()


def test_a_kerong_board_knows_the_reset_in_both_forms() -> None:
    framer = KerongFramer(silence_s=0.02)
    bare = clear(1, channels=16).frame
    body = bytes((*bare[:3], 0x00, 0x03))
    for at, frame in enumerate((bare, body + bytes((sum(body) & 0xFF,)))):
        [request] = framer.feed(frame, float(at))
        assert (request.board, request.command) == (1, Command.RESET)


def test_a_kerong_board_that_stays_busy_is_woken_and_opens_again() -> None:
    stand = Lockers("locker_kerong", KerongSettings)
    for board in stand.boards.values():
        board.settings = replace(board.settings, stays_busy=True)  # type: ignore[call-arg]
    found(stand)
    for channel in (1, 2, 3):
        stand.joined.order(OpenLock(unit=1, channel=channel))
        stand.joined.run(3.0)
    pulses = [one.snapshot().pulses for one in stand.boards[1].bank.compartments]
    assert pulses[:4] == [1, 1, 1, 0]
    assert not [one for _, one in stand.joined.told if isinstance(one, OrderFailed)]


@pytest.mark.parametrize("name", ["locker_8a", "locker_kerong", "locker_wkly"])
def test_openings_of_a_rush_keep_their_distance_and_open_once(name: str) -> None:
    stand = STANDS[name]()
    assert isinstance(stand, Lockers)
    found(stand)
    for channel in range(1, 5):
        stand.joined.order(OpenLock(unit=1, channel=channel))
    opened_at: list[float] = []
    for count in range(1, 5):
        stand.joined.until(partial(_are_open, stand, count), within_s=3.0)
        opened_at.append(stand.joined.now)
    assert all(later - one >= 0.39 for one, later in pairwise(opened_at))
    pulses = [one.snapshot().pulses for one in stand.boards[1].bank.compartments]
    assert pulses[:5] == [1, 1, 1, 1, 0]


def _are_open(stand: Lockers, count: int) -> bool:
    leaves = stand.boards[1].bank.compartments
    return sum(one.snapshot().is_open for one in leaves) >= count


def _is_tag(stand: Stand, mark: int) -> bool:
    return any(isinstance(one, TagRead) for one in stand.joined.since(mark))
