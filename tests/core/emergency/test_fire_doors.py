# SPDX-License-Identifier: Apache-2.0
"""Fire and the real doors: every escape door is driven open, from whatever there is."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from edge.core.command import HoldOpen, Release
from edge.core.doors.door import DoorMode, DoorPhase
from edge.core.doors.doorkeeper import Doorkeeper
from edge.core.emergency.emergency import Emergency
from edge.core.emergency.state import EmergencyState
from edge.core.order import (
    DrillEndOrdered,
    DrillOrdered,
    EmergencyEndOrdered,
    EmergencyOrdered,
    ModeOrdered,
)
from edge.core.outcome import OutcomeBuilder
from edge.core.reception import Reception
from tests.core.emergency.place import ESCAPE, OTHER, WIRED, Listed
from tests.core.emergency.test_standing import SUBSETS
from tests.core.scene import HELD_S, RELEASE_S, SLACK_S, clock_ms, moment

if TYPE_CHECKING:
    from edge.core.event import Event
    from edge.core.moment import Moment

#: Doors of the site that tell their level; the one that does not has fewer phases.
SENSED = tuple(name for name, door in WIRED.doors.items() if door.has_contact)


class Site:
    """Emergencies and doors wired together, in one boot."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.out = OutcomeBuilder(1, self._follow)
        self.doors = Doorkeeper(WIRED, self.out)
        reception = Reception(self.out, "set-3")
        self.emergency = Emergency(WIRED, self.out, reception, self.doors, Listed())
        self.emergency.fire_input(self.now(), is_active=False)

    def _follow(self, event: Event) -> None:
        self.emergency.follow(event)

    def now(self) -> Moment:
        utc_ms = clock_ms("15:00") + int((self.now_s - 1000) * 1000)
        return moment(utc_ms, s=self.now_s)

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.doors.expire(self.now())

    def mode(self, mode: DoorMode) -> None:
        for name in WIRED.doors:
            order = ModeOrdered(door=name, mode=mode, actor="chen", reason="evening")
            self.doors.order_mode(order, self.now())

    def phase(self, phase: DoorPhase) -> None:
        """Do to every door what usually leads to a phase."""
        match phase:
            case DoorPhase.SECURE:
                pass
            case DoorPhase.RELEASED:
                self.release()
            case DoorPhase.OPEN:
                self.release()
                self.open()
            case DoorPhase.OPEN_RELEASED:
                self.release()
                self.open()
                self.release()
            case DoorPhase.OPEN_TOO_LONG:
                self.release()
                self.open()
                self.wait(RELEASE_S + SLACK_S + HELD_S)
            case DoorPhase.FORCED:
                self.open()

    def release(self) -> None:
        for name in WIRED.doors:
            self.doors.release(name, RELEASE_S, self.now(), cause=None)

    def open(self) -> None:
        for name in SENSED:
            self.doors.contact(name, self.now(), is_open=True)

    def close(self) -> None:
        for name in SENSED:
            self.doors.contact(name, self.now(), is_open=False)

    def begin(self, state: str) -> None:
        order = EmergencyOrdered(
            state=EmergencyState(state), actor="chen", reason="smoke"
        )
        assert self.emergency.begin(order, self.now()) == ""

    def end(self, state: str) -> None:
        order = EmergencyEndOrdered(
            state=EmergencyState(state), actor="chen", reason="safe"
        )
        assert self.emergency.end(order, self.now()) == ""

    def held(self) -> set[str]:
        """Return the doors that the last step has driven open for good."""
        return {c.door for c in self.out.take().commands if isinstance(c, HoldOpen)}

    def modes(self) -> dict[str, DoorMode]:
        return {name: self.doors.mode(name) for name in WIRED.doors}


def sites(subset: frozenset[str]) -> list[Site]:
    """Return doors in every mode, phase and order of coming to both."""
    made = []
    for mode in DoorMode:
        for phase in DoorPhase:
            for is_mode_first in (True, False):
                site = Site()
                if not is_mode_first:
                    site.phase(phase)
                site.mode(mode)
                for state in subset:
                    site.begin(state)
                if is_mode_first:
                    site.phase(phase)
                site.out.take()
                made.append(site)
    return made


@pytest.mark.parametrize("subset", SUBSETS, ids=lambda s: "+".join(sorted(s)) or "-")
def test_fire_drives_every_escape_door_open_at_once(subset: frozenset[str]) -> None:
    for site in sites(subset):
        others = {name: site.doors.mode(name) for name in OTHER}
        if "FIRE" in subset:
            site.begin("FIRE")  # once more: somebody stands before a shut door
        else:
            site.emergency.fire_input(site.now(), is_active=True)
        assert set(ESCAPE) <= site.held()
        for name in ESCAPE:
            assert site.doors.mode(name) is DoorMode.LOCKED_OPEN
        assert {name: site.doors.mode(name) for name in OTHER} == others


def test_those_scenes_are_every_mode_with_every_phase() -> None:
    doors = [site.doors for site in sites(frozenset())]
    seen = {(d.mode(ESCAPE[0]), d.standing()[ESCAPE[0]].phase) for d in doors}
    assert seen == set(product(DoorMode, DoorPhase))


@pytest.mark.parametrize("mode", list(DoorMode))
def test_the_end_of_all_gives_every_door_its_own_mode_back(mode: DoorMode) -> None:
    for subset in SUBSETS:
        site = Site()
        site.mode(DoorMode.BLOCKED)
        for state in subset:
            site.begin(state)
        site.mode(mode)  # ordered meanwhile, it waits beneath
        for state in subset:
            site.end(state)
        assert site.modes() == dict.fromkeys(WIRED.doors, mode)


def test_ending_the_fire_locks_down_again_what_was_locked_down() -> None:
    site = Site()
    site.begin("LOCK_DOWN")
    site.begin("FIRE")
    site.end("FIRE")
    assert site.modes() == dict.fromkeys(WIRED.doors, DoorMode.LOCKED_DOWN)
    site.end("LOCK_DOWN")
    assert site.modes() == dict.fromkeys(WIRED.doors, DoorMode.LOCKED)


@pytest.mark.parametrize("subset", SUBSETS, ids=lambda s: "+".join(sorted(s)) or "-")
def test_the_exit_button_lets_everybody_out_whatever_stands(
    subset: frozenset[str],
) -> None:
    site = Site()
    for state in subset:
        site.begin(state)
    site.out.take()
    for name in WIRED.doors:
        site.doors.exit(name, site.now(), is_pressed=True)
        commands = site.out.take().commands
        is_free = site.doors.mode(name) is DoorMode.LOCKED_OPEN
        pulses = [c for c in commands if isinstance(c, Release) and c.door == name]
        assert is_free or pulses[0].is_egress


def test_a_drill_with_doors_opens_the_escape_doors_and_gives_them_back() -> None:
    site = Site()
    site.mode(DoorMode.BLOCKED)
    site.out.take()
    drill = DrillOrdered(drill="fire", with_doors=True, actor="chen")
    assert site.emergency.begin_drill(drill, site.now()) == ""
    assert site.held() == set(ESCAPE)
    assert site.emergency.end_drill(DrillEndOrdered(actor="chen"), site.now()) == ""
    assert site.modes() == dict.fromkeys(WIRED.doors, DoorMode.BLOCKED)


def test_a_fire_during_that_drill_drives_them_anew() -> None:
    site = Site()
    drill = DrillOrdered(drill="fire", with_doors=True, actor="chen")
    site.emergency.begin_drill(drill, site.now())
    site.out.take()
    site.emergency.fire_input(site.now(), is_active=True)
    assert site.held() == set(ESCAPE)
    assert site.emergency.drills.running is None


@pytest.mark.parametrize("subset", SUBSETS, ids=lambda s: "+".join(sorted(s)) or "-")
def test_doors_that_lost_their_memory_are_held_as_before(
    subset: frozenset[str],
) -> None:
    site, revived = Site(), Site()
    for state in subset:
        site.begin(state)
    site.close()
    site.out.take()
    revived.emergency.load(site.emergency.dump())
    revived.emergency.recovered()
    revived.doors.expire(revived.now())
    assert revived.modes() == site.modes()
    assert revived.held() == (set(ESCAPE) if "FIRE" in subset else set())


def test_a_fire_assumed_before_the_journal_outlives_what_the_journal_knows() -> None:
    before, revived = Site(), Site()
    before.begin("LOCK_DOWN")
    revived.emergency.assume({EmergencyState.FIRE})
    assert revived.doors.mode(ESCAPE[0]) is DoorMode.LOCKED_OPEN
    revived.doors.load(before.doors.dump())
    revived.emergency.load(before.emergency.dump())
    revived.emergency.recovered()
    modes = revived.modes()
    assert {modes[name] for name in ESCAPE} == {DoorMode.LOCKED_OPEN}
    assert {modes[name] for name in OTHER} == {DoorMode.LOCKED_DOWN}
