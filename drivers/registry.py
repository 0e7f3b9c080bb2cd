# SPDX-License-Identifier: Apache-2.0
"""The drivers by name, as a site file names them.

The law of the module: one entry a driver, and what the house must know to wire it
without knowing it. Adding a device is a driver file, its vectors and one entry here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from drivers.errors import LocalError
from drivers.id_card_sam import IdCardReader, IdCardSamOptions
from drivers.locker_8a import LockerBoards
from drivers.locker_8a_unit import LockerBoardOptions
from drivers.modbus_relay_board import RelayBoards
from drivers.modbus_relay_unit import RelayBoardOptions
from drivers.options import OptionValue, defaults, read_options
from drivers.qr_line import LineScanner, QrLineOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drivers.device import Device


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One device on a port: its address (0 where it is alone) and its options."""

    address: int
    options: Mapping[str, OptionValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverSpec:
    """What the house knows of a driver.

    ``is_shared``: several units may share a port. ``options``: allowed names with
    their defaults, whose types are the options' types. ``roles``: ``reader``,
    ``board``. ``pulse_on_board``: the device itself ends a pulse.
    """

    name: str
    build: Callable[[Sequence[Unit]], Device]
    default_baud: int
    is_shared: bool
    options: Mapping[str, OptionValue]
    roles: frozenset[str]
    pulse_on_board: bool


def build(driver: str, units: Sequence[Unit]) -> Device:
    """Build the device of one port; LocalError says what does not fit."""
    spec = DRIVERS.get(driver)
    if spec is None:
        known = ", ".join(sorted(DRIVERS))
        raise LocalError(f"unknown driver {driver!r}; the drivers are: {known}")
    try:
        return spec.build(units)
    except LocalError as fault:
        raise LocalError(f"{driver}: {fault}") from None


def _build_id_card_sam(units: Sequence[Unit]) -> Device:
    unit = _only(units)
    options = read_options(IdCardSamOptions, unit.options)
    return IdCardReader(unit=unit.address, options=options)


def _build_qr_line(units: Sequence[Unit]) -> Device:
    unit = _only(units)
    options = read_options(QrLineOptions, unit.options)
    return LineScanner(unit=unit.address, options=options)


def _build_relay_boards(units: Sequence[Unit]) -> Device:
    boards: dict[int, RelayBoardOptions] = {}
    for unit in units:
        if not 1 <= unit.address <= 247:
            raise LocalError(f"a board has an address 1 to 247, not {unit.address}")
        if unit.address in boards:
            raise LocalError(f"two boards have the address {unit.address}")
        boards[unit.address] = read_options(RelayBoardOptions, unit.options)
    return RelayBoards(boards=boards)


def _build_locker_boards(units: Sequence[Unit]) -> Device:
    boards: dict[int, LockerBoardOptions] = {}
    for unit in units:
        if unit.address in boards:
            raise LocalError(f"two boards have the address {unit.address}")
        boards[unit.address] = read_options(LockerBoardOptions, unit.options)
    return LockerBoards(boards=boards)


def _only(units: Sequence[Unit]) -> Unit:
    if len(units) != 1 or units[0].address != 0:
        addresses = [unit.address for unit in units]
        raise LocalError(f"the port has one device, address 0, not {addresses}")
    return units[0]


def _spec(
    name: str,
    build_device: Callable[[Sequence[Unit]], Device],
    options: Mapping[str, OptionValue],
    *,
    default_baud: int,
    role: str,
) -> DriverSpec:
    is_board = role == "board"
    return DriverSpec(
        name=name,
        build=build_device,
        default_baud=default_baud,
        is_shared=is_board,
        options=MappingProxyType(dict(options)),
        roles=frozenset({role}),
        pulse_on_board=is_board,
    )


DRIVERS: Mapping[str, DriverSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            _spec(
                "id_card_sam",
                _build_id_card_sam,
                defaults(IdCardSamOptions),
                default_baud=115200,
                role="reader",
            ),
            _spec(
                "qr_line",
                _build_qr_line,
                defaults(QrLineOptions),
                default_baud=9600,
                role="reader",
            ),
            _spec(
                "modbus_relay_board",
                _build_relay_boards,
                defaults(RelayBoardOptions),
                default_baud=9600,
                role="board",
            ),
            _spec(
                "locker_8a",
                _build_locker_boards,
                defaults(LockerBoardOptions),
                default_baud=9600,
                role="board",
            ),
        )
    }
)
