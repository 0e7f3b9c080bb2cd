# SPDX-License-Identifier: Apache-2.0
"""A site's hardware as the simulation builds it: devices, wires and doors.

The law of the module: it is made from the settings alone, so that any site can be
played. What cannot be simulated (a chip's pins, a PC/SC reader, a keyboard) is left
out: the gateway then finds it missing, says so and goes on.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drivers.registry import DRIVERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edge.settings.site import Device, Door, Input, Sensor, Settings

#: Drivers of readers that have a line to themselves, and what stands there.
ALONE: Mapping[str, dict[str, Any]] = {
    "id_card_sam": {"kind": "sam_reader"},
    "qr_line": {"kind": "qr_scanner"},
    # As from the factory, where it is a keyboard: the driver sets it up.
    "qr_gm65": {"kind": "qr_scanner", "settings": {"dialogue": {}}},
}
#: Drivers of lock-control boards, and what the simulation calls their family.
FAMILIES: Mapping[str, str] = {
    "locker_8a": "8a",
    "locker_kerong": "kerong",
    "locker_cu48": "cu48",
    "locker_wkly": "wkly",
}
SIMULATED = frozenset(
    {*ALONE, *FAMILIES, "modbus_relay_board", "osdp", "usb_relay_lcus", "uhppote"}
)
#: The unit of a UHPPOTE controller itself; its readers are 1 to 8.
CONTROLLER = 0
#: What a controller without a serial in the site file is called by.
USUAL_SERIAL = 405_419_896


def simulated(settings: Settings) -> frozenset[str]:
    """Return the devices that the simulation has."""
    return frozenset(d.id for d in settings.device if d.driver in SIMULATED)


def port_name(device: Device) -> str:
    """Return what the simulation calls a device's port."""
    if "://" in device.port:
        return re.sub(r"[^a-z0-9]+", "-", device.port.lower())
    return Path(device.port).name


def controllers(settings: Settings) -> dict[str, str]:
    """Return the controller behind each UDP port, as the site file names both."""
    return {
        device.port: device.id
        for device in settings.device
        if device.driver == "uhppote" and device.address == CONTROLLER
    }


def hardware(settings: Settings, udp_ports: Mapping[str, int]) -> dict[str, Any]:
    """Describe the site's hardware to the simulation, wire by wire.

    ``udp_ports``: on which port of this machine each UDP port of the site is played.
    """
    ports: dict[str, Any] = {}
    for device in settings.device:
        name, driver = port_name(device), device.driver
        if driver in ALONE:
            ports[name] = ALONE[driver]
        elif driver == "usb_relay_lcus":
            relays = {"channels": _option(device, "channels")}
            ports[name] = {"kind": "lcus_relay", "name": device.id, "settings": relays}
        elif driver == "uhppote":
            number = udp_ports[device.port]
            port = {"kind": "uhppote", "udp_port": number, "controllers": {}}
            _controller(ports.setdefault(name, port), device)
        elif driver == "osdp":
            port = ports.setdefault(name, {"kind": "osdp_bus", "readers": {}})
            port["readers"][device.id] = _osdp(device)
        elif driver in SIMULATED:
            _board(ports, name, device, settings)
    there = simulated(settings)
    doors = [door for door in settings.door if door.strike.device in there]
    return {"ports": ports, "doors": {door.id: _door(door) for door in doors}}


def _option(device: Device, name: str) -> Any:
    return device.options.get(name, DRIVERS[device.driver].options[name])


def _controller(port: dict[str, Any], device: Device) -> None:
    if device.address == CONTROLLER:
        port["controllers"][device.id] = {
            "serial": _option(device, "serial") or USUAL_SERIAL,
            "doors": _option(device, "doors"),
        }


def _osdp(device: Device) -> dict[str, Any]:
    # A reader's own number tells it from the others even where none is pinned.
    number = _option(device, "cuid") or f"{device.address:016X}"
    return {
        "address": device.address,
        "base_key": _option(device, "scbk"),
        "client_id": number,
    }


def _board(
    ports: dict[str, Any], name: str, device: Device, settings: Settings
) -> None:
    """Put a board on its bus, with the loops that are closed while all is well."""
    family = FAMILIES.get(device.driver)
    bus = {"kind": "relay_bus", "boards": {}}
    if family is not None:
        bus = {"kind": "locker_bus", "family": family, "boards": {}}
    channels = _option(device, "channels")
    board: dict[str, Any] = {"address": device.address}
    if family is not None:
        board["channels"] = channels
    else:
        board |= {"relays": channels, "inputs": channels}
    loops: list[Sensor | Input] = [*settings.sensor]
    if settings.fire is not None:
        loops.append(settings.fire)
    at_rest = [
        loop.input
        for loop in loops
        if loop.device == device.id and loop.active == "open"
    ]
    if at_rest and family is None:
        board["closed_inputs"] = at_rest
    ports.setdefault(name, bus)["boards"][device.id] = board


def _door(door: Door) -> dict[str, Any]:
    wires: dict[str, Any] = {"board": door.strike.device, "relay": door.strike.output}
    for name, wire in (("contact", door.contact), ("exit_button", door.exit_button)):
        # The simulation's doors have all their wires at one board.
        if wire is not None and wire.device == door.strike.device:
            wires[name] = wire.input
    return wires


def moved(text: str, settings: Settings, places: Mapping[str, tuple[int, int]]) -> str:
    """Return a site file whose controllers are found on this machine.

    ``places``: for each UDP port of the site, where it is played and where the
    gateway hears its reports.
    """
    for port, (number, listen) in places.items():
        here = f"udp://127.0.0.1:{number}"
        if "?listen=" in port:
            here += f"?listen={listen}"
        text = text.replace(f'"{port}"', f'"{here}"')
        for options in _options_at(port, settings.device):
            for name, new in (
                ("listen_address", '"127.0.0.1"'),
                ("listen_port", listen),
            ):
                if name in options:
                    pattern = rf"\b{name}\s*=\s*{_written(options[name])}"
                    text = re.sub(pattern, f"{name} = {new}", text)
    return text


def _options_at(port: str, devices: Iterable[Device]) -> list[dict[str, Any]]:
    return [dict(device.options) for device in devices if device.port == port]


def _written(value: object) -> str:
    return re.escape(f'"{value}"' if isinstance(value, str) else str(value))
