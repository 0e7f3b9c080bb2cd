# SPDX-License-Identifier: Apache-2.0
"""What one key alone cannot show: names that must meet, and doors that must be safe.

The law of the module: each check yields ``(where, "what, what instead")``; nothing
here changes a value. Whether a driver exists is asked by the roof, which knows them.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from edge.settings.check_platform import check_platform
from edge.settings.check_rules import check_rules
from edge.settings.panel import check_panel
from edge.settings.signals import check_signals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from edge.settings.site import Device, Door, Settings

Where = tuple[str | int, ...]
Finding = tuple[Where, str]


def cross_check(settings: Settings) -> Iterator[Finding]:
    """Yield every finding, in the file's order of kinds."""
    yield from _twice("space", [space.id for space in settings.space])
    yield from _twice("device", [device.id for device in settings.device])
    yield from _twice("door", [door.id for door in settings.door])
    yield from _twice("bank", [bank.id for bank in settings.bank])
    yield from _twice("sensor", [sensor.id for sensor in settings.sensor])
    yield from _twice("appliance", [each.id for each in settings.appliance])
    yield from _twice("access_point", [point.id for point in settings.access_point])
    yield from _ports(settings)
    for index, door in enumerate(settings.door):
        yield from _door(settings, index, door)
    yield from _wires(settings)
    yield from _banks(settings)
    yield from _access_points(settings)
    yield from _guards(settings)
    yield from check_platform(settings.platform)
    yield from check_panel(settings.panel, settings.access_point)
    yield from check_rules(settings)
    yield from check_signals(settings, _outputs(settings))


def _twice(kind: str, names: list[str]) -> Iterator[Finding]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield (kind, index, "id"), f"{name!r} is taken already, choose another"


def _known(names: Iterable[str]) -> str:
    return "use one of " + ", ".join(sorted(names))


def _ports(settings: Settings) -> Iterator[Finding]:
    seen: dict[str, tuple[Device, set[int]]] = {}
    for index, device in enumerate(settings.device):
        line = _line_of(device.port)
        first, addresses = seen.setdefault(line, (device, set()))
        if first.port != device.port:
            what = f"{first.id!r} calls this port {first.port}, write it the same way"
            yield ("device", index, "port"), what
        if first.driver != device.driver:
            what = f"{device.port} serves {first.driver!r}, give this its own port"
            yield ("device", index, "port"), what
        elif device.baud not in (None, first.baud):
            what = f"{first.id!r} sets the speed of {device.port}, use the same or none"
            yield ("device", index, "baud"), what
        elif device.address in addresses:
            what = f"address {device.address} is taken on {device.port}, choose another"
            yield ("device", index, "address"), what
        addresses.add(device.address)


def _line_of(port: str) -> str:
    """Return one name for a port, however it is written."""
    return port.lower() if "://" in port else posixpath.normpath(port)


def _door(settings: Settings, index: int, door: Door) -> Iterator[Finding]:
    spaces = {space.id for space in settings.space}
    if door.space not in spaces:
        what = f"there is no space {door.space!r}, {_known(spaces)}"
        yield ("door", index, "space"), what
    if door.lock == "fail_secure" and door.egress == "electric_hardware":
        what = (
            "a fail-secure lock keeps people in when its power fails, use a strike "
            "with a handle (egress = 'mechanical') or a fail-safe lock"
        )
        yield ("door", index, "egress"), what
    if door.extended_release_s < door.release_s:
        what = f"shorter than release_s, use at least {door.release_s:g}"
        yield ("door", index, "extended_release_s"), what


def _wires(settings: Settings) -> Iterator[Finding]:
    devices = {device.id for device in settings.device}
    outputs: set[tuple[str, int]] = set()
    inputs: set[tuple[str, int]] = set()
    for index, door in enumerate(settings.door):
        wire = (door.strike.device, door.strike.output)
        yield from _wire(("door", index, "strike"), wire, devices, outputs)
        for name, entry in (
            ("contact", door.contact),
            ("exit_button", door.exit_button),
            ("bell", door.bell),
        ):
            if entry is not None:
                wire = (entry.device, entry.input)
                yield from _wire(("door", index, name), wire, devices, inputs)
    for index, appliance in enumerate(settings.appliance):
        wire = (appliance.output.device, appliance.output.output)
        yield from _wire(("appliance", index, "output"), wire, devices, outputs)
    for index, sensor in enumerate(settings.sensor):
        wire = (sensor.device, sensor.input)
        yield from _wire(("sensor", index), wire, devices, inputs)
    if settings.fire is not None:
        wire = (settings.fire.device, settings.fire.input)
        yield from _wire(("fire",), wire, devices, inputs)


def _outputs(settings: Settings) -> set[tuple[str, int]]:
    wires = [door.strike for door in settings.door]
    wires += [appliance.output for appliance in settings.appliance]
    return {(wire.device, wire.output) for wire in wires}


def _wire(
    where: Where,
    wire: tuple[str, int],
    devices: set[str],
    taken: set[tuple[str, int]],
) -> Iterator[Finding]:
    if wire[0] not in devices:
        yield where, f"there is no device {wire[0]!r}, {_known(devices)}"
    if wire in taken:
        yield where, f"channel {wire[1]} of {wire[0]!r} is wired already, use another"
    taken.add(wire)


def _banks(settings: Settings) -> Iterator[Finding]:
    spaces = {space.id for space in settings.space}
    ports = {device.id: _line_of(device.port) for device in settings.device}
    urgent = _urgent_lines(settings, ports)
    for index, bank in enumerate(settings.bank):
        if bank.space not in spaces:
            what = f"there is no space {bank.space!r}, {_known(spaces)}"
            yield ("bank", index, "space"), what
        if bank.device not in ports:
            what = f"there is no device {bank.device!r}, {_known(ports)}"
            yield ("bank", index, "device"), what
        elif ports[bank.device] in urgent:
            line = ports[bank.device]
            what = (
                f"{line} also serves {urgent[line]}, which must not wait for a locker: "
                "give the bank its own port"
            )
            yield ("bank", index, "device"), what
        numbers = bank.compartments.numbers()
        for number in sorted({n for n in numbers if numbers.count(n) > 1}):
            what = f"compartment {number} stands there twice, name it once"
            yield ("bank", index, "compartments"), what
        if not numbers:
            what = "no compartment, name at least one by its number"
            yield ("bank", index, "compartments"), what


def _urgent_lines(settings: Settings, ports: Mapping[str, str]) -> dict[str, str]:
    """Return the lines on which people wait, and what of theirs is there first."""
    wires = [("the fire input", settings.fire)]
    for door in settings.door:
        wires.append((f"the contact of door {door.id!r}", door.contact))
        wires.append((f"the exit button of door {door.id!r}", door.exit_button))
    things = [(f"the strike of door {d.id!r}", d.strike.device) for d in settings.door]
    things += [(what, wire.device) for what, wire in wires if wire is not None]
    lines: dict[str, str] = {}
    for what, device in things:
        if device in ports:
            lines.setdefault(ports[device], what)
    return lines


def _place(settings: Settings, index: int) -> Iterator[Finding]:
    """Check that an access point stands at exactly one thing that there is."""
    point = settings.access_point[index]
    where = ("access_point", index)
    places = (point.door is not None, point.bank is not None, point.desk)
    if sum(places) != 1:
        what = "stands at nothing or at several, use one of door, bank, desk = true"
        yield (*where, "id"), what
    doors = {door.id for door in settings.door}
    if point.door is not None and point.door not in doors:
        what = f"there is no door {point.door!r}, {_known(doors)}"
        yield (*where, "door"), what
    banks = {bank.id: bank for bank in settings.bank}
    if point.bank is not None and point.bank not in banks:
        instead = _known(banks) if banks else "describe one as [[bank]]"
        what = f"there is no bank {point.bank!r}, {instead}"
        yield (*where, "bank"), what
    if point.opens == "medicine":
        bank = banks.get(point.bank or "")
        if bank is None or not bank.compartments.medicine:
            what = "there is no medicine box here, use a bank that has one"
            yield (*where, "opens"), what


def _access_points(settings: Settings) -> Iterator[Finding]:
    devices = {device.id for device in settings.device}
    owners: dict[str, str] = {}
    for index, point in enumerate(settings.access_point):
        yield from _place(settings, index)
        for reader in point.readers:
            where: Where = ("access_point", index, "readers")
            if reader not in devices:
                yield where, f"there is no device {reader!r}, {_known(devices)}"
            elif reader in owners:
                what = f"{reader!r} reads at {owners[reader]!r} already, use another"
                yield where, what
            owners[reader] = point.id


def _guards(settings: Settings) -> Iterator[Finding]:
    readers = {name for point in settings.access_point for name in point.readers}
    for index, sensor in enumerate(settings.sensor):
        where: Where = ("sensor", index, "guards")
        if sensor.guards and sensor.kind != "tamper":
            yield where, f"a {sensor.kind} sensor guards no reader, leave it out"
            continue
        for name in sensor.guards:
            if name not in readers:
                yield where, f"no access point reads {name!r}, {_known(readers)}"
