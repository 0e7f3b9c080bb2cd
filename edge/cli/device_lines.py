# SPDX-License-Identifier: Apache-2.0
"""The site's lines: one link a port, with the driver the settings name.

The law of the module: it joins drivers and settings, and refuses here what only the
registry can know: an unknown driver, an option it has not, a port that does not reach
it, a wire to what is no board, a board that cannot time its own pulse.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from serial import Serial

from drivers.errors import LocalError
from drivers.links.opening import open_link
from drivers.links.port_text import check_port, is_path
from drivers.registry import DRIVERS, Unit, build
from edge.cli.absent_line import AbsentLine

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from drivers.device import Signal
    from drivers.links.link import Link
    from drivers.spec import DriverSpec, WallClock
    from edge.settings.site import Device, Door, Settings

Where = tuple[str | int, ...]
Finding = tuple[Where, str]

#: What drives something: relays for doors and appliances, or locks of compartments.
BOARDS = ("board", "lock_board")


def driver_faults(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong between the settings and the registry."""
    devices = {device.id: device for device in settings.device}
    for index, device in enumerate(settings.device):
        yield from _device(("device", index), device)
    for where, board, channel in _wires(settings):
        yield from _wire(where, devices[board], channel)
    for index, door in enumerate(settings.door):
        yield from _timing(("door", index, "strike"), door, devices[door.strike.device])
    for index, bank in enumerate(settings.bank):
        if not _is(devices[bank.device], "lock_board"):
            what = f"{bank.device!r} has no locks, use a lock-control board"
            yield ("bank", index, "device"), what
    for index, point in enumerate(settings.access_point):
        for reader in point.readers:
            if not _is(devices[reader], "reader"):
                what = f"{reader!r} reads nothing, use a reader"
                yield ("access_point", index, "readers"), what


def _spec_of(device: Device) -> DriverSpec | None:
    """Return a device's driver; None if there is none, or none that can be loaded."""
    try:
        return DRIVERS.get(device.driver)
    except LocalError:
        return None  # _device tells why


def _is(device: Device, *roles: str) -> bool:
    """Say whether a device plays one of the roles; one of no known driver may."""
    spec = _spec_of(device)
    if spec is None:
        return True
    played = spec.roles
    if spec.readers is not None:  # a unit is a reader or something else, by its address
        is_reader = device.address in spec.readers
        played = played & {"reader"} if is_reader else played - {"reader"}
    return not played.isdisjoint(roles)


def _wires(settings: Settings) -> Iterator[tuple[Where, str, int]]:
    """Yield each wire's place in the file, its board and its channel."""
    for index, door in enumerate(settings.door):
        yield ("door", index, "strike"), door.strike.device, door.strike.output
        if door.contact is not None:
            yield ("door", index, "contact"), door.contact.device, door.contact.input
        if door.exit_button is not None:
            button = door.exit_button
            yield ("door", index, "exit_button"), button.device, button.input
        if door.bell is not None:
            yield ("door", index, "bell"), door.bell.device, door.bell.input
    for index, appliance in enumerate(settings.appliance):
        output = appliance.output
        yield ("appliance", index, "output"), output.device, output.output
    for index, lamp in enumerate(settings.signals.lamp):
        yield ("signals", "lamp", index, "output"), lamp.device, lamp.output
    for index, sensor in enumerate(settings.sensor):
        yield ("sensor", index), sensor.device, sensor.input
    if settings.fire is not None:
        yield ("fire",), settings.fire.device, settings.fire.input
    for index, bank in enumerate(settings.bank):
        for number in bank.compartments.numbers():
            yield ("bank", index, "compartments"), bank.device, number


def _timing(where: Where, door: Door, board: Device) -> Iterator[Finding]:
    spec = _spec_of(board)
    if spec is None or spec.pulse_on_board or door.accept_untimed:
        return
    if "board" in spec.roles:
        what = (
            f"{board.id!r} cannot end a pulse by itself, use a board that can, or set "
            "accept_untimed = true and read why not"
        )
        yield where, what


def _device(where: Where, device: Device) -> Iterator[Finding]:
    if device.driver not in DRIVERS:
        known = ", ".join(sorted(DRIVERS))
        what = f"there is no driver {device.driver!r}, use one of {known}"
        yield (*where, "driver"), what
        return
    try:
        spec = DRIVERS[device.driver]
    except LocalError as fault:
        yield (*where, "driver"), str(fault)
        return
    try:
        check_port(spec.link, device.port)
    except LocalError as fault:
        yield (*where, "port"), str(fault)
    if device.baud is not None and device.baud not in Serial.BAUDRATES:
        what = f"no serial port runs at {device.baud}, use the speed of its manual"
        yield (*where, "baud"), what
    if (why := _refusal(device, device.address)) is not None:
        # Options that would do at another address are not what is wrong.
        would_do = any(_refusal(device, other) is None for other in (0, 1))
        yield (*where, "address" if would_do else "options"), why


def _refusal(device: Device, address: int) -> str | None:
    """Say why a driver refuses such a device at an address; None if it does not."""
    try:
        build(device.driver, [Unit(address=address, options=device.options)])
    except LocalError as fault:
        return str(fault)
    return None


def _wire(where: Where, board: Device, channel: int) -> Iterator[Finding]:
    """Check that a wire ends at a board, and at a channel that it has."""
    if not _is(board, *BOARDS):
        yield where, f"{board.id!r} has no channels, use a board"
        return
    if where[0] != "bank" and not _is(board, "board"):
        yield where, f"{board.id!r} opens compartments, use a relay board here"
        return
    kind, channels = _channels(where, board)
    if channels is None or channel in channels:
        return
    if not channels:
        yield where, f"{board.id!r} has no {kind}, use a board that has some"
    elif len(channels) == 1:
        yield where, f"{board.id!r} has {kind[:-1]} {min(channels)} alone, use that"
    else:
        yield where, f"{board.id!r} has {kind} {_listed(channels)}, use one of them"


def _channels(where: Where, board: Device) -> tuple[str, Collection[int] | None]:
    """Return how a board calls such channels, and those it has; None: nobody knows."""
    if (spec := _spec_of(board)) is None:
        return "channels", None
    kind = "outputs" if where[-1] in {"strike", "output"} else "inputs"
    channels_of = spec.outputs_of if kind == "outputs" else spec.inputs_of
    if channels_of is not None:
        try:
            return kind, channels_of(board.options)
        except LocalError:
            return kind, None  # _device tells why
    count = board.options.get("channels", spec.options.get("channels"))
    return "channels", range(1, count + 1) if isinstance(count, int) else None


def _listed(channels: Collection[int]) -> str:
    """Return channels as people write them, and a row of them by its ends."""
    if isinstance(channels, range):
        return f"{channels[0]} to {channels[-1]}"
    return ", ".join(map(str, channels))


def open_lines(
    settings: Settings,
    state: Path,
    *,
    on_signals: Callable[[str, list[Signal]], None],
    on_state: Callable[[str, bool, str], None],
    now: Callable[[], float],
    wall_clock: WallClock | None = None,
) -> dict[str, Link]:
    """Return a link for each port; nothing is opened before its ``run``.

    ``wall_clock`` is for devices that keep a clock of their own.
    """
    by_port: dict[str, list[Device]] = {}
    for device in settings.device:
        by_port.setdefault(device.port, []).append(device)
    return {
        port: _line(
            devices,
            state,
            on_signals=partial(on_signals, port),
            on_state=partial(on_state, port),
            now=now,
            wall_clock=wall_clock,
        )
        for port, devices in by_port.items()
    }


def _line(
    devices: list[Device],
    state: Path,
    *,
    on_signals: Callable[[list[Signal]], None],
    on_state: Callable[[bool, str], None],
    now: Callable[[], float],
    wall_clock: WallClock | None,
) -> Link:
    spec = DRIVERS[devices[0].driver]
    units = units_of(devices)
    device = build(devices[0].driver, units, wall_clock=wall_clock)
    try:
        return open_link(
            spec,
            place_of(devices[0], state),
            devices[0].baud or spec.default_baud,
            device,
            on_signals,
            now=now,
            on_state=on_state,
        )
    except LocalError as fault:  # the ports were checked: a package is missing
        return AbsentLine(str(fault), on_state)


def units_of(devices: list[Device]) -> list[Unit]:
    """Return the devices of one port as their driver knows them."""
    return [Unit(address=d.address, options=d.options) for d in devices]


def place_of(device: Device, state: Path) -> str:
    """Return a device's port as it is opened: a relative path is below the state."""
    if is_path(DRIVERS[device.driver].link, device.port):
        return str(state / device.port)  # an absolute one stays as it is
    return device.port
