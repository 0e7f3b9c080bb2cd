# SPDX-License-Identifier: Apache-2.0
"""A model of one space with several people, held against books kept from its events.

Twice: where people leave by button and handle alone, and where exits are read.
"""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind
from edge.core.moment import UNBOUNDED_MS
from edge.core.people.entries import Booking
from edge.core.plan import DAY_MS, AccessPointPlan, Direction, SitePlan
from tests.core.scene import MINUTE_MS
from tests.core.spaces.house import House
from tests.core.spaces.ledger import ENTRIES, Ledger, number
from tests.core.spaces.plan import FREE_MIN, HOUR_FEN, HOUSE

WHO = st.sampled_from(["wang", "li", "zhao", "chen"])
SLOTS = 3
DANGERS = (EmergencyState.FIRE, EmergencyState.LOCK_DOWN)


class SpaceMachine(RuleBasedStateMachine):
    """The kitchen, with its stove, its bookings and its people."""

    site: SitePlan = HOUSE

    @initialize()
    def open_house(self) -> None:
        # Slots that run at once, or hardly anybody would ever cook.
        slots = (f"b0-{who} {who} kitchen 15:00-17:00" for who in ("wang", "li"))
        self.house = House(*slots, site=self.site)
        self.house.people.roles["chen"] = ("RESIDENT", "VOLUNTEER")
        self.ledger = Ledger(fen=HOUR_FEN, free_minutes=FREE_MIN)
        self.read_to = 0
        self.bound = 0
        self.snapshots: list[tuple[int, str]] = [(0, "{}")]

    @rule(minutes=st.sampled_from([0.05, 1, 7, 15, 30, 61, 125, 600]))
    def wait(self, minutes: float) -> None:
        self.house.wait(minutes * 60)

    @rule(
        who=WHO,
        slot=st.integers(0, SLOTS - 1),
        begins_min=st.integers(-60, 90),
        lasts_min=st.sampled_from([10, 45, 120, 400]),
        party=st.integers(1, 4),
    )
    def book(
        self, who: str, slot: int, begins_min: int, lasts_min: int, party: int
    ) -> None:
        """Book a slot, or change one of the same number."""
        from_ms = self.house.utc_ms + begins_min * MINUTE_MS
        name = f"b{slot}-{who}"
        booking = Booking(
            booking_id=name,
            space_id="kitchen",
            from_ms=from_ms,
            to_ms=from_ms + lasts_min * MINUTE_MS,
            party=party,
        )
        kept = [e for e in self.house.people.all_bookings if e[1].booking_id != name]
        self.house.people.all_bookings = [*kept, (who, booking)]
        self.house.event(EventKind.ROSTER_APPLIED, "gateway")

    @rule(slot=st.integers(0, 11))
    def cancel(self, slot: int) -> None:
        self.house.people.all_bookings[slot : slot + 1] = []
        self.house.event(EventKind.ROSTER_APPLIED, "gateway")

    def booking_of(self, who: str) -> str:
        """Return a booking that would let somebody in now, or none."""
        now_ms = self.house.utc_ms
        plan = self.site.spaces["kitchen"]
        for each in self.house.people.bookings(who):
            if each.from_ms - plan.lead_ms <= now_ms < each.to_ms + plan.grace_ms:
                return each.booking_id
        return ""

    @rule(who=WHO, persons=st.sampled_from([1, 1, 1, 3]))
    def enter(self, who: str, persons: int) -> None:
        self.bound += persons
        booking = self.booking_of(who)
        self.house.enter("kitchen", who, booking, persons=persons)

    @rule(who=WHO)
    def enter_and_hold_the_door_for_another(self, who: str) -> None:
        """Tailgating: the leaf swings again behind him, for whom no card speaks."""
        self.bound += 1
        self.house.enter("kitchen", who, self.booking_of(who))
        self.house.swing("kitchen")

    @rule()
    def a_stranger_enters(self) -> None:
        self.bound += 1
        self.house.enter("kitchen", "")

    @rule(who=WHO)
    def scan_and_stay_outside(self, who: str) -> None:
        before = self.house.persons("kitchen")
        cause = self.house.grant("kitchen", who, self.booking_of(who))
        assert self.house.persons("kitchen") == before
        self.house.pass_time(6)
        self.house.event(EventKind.ACCESS_NOT_TAKEN, "kitchen-door", cause=cause)

    @rule(who=WHO)
    def scan_before_the_power_goes(self, who: str) -> None:
        self.house.grant("kitchen", who, self.booking_of(who))
        self.power_cut(0)

    @rule()
    def leave_by_the_button(self) -> None:
        before = self.house.persons("kitchen")
        self.house.wait(31)
        settled = self.house.persons("kitchen")
        self.house.walk_out("kitchen")
        assert self.house.persons("kitchen") >= min(before, settled) - 1

    @precondition(lambda self: self.site is not HOUSE)
    @rule(who=st.sampled_from(["wang", "li", "zhao", "chen", ""]))
    def leave_by_the_reader(self, who: str) -> None:
        self.house.leave("kitchen", who)
        assert not any(
            stay.person.holder == who and stay.entries == 0 and stay.persons
            for stay in self.house.spaces.presence.stays("kitchen")
        )

    @rule(count=st.integers(1, 3), is_used=st.booleans())
    def a_volunteer_opens(self, *, count: int, is_used: bool) -> None:
        self.bound += count
        self.house.by_hand("kitchen", count)
        if is_used:
            self.house.swing("kitchen")

    @rule(persons=st.integers(0, 4))
    def a_volunteer_counts(self, persons: int) -> None:
        self.house.count("kitchen", persons)
        assert self.house.persons("kitchen") == persons
        self.bound = max(self.bound, persons + self._awaited())

    @rule(is_on=st.booleans())
    def a_volunteer_switches(self, *, is_on: bool) -> None:
        self.house.switch(is_on=is_on)

    @rule(standing=st.sets(st.sampled_from(list(EmergencyState)), max_size=1))
    def emergency(self, standing: set[EmergencyState]) -> None:
        self.house.emergency(*standing)

    @rule(spread_ms=st.sampled_from([0, 900, 10 * MINUTE_MS, UNBOUNDED_MS]))
    def the_clock_is_known_so_well(self, spread_ms: int) -> None:
        self.house.spread_ms = spread_ms
        self.house.event(EventKind.CLOCK_FIXED, "gateway")

    @rule(off_s=st.sampled_from([0, 30, 7200]))
    def power_cut(self, off_s: int) -> None:
        causes = self.house.spaces.dump()["passage_grants"]
        self.house.cut_power(off_s)
        for cause, *_ in causes:
            self.house.event(EventKind.ACCESS_NOT_TAKEN, "kitchen-in", cause=cause)

    @rule()
    def take_a_snapshot(self) -> None:
        self.snapshots.append((len(self.house.journal), self.house.dump()))

    @rule(pick=st.integers(0, 7))
    def replay(self, pick: int) -> None:
        after, state = self.snapshots[-1 - pick % len(self.snapshots)]
        replayed = self.house.replayed(state, after)
        assert self.house.dump(replayed) == self.house.dump()

    @invariant()
    def the_books_agree(self) -> None:
        journal = self.house.journal
        news, self.read_to = journal[self.read_to :], len(journal)
        self.ledger.read(news)
        open_visits = {event.seq for event in self.ledger.open()}
        stays = self.house.spaces.presence.stays("kitchen")
        assert open_visits == {stay.visit for stay in stays if stay.is_named}

    @invariant()
    def the_count_is_bounded_by_what_came_in(self) -> None:
        persons = self.house.persons("kitchen")
        assert 0 <= persons <= self.bound
        if persons == 0:
            self.bound = self._awaited()

    def _awaited(self) -> int:
        """Return for how many a volunteer opened who have not come in yet."""
        return sum(
            waiting[0]
            for leaf in self.house.spaces.dump()["passage_leaves"]
            for waiting in leaf[4:]
        )

    @invariant()
    def the_stove_burns_only_in_a_slot_with_somebody_there(self) -> None:
        if not self.house.spaces.appliances.on:
            return
        assert self.house.persons("kitchen") > 0
        assert self.house.alarm.standing.isdisjoint(DANGERS)
        now = self.house.now()
        inside = {s.person.booking for s in self.house.spaces.presence.stays("kitchen")}
        assert any(
            each.from_ms <= now.earliest_ms and now.latest_ms < each.to_ms
            for _, each in self.house.people.all_bookings
            if each.booking_id in inside
        )

    @invariant()
    def the_stove_never_comes_on_again_by_itself(self) -> None:
        last_off = 0
        for event in self.house.journal:
            if event.kind in (EventKind.APPLIANCE_OFF, EventKind.STARTED):
                last_off = event.seq
            elif event.kind is EventKind.APPLIANCE_ON:
                cause = self.ledger.events[number(event, "cause")]
                assert cause.kind in ENTRIES
                assert cause.seq > last_off or event.fact("actor") is not None

    def teardown(self) -> None:
        """In the end everybody goes, every visit is closed, and a replay agrees."""
        if not hasattr(self, "house"):
            return
        self.house.emergency()
        self.house.spread_ms = 0
        self.house.event(EventKind.CLOCK_FIXED, "gateway")
        self.house.wait(2 * DAY_MS / 1000)
        self.the_books_agree()
        assert self.ledger.open() == []
        assert self.house.persons("kitchen") == 0
        assert not self.house.spaces.appliances.on
        for after, state in self.snapshots:
            replayed = self.house.replayed(state, after)
            assert self.house.dump(replayed) == self.house.dump()
        assert json.loads(self.house.dump())["rooms"] == {}


_EXIT = AccessPointPlan(
    access_point_id="kitchen-out", door_id="kitchen-door", direction=Direction.OUT
)
_KITCHEN = replace(HOUSE.spaces["kitchen"], has_exit_reader=True)


class ReadExitMachine(SpaceMachine):
    """The same kitchen, with a reader at its way out."""

    site = replace(
        HOUSE,
        spaces={**HOUSE.spaces, "kitchen": _KITCHEN},
        access_points={**HOUSE.access_points, "kitchen-out": _EXIT},
    )


TestSpace = SpaceMachine.TestCase
TestReadExit = ReadExitMachine.TestCase
TestSpace.settings = TestReadExit.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    database=None,
    print_blob=True,
)
