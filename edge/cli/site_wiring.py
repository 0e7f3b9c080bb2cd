# SPDX-License-Identifier: Apache-2.0
"""The wires of a site file, as the bindings know them.

The law of the module: a translation without a thought of its own; the settings were
checked when they were read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.registry import DRIVERS
from edge.bindings.wiring import InputRole, Wire, WiredInput, Wiring

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.settings.site import Input, Sensor, Settings


def wiring_of(settings: Settings) -> Wiring:
    """Read the wires out of the settings, which are consistent already."""
    inputs: dict[Wire, WiredInput] = {}
    drivers = {device.id: device.driver for device in settings.device}
    for door in settings.door:
        # A closed contact circuit means a closed leaf: "yes" is "the leaf is open".
        _wire(inputs, door.contact, InputRole.CONTACT, door.id, inverted=True)
        _wire(inputs, door.exit_button, InputRole.EXIT_BUTTON, door.id)
        _wire(inputs, door.bell, InputRole.BELL, door.id)
    for sensor in settings.sensor:
        role = InputRole(sensor.kind)
        _wire(inputs, sensor, role, sensor.id, guards=sensor.guards)
    _wire(inputs, settings.fire, InputRole.FIRE, "")
    return Wiring(
        places={device.id: (device.port, device.address) for device in settings.device},
        access_points={
            reader: point.id
            for point in settings.access_point
            for reader in point.readers
        },
        inputs=inputs,
        strikes={
            door.id: (door.strike.device, door.strike.output) for door in settings.door
        },
        displays={
            point.id: tuple(r for r in point.readers if _shows(drivers[r]))
            for point in settings.access_point
        },
        locks={
            (bank.id, number): (bank.device, number)
            for bank in settings.bank
            for number in bank.compartments.numbers()
        },
        appliances={
            each.id: (each.output.device, each.output.output)
            for each in settings.appliance
        },
        lamps=_lamps(settings),
    )


def _lamps(settings: Settings) -> dict[str, dict[str, Wire]]:
    lamps: dict[str, dict[str, Wire]] = {}
    for lamp in settings.signals.lamp:
        beside = lamps.setdefault(lamp.access_point, {})
        beside[lamp.colour] = (lamp.device, lamp.output)
    return lamps


def _shows(driver: str) -> bool:
    spec = DRIVERS.get(driver)
    return spec is not None and spec.shows


def _wire(
    inputs: dict[Wire, WiredInput],
    entry: Input | Sensor | None,
    role: InputRole,
    of: str,
    *,
    inverted: bool = False,
    guards: Iterable[str] = (),
) -> None:
    if entry is None:
        return
    is_closed = (entry.active == "closed") is not inverted
    inputs[entry.device, entry.input] = WiredInput(
        role=role, of=of, is_yes_when_closed=is_closed, guards=frozenset(guards)
    )
