# SPDX-License-Identifier: Apache-2.0
"""Drivers by name: what is built, what is refused, and in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.errors import LocalError
from drivers.registry import DRIVERS, DriverSpec, Unit, build

if TYPE_CHECKING:
    from drivers.options import OptionValue

ALONE = Unit(address=0)


def units_of(spec: DriverSpec) -> list[Unit]:
    return [Unit(address=1), Unit(address=2)] if spec.is_shared else [ALONE]


def needed(spec: DriverSpec, address: int) -> dict[str, OptionValue]:
    """Return what has no default: an OSDP reader needs a key of its own."""
    key = f"9F3C51D2A8E47706BB10C96E5D24F8{address:02X}"
    return {"scbk": key} if spec.name == "osdp" else {}


@pytest.mark.parametrize("spec", DRIVERS.values(), ids=lambda spec: spec.name)
def test_every_driver_is_built_with_its_own_defaults(spec: DriverSpec) -> None:
    for given in ({}, spec.options):
        units = [
            Unit(address=unit.address, options={**given, **needed(spec, unit.address)})
            for unit in units_of(spec)
        ]
        device = build(spec.name, units)
        device.opened(1.0)
        device.tick(1.0)
        assert device.deadline() is None or device.deadline() != 0.0
        device.closed(1.0)
        assert device.receive(b"\x00", 2.0) is not None


def test_what_the_house_must_know() -> None:
    assert set(DRIVERS) == {
        "gpio_lines",
        "id_card_sam",
        "key_wedge",
        "locker_8a",
        "locker_cu48",
        "locker_kerong",
        "locker_wkly",
        "modbus_relay_board",
        "osdp",
        "pcsc_reader",
        "qr_gm65",
        "qr_line",
        "uhppote",
        "usb_relay_lcus",
    }
    board = DRIVERS["modbus_relay_board"]
    assert (board.is_shared, board.pulse_on_board) == (True, True)
    assert board.roles == {"board"}
    for name in ("id_card_sam", "qr_line"):
        assert DRIVERS[name].roles == {"reader"}
        assert not DRIVERS[name].is_shared
    untimed = {"gpio_lines", "usb_relay_lcus"}
    for spec in DRIVERS.values():
        if spec.roles & {"board", "lock_board"}:
            assert spec.pulse_on_board is (spec.name not in untimed), spec.name


@pytest.mark.parametrize(
    ("driver", "units", "words"),
    [
        ("ospd", [ALONE], "unknown driver 'ospd'; the drivers are: gpio_lines, id_"),
        ("qr_line", [], "qr_line: the port has one device, address 0"),
        ("qr_line", [ALONE, ALONE], "one device, address 0, not"),
        ("id_card_sam", [Unit(address=1)], "one device, address 0, not"),
        ("modbus_relay_board", [], "at least one board"),
        ("modbus_relay_board", [ALONE], "address 1 to 247, not 0"),
        ("modbus_relay_board", [Unit(address=248)], "1 to 247, not 248"),
        ("modbus_relay_board", [Unit(address=1)] * 2, "two devices have the address 1"),
    ],
)
def test_wrong_units_are_refused(driver: str, units: list[Unit], words: str) -> None:
    with pytest.raises(LocalError, match=words):
        build(driver, units)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("pol_s", 0.1, "unknown option 'pol_s'; the options are: channels, linkage"),
        ("poll_s", "fast", "poll_s must be float, not str 'fast'"),
        ("poll_s", True, "poll_s must be float, not bool True"),
        ("poll_s", 0.0, "poll_s must be 0.02 to 5.0, not 0.0"),
        ("poll_s", float("nan"), "poll_s must be 0.02 to 5.0, not nan"),
        ("linkage", 1, "linkage must be bool, not int 1"),
        ("channels", 33, "channels must be 1 to 32, not 33"),
        ("channels", 8.0, "channels must be int, not float 8.0"),
        ("model", "r421", "model must be one of waveshare, waveshare_b, waveshare_d"),
    ],
)
def test_wrong_options_are_refused(name: str, value: OptionValue, words: str) -> None:
    unit = Unit(address=1, options={name: value})
    with pytest.raises(LocalError, match=f"modbus_relay_board: .*{words}"):
        build("modbus_relay_board", [unit])


def test_an_int_may_stand_for_a_float() -> None:
    unit = Unit(address=1, options={"poll_s": 1})
    build("modbus_relay_board", [unit]).opened(0.0)
