# SPDX-License-Identifier: Apache-2.0
"""``menshen device test NAME`` finds out whether a device does what it is for.

The law of the module: without ``--act`` nothing is written that could move a relay or
a lock. With it, one output is worked once, after a question. While a gateway runs it
is asked, since the ports are its own and what opens must stand in its journal; else
the device is driven from here, and the state folder is held meanwhile so that no
gateway starts in between. What people show is never printed.
"""

from __future__ import annotations

import asyncio
import getpass
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.device import OpenLock, Pulse
from drivers.errors import LocalError
from drivers.links.opening import opener
from drivers.question import Outcome
from drivers.registry import DRIVERS
from edge.cli.device_lines import place_of
from edge.cli.device_probe import ADVICE, ask_all
from edge.cli.device_stage import carry_out, watch, with_device
from edge.cli.device_wires import wires_of
from edge.cli.state_folder import StateFolderError, own_folder
from edge.control.client import ControlError, ask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drivers.registry import DriverSpec
    from edge.settings.site import Device, Settings

    Say = Callable[[str], None]
    Agrees = Callable[[str], bool]

#: Boards read their relays once a second: long enough to see it, short enough.
PULSE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be tested: the site, the device, and how far to go."""

    settings: Settings
    state: Path
    name: str
    act: bool = False
    channel: int | None = None
    for_s: float = 10.0


def run_device_test(wish: Wish, *, say: Say, agrees: Agrees) -> int:
    """Test one device of the site; exit code 0 good, 1 trouble, 2 wrong use."""
    found = [d for d in wish.settings.device if d.id == wish.name]
    if not found:
        names = ", ".join(d.id for d in wish.settings.device)
        say(f"There is no device {wish.name!r} in the site file; it has {names}.")
        return 2
    device = found[0]
    for line in wires_of(wish.settings, device.id):
        say(line)
    with ExitStack() as stack:
        if wish.state.is_dir():
            try:
                stack.enter_context(own_folder(wish.state, "gateway.lock"))
            except StateFolderError:
                return _through_gateway(wish, device, say, agrees)
        try:
            return asyncio.run(_alone(wish, device, say, agrees))
        except (OSError, LocalError) as fault:
            say(str(fault))
            return 1


def _through_gateway(wish: Wish, device: Device, say: Say, agrees: Agrees) -> int:
    """Ask the running gateway how the device stands, and let it open the door."""
    socket = wish.state / "control.sock"
    try:
        shown = ask(socket, "status")["devices"].get(device.id)
    except ControlError as fault:
        say(str(fault))
        return 1
    if shown is None:
        say("The running gateway does not know this device: start it anew.")
        return 1
    is_online = bool(shown["online"])
    state = "answers" if is_online else "DOES NOT ANSWER: look at its power and wires"
    say(f"The gateway runs and says: {device.id} {state}.")
    if not wish.act:
        return 0 if is_online else 1
    doors = [
        door
        for door in wish.settings.door
        if door.strike.device == device.id
        and wish.channel in (None, door.strike.output)
    ]
    if not doors:
        say(
            "No door's strike hangs there. Compartments are opened at the panel while "
            "the gateway runs; stop it to test this device by itself."
        )
        return 2
    door = doors[0]
    if not agrees(f"Open door {door.id!r} now?"):
        say("Nothing was opened.")
        return 0
    try:
        actor = f"shell:{getpass.getuser()}"
        ask(socket, "open", door=door.id, actor=actor, reason="device test")
    except ControlError as fault:
        say(str(fault))
        return 1
    say(f"{door.id}: released. It stands in the journal.")
    return 0


async def _alone(wish: Wish, device: Device, say: Say, agrees: Agrees) -> int:
    """Drive the device from here; OSError and LocalError say what cannot be."""
    spec = DRIVERS[device.driver]
    # A controller is a board at its address 0; its readers stand at the others.
    is_board = "board" in spec.roles and device.address == 0
    if "reader" in spec.roles and not is_board:
        say(f"Show it a card or a code within {wish.for_s:g} seconds.")
        return await with_device(device, wish.state, say, watch(wish.for_s))
    if not wish.act:
        return await _read_alone(wish, device, spec, say)
    channel = wish.channel or 1
    is_lock = "lock_board" in spec.roles
    what = f"open lock {channel}" if is_lock else f"work output {channel}"
    doubt = "" if is_lock else ", and switch all its outputs off before"
    if not agrees(f"Let {device.id!r} {what} once{doubt}?"):
        say("Nothing was moved.")
        return 0
    order: OpenLock | Pulse
    if is_lock:
        order = OpenLock(unit=device.address, channel=channel)
    else:
        order = Pulse(unit=device.address, channel=channel, duration_s=PULSE_S)
    return await with_device(device, wish.state, say, carry_out(order))


async def _read_alone(wish: Wish, device: Device, spec: DriverSpec, say: Say) -> int:
    """Ask the driver's harmless questions at the device's own address."""
    if spec.questions is None:
        say(f"{device.driver} cannot be read without moving it; use --act.")
        return 2
    baud = device.baud or spec.default_baud
    line = await opener(place_of(device, wish.state), baud).open()
    try:
        asked = await ask_all(line, spec, baud, device.address)
    finally:
        line.close()
    for one in asked:
        if one.outcome is Outcome.ANSWERED:
            say(f"{device.id} answers: {one.answer}.")
        else:
            say(ADVICE[one.outcome])
    return 0 if asked and asked[-1].outcome is Outcome.ANSWERED else 1
