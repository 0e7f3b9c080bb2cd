# SPDX-License-Identifier: Apache-2.0
"""Releases, exits, fires and forced doors: told rightly, and told wrongly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.cli.simulate.checkers.emergencies_end_by_hand import EmergenciesEndByHand
from edge.cli.simulate.checkers.exit_always_works import ExitAlwaysWorks
from edge.cli.simulate.checkers.fire_opens_escapes import FireOpensEscapes
from edge.cli.simulate.checkers.forced_alarm_is_true import ForcedAlarmIsTrue
from edge.cli.simulate.checkers.nothing_old_opens import NothingOldOpens
from edge.cli.simulate.checkers.release_has_cause import ReleaseHasCause
from edge.core.command import HoldOpen, OpenCompartment, Release
from edge.core.emergency.state import EmergencyState
from edge.core.order import EmergencyEndOrdered
from edge.core.stimulus import DeviceChanged, ExitButtonChanged, FireInputChanged
from firmware_sim.happening import What
from tests.core.scene import SITE
from tests.simulate.checkers.story import KIND, Story, caught, ground, rest, scan

DOOR = "kitchen-door"
CAUSE, EXIT = "no release without a committed cause", "exit always works"
FIRE, ENDS = "fire opens all escape doors", "emergencies end by hand alone"
FORCED = "forced alarm exactly when forced"
#: By then a box that has started is expected to answer.
CALM_S = 100.0
WIRED = replace(SITE, has_fire_input=True)


def release(cause: int, *, is_egress: bool = False) -> Release:
    """Return a release of the kitchen's door for five seconds."""
    return Release(door=DOOR, duration_s=5.0, cause=cause, is_egress=is_egress)


def granted(story: Story, at_s: float) -> int:
    """Number a grant whose release waits for its commit."""
    event = story.event(at_s, KIND.ACCESS_GRANTED, "kitchen-in", "holder-wang")
    story.handled(at_s, scan("kitchen-in", "wang", at_s), event, release(event.seq))
    return event.seq


def test_a_release_behind_its_commit() -> None:
    story = Story(ReleaseHasCause())
    seq = granted(story, 1.0)
    story.stored(1.1)
    story.wired(1.1, release(seq))
    story.handled(2.0, None)


def test_a_release_whose_commit_is_confirmed_in_the_same_breath() -> None:
    story = Story(ReleaseHasCause())
    story.wired(1.0, release(granted(story, 1.0)))
    story.stored(1.0)
    story.handled(2.0, None)


def test_a_release_before_its_commit_is_caught() -> None:
    story = Story(ReleaseHasCause())
    story.wired(1.1, release(granted(story, 1.0)))
    with caught(CAUSE):
        story.stored(1.2)
        story.handled(1.3, None)


def test_a_release_that_a_power_cut_leaves_without_its_grant_is_caught() -> None:
    story = Story(ReleaseHasCause())
    story.wired(1.1, release(granted(story, 1.0)))
    story.dark(1.1)
    with caught(CAUSE):
        story.booted(5.0, "boot-2")


def test_a_late_release_has_to_be_named() -> None:
    checker = ReleaseHasCause()
    story = Story(checker)
    seq = granted(story, 1.0)
    story.wired(1.25, release(seq))
    story.stored(2.0)
    with caught(CAUSE):
        checker.end(rest(3.0))
    slow = story.event(2.0, KIND.STORAGE_SLOW, "journal", count=1, seqs=str(seq))
    story.handled(2.0, None, slow)
    checker.end(rest(3.0))


def test_a_compartment_never_opens_before_its_commit() -> None:
    story = Story(ReleaseHasCause())
    seq = granted(story, 1.0)
    wish = OpenCompartment(bank="hall", number=1, cause=seq, is_first_aid=False)
    story.wired(9.0, wish)
    with caught(CAUSE):
        story.handled(9.1, None)


def test_a_release_for_nothing_is_caught() -> None:
    with caught(CAUSE):
        Story(ReleaseHasCause()).wired(1.0, release(7))
    story = Story(ReleaseHasCause())
    refused = story.event(1.0, KIND.ACCESS_DENIED, "kitchen-in", reason="CLOSED")
    story.handled(1.0, None, refused)
    story.stored(1.0)
    with caught(CAUSE):
        story.wired(1.0, release(refused.seq))


def test_old_scans_open_nothing() -> None:
    story = Story(NothingOldOpens())
    story.handled(3.0, scan("kitchen-in", "wang", 1.0), release(1))
    story.handled(4.0, scan("kitchen-in", "wang", 1.0))
    with caught("nothing old opens"):
        story.handled(4.0, scan("kitchen-in", "wang", 1.9), release(1))


def test_the_button_releases_in_every_mode() -> None:
    pressed = ExitButtonChanged(door=DOOR, is_pressed=True)
    for mode in ("LOCKED", "BLOCKED", "LOCKED_DOWN"):
        story = Story(ExitAlwaysWorks(ground()))
        changed = story.event(1.0, KIND.DOOR_MODE_CHANGED, DOOR, mode=mode)
        story.handled(1.0, None, changed)
        story.handled(2.0, pressed, release(2, is_egress=True))
        with caught(EXIT):
            story.handled(3.0, pressed)
        with caught(EXIT):
            story.handled(4.0, pressed, release(2))


def test_a_pressed_button_moves_its_strike_while_all_is_calm() -> None:
    checker = ExitAlwaysWorks(ground())
    story = Story(checker)
    story.world(CALM_S, What.EXIT_PRESSED, DOOR)
    story.world(CALM_S + 0.4, What.STRIKE_RELEASED, DOOR)
    story.world(CALM_S + 5, What.STRIKE_RELOCKED, DOOR)
    story.world(CALM_S + 9, What.EXIT_PRESSED, DOOR)
    with caught(EXIT):
        checker.end(rest(CALM_S + 12))
    story.stormed(CALM_S + 20, "unplugged", "ports/board", 5.0)
    story.world(CALM_S + 21, What.EXIT_PRESSED, DOOR)
    checker.end(rest(CALM_S + 30))


def test_fire_orders_every_escape_door_open() -> None:
    alarm = FireInputChanged(is_active=True)
    hold = HoldOpen(door=DOOR)
    story = Story(FireOpensEscapes(ground()))
    began = story.event(1.0, KIND.EMERGENCY_STARTED, "site", state="FIRE", by="input")
    story.handled(1.0, alarm, began, hold)
    story.handled(2.0, alarm)  # it stands already
    story = Story(FireOpensEscapes(ground()))
    with caught(FIRE):
        story.handled(1.0, alarm)


def test_fire_moves_the_strikes_while_all_is_calm() -> None:
    checker = FireOpensEscapes(ground())
    story = Story(checker)
    story.stormed(CALM_S, "fire", "board", 60.0)
    story.world(CALM_S + 0.4, What.STRIKE_RELEASED, DOOR)
    checker.end(rest(CALM_S + 2))
    late = FireOpensEscapes(ground())
    story = Story(late)
    story.stormed(CALM_S, "fire", "board", 60.0)
    with caught(FIRE):
        late.end(rest(CALM_S + 2))


def test_fire_opens_before_anything_else_after_a_boot() -> None:
    for is_right in (True, False):
        story = Story(FireOpensEscapes(ground()))
        began = story.event(1.0, KIND.EMERGENCY_STARTED, "site", state="FIRE")
        story.handled(1.0, None, began, HoldOpen(door=DOOR))
        story.stored(1.0)
        story.dark(2.0)
        story.booted(3.0, "boot-2")
        started = story.event(3.0, KIND.STARTED, "gateway")
        if is_right:
            story.handled(3.0, None, started, HoldOpen(door=DOOR))
            continue
        with caught(FIRE):
            story.handled(3.0, None, started)


def end_order(state: EmergencyState) -> EmergencyEndOrdered:
    """Return somebody's order that ends an emergency."""
    return EmergencyEndOrdered(state=state, actor="chen", reason="all out")


@pytest.mark.parametrize("state", ["SHELTER", "LOCK_DOWN", "CHECKPOINT"])
def test_an_emergency_ends_by_its_own_order_alone(state: str) -> None:
    known = EmergencyState(state)
    for order, is_right in (
        (end_order(known), True),
        (None, False),
        (end_order(EmergencyState.FIRE), False),
        (FireInputChanged(is_active=False), False),
    ):
        story = Story(EmergenciesEndByHand(ground()))
        began = story.event(1.0, KIND.EMERGENCY_STARTED, "site", state=state)
        story.handled(1.0, None, began)
        ended = story.event(
            2.0, KIND.EMERGENCY_ENDED, "site", state=state, actor="chen"
        )
        if is_right:
            story.handled(2.0, order, ended)
            continue
        with caught(ENDS):
            story.handled(2.0, order, ended)


def test_a_fire_does_not_end_while_its_input_may_be_active() -> None:
    lost = DeviceChanged(
        device="board", is_online=False, detail="", doors=(), senses_fire=True
    )
    for heard, is_right in (
        (FireInputChanged(is_active=False), True),
        (FireInputChanged(is_active=True), False),
        (lost, False),
    ):
        story = Story(EmergenciesEndByHand(ground(WIRED)))
        began = story.event(1.0, KIND.EMERGENCY_STARTED, "site", state="FIRE")
        story.handled(1.0, FireInputChanged(is_active=True), began)
        story.handled(2.0, heard)
        ended = story.event(
            3.0, KIND.EMERGENCY_ENDED, "site", state="FIRE", actor="chen"
        )
        if is_right:
            story.handled(3.0, end_order(EmergencyState.FIRE), ended)
            continue
        with caught(ENDS):
            story.handled(3.0, end_order(EmergencyState.FIRE), ended)


def shut(checker: ForcedAlarmIsTrue) -> Story:
    """Return a story in which the box knows that the leaf is shut."""
    story = Story(checker)
    story.contact(1.0, DOOR, is_open=False)
    return story


def test_an_opening_without_a_release_raises_the_alarm() -> None:
    story = shut(ForcedAlarmIsTrue(ground()))
    alarm = story.event(50.0, KIND.DOOR_FORCED_OPEN, DOOR)
    story.contact(50.0, DOOR, alarm, is_open=True)
    story = shut(ForcedAlarmIsTrue(ground()))
    with caught(FORCED):
        story.contact(50.0, DOOR, is_open=True)


def test_an_opening_within_a_release_raises_none() -> None:
    for is_right in (True, False):
        story = shut(ForcedAlarmIsTrue(ground()))
        story.handled(50.0, None, release(1))
        alarm = story.event(52.0, KIND.DOOR_FORCED_OPEN, DOOR)
        if is_right:
            story.contact(52.0, DOOR, is_open=True)
            continue
        with caught(FORCED):
            story.contact(52.0, DOOR, alarm, is_open=True)


def test_a_release_is_good_for_one_opening() -> None:
    story = shut(ForcedAlarmIsTrue(ground()))
    story.handled(50.0, None, release(1))
    story.contact(51.0, DOOR, is_open=True)
    story.contact(52.0, DOOR, is_open=False)
    with caught(FORCED):
        story.contact(53.0, DOOR, is_open=True)


def test_a_forced_leaf_in_the_street_is_told() -> None:
    checker = ForcedAlarmIsTrue(ground())
    story = shut(checker)
    story.world(CALM_S, What.LEAF_OPENED, DOOR)
    with caught(FORCED):
        checker.end(rest(CALM_S + 5))
    checker = ForcedAlarmIsTrue(ground())
    story = shut(checker)
    story.world(CALM_S, What.LEAF_OPENED, DOOR)
    alarm = story.event(CALM_S + 0.5, KIND.DOOR_FORCED_OPEN, DOOR)
    story.contact(CALM_S + 0.5, DOOR, alarm, is_open=True)
    checker.end(rest(CALM_S + 5))
