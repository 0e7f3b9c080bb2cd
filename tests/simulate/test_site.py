# SPDX-License-Identifier: Apache-2.0
"""One simulated site by hand: a scan to its end, the power's end, a fire over both."""

from __future__ import annotations

from functools import partial

import pytest

from edge.cli.simulate.checking import CarriedOut, CutPlace, Observation, Stored
from edge.cli.simulate.command import site as settings
from edge.cli.simulate.disk import PowerCutError
from edge.cli.simulate.site import SimulatedSite
from edge.cli.simulate.staff import FIRE_INPUT
from edge.cli.simulate.village import HOUR_MS, booking
from edge.cli.simulate.weather import FAIR
from edge.core.command import HoldOpen, Release

ROOM = "living-room-door"


class Scene:
    """A site in fair weather with one booking, and all that was seen of it."""

    def __init__(self) -> None:
        self.site = SimulatedSite(settings(), "by hand", FAIR)
        self.seen: list[Observation] = []
        self.site.witness.listen(self.seen.append)
        self.guest = self.site.village.with_code[5]
        times_ms = (self.site.began_ms - HOUR_MS, self.site.began_ms + HOUR_MS)
        row = booking("b-1", self.guest, "living-room", times_ms)
        self.site.platform.begin([*self.site.village.rows(), row])
        self.site.boot()
        self.go(20.0)

    def go(self, seconds: float) -> None:
        self.site.clockwork.run(self.site.clockwork.now_s + seconds)

    def show(self) -> None:
        show = partial(
            self.site.street.hand.show_code, "living-room-scanner", self.guest.code
        )
        self.site.street.act(show)

    def is_released(self, door: str = ROOM) -> bool:
        return self.site.street.world.doors[door].snapshot().is_released

    def raise_fire(self, *, is_fire: bool = True) -> None:
        set_input = self.site.street.hand.set_input
        self.site.street.act(
            partial(set_input, "board", FIRE_INPUT, is_closed=not is_fire)
        )

    def releases(self) -> list[Release]:
        carried = [s.command for s in self.seen if isinstance(s, CarriedOut)]
        return [command for command in carried if isinstance(command, Release)]


def test_a_code_opens_the_door_and_the_board_ends_the_pulse() -> None:
    scene = Scene()
    machine = scene.site.machine
    assert machine is not None
    assert machine.bindings.online == machine.bindings.devices
    scene.show()
    scene.go(1.0)
    assert scene.is_released()
    scene.go(3.0)
    assert not scene.is_released()
    held = scene.site.platform.high(machine.journal.epoch)
    assert 0 < held <= machine.journal.last_seq


def test_the_grant_is_stored_before_the_release_leaves() -> None:
    scene = Scene()
    scene.show()
    scene.go(1.0)
    [release] = scene.releases()
    places = {
        type(seen): place
        for place, seen in enumerate(scene.seen)
        if is_of(seen, release)
    }
    assert places[Stored] < places[CarriedOut]


def is_of(seen: Observation, release: Release) -> bool:
    """Say whether it is the release, or the commit that stored its cause."""
    if isinstance(seen, Stored):
        return seen.last_seq - seen.count < release.cause <= seen.last_seq
    return isinstance(seen, CarriedOut) and seen.command is release


#: WITHIN_COMMIT needs a snapshot beside its events: the disk's own tests cut there.
PLACES = [
    CutPlace.BEFORE_COMMIT,
    CutPlace.AFTER_COMMIT,
    CutPlace.BEFORE_RELEASE,
    CutPlace.AFTER_RELEASE,
]


@pytest.mark.parametrize("place", PLACES)
def test_a_pulse_ends_though_the_box_died_around_it(place: CutPlace) -> None:
    scene = Scene()
    scene.site.disk.plan.place = place
    scene.show()
    with pytest.raises(PowerCutError):
        scene.go(2.0)
    scene.site.lose_power(place)
    scene.go(1.0)
    assert scene.is_released() is (place is CutPlace.AFTER_RELEASE)
    scene.go(4.0)
    assert not scene.is_released()
    scene.site.boot()
    scene.go(20.0)
    assert not scene.is_released()


def test_fire_opens_the_escape_door_and_a_restart_does_not_end_it() -> None:
    scene = Scene()
    scene.raise_fire()
    scene.go(0.5)
    assert scene.is_released("kitchen-door")
    scene.site.lose_power(CutPlace.ANYWHERE)
    scene.raise_fire(is_fire=False)
    scene.go(5.0)
    scene.site.boot()
    scene.go(10.0)
    assert scene.is_released("kitchen-door")
    holds = [
        seen.command
        for seen in scene.seen
        if isinstance(seen, CarriedOut) and isinstance(seen.command, HoldOpen)
    ]
    assert {hold.door for hold in holds} == {"kitchen-door"}


def test_a_scan_that_slept_through_a_standstill_opens_nothing() -> None:
    scene = Scene()
    machine = scene.site.machine
    assert machine is not None
    machine.boot.stand_still(5.0)
    machine.boot.call_soon(machine.doorstep.check_stall)
    scene.show()
    scene.go(30.0)
    assert scene.releases() == []
    scene.show()
    scene.go(1.0)
    assert scene.is_released()


def test_an_orderly_stop_leaves_nothing_unsent() -> None:
    scene = Scene()
    machine = scene.site.machine
    assert machine is not None
    scene.show()
    scene.go(2.0)
    scene.site.stop()
    scene.go(5.0)
    assert scene.site.machine is None
    assert machine.gateway.unstored == 0
    assert scene.site.platform.high(machine.journal.epoch) == machine.journal.last_seq
