# SPDX-License-Identifier: Apache-2.0
"""A bench of doors: leaves that people push, strikes that obey, seconds that pass.

The law of the module: it plays the shell (ticks at each deadline), the boards (they
time their pulses) and the emergency that imposes modes; it judges nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hypothesis import settings

from edge.core.command import Command, HoldOpen, Indicate, Release, Relock
from edge.core.doors.door import DoorMode
from edge.core.doors.doorkeeper import Doorkeeper
from edge.core.event import Event, EventKind, Facts, Person
from edge.core.moment import ClockVerdict
from edge.core.order import ModeOrdered, PanelOpenOrdered
from edge.core.outcome import OutcomeBuilder
from edge.core.plan import AccessPointPlan, DoorPlan, SitePlan, SpacePlan
from edge.core.schedule import Schedule, read_hours
from tests.core.scene import clock_ms, moment

if TYPE_CHECKING:
    from edge.core.moment import Moment

Told = list[str]
RELEASE_S, EXTENDED_S, HELD_S, WARN_S = 5.0, 12.0, 30.0, 10.0
#: What an emergency imposes, by its name in the bench's events.
IMPOSED = {"DRILL": DoorMode.LOCKED_OPEN, "LOCK_DOWN": DoorMode.LOCKED_DOWN}
#: Ticks at one instant before it counts as going round in circles.
MAX_IDLE = 10
UTC_OFFSET_MS = 8 * 3_600_000


def hours(told: str) -> Schedule:
    """Return local hours of China."""
    return Schedule(week=read_hours(told), utc_offset_ms=UTC_OFFSET_MS)


def plan(door_id: str = "front", **more: object) -> DoorPlan:
    """Return a door with the bench's times."""
    usual = DoorPlan(
        door_id=door_id,
        space_id="hall",
        release_s=RELEASE_S,
        extended_release_s=EXTENDED_S,
        held_open_s=HELD_S,
        has_contact=True,
        is_escape=False,
        warn_before_s=WARN_S,
    )
    return replace(usual, **more)  # type: ignore[arg-type]


def site(*plans: DoorPlan, opens: Schedule | None = None) -> SitePlan:
    """Return a hall behind these doors, each with a reader of its name plus -in."""
    space = SpacePlan(space_id="hall", lead_ms=0, grace_ms=0, hours=opens)
    points = [
        AccessPointPlan(access_point_id=f"{door.door_id}-in", door_id=door.door_id)
        for door in plans
    ]
    return SitePlan(
        site_id="bench",
        spaces={"hall": space},
        doors={door.door_id: door for door in plans},
        access_points={point.access_point_id: point for point in points},
        settings_revision="set-1",
    )


@dataclass
class Inside:
    """Whether somebody is in the hall, and when it is open."""

    opens: Schedule | None
    is_anybody: bool = False

    def is_expected_inside(self, space_id: str, now: Moment) -> bool:
        """Answer for the hall."""
        assert space_id == "hall"
        if self.is_anybody or self.opens is None:
            return True
        return self.opens.against(now) is not ClockVerdict.BEFORE


#: How long chance is played, the same each time.
DERANDOMIZED = settings(
    max_examples=80,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
)


@dataclass
class Expected:
    """What one door should be doing."""

    ordered: str = "LOCKED"
    ordered_until_ms: int = 0
    ends_ms: int = 0
    staffed_until_ms: int = 0
    allowed_until_s: float = 0.0


class Bench:
    """A doorkeeper, its boards and its leaves; 15:00 of a Monday at its rise."""

    def __init__(self, plans: SitePlan) -> None:
        self.site = plans
        self.inside = Inside(plans.spaces["hall"].hours)
        self.now_s, self.utc_ms, self.spread_ms = 1000.0, clock_ms("15:00"), 0
        self.journal: list[Event] = []
        self.commands: list[Command] = []
        #: Until when each strike is physically free.
        self.free_until_s = dict.fromkeys(plans.doors, 0.0)
        #: Whether boards tell their outputs' levels, and what they told last.
        self.has_feedback = False
        self.levels: dict[str, bool] = {}
        self.leaves: set[str] = set()
        self.states: list[str] = []
        self.out = OutcomeBuilder(1, lambda _event: None)
        self.doors = Doorkeeper(plans, self.out, self.inside)

    @property
    def now(self) -> Moment:
        """This instant."""
        return moment(self.utc_ms, self.utc_ms + self.spread_ms, s=self.now_s)

    def take(self) -> Told:
        """Let the boards obey; return what happened and was wished, shortly."""
        taken = self.out.take()
        self.journal += taken.events
        self.commands = list(taken.commands)
        for command in taken.commands:
            self._obey(command)
        kinds = [event.kind.value for event in taken.events]
        told = kinds + [short(command) for command in taken.commands]
        return told + self._report() if self.has_feedback else told

    def tick(self) -> Told:
        """Let timers that ran out take effect."""
        self.doors.expire(self.now)
        return self.take()

    def wait(self, seconds: float) -> Told:
        """Let time pass, with a tick at every deadline."""
        end_s, told = self.now_s + seconds, self.tick()
        idle = 0
        while (due_s := self._next_s()) <= end_s:
            idle = 0 if due_s > self.now_s else idle + 1
            assert idle < MAX_IDLE, "a deadline that stays due"
            self.pass_time(max(0.0, due_s - self.now_s))
            told += self.tick()
        self.pass_time(end_s - self.now_s)
        return told

    def wait_until(self, local: str, *, days: int = 0) -> Told:
        """Let time pass until a local time of the bench's Monday, or days later."""
        return self.wait((clock_ms(local, days=days) - self.utc_ms) / 1000)

    def pass_time(self, seconds: float) -> None:
        """Let time pass without a tick."""
        self.now_s += seconds
        self.utc_ms += round(seconds * 1000)

    def grant(self, door: str = "front", release_s: float = RELEASE_S) -> Told:
        """Let a holder be granted."""
        facts: Facts = (("kind", "CARD"),)
        who = Person(holder="holder-wang")
        kind, point = EventKind.ACCESS_GRANTED, f"{door}-in"
        event = self.out.event(kind, point, self.now, facts=facts, person=who)
        self.doors.grant(door, release_s, event, self.now)
        return self.take()

    def press(self, door: str = "front") -> Told:
        """Press the exit button."""
        self.doors.exit(door, self.now, is_pressed=True)
        return self.take()

    def swing(self, door: str = "front", *, is_open: bool) -> Told:
        """Open or close a leaf."""
        if is_open:
            self.leaves.add(door)
        else:
            self.leaves.discard(door)
        self.doors.contact(door, self.now, is_open=is_open)
        return self.take()

    def order(self, mode: str, door: str = "front", *, until_ms: int = 0) -> Told:
        """Order a mode."""
        assert self.why_not(mode, door, until_ms=until_ms) == ""
        return self.take()

    def why_not(self, mode: str, door: str = "front", *, until_ms: int = 0) -> str:
        """Order a mode; return why not, "" when done."""
        order = ModeOrdered(
            door=door,
            mode=DoorMode(mode),
            actor="chen",
            reason="evening",
            until_ms=until_ms,
        )
        return self.doors.order_mode(order, self.now)

    def open_by_hand(self, door: str = "front", **more: int | str) -> str:
        """Open from the panel; return why not."""
        order = PanelOpenOrdered(door=door, actor="chen", reason="forgot card")
        ordered = replace(order, **more)  # type: ignore[arg-type]
        return self.doors.open_by_hand(ordered, self.now)

    def output(self, door: str = "front", *, is_on: bool) -> Told:
        """Let the board tell a level."""
        self.doors.output(door, self.now, is_on=is_on)
        return self.take()

    def staff(self, door: str = "front") -> Told:
        """Let a volunteer have come in."""
        self.doors.staff_came_in(door, self.now)
        return self.take()

    def begin(self, state: str) -> Told:
        """Begin an emergency: what it imposes is imposed on all doors."""
        return self._emergency(EventKind.EMERGENCY_STARTED, state)

    def end(self, state: str) -> Told:
        """End it: what stands beneath is imposed again."""
        return self._emergency(EventKind.EMERGENCY_ENDED, state)

    def mode(self, door: str = "front") -> str:
        """Return a door's mode."""
        return self.doors.mode(door).value

    def phase(self, door: str = "front") -> str:
        """Return a door's phase."""
        return self.doors.standing()[door].phase.value

    def is_free(self, door: str = "front") -> bool:
        """Say whether the leaf physically opens to a push."""
        return self.now_s < self.free_until_s[door]

    def dump(self) -> str:
        """Return what survives, as it is stored."""
        return json.dumps(self.doors.dump(), sort_keys=True)

    def replayed(self, dump: str | None, after: int) -> Doorkeeper:
        """Return a doorkeeper from a snapshot and the events after it."""
        out = OutcomeBuilder(self.out.next_seq, lambda _event: None)
        doors = Doorkeeper(self.site, out, self.inside)
        states: list[str] = []
        if dump is not None:
            doors.load(json.loads(dump))
        for event in self.journal:
            if event.seq > after:
                doors.follow(event)
            heed(event, states, doors if event.seq > after else None)
        assert not out.take().commands, "a replay moved a strike"
        return doors

    def cut_power(self, dump: str | None = None, after: int = 0) -> Told:
        """Lose what is not in the journal, and start again with all leaves shut."""
        self.doors = self.replayed(dump, after)
        self.out = self.doors._out
        self.leaves.clear()
        self.free_until_s = dict.fromkeys(self.site.doors, 0.0)
        self.levels.clear()
        self.now_s = 5.0
        self.doors.reassert(self.site.doors)
        return self.take() + self.tick()

    def _emergency(self, kind: EventKind, state: str) -> Told:
        event = self.out.event(kind, "site", self.now, facts=(("state", state),))
        heed(event, self.states, self.doors)
        self.doors.settle(self.now)
        return self.take()

    def _next_s(self) -> float:
        """Return when the doors, or a strike whose level is told, change next."""
        times = [self.doors.deadline()]
        if self.has_feedback:
            times += [t for t in self.free_until_s.values() if t > self.now_s]
        return min((t for t in times if t is not None), default=float("inf"))

    def _report(self) -> Told:
        """Let the boards tell the levels that have changed."""
        told = []
        for door in self.site.doors:
            if self.levels.get(door) != self.is_free(door):
                self.levels[door] = self.is_free(door)
                told += self.output(door, is_on=self.levels[door])
        return told

    def _obey(self, command: Command) -> None:
        match command:
            case Release():
                self.free_until_s[command.door] = self.now_s + command.duration_s
            case Relock():
                assert command.door not in self.leaves, "relocked onto an open leaf"
                self.free_until_s[command.door] = 0.0
            case HoldOpen():
                self.free_until_s[command.door] = float("inf")
            case _:
                pass


def heed(event: Event, states: list[str], doors: Doorkeeper | None) -> None:
    """Follow an emergency's beginning and end, as the site's emergency does."""
    state = str(event.fact("state") or "")
    if state not in IMPOSED:
        return
    states[:] = [other for other in states if other != state]
    if event.kind is EventKind.EMERGENCY_STARTED:
        states.append(state)
    if doors is None:
        return
    first = next((other for other in IMPOSED if other in states), None)
    if first is None:
        doors.lift(doors.standing())
    else:
        doors.impose(doors.standing(), IMPOSED[first])


def short(command: Command) -> str:
    """Return a wish in a few words."""
    match command:
        case Release():
            return f"release {command.door} {command.duration_s:g}"
        case Relock():
            return f"relock {command.door}"
        case HoldOpen():
            return f"hold {command.door}"
        case Indicate():
            return f"{command.access_point}: {command.indication}"
        case _:
            raise AssertionError(f"no door's wish: {command}")
