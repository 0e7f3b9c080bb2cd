# SPDX-License-Identifier: Apache-2.0
"""Rentals, money, minutes, stoves and words: told rightly, and told wrongly."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from edge.cli.simulate.checkers.all import all_checkers
from edge.cli.simulate.checkers.appliances_stay_off import AppliancesStayOff
from edge.cli.simulate.checkers.duty_minutes_are_right import DutyMinutesAreRight
from edge.cli.simulate.checkers.fares_are_right import FaresAreRight
from edge.cli.simulate.checkers.nothing_over_its_limit import (
    EVENTS_AT_ONCE,
    ON_TOP_EVENTS,
    RING_EVENTS,
    TEXT_CHARACTERS,
    NothingOverItsLimit,
)
from edge.cli.simulate.checkers.nothing_personal_leaks import NothingPersonalLeaks
from edge.cli.simulate.checkers.one_holder_a_compartment import OneHolderACompartment
from edge.cli.simulate.checkers.one_roster_a_decision import OneRosterADecision
from edge.cli.simulate.checkers.refusals_are_told import RefusalsAreTold
from edge.cli.simulate.oracle.fares import price
from edge.core.command import (
    Indicate,
    Indication,
    OpenCompartment,
    SwitchAppliance,
)
from edge.core.plan import AppliancePlan, FareKind, FarePlan
from firmware_sim.happening import What
from tests.core.scene import SITE, neighbours, token
from tests.simulate.checkers.story import (
    KIND,
    PLANTED,
    Story,
    caught,
    ground,
    rest,
    scan,
)

if TYPE_CHECKING:
    from edge.core.plan import SitePlan

HOUR_S, MINUTE_S = 3_600.0, 60.0
COMPARTMENT, FARES = "one holder a compartment", "fares equal the oracle's"
DUTY, LIMIT = "duty minutes equal the oracle's", "nothing over its limit"
LEAK, ROSTER = "planted numbers appear nowhere", "one roster version a decision"
TOLD, STOVE = "a refusal is told", "appliances only inside a slot with presence"


def rental(story: Story, at_s: float, who: str, number: int = 1) -> None:
    """Give a compartment to somebody."""
    began = story.event(
        at_s, KIND.RENTAL_STARTED, "hall", f"holder-{who}", number=number
    )
    story.handled(at_s, scan("hall-in", who, at_s), began)


def test_a_compartment_is_given_again_only_behind_its_end() -> None:
    story = Story(OneHolderACompartment())
    rental(story, 1.0, "wang")
    rental(story, 2.0, "li", 2)
    ended = story.event(3.0, KIND.RENTAL_ENDED, "hall", "holder-wang", number=1)
    story.handled(3.0, None, ended)
    rental(story, 4.0, "zhao")
    with caught(COMPARTMENT):
        rental(story, 5.0, "qian")


def test_a_compartment_opens_for_whom_it_belongs_to() -> None:
    story = Story(OneHolderACompartment())
    rental(story, 1.0, "wang")
    for who, is_right in (("wang", True), ("li", False)):
        event = story.event(
            2.0, KIND.ACCESS_GRANTED, "hall-in", f"holder-{who}", bank="hall", number=1
        )
        story.handled(2.0, scan("hall-in", who, 2.0), event)
        wish = OpenCompartment(
            bank="hall", number=1, cause=event.seq, is_first_aid=False
        )
        if is_right:
            story.wired(2.1, wish)
            continue
        with caught(COMPARTMENT):
            story.wired(2.1, wish)


def test_a_rental_that_a_power_cut_takes_leaves_the_compartment_free() -> None:
    story = Story(OneHolderACompartment())
    rental(story, 1.0, "wang")
    story.dark(2.0)
    story.booted(3.0, "boot-2")
    rental(story, 4.0, "li")


HOURLY = FarePlan(kind=FareKind.PER_HOUR, fen=200, free_minutes=30)


@pytest.mark.parametrize(
    ("plan", "minutes", "left_min", "owed"),
    [
        (FarePlan(), 500, 0, (0, 0)),
        (FarePlan(kind=FareKind.PER_VISIT, fen=300), 1, 0, (300, 0)),
        (HOURLY, 0, 0, (0, 0)),
        (HOURLY, 1, 0, (200, 0)),
        (HOURLY, 60, 0, (200, 0)),
        (HOURLY, 61, 0, (400, 0)),
        (HOURLY, 30, 30, (0, 30)),
        (HOURLY, 31, 30, (200, 30)),
        (HOURLY, 90, 30, (200, 30)),
        (HOURLY, 91, 30, (400, 30)),
        (HOURLY, 20, 30, (0, 20)),
    ],
)
def test_prices(
    plan: FarePlan, minutes: int, left_min: int, owed: tuple[int, int]
) -> None:
    assert price(plan, minutes, left_min) == owed


def paying_site() -> SitePlan:
    """Return the scene with an hourly fare in its kitchen."""
    spaces = dict(SITE.spaces)
    spaces["kitchen"] = replace(spaces["kitchen"], fare=HOURLY)
    return replace(SITE, spaces=spaces)


def visit(
    story: Story, at_s: float, lasts_s: float, who: str = "wang", **closed: Any
) -> None:
    """Tell a visit that ends at an exit."""
    name = f"holder-{who}"
    began = story.event(at_s, KIND.VISIT_STARTED, "kitchen", name)
    story.handled(at_s, None, began)
    over_s = at_s + lasts_s
    facts = {"how": "exit", "visit": began.seq} | closed
    ended = story.event(over_s, KIND.VISIT_CLOSED, "kitchen", name, **facts)
    story.handled(over_s, None, ended)


def test_a_month_of_visits_uses_its_free_minutes_up() -> None:
    story = Story(FaresAreRight(ground(paying_site())))
    story.adopted(0.0, neighbours())
    visit(story, 10.0, 20 * MINUTE_S + 9, minutes=20, fare_fen=0)
    visit(story, HOUR_S * 2, 40 * MINUTE_S + 9, minutes=40, fare_fen=200)
    visit(story, HOUR_S * 4, 61 * MINUTE_S + 9, minutes=61, fare_fen=400)
    visit(story, HOUR_S * 6, 61 * MINUTE_S + 9, "li", minutes=61, fare_fen=200)
    visit(story, HOUR_S * 8, 61 * MINUTE_S + 9, "chen", minutes=61, fare_fen=0)


@pytest.mark.parametrize(
    "told",
    [
        {"minutes": 91, "fare_fen": 200},
        {"minutes": 91, "fare_fen": 0},
        {"minutes": 90, "fare_fen": 200},
        {"minutes": 92, "fare_fen": 400},
        {"minutes": 91, "fare_fen": 400, "visit": 77},
        {"fare_fen": 400},
    ],
)
def test_a_wrong_fare_or_length_is_caught(told: dict[str, Any]) -> None:
    story = Story(FaresAreRight(ground(paying_site())))
    story.adopted(0.0, neighbours())
    with caught(FARES):
        visit(story, 10.0, 91 * MINUTE_S + 9, **told)


def shift(
    story: Story, at_s: float, lasts_s: float, minutes: int, **facts: Any
) -> None:
    """Tell a volunteer's shift."""
    began = story.event(at_s, KIND.DUTY_STARTED, "desk", "holder-chen")
    story.handled(at_s, None, began)
    over_s = at_s + lasts_s
    facts |= {"minutes": minutes, "cause": began.seq}
    ended = story.event(over_s, KIND.DUTY_ENDED, "desk", "holder-chen", **facts)
    story.handled(over_s, None, ended)


@pytest.mark.parametrize(
    ("lasts_s", "minutes", "why", "is_right"),
    [
        (90 * MINUTE_S + 30, 90, {}, True),
        (90 * MINUTE_S + 30, 91, {}, False),
        (90 * MINUTE_S + 30, 89, {}, False),
        (13 * HOUR_S, 720, {"why": "too_long"}, True),
        (13 * HOUR_S, 780, {"why": "too_long"}, False),
        # From 15:00 until closing at midnight, whenever that was noticed.
        (11 * HOUR_S, 540, {"why": "closing"}, True),
        (11 * HOUR_S, 660, {"why": "closing"}, False),
    ],
)
def test_minutes_of_a_shift(
    lasts_s: float, minutes: int, why: dict[str, str], *, is_right: bool
) -> None:
    story = Story(DutyMinutesAreRight(ground()))
    if is_right:
        shift(story, 1.0, lasts_s, minutes, **why)
        return
    with caught(DUTY):
        shift(story, 1.0, lasts_s, minutes, **why)


def test_two_shifts_at_once_are_caught() -> None:
    story = Story(DutyMinutesAreRight(ground()))
    for at_s in (1.0, 2.0):
        began = story.event(at_s, KIND.DUTY_STARTED, "desk", "holder-chen")
        if at_s == 1.0:
            story.handled(at_s, None, began)
            continue
        with caught(DUTY):
            story.handled(at_s, None, began)


STOVES = replace(
    SITE,
    appliances={"stove": AppliancePlan(appliance_id="stove", space_id="kitchen")},
)


def cooking() -> tuple[AppliancesStayOff, Story]:
    """Return a story in which wang came in for his hour and lit the stove."""
    checker = AppliancesStayOff(ground(STOVES))
    story = Story(checker)
    story.adopted(0.0, neighbours("b1 wang kitchen 15:00-16:00"))
    grant = story.event(
        1.0, KIND.ACCESS_GRANTED, "kitchen-in", "holder-wang", booking="b1"
    )
    story.handled(1.0, scan("kitchen-in", "wang", 1.0), grant)
    taken = story.event(
        2.0, KIND.ACCESS_TAKEN, "kitchen-door", "holder-wang", cause=grant.seq
    )
    lit = story.event(2.0, KIND.APPLIANCE_ON, "stove", cause=taken.seq)
    story.contact(2.0, "kitchen-door", taken, lit, switch(cause=lit.seq), is_open=True)
    return checker, story


def switch(*, is_on: bool = True, cause: int = 0) -> SwitchAppliance:
    """Return an order for the stove."""
    return SwitchAppliance(appliance="stove", is_on=is_on, cause=cause)


def test_a_stove_is_on_within_its_slot() -> None:
    checker, story = cooking()
    story.handled(HOUR_S, None, switch(is_on=False))
    story.handled(2 * HOUR_S, None)
    checker.end(rest(2 * HOUR_S))


def test_a_stove_that_is_left_on_is_caught() -> None:
    checker, story = cooking()
    with caught(STOVE):
        checker.end(rest(2 * HOUR_S))
    with caught(STOVE):
        story.handled(HOUR_S + 9, None)


def test_a_stove_that_burns_in_a_fire_is_caught() -> None:
    _, story = cooking()
    began = story.event(60.0, KIND.EMERGENCY_STARTED, "site", state="FIRE")
    with caught(STOVE):
        story.handled(60.0, None, began)


def test_a_stove_that_comes_on_by_itself_is_caught() -> None:
    _, story = cooking()
    story.handled(60.0, None, switch(is_on=False))
    again = story.event(90.0, KIND.APPLIANCE_ON, "stove", cause=2)  # that same entry
    with caught(STOVE):
        story.handled(90.0, None, again, switch(cause=again.seq))


def test_limits() -> None:
    story = Story(NothingOverItsLimit())
    text = "x" * TEXT_CHARACTERS
    story.handled(1.0, None, story.event(1.0, KIND.STARTED, "gateway", why=text))
    with caught(LIMIT):
        long = story.event(2.0, KIND.STARTED, "gateway", why=f"{text}x")
        story.handled(2.0, None, long)
    many = [story.event(3.0, KIND.STARTED, "gateway") for _ in range(EVENTS_AT_ONCE)]
    story.handled(3.0, None, *many)
    with caught(LIMIT):
        story.handled(4.0, None, *many, many[-1])


def test_a_ring_that_overflows_takes_no_scan() -> None:
    story = Story(NothingOverItsLimit())
    for _ in range(RING_EVENTS + ON_TOP_EVENTS + 1):
        story.handled(1.0, None, story.event(1.0, KIND.DOOR_OPENED, "kitchen-door"))
    with caught(LIMIT):
        story.handled(2.0, scan("kitchen-in", "wang", 2.0))
    story.stored(3.0)
    story.handled(4.0, scan("kitchen-in", "wang", 4.0))


def test_what_waits_in_the_quiet_is_caught() -> None:
    checker = NothingOverItsLimit()
    Story(checker)
    checker.end(rest(1.0))
    with caught(LIMIT):
        checker.end(rest(1.0, unstored=1))


@pytest.mark.parametrize("planted", [PLANTED, token("wang").hex()])
def test_a_planted_number_is_found_wherever_it_is(planted: str) -> None:
    told = f"card {planted} at 15:00"
    story = Story(NothingPersonalLeaks(ground()))
    story.handled(1.0, None, story.event(1.0, KIND.STARTED, "gateway", why="fine"))
    with caught(LEAK):
        story.handled(1.0, None, story.event(1.0, KIND.STARTED, "gateway", why=told))
    with caught(LEAK):
        story.world(1.0, What.TEXT_SHOWN, "kitchen-reader", told)
    with caught(LEAK):
        shown = Indicate(
            access_point="kitchen-in",
            indication=Indication.DENIED,
            facts=(("who", told),),
        )
        story.handled(1.0, None, shown)


def test_a_holder_in_an_events_core_is_found() -> None:
    names = {token("wang"): "h-0001"}
    checker = NothingPersonalLeaks(replace(ground(), holders=names))
    story = Story(checker)
    named = story.event(1.0, KIND.ACCESS_TAKEN, "kitchen-door", "h-0001")
    story.handled(1.0, None, named)
    wrong = story.event(2.0, KIND.ACCESS_TAKEN, "kitchen-door", whom="h-0001")
    with caught(LEAK):
        story.handled(2.0, None, wrong)


def test_a_decision_names_the_roster_in_force() -> None:
    story = Story(OneRosterADecision(ground()))
    story.adopted(0.0, neighbours())
    for revision, is_right in ((7, True), (6, False)):
        event = story.event(
            1.0, KIND.ACCESS_DENIED, "kitchen-in", fr=revision, set="set-3"
        )
        if is_right:
            story.handled(1.0, None, event)
            continue
        with caught(ROSTER):
            story.handled(1.0, None, event)
    with caught(ROSTER):
        story.handled(1.0, None, story.event(1.0, KIND.ACCESS_GRANTED, "kitchen-in"))
    other = story.event(1.0, KIND.ACCESS_GRANTED, "kitchen-in", fr=7, set="set-4")
    with caught(ROSTER):
        story.handled(1.0, None, other)


def test_an_order_at_the_panel_names_the_settings_alone() -> None:
    story = Story(OneRosterADecision(ground()))
    story.adopted(0.0, neighbours())
    order = story.event(1.0, KIND.ACCESS_GRANTED, "hall")
    by_hand = ("kind", "PANEL")
    right = replace(order, facts=(by_hand, ("set", "set-3")))
    story.handled(1.0, None, right)
    with caught(ROSTER):
        story.handled(1.0, None, replace(order, facts=(by_hand,)))


def test_a_refusal_is_shown_with_its_reason_and_a_next_step() -> None:
    denied = Indicate(
        access_point="kitchen-in",
        indication=Indication.DENIED,
        reason="CLOSED",
        next_step="COME_AT",
    )
    for shown, is_right in (
        (denied, True),
        (replace(denied, reason="TOO_LATE"), False),
        (replace(denied, next_step=""), False),
        (replace(denied, indication=Indication.GRANTED), False),
        (replace(denied, access_point="lounge-in"), False),
    ):
        story = Story(RefusalsAreTold())
        event = story.event(1.0, KIND.ACCESS_DENIED, "kitchen-in", reason="CLOSED")
        told = scan("kitchen-in", "wang", 1.0)
        if is_right:
            story.handled(1.0, told, event, shown)
            continue
        with caught(TOLD):
            story.handled(1.0, told, event, shown)
    with caught(TOLD):
        Story(RefusalsAreTold()).handled(1.0, scan("kitchen-in", "wang", 1.0))


def test_every_checker_has_a_name_of_its_own() -> None:
    names = [checker.name for checker in all_checkers(ground())]
    assert len(names) == len(set(names))
