# SPDX-License-Identifier: Apache-2.0
"""The faults of the weather, each as a scene that begins and ends it.

The law of the module: a mishap acts upon the street, the network, the disk, the clock
or the box's power, tells the witness when it begins, and undoes itself; none looks at
what the gateway does.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from edge.cli.simulate.checking import CutPlace, Stormed
from firmware_sim.id_card.sam_settings import SamFault
from firmware_sim.lockers.locker_settings import LockerFault
from firmware_sim.relays.relay_board import BoardFault

if TYPE_CHECKING:
    from edge.cli.simulate.scenes import Crowd, Scene

#: As slow as any driver polls.
POLL_S = 0.3
#: A power cut that waits for a place which never comes happens anyway.
CUT_WITHIN_S = 1_800.0
TEN_YEARS_MS = 3_653 * 86_400_000
NINE_HOURS_MS = 9 * 3_600_000


def noise(crowd: Crowd) -> Scene:
    """A cable is noisy for a while."""
    site = crowd.site
    port = crowd.chance.choice(list(site.street.cables))
    lasts_s = crowd.chance.uniform(1.0, site.weather.noise_longest_s)
    site.witness.tell(Stormed, kind="noise", on=port, for_s=lasts_s)
    site.street.cables[port].disturb(lasts_s)
    yield lasts_s


def unplug(crowd: Crowd) -> Scene:
    """A cable is pulled, and put in again."""
    site = crowd.site
    port = crowd.chance.choice(list(site.street.cables))
    cable = site.street.cables[port]
    if not cable.is_plugged:
        return
    lasts_s = crowd.chance.uniform(0.5, site.weather.unplugged_longest_s)
    site.witness.tell(Stormed, kind="unplugged", on=port, for_s=lasts_s)
    cable.unplug()
    yield lasts_s
    cable.plug()


def spoil(crowd: Crowd) -> Scene:
    """A device's next answers are wrong."""
    hand, chance = crowd.site.street.hand, crowd.chance
    replies = chance.randrange(1, 6)
    on = chance.choice((*crowd.site.street.world.readers, "board", "locks"))
    crowd.site.witness.tell(Stormed, kind="spoiled", on=on)
    if on == "board":
        hand.spoil_board(on, chance.choice(list(BoardFault)), replies)
    elif on == "locks":
        hand.spoil_locker(on, chance.choice(list(LockerFault)), replies)
    else:
        hand.spoil_reader(on, chance.choice(list(SamFault)), replies)
    # Polls follow each other: what is spoiled must not lie in wait for a later one.
    for _ in range(2 * replies):
        crowd.site.street.stir(on)
        yield POLL_S


def brown_out(crowd: Crowd) -> Scene:
    """A board loses its own supply for a moment."""
    site, chance = crowd.site, crowd.chance
    board = chance.choice(("board", "locks"))
    dark_s = chance.uniform(0.1, 20.0)
    site.witness.tell(Stormed, kind="brown_out", on=board, for_s=dark_s)
    crowd.act(partial(site.street.hand.brown_out, board, dark_s=dark_s))
    # A health check would find it out: let the driver ask until it is back.
    for port, cable in site.street.cables.items():
        if port.endswith(board):
            cable.disturb(dark_s + 5.0)
    yield dark_s


def outage(crowd: Crowd) -> Scene:
    """The broker is gone, for minutes or for a week."""
    network, chance = crowd.site.network, crowd.chance
    longest_s = crowd.site.weather.outage_longest_s
    lasts_s = longest_s ** chance.uniform(0.2, 1.0) + 1.0
    crowd.site.witness.tell(Stormed, kind="outage", on="network", for_s=lasts_s)
    network.is_up = False
    network.reset()
    yield lasts_s
    network.is_up = True


def restore_backup(crowd: Crowd) -> Scene:
    """The platform goes back to a backup; its connections end with it."""
    site, machine = crowd.site, crowd.site.machine
    if machine is None:
        return
    lost = crowd.chance.randrange(1, 2_000)
    site.witness.tell(Stormed, kind="backup", on="platform")
    site.network.reset()
    site.platform.lose(machine.journal.epoch, lost)
    yield 0.0


def silence(crowd: Crowd) -> Scene:
    """The network swallows everything and says nothing."""
    lasts_s = crowd.chance.uniform(1.0, 600.0)
    crowd.site.witness.tell(Stormed, kind="silence", on="network", for_s=lasts_s)
    crowd.site.network.is_silent = True
    yield lasts_s
    crowd.site.network.is_silent = False


def cut_power(crowd: Crowd) -> Scene:
    """The box loses its power at some place of its work, and gets it back."""
    site, chance = crowd.site, crowd.chance
    place = chance.choice(list(CutPlace))
    if place is CutPlace.ANYWHERE or site.machine is None:
        if site.machine is not None:
            site.lose_power(place)
    else:
        site.disk.plan.place = place
        yield CUT_WITHIN_S
        if site.disk.plan.place is place:
            site.disk.plan.place = None
            site.lose_power(CutPlace.ANYWHERE)
    yield 0.0


def restart(crowd: Crowd) -> Scene:
    """Somebody restarts the box in order, as an update does."""
    crowd.site.stop()
    yield 0.0


def stall(crowd: Crowd) -> Scene:
    """The process stands still and goes on as if nothing had been."""
    site = crowd.site
    lasts_s = crowd.chance.uniform(0.3, site.weather.stall_longest_s)
    machine = site.machine
    if machine is None or machine.boot.is_still or machine.is_stopping:
        return
    site.witness.tell(Stormed, kind="stall", on="gateway", for_s=lasts_s)
    machine.boot.stand_still(lasts_s)
    machine.boot.call_soon(machine.doorstep.check_stall)
    yield lasts_s


def fill_disk(crowd: Crowd) -> Scene:
    """The disk takes no writes for a while."""
    lasts_s = crowd.chance.uniform(1.0, crowd.site.weather.disk_failure_longest_s)
    crowd.site.witness.tell(Stormed, kind="disk", on="gateway", for_s=lasts_s)
    crowd.site.disk.fail(lasts_s)
    yield lasts_s


def step_wall(crowd: Crowd) -> Scene:
    """The wall clock steps by hours or years; a lying time server may be why."""
    site, chance = crowd.site, crowd.chance
    step_ms = chance.choice((TEN_YEARS_MS, -TEN_YEARS_MS, NINE_HOURS_MS))
    site.witness.tell(Stormed, kind="wall_step", on="gateway")
    site.wall.off_by_ms = step_ms
    if chance.random() < 0.5:
        site.wall.lies_by_ms = step_ms
    if site.machine is not None:
        site.machine.keep_house_soon()
    yield chance.uniform(60.0, 7_200.0)
    site.wall.lies_by_ms = site.wall.off_by_ms = 0
    if site.machine is not None:
        site.machine.keep_house_soon()
