# SPDX-License-Identifier: Apache-2.0
"""Who is inside, how long a visit lasts, and whose a parcel is, by the oracle."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edge.cli.simulate.checkers.appliances_stay_off import AppliancesStayOff
from edge.cli.simulate.checkers.decisions_are_right import (
    GRANTS,
    REFUSALS,
    DecisionsAreRight,
)
from edge.cli.simulate.checkers.fares_are_right import FaresAreRight
from edge.cli.simulate.oracle.picture import PAUSE_S, WRONG_TRIES
from edge.core.access.ticket import SpoiltTicket, TicketFlaw
from edge.core.command import SwitchAppliance
from edge.core.credential import Credential, CredentialKind
from edge.core.event import Event, Person
from edge.core.order import ApplianceOrdered
from edge.core.plan import (
    AccessPointPlan,
    AppliancePlan,
    Direction,
    FareKind,
    FarePlan,
)
from edge.core.stimulus import DeviceChanged
from tests.core.scene import SITE, clock_ms, neighbours, token
from tests.simulate.checkers.story import KIND, Story, caught, ground, scan

MINUTE_S = 60.0
FARES, STOVE = "fares equal the oracle's", "appliances only inside a slot with presence"
OUT = AccessPointPlan(
    access_point_id="kitchen-out", door_id="kitchen-door", direction=Direction.OUT
)
PLAN = replace(
    SITE,
    access_points={**SITE.access_points, "kitchen-out": OUT},
    appliances={"stove": AppliancePlan(appliance_id="stove", space_id="kitchen")},
)
VISITOR = Person(ticket="ticket-1")


def passes(story: Story, at_s: float, person: Person, **facts: Any) -> Event:
    """Let somebody through: his grant, and the opening a second later."""
    point = facts.pop("point", "kitchen-in")
    granted = story.event(at_s, KIND.ACCESS_GRANTED, point, **facts)
    story.handled(at_s, None, replace(granted, person=person))
    cause = granted.seq
    taken = story.event(at_s + 1, KIND.ACCESS_TAKEN, "kitchen-door", cause=cause)
    taken = replace(taken, person=person)
    story.handled(at_s + 1, None, taken)
    return taken


def ends(story: Story, at_s: float, began: Event, how: str, minutes: int) -> None:
    """Tell a visit's end."""
    facts: dict[str, Any] = {"how": how, "minutes": minutes, "visit": began.seq}
    closed = story.event(at_s, KIND.VISIT_CLOSED, "kitchen", fare_fen=0, **facts)
    story.handled(at_s, None, replace(closed, person=began.person))


def begins(story: Story, at_s: float, person: Person, **facts: Any) -> Event:
    """Let somebody in, and tell that his visit began."""
    taken = passes(story, at_s, person, **facts)
    began = story.event(at_s + 1, KIND.VISIT_STARTED, "kitchen", cause=taken.seq)
    began = replace(began, person=person)
    story.handled(at_s + 1, None, began)
    return began


@pytest.mark.parametrize(
    ("minutes", "is_right"), [(59, True), (64, True), (62, False), (90, False)]
)
def test_a_visit_by_a_ticket_ends_with_the_ticket(
    minutes: int, *, is_right: bool
) -> None:
    story = Story(FaresAreRight(ground(PLAN)))
    story.adopted(0.0, neighbours())
    began = begins(story, 1.0, VISITOR, end=clock_ms("16:00"))
    told = (story, 90 * MINUTE_S, began, "booking_end", minutes)
    if is_right:  # to the ticket's end, or the grace behind it
        ends(*told)
        return
    with caught(FARES):
        ends(*told)


@pytest.mark.parametrize(
    ("minutes", "is_right"), [(150, True), (120, False), (180, False)]
)
def test_a_walk_in_counts_from_his_last_entry(minutes: int, *, is_right: bool) -> None:
    story = Story(FaresAreRight(ground(PLAN)))
    story.adopted(0.0, neighbours())
    who = Person(holder="holder-wang")
    began = begins(story, 1.0, who)
    passes(story, 30 * MINUTE_S + 9, who)
    told = (story, 200 * MINUTE_S, began, "walk_in_over", minutes)
    if is_right:
        ends(*told)
        return
    with caught(FARES):
        ends(*told)


def test_who_came_in_one_by_one_leaves_one_by_one() -> None:
    """The stove may burn for the second of a party; for nobody it may not."""
    story = Story(AppliancesStayOff(ground(PLAN)))
    story.adopted(0.0, neighbours("b1 wang kitchen 15:00-16:00 x2"))
    wang = Person(holder="holder-wang", booking="b1")
    passes(story, 1.0, wang)
    passes(story, 11.0, wang)
    for at_s, is_somebody_there in ((21.0, True), (41.0, False)):
        passes(story, at_s, Person(holder="holder-wang"), point="kitchen-out")
        lit = story.event(at_s + 9, KIND.APPLIANCE_ON, "stove", actor="chen")
        order = ApplianceOrdered(
            appliance="stove", is_on=True, actor="chen", reason="cooking"
        )
        on = SwitchAppliance(appliance="stove", is_on=True, cause=lit.seq)
        if is_somebody_there:
            story.handled(at_s + 9, order, lit, on)
            off = SwitchAppliance(appliance="stove", is_on=False, cause=0)
            story.handled(at_s + 10, None, off)
            continue
        with caught(STOVE):
            story.handled(at_s + 9, order, lit, on)


def lights(story: Story, at_s: float, *, cause: int) -> None:
    """Let the stove come on because of an entry."""
    lit = story.event(at_s, KIND.APPLIANCE_ON, "stove", cause=cause)
    on = SwitchAppliance(appliance="stove", is_on=True, cause=lit.seq)
    story.handled(at_s, None, lit, on)


def test_one_opening_takes_an_exit_and_the_next_entry() -> None:
    """The visit that the exit ended is told behind the entry, and ends that alone."""
    story = Story(AppliancesStayOff(ground(PLAN)))
    booked = ("b1 wang kitchen 14:00-15:01", "b2 wang kitchen 15:01-16:00")
    story.adopted(0.0, neighbours(*booked))
    first = begins(story, 1.0, Person(holder="holder-wang", booking="b1"))
    passes(story, 60.0, Person(holder="holder-wang"), point="kitchen-out")
    second = passes(story, 60.5, Person(holder="holder-wang", booking="b2"))
    ends(story, 61.5, first, "exit", 1)
    lights(story, 62.0, cause=second.seq)
    off = SwitchAppliance(appliance="stove", is_on=False, cause=0)
    story.handled(70.0, None, off)
    ends(story, 71.0, replace(first, person=second.person), "exit", 0)
    with caught(STOVE):
        lights(story, 72.0, cause=second.seq)


@pytest.mark.parametrize("is_locked_down", [False, True])
def test_who_came_early_has_his_stove_when_his_slot_begins(
    *, is_locked_down: bool
) -> None:
    """A board that returns finds it off and takes nothing away; a lock-down does."""
    story = Story(AppliancesStayOff(ground(PLAN)))
    story.adopted(0.0, neighbours("b1 wang kitchen 15:05-16:00"))
    taken = passes(story, 1.0, Person(holder="holder-wang", booking="b1"))
    off = SwitchAppliance(appliance="stove", is_on=False, cause=0)
    story.handled(60.0, None, off)
    begins_s = 5 * MINUTE_S
    if not is_locked_down:
        lights(story, begins_s, cause=taken.seq)
        return
    for kind in (KIND.EMERGENCY_STARTED, KIND.EMERGENCY_ENDED):
        story.handled(90.0, None, story.event(90.0, kind, "site", state="LOCK_DOWN"))
    with caught(STOVE):
        lights(story, begins_s, cause=taken.seq)


@pytest.mark.parametrize("is_local", [True, False])
def test_a_volunteer_of_the_local_roster_pays_nothing(*, is_local: bool) -> None:
    fare = FarePlan(kind=FareKind.PER_VISIT, fen=300)
    spaces = {**PLAN.spaces, "kitchen": replace(PLAN.spaces["kitchen"], fare=fare)}
    story = Story(FaresAreRight(ground(replace(PLAN, spaces=spaces))))
    story.adopted(0.0, neighbours())
    helper = Person(holder="helper")
    if is_local:
        facts = {"what": "held", "roles": "RESIDENT VOLUNTEER"}
        told = story.event(0.5, KIND.LOCAL_CHANGED, "gateway", "helper", **facts)
        story.handled(0.5, None, told)
    began = begins(story, 1.0, helper)
    closed = story.event(
        10 * MINUTE_S + 9,
        KIND.VISIT_CLOSED,
        "kitchen",
        "helper",
        exempt="VOLUNTEER",
        fare_fen=0,
        how="exit",
        minutes=10,
        visit=began.seq,
    )
    if is_local:
        story.handled(10 * MINUTE_S + 9, None, closed)
        return
    with caught(FARES):
        story.handled(10 * MINUTE_S + 9, None, closed)


def sound(plan: Any = PLAN) -> Story:
    """Return a story whose box is sound, for decisions."""
    story = Story(DecisionsAreRight(ground(plan)))
    story.adopted(0.0, neighbours())
    doors = tuple(plan.doors)
    board = DeviceChanged(device="board", is_online=True, detail="", doors=doors)
    story.handled(0.0, board)
    return story


@pytest.mark.parametrize("is_put_in", [True, False])
def test_a_parcel_is_the_receivers_once_it_is_put_in(*, is_put_in: bool) -> None:
    story, number = sound(), {"number": 1}
    who = "holder-wang"
    began = story.event(1.0, KIND.RENTAL_STARTED, "hall", who, what="PARCEL", **number)
    story.handled(1.0, None, began)
    if is_put_in:
        put = story.event(9.0, KIND.PARCEL_DEPOSITED, "hall", who, **number)
        story.handled(9.0, None, put)
    denied = story.event(20.0, KIND.ACCESS_DENIED, "hall-in", reason="UNAUTHORIZED")
    presented = scan("hall-in", "wang", 20.0)
    if is_put_in:
        with caught(REFUSALS):
            story.handled(20.0, presented, denied)
        return
    story.handled(20.0, presented, denied)
    given = story.event(30.0, KIND.ACCESS_GRANTED, "hall-in", who, bank="hall")
    with caught(GRANTS):
        story.handled(30.0, scan("hall-in", "wang", 30.0), given)


def test_a_grant_ends_a_row_of_wrong_codes_but_not_its_pause() -> None:
    code = Credential(kind=CredentialKind.QR, token=token("a wrong code"))
    spoilt = SpoiltTicket(flaw=TicketFlaw.SIGNATURE)
    story = sound()

    def answered(at_s: float, reason: str) -> None:
        event = story.event(at_s, KIND.ACCESS_DENIED, "kitchen-in", reason=reason)
        shown = scan("kitchen-in", "wang", at_s, ticket=spoilt)
        story.handled(at_s, replace(shown, credential=code), event)

    for tried in range(WRONG_TRIES):
        answered(1.0 + tried, "INVALID_SIGNATURE")
    out = story.event(10.0, KIND.ACCESS_GRANTED, "kitchen-in", free=1)
    unlocked = story.event(9.0, KIND.DOOR_MODE_CHANGED, "kitchen-door", mode="UNLOCKED")
    locked = replace(unlocked, facts=(("mode", "LOCKED"),))
    story.handled(9.0, None, unlocked)
    story.handled(10.0, scan("kitchen-in", "wang", 10.0), out)
    story.handled(11.0, None, locked)
    answered(12.0, "READER_PAUSED")
    with caught(REFUSALS):
        answered(13.0, "INVALID_SIGNATURE")
    story.handled(PAUSE_S, None)
    answered(WRONG_TRIES + PAUSE_S + 9, "INVALID_SIGNATURE")


@pytest.mark.parametrize("is_asked", [True, False])
def test_a_pair_waits_as_long_as_the_confirmation_of_one_of_them(
    *, is_asked: bool
) -> None:
    door = replace(PLAN.doors["kitchen-door"], needs_two_persons=True)
    story = sound(replace(PLAN, doors={**PLAN.doors, "kitchen-door": door}))
    booked = [f"b-{who} {who} kitchen 14:00-16:00" for who in ("wang", "li")]
    story.adopted(0.5, neighbours(*booked))

    def refused(at_s: float, who: str, reason: str) -> None:
        event = story.event(at_s, KIND.ACCESS_DENIED, "kitchen-in", reason=reason)
        story.handled(at_s, scan("kitchen-in", who, at_s), event)

    state = {"state": "CHECKPOINT"}
    began = story.event(1.0, KIND.EMERGENCY_STARTED, "site", "", **state)
    story.handled(1.0, None, began)
    refused(2.0, "wang", "SECOND_PERSON_NEEDED")
    if is_asked:
        refused(20.0, "li", "AWAITING_CONFIRMATION")
    over = story.event(30.0, KIND.EMERGENCY_ENDED, "site", "", **state)
    story.handled(30.0, None, over)
    let_in = story.event(70.0, KIND.ACCESS_GRANTED, "kitchen-in", "holder-li")
    presented = scan("kitchen-in", "li", 70.0)
    if is_asked:
        story.handled(70.0, presented, let_in)
        return
    with caught(GRANTS):
        story.handled(70.0, presented, let_in)
