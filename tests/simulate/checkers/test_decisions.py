# SPDX-License-Identifier: Apache-2.0
"""Grants and refusals against the oracle, told by hand: what is right, what is not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from edge.cli.simulate.checkers.decisions_are_right import (
    GRANTS,
    REFUSALS,
    DecisionsAreRight,
)
from edge.core.access.ticket import Ticket
from edge.core.command import Indicate, Indication, Release
from edge.core.doors.door import DoorMode
from edge.core.plan import EntryRule, FarePlan, Passback
from edge.core.schedule import Schedule
from edge.core.stimulus import DeviceChanged
from tests.core.scene import HOUR_MS, SITE, clock_ms, neighbours
from tests.simulate.checkers.story import KIND, THREE, Story, caught, ground, scan

if TYPE_CHECKING:
    from edge.core.plan import SitePlan

BOOKED = "b1 wang kitchen 14:00-16:00"
CLOSED_NOW = Schedule(
    week=((((8 * 60), (12 * 60)),), *[()] * 6), utc_offset_ms=8 * HOUR_MS
)


def kitchen(**changed: Any) -> SitePlan:
    """Return the scene with other rules for its kitchen."""
    spaces = dict(SITE.spaces)
    spaces["kitchen"] = replace(spaces["kitchen"], **changed)
    return replace(SITE, spaces=spaces)


def told(*booked: str, plan: SitePlan = SITE, lost: tuple[str, ...] = ()) -> Story:
    """Return a story whose box is sound and knows the neighbours."""
    story = Story(DecisionsAreRight(ground(plan)))
    story.adopted(0.0, neighbours(*booked, lost=lost))
    board = DeviceChanged(
        device="board", is_online=True, detail="", doors=tuple(plan.doors)
    )
    story.handled(0.0, board)
    return story


def grants(story: Story, at_s: float, who: str, point: str = "kitchen-in") -> int:
    """Let somebody in, rightly or not."""
    booking = "b1" if who == "wang" else None
    event = story.event(
        at_s, KIND.ACCESS_GRANTED, point, f"holder-{who}", booking=booking
    )
    story.handled(at_s, scan(point, who, at_s), event)
    return event.seq


def refuses(
    story: Story, at_s: float, who: str, reason: str, point: str = "kitchen-in"
) -> None:
    """Keep somebody out, rightly or not."""
    event = story.event(at_s, KIND.ACCESS_DENIED, point, reason=reason)
    story.handled(at_s, scan(point, who, at_s), event)


def test_who_booked_comes_in_and_nobody_else() -> None:
    grants(told(BOOKED), 1.0, "wang")
    refuses(told(BOOKED), 1.0, "li", "UNAUTHORIZED")
    with caught(GRANTS):
        grants(told(BOOKED), 1.0, "li")
    with caught(REFUSALS):
        refuses(told(BOOKED), 1.0, "wang", "UNAUTHORIZED")


@pytest.mark.parametrize(
    ("booked", "point", "reason"),
    [
        ("b1 wang kitchen 15:10-16:00", "kitchen-in", ""),
        ("b1 wang kitchen 15:11-16:00", "kitchen-in", "TOO_EARLY"),
        ("b1 wang kitchen 13:00-14:56", "kitchen-in", ""),
        ("b1 wang kitchen 13:00-14:55", "kitchen-in", "TOO_LATE"),
        ("b1 wang kitchen 13:00-14:55 -1d", "kitchen-in", "UNAUTHORIZED"),
        (BOOKED, "lounge-in", "WRONG_SPACE"),
        ("b1 wang kitchen 14:00-16:00 cancelled", "kitchen-in", "UNAUTHORIZED"),
        ("b1 wang kitchen 14:00-16:00 S", "kitchen-in", "UNAUTHORIZED"),
    ],
)
def test_lead_grace_and_the_nearest_remedy(
    booked: str, point: str, reason: str
) -> None:
    if not reason:
        grants(told(booked), 0.0, "wang", point)
        return
    refuses(told(booked), 0.0, "wang", reason, point)
    with caught(GRANTS):
        grants(told(booked), 0.0, "wang", point)
    wrong = "TOO_LATE" if reason != "TOO_LATE" else "TOO_EARLY"
    with caught(REFUSALS):
        refuses(told(booked), 0.0, "wang", wrong, point)


def test_a_lost_card() -> None:
    refuses(told(BOOKED, lost=("wang",)), 1.0, "wang", "CREDENTIAL_REVOKED")
    with caught(GRANTS):
        grants(told(BOOKED, lost=("wang",)), 1.0, "wang")


def test_a_party_is_as_big_as_it_was_booked() -> None:
    story = told("b1 wang kitchen 14:00-16:00 x2")
    grants(story, 1.0, "wang")
    grants(story, 10.0, "wang")
    with caught(GRANTS):
        grants(story, 20.0, "wang")


def test_a_grant_that_nobody_used_gives_its_place_back() -> None:
    story = told(BOOKED)
    cause = grants(story, 1.0, "wang")
    refuses(story, 9.0, "wang", "PARTY_FULL")
    left = story.event(10.0, KIND.ACCESS_NOT_TAKEN, "kitchen-door", cause=cause)
    story.handled(10.0, None, left)
    grants(story, 20.0, "wang")


def test_what_a_power_cut_takes_is_not_counted() -> None:
    story = told(BOOKED)
    grants(story, 1.0, "wang")
    story.dark(2.0)
    story.booted(5.0, "boot-2")
    story.adopted(5.0, neighbours(BOOKED))
    grants(story, 9.0, "wang")


def test_hours_payment_and_staff() -> None:
    closed = kitchen(hours=CLOSED_NOW, fare=FarePlan())
    refuses(told(BOOKED, plan=closed), 1.0, "wang", "CLOSED")
    with caught(GRANTS):
        grants(told(BOOKED, plan=closed), 1.0, "wang")
    staffed = kitchen(entry=EntryRule.STAFFED)
    story = told(plan=staffed)
    refuses(story, 1.0, "li", "STAFF_ABSENT")
    began = story.event(2.0, KIND.DUTY_STARTED, "desk", "holder-chen")
    story.handled(2.0, None, began)
    grants(story, 3.0, "li")
    with caught(GRANTS):
        grants(told(plan=staffed), 1.0, "li")


def test_a_full_room() -> None:
    story = told(BOOKED, "b2 li kitchen 14:00-16:00", plan=kitchen(capacity=1))
    cause = grants(story, 1.0, "wang")
    taken = story.event(
        2.0, KIND.ACCESS_TAKEN, "kitchen-door", "holder-wang", cause=cause
    )
    story.contact(2.0, "kitchen-door", taken, is_open=True)
    with caught(GRANTS):
        grants(story, 9.0, "li")


def test_inside_already() -> None:
    plan = kitchen(passback=Passback.HARD, entry=EntryRule.WALK_IN)
    story = told(plan=plan)
    cause = grants(story, 1.0, "li")
    taken = story.event(
        2.0, KIND.ACCESS_TAKEN, "kitchen-door", "holder-li", cause=cause
    )
    story.contact(2.0, "kitchen-door", taken, is_open=True)
    refuses(story, 9.0, "li", "ALREADY_INSIDE")
    with caught(GRANTS):
        grants(story, 19.0, "li")


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (DoorMode.BLOCKED, "DOOR_BLOCKED"),
        (DoorMode.LOCKED_DOWN, "DOOR_LOCKED_DOWN"),
    ],
)
def test_a_closed_mode_admits_nobody(mode: DoorMode, reason: str) -> None:
    story = told(BOOKED)
    changed = story.event(1.0, KIND.DOOR_MODE_CHANGED, "kitchen-door", mode=mode.value)
    story.handled(1.0, None, changed)
    refuses(story, 2.0, "wang", reason)
    with caught(GRANTS):
        grants(story, 3.0, "wang")


def test_under_checkpoint_everybody_waits() -> None:
    story = told(BOOKED)
    began = story.event(1.0, KIND.EMERGENCY_STARTED, "site", state="CHECKPOINT")
    story.handled(1.0, None, began)
    refuses(story, 2.0, "wang", "AWAITING_CONFIRMATION")
    refuses(story, 3.0, "li", "UNAUTHORIZED")
    with caught(GRANTS):
        grants(story, 9.0, "wang")


def ticket(**claims: Any) -> Ticket:
    """Return a ticket of the scene's site for its kitchen, single use."""
    known: dict[str, Any] = {
        "ticket_id": "a1",
        "not_before_ms": THREE - HOUR_MS,
        "expires_ms": THREE + HOUR_MS,
        "doors": ("kitchen",),
        "audience": SITE.site_id,
        "issued_ms": THREE - HOUR_MS,
        "uses": 1,
    }
    return Ticket(**(known | claims))


@pytest.mark.parametrize(
    "claims",
    [
        {"audience": "site-2"},
        {"doors": ("lounge",)},
        {"expires_ms": clock_ms("14:58:30")},
        {"not_before_ms": clock_ms("15:03")},
        {"issued_ms": clock_ms("15:03")},
        {"issued_ms": None},
        {"key_to_ms": clock_ms("15:00")},
    ],
)
def test_a_ticket_that_does_not_hold(claims: dict[str, Any]) -> None:
    for shown, is_right in ((ticket(), True), (ticket(**claims), False)):
        story = told()
        let_in = story.event(1.0, KIND.ACCESS_GRANTED, "kitchen-in")
        presented = scan("kitchen-in", "stranger", 1.0, ticket=shown)
        if is_right:
            story.handled(1.0, presented, let_in)
            continue
        with caught(GRANTS):
            story.handled(1.0, presented, let_in)


def test_the_same_card_reopens_for_less_than_three_seconds() -> None:
    release = Release(door="kitchen-door", duration_s=5.0, cause=1, is_egress=False)
    story = told(BOOKED)
    grants(story, 1.0, "wang")
    story.handled(3.9, scan("kitchen-in", "wang", 3.9), release)
    with caught(GRANTS):
        story.handled(4.0, scan("kitchen-in", "wang", 4.0), release)
    with caught(GRANTS):
        story.handled(3.9, scan("kitchen-in", "li", 3.9), release)


def test_a_refusal_that_is_only_counted_is_judged_by_what_was_shown() -> None:
    wrong = Indicate(
        access_point="kitchen-in",
        indication=Indication.DENIED,
        reason="CLOSED",
        next_step="COME_AT",
    )
    right = replace(wrong, reason="UNAUTHORIZED")
    story = told(BOOKED)
    story.handled(1.0, scan("kitchen-in", "li", 1.0), right)
    with caught(REFUSALS):
        story.handled(2.0, scan("kitchen-in", "li", 2.0), wrong)


def test_lockers_open_for_a_booking_of_one_and_for_what_is_ones_own() -> None:
    sized = "b1 wang lounge 14:00-16:00 S"
    started = {"number": 1, "booking": "b1"}
    story = told(sized)
    story.handled(
        1.0,
        scan("hall-in", "wang", 1.0),
        story.event(1.0, KIND.RENTAL_STARTED, "hall", "holder-wang", **started),
        story.event(
            1.0, KIND.ACCESS_GRANTED, "hall-in", "holder-wang", bank="hall", number=1
        ),
    )
    refuses(story, 2.0, "li", "UNAUTHORIZED", "hall-in")
    refuses(story, 2.0, "stranger", "CREDENTIAL_NOT_FOUND", "hall-in")
    with caught(REFUSALS):
        refuses(story, 3.0, "wang", "UNAUTHORIZED", "hall-in")
    with caught(GRANTS):
        grants(story, 4.0, "li", "hall-in")


def test_whatever_can_be_read_opens_the_medicine_box() -> None:
    story = told()
    opened = story.event(1.0, KIND.MEDICINE_BOX_OPENED, "hall", number=5)
    story.handled(1.0, scan("aid", "stranger", 1.0), opened)
    with caught(REFUSALS):
        refuses(story, 2.0, "stranger", "CREDENTIAL_NOT_FOUND", "aid")
