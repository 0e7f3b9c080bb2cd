# SPDX-License-Identifier: Apache-2.0
"""Doors with physics, driven at random against an oracle that shares no code with them.

The law of the module: the oracle knows the ordered modes, the hours as minutes of the
day and until when each door may be opened; it never looks into the doorkeeper to
learn what should be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from edge.core.command import Release
from edge.core.doors.door import DoorMode
from edge.core.event import EventKind
from edge.core.moment import UNBOUNDED_MS
from tests.core.doors.bench import (
    DERANDOMIZED,
    IMPOSED,
    RELEASE_S,
    Bench,
    Expected,
    Told,
    hours,
    plan,
    site,
)
from tests.core.scene import DAY_MS, HOUR_MS

if TYPE_CHECKING:
    from edge.core.plan import DoorPlan

UTC_OFFSET_MS = 8 * HOUR_MS
WINDOWS = ((8 * HOUR_MS, 12 * HOUR_MS), (15 * HOUR_MS, 20 * HOUR_MS))
HOURS = hours("daily 08:00-12:00 15:00-20:00")
FREE = ("UNLOCKED", "LOCKED_OPEN")
YIELDING = ("LOCKED", "UNLOCKED")
ALARMS = ("DOOR_FORCED_OPEN", "DOOR_OPEN_TOO_LONG", "DOOR_HELD_WARNING")
BY_SCHEDULE = {
    EventKind.DOOR_UNLOCKED_BY_SCHEDULE: "UNLOCKED",
    EventKind.DOOR_RELOCKED_BY_SCHEDULE: "LOCKED",
}
RELAYS = (EventKind.DOOR_RELAY_STUCK, EventKind.DOOR_RELAY_FREED)
ENDS = (EventKind.ACCESS_TAKEN, EventKind.ACCESS_NOT_TAKEN)
SLACK_S, PULSE_S, MAX_SNAPSHOTS = 1.0, 10.0, 40
NAMES = ("front", "back", "yard")
#: Which of the site's doors; a site with fewer counts round.
DOORS = st.integers(0, len(NAMES) - 1)
MODES = st.sampled_from([mode.value for mode in DoorMode])
STATES = st.sampled_from(list(IMPOSED))
SECONDS = st.sampled_from([0.0, 0.5, 1.0, 3.0, 5.0, 5.5, 6.0, 9.0, 11.0, 21.0, 31.0])
LEAPS = st.sampled_from([600.0, 2 * 3600.0, 5 * 3600.0])
SPREADS = st.sampled_from([0, 0, 0, 200, HOUR_MS, UNBOUNDED_MS])


def opening_end(utc_ms: int) -> int:
    """Return when the opening around a time ends; 0 outside."""
    local_ms = (utc_ms + UTC_OFFSET_MS) % DAY_MS
    ends = [end for start, end in WINDOWS if start <= local_ms < end]
    return utc_ms - local_ms + ends[0] if ends else 0


def next_change(utc_ms: int) -> int:
    """Return when the next opening ends or begins."""
    local_ms = (utc_ms + UTC_OFFSET_MS) % DAY_MS
    times = [at_ms + later for w in WINDOWS for at_ms in w for later in (0, DAY_MS)]
    return utc_ms - local_ms + min(t for t in times if t > local_ms)


class DoorMachine(RuleBasedStateMachine):
    """People, physics and orders at the doors of one site."""

    plans: ClassVar[tuple[DoorPlan, ...]]

    @initialize()
    def build(self) -> None:
        self.bench = Bench(site(*self.plans, opens=HOURS))
        self.bench.has_feedback = True
        self.names = tuple(self.bench.site.doors)
        self.doors = {name: Expected() for name in self.names}
        self.pending: set[int] = set()
        self.snapshots = [(self.bench.dump(), 0)]
        self.seen = 0
        self.modes = dict.fromkeys(self.names, "LOCKED")

    # What people do

    @rule(number=DOORS)
    def grant(self, number: int) -> None:
        door = self._at(number)
        if self._is_free(door):
            return
        assert (self.bench.doors.interlocked_by(door) != "") == self._is_blocked(door)
        if not self._is_blocked(door):
            self.pending.add(self.bench.out.next_seq)
            self._note(self.bench.grant(door))
            self._allow(door, RELEASE_S)

    @rule(number=DOORS)
    def press(self, number: int) -> None:
        door = self._at(number)
        release_s = PULSE_S if self.bench.mode(door) == "UNLOCKED" else RELEASE_S
        self._note(self.bench.press(door))
        self._allow(door, release_s)
        until_s = self.bench.free_until_s[door]
        assert until_s >= self.bench.now_s + RELEASE_S - 0.1, "the way out stayed shut"
        pulses = [c for c in self.bench.commands if isinstance(c, Release)]
        assert all(pulse.is_egress for pulse in pulses)

    @rule(number=DOORS)
    def push(self, number: int) -> None:
        """An honest person opens whatever gives way, and is never an alarm."""
        door = self._at(number)
        if self._is_shut(door) and self.bench.is_free(door):
            told = self._open(door)
            assert "DOOR_FORCED_OPEN" not in told, "a free strike was called forced"

    @rule(number=DOORS)
    def force(self, number: int) -> None:
        door = self._at(number)
        if not self._is_shut(door):
            return
        is_allowed = self.doors[door].allowed_until_s > self.bench.now_s
        may_open = is_allowed or self._is_free(door) or self._is_expected(door)
        told = self._open(door)
        assert ("DOOR_FORCED_OPEN" in told) == (not may_open)

    @rule(number=DOORS)
    def close(self, number: int) -> None:
        door = self._at(number)
        if door in self.bench.leaves:
            self._note(self.bench.swing(door, is_open=False))

    @rule(is_anybody=st.booleans())
    def inside(self, *, is_anybody: bool) -> None:
        self.bench.inside.is_anybody = is_anybody

    @rule(number=DOORS)
    def staff(self, number: int) -> None:
        door = self._at(number)
        wanted = self.doors[door]
        if self._surely_open() and self._heeds(wanted):
            wanted.staffed_until_ms = self._surely_open()
        self._note(self.bench.staff(door))

    # What is ordered

    @rule(number=DOORS, mode=MODES)
    def order(self, number: int, mode: str) -> None:
        door = self._at(number)
        wanted = self.doors[door]
        wanted.ordered, wanted.ordered_until_ms, wanted.ends_ms = mode, 0, 0
        if self.bench.site.doors[door].unlock is not None:
            wanted.ordered_until_ms = next_change(self.bench.utc_ms)
        self._note(self.bench.order(mode, door))
        if not self.bench.states and mode not in FREE:
            wanted.allowed_until_s = 0.0

    @rule(number=DOORS, minutes=st.sampled_from([1, 30, 200]))
    def order_until(self, number: int, minutes: int) -> None:
        """Let a door stand free until a time, if anybody can tell when that is."""
        door = self._at(number)
        wanted, until_ms = self.doors[door], self.bench.utc_ms + minutes * 60_000
        is_told = self.bench.utc_ms + self.bench.spread_ms < until_ms
        why = self.bench.why_not("UNLOCKED", door, until_ms=until_ms)
        assert (why == "") is is_told, why
        if is_told:
            wanted.ordered = "UNLOCKED"
            wanted.ordered_until_ms = wanted.ends_ms = until_ms
            self._note(self.bench.take())

    @rule(state=STATES)
    def begin(self, state: str) -> None:
        self._change(state, is_begun=True)

    @rule(state=STATES)
    def end(self, state: str) -> None:
        self._change(state, is_begun=False)

    # What passes

    @rule(seconds=SECONDS)
    def wait(self, seconds: float) -> None:
        self._note(self.bench.wait(seconds))

    @rule(seconds=LEAPS)
    def wait_long(self, seconds: float) -> None:
        self._note(self.bench.wait(seconds))

    @rule(seconds=SECONDS)
    def be_busy(self, seconds: float) -> None:
        """Miss every tick; what boards told meanwhile is heard first."""
        self.bench.pass_time(seconds)
        self._note(self.bench.take())

    @rule(spread_ms=SPREADS)
    def lose_time(self, spread_ms: int) -> None:
        self.bench.spread_ms = spread_ms

    @rule()
    def remember(self) -> None:
        if len(self.snapshots) < MAX_SNAPSHOTS:
            self.snapshots.append((self.bench.dump(), len(self.bench.journal)))

    @rule(data=st.data())
    def rebuild(self, data: st.DataObject) -> None:
        self._note(self.bench.tick())
        dump, after = data.draw(st.sampled_from(self.snapshots))
        revived = self.bench.replayed(dump, after)
        assert revived.dump() == self.bench.doors.dump()

    @precondition(lambda self: not self.bench.leaves)
    @rule(data=st.data())
    def cut_power(self, data: st.DataObject) -> None:
        dump, after = data.draw(st.sampled_from(self.snapshots))
        self.pending.clear()
        self.bench.cut_power(dump, after)
        self.seen = len(self.bench.journal)
        for wanted in self.doors.values():
            wanted.allowed_until_s = 0.0

    # What must hold

    @invariant()
    def modes_are_those_of_the_oracle(self) -> None:
        self._note(self.bench.tick())
        for name, wanted in self.doors.items():
            self._lapse(wanted)
            mode = self._mode(name, wanted)
            if self.bench.mode(name) != mode:
                is_released = wanted.allowed_until_s > self.bench.now_s
                is_late = self.bench.mode(name) == "UNLOCKED" and mode == "LOCKED"
                assert is_late, (name, mode)
                assert is_released, "the hours' end waits for a release alone"

    @invariant()
    def held_doors_are_held(self) -> None:
        for name in self.names:
            is_held = self.bench.free_until_s[name] == float("inf")
            assert is_held or self.bench.mode(name) != "LOCKED_OPEN"

    def teardown(self) -> None:
        if not hasattr(self, "bench"):
            return
        for state in IMPOSED:
            self._change(state, is_begun=False)
        for number in range(len(self.names)):
            self.order(number, "LOCKED")
            self.close(number)
        self._note(self.bench.wait(100))
        assert not self.pending, "a grant without an outcome"
        for name in self.names:
            assert self.bench.phase(name) == "SECURE"
            assert self.bench.is_free(name) == self._is_free(name), "a strike left on"

    # The oracle

    def _at(self, number: int) -> str:
        """Return the door, once timers took effect as they do in a controller."""
        self._note(self.bench.tick())
        return self.names[number % len(self.names)]

    def _note(self, told: Told) -> None:
        """Check the events since the last look."""
        new, self.seen = self.bench.journal[self.seen :], len(self.bench.journal)
        assert len(told) >= len(new)
        for event in new:
            if event.kind in ENDS:
                self.pending.remove(int(event.fact("cause") or 0))
                assert event.person.holder == "holder-wang"
            assert event.kind not in RELAYS, "an honest board's relay was accused"
            if event.kind in BY_SCHEDULE and event.fact("under") is None:
                self.modes[event.subject] = BY_SCHEDULE[event.kind]
            if event.fact("actor") == "gateway" and event.fact("under") is None:
                self.modes[event.subject] = "LOCKED"
            is_alarm = event.kind in ALARMS
            assert not is_alarm or self.modes[event.subject] not in FREE, event
        self.modes = {name: self.bench.mode(name) for name in self.names}

    def _open(self, door: str) -> Told:
        told = self.bench.swing(door, is_open=True)
        self.doors[door].allowed_until_s = 0.0
        self._note(told)
        return told

    def _change(self, state: str, *, is_begun: bool) -> None:
        """Begin or end an emergency; a mode that locks ends what was released."""
        self._note(self.bench.tick())
        before = self._imposed()
        self._note(self.bench.begin(state) if is_begun else self.bench.end(state))
        if self._imposed() != before:
            for name, wanted in self.doors.items():
                if not self._is_free(name):
                    wanted.allowed_until_s = 0.0

    def _allow(self, door: str, release_s: float) -> None:
        wanted, until_s = self.doors[door], self.bench.now_s + release_s + SLACK_S
        wanted.allowed_until_s = max(wanted.allowed_until_s, until_s)

    def _is_shut(self, door: str) -> bool:
        has_contact = self.bench.site.doors[door].has_contact
        return has_contact and door not in self.bench.leaves

    def _is_free(self, door: str) -> bool:
        return self.bench.mode(door) in FREE

    def _is_expected(self, door: str) -> bool:
        if self.bench.site.doors[door].senses_exit:
            return False
        earliest_ms = self.bench.utc_ms
        latest_ms = min(earliest_ms + self.bench.spread_ms, earliest_ms + DAY_MS)
        is_touched = (
            opening_end(earliest_ms) > 0 or next_change(earliest_ms) <= latest_ms
        )
        return is_touched or self.bench.inside.is_anybody

    def _is_blocked(self, door: str) -> bool:
        if "DRILL" in self.bench.states:
            return False
        partners = set(self.bench.site.doors[door].interlocked_with)
        return any(
            name in self.bench.leaves
            or self._is_free(name)
            or self.doors[name].allowed_until_s > self.bench.now_s
            for name in partners
        )

    def _imposed(self) -> str:
        states = self.bench.states
        first = next((state for state in IMPOSED if state in states), None)
        return IMPOSED[first].value if first else ""

    def _surely_open(self) -> int:
        end_ms = opening_end(self.bench.utc_ms)
        latest_ms = self.bench.utc_ms + self.bench.spread_ms
        return end_ms if latest_ms < end_ms else 0

    def _heeds(self, wanted: Expected) -> bool:
        is_over = self.bench.utc_ms >= wanted.ordered_until_ms
        return wanted.ordered in YIELDING and is_over

    def _lapse(self, wanted: Expected) -> None:
        """End an order whose time may be over, once nobody is being let through."""
        is_over = self.bench.utc_ms + self.bench.spread_ms >= wanted.ends_ms > 0
        if is_over and wanted.allowed_until_s <= self.bench.now_s:
            wanted.ordered, wanted.ordered_until_ms, wanted.ends_ms = "LOCKED", 0, 0

    def _mode(self, name: str, wanted: Expected) -> str:
        imposed, door = self._imposed(), self.bench.site.doors[name]
        if imposed:
            return imposed
        if door.unlock is None or not self._heeds(wanted):
            return wanted.ordered
        end_ms = self._surely_open()
        is_staffed = not door.first_person_in or wanted.staffed_until_ms == end_ms
        return "UNLOCKED" if end_ms and is_staffed else "LOCKED"


class OneDoor(DoorMachine):
    """A door with hours that waits for its first person."""

    plans = (plan(unlock=HOURS, first_person_in=True),)


class UnseenDoor(DoorMachine):
    """A door with hours whose handle nobody sees."""

    plans = (plan(unlock=HOURS, senses_exit=False),)


class AirLock(DoorMachine):
    """Three doors of which one is to stay shut while another is not."""

    plans = tuple(
        plan(
            name,
            interlocked_with=frozenset(NAMES) - {name},
            has_contact=name != "yard",
        )
        for name in NAMES
    )


TestOneDoor = OneDoor.TestCase
TestOneDoor.settings = DERANDOMIZED
TestUnseenDoor = UnseenDoor.TestCase
TestUnseenDoor.settings = DERANDOMIZED
TestAirLock = AirLock.TestCase
TestAirLock.settings = DERANDOMIZED
