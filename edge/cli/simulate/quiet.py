# SPDX-License-Identifier: Apache-2.0
"""The quiet phase: what ends the storm, what somebody sees to, and when all is well.

The law of the module: nothing is mended that a person on the spot would not mend, and
nothing is called well that the physics or the platform does not confirm.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Rest
from edge.cli.simulate.clockwork import finished
from edge.cli.simulate.staff import (
    ACTOR,
    FIRE_INPUT,
    REASON,
    end_of,
    give,
    mode_of,
)
from edge.core.doors.door import OPEN_PHASES, DoorMode
from edge.core.emergency.state import EmergencyState
from edge.core.lockers.compartment import CompartmentPhase
from edge.core.order import ApplianceOrdered, DrillEndOrdered, MendOrdered

if TYPE_CHECKING:
    from edge.cli.simulate.machine import Machine
    from edge.cli.simulate.scenes import Crowd
    from edge.cli.simulate.site import SimulatedSite

#: Five simulated minutes after the last fault everything has to be well.
WITHIN_S = 300.0
LOOK_EVERY_S = 10.0


def end_storm(site: SimulatedSite) -> None:
    """End every fault at once; people go home and shut what they left open."""
    site.calm(site.weather.calm())
    site.disk.mend()
    site.disk.plan.place = None
    site.network.is_up, site.network.is_silent = True, False
    site.wall.off_by_ms = site.wall.lies_by_ms = 0
    if site.machine is not None:
        site.machine.boot.end_stall()
        site.machine.keep_house_soon()
    for cable in site.street.cables.values():
        cable.clear()
        if not cable.is_plugged:
            cable.plug()
    hand, world = site.street.hand, site.street.world
    for name in world.doors:
        site.street.act(partial(hand.release_exit, name))
        site.street.act(partial(hand.pull_shut, name))
    for name in world.readers:
        site.street.act(partial(hand.take_card, name))
    site.street.act(partial(hand.set_input, "board", FIRE_INPUT, is_closed=True))
    for name, board in world.lockers.items():
        for one in board.bank.compartments:
            site.street.act(partial(hand.jam, name, one.channel, is_jammed=False))
            site.street.act(partial(hand.hold_shut, name, one.channel, is_held=False))


def tidy_up(crowd: Crowd) -> None:
    """See to what needs a person: leaves, modes, the fire's end, broken lockers."""
    site = crowd.site
    hand, world = site.street.hand, site.street.world
    for name, board in world.lockers.items():
        for one in board.bank.compartments:
            site.street.act(partial(hand.shut, name, one.channel))
    if site.machine is None:
        return
    controller = site.machine.controller
    for state in EmergencyState:
        if state in controller.emergency.standing:
            give(crowd, end_of(state))
    if controller.emergency.drills.running is not None:
        give(crowd, DrillEndOrdered(actor=ACTOR))
    for appliance in sorted(controller.house.spaces.appliances.on):
        off = partial(ApplianceOrdered, appliance=appliance, is_on=False)
        give(crowd, off(actor=ACTOR, reason=REASON))
    for door in crowd.doors:
        if controller.doors.mode(door) is not DoorMode.LOCKED:
            give(crowd, mode_of(door, DoorMode.LOCKED))
    for (bank, number), compartment in controller.lockers.standing().items():
        if compartment.phase is CompartmentPhase.FAULT:
            mend = MendOrdered(bank=bank, number=number, actor=ACTOR, reason=REASON)
            give(crowd, mend)


def unrest(site: SimulatedSite) -> list[str]:
    """Return what is not well yet, in words."""
    machine = site.machine
    if machine is None:
        return ["the box is dark"]
    found = _unstored(site, machine)
    offline = machine.bindings.devices - machine.bindings.online
    found += [f"{device} is offline" for device in sorted(offline)]
    for name, board in site.street.world.boards.items():
        on = [n for n, is_on in enumerate(board.bank.contacts, 1) if is_on]
        found += [f"{name}: relay {relay} is on" for relay in on]
    for name, door in machine.controller.doors.standing().items():
        is_open = site.street.world.doors[name].snapshot().is_open
        if (door.phase in OPEN_PHASES) is not is_open:
            found.append(f"{name} stands {'open' if is_open else 'shut'}: {door.phase}")
    for name, locks in site.street.world.lockers.items():
        for (_, number), one in machine.controller.lockers.standing().items():
            is_open = not locks.bank.at(number).feels_closed
            if one.is_open is not is_open:
                found.append(f"{name} {number} is open: {is_open}, not {one.is_open}")
    return found


def _unstored(site: SimulatedSite, machine: Machine) -> list[str]:
    journal = machine.journal
    found = []
    if machine.gateway.unstored:
        found.append(f"{machine.gateway.unstored} events are not stored")
    if not machine.talk.is_established:
        found.append("the platform has not answered")
    held = site.platform.high(journal.epoch)
    if held != journal.last_seq or journal.waiting:
        found.append(f"the platform holds {held} of {journal.last_seq}")
    return found


def rest(site: SimulatedSite) -> Rest:
    """Return everything as it stands, for the checkers' last word."""
    machine = site.machine
    assert machine is not None  # noqa: S101  unrest() has said so
    journal = machine.journal
    rows = []
    after = journal.last_seq - journal.count
    while more := finished(journal.read(after, max_rows=5_000, max_bytes=1 << 24)):
        rows += more
        after = more[-1].seq
    world = site.street.world.snapshot()
    return Rest(
        at_s=site.clockwork.now_s,
        true_ms=site.true_time.ms(),
        epoch=journal.epoch,
        journal=rows,
        trimmed=rows[0].seq - 1 if rows else journal.last_seq,
        acked=journal.acked,
        unstored=machine.gateway.unstored,
        ledger=site.platform.items(),
        effects=site.platform.effects(),
        alarms=site.platform.alarms(),
        world=world,
        offline=machine.bindings.devices - machine.bindings.online,
        is_leaf_open={name: door.is_open for name, door in world.doors.items()},
    )
