# SPDX-License-Identifier: Apache-2.0
"""One UHPPOTE controller: what to ask it next, what it said.

The law of the module: it knows the controller and nothing of orders and time-outs. At
each beginning it is found, then its plan is gone through, one question after another:
clock, who decides, special events, listener, supervisor passcodes set to none, number
of cards of its own, how each door is held, status. Only then is it reachable.
Afterwards a status every ``poll_s`` tells levels and events, and is the sign of life
for both sides: a controller that hears nothing for 30 s decides by its own list again.
That list is compared with the site file's first, see :mod:`drivers.uhppote.cards`.

What stands open or shut by itself is taken back afterwards, see
:mod:`drivers.uhppote.doors`; who else moves a door is watched, see
:mod:`drivers.uhppote.watch`.

Levels: inputs 1 to 4 are the doors' contacts as loops, active while the leaf is shut;
5 to 8 are the buttons, active while pressed. Outputs are the doors' relays.

Source: uhppoted/uhppote-core, messages/*.go; uhppoted/uhppote-simulator,
set_pc_control.go (30 s).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from drivers.device import (
    InputChanged,
    OutputChanged,
    Reachable,
    Signal,
    TagRead,
    Technology,
    Unreachable,
)
from drivers.limits import Liveness, Reach
from drivers.uhppote.cards import OfflineCards
from drivers.uhppote.doors import Doors
from drivers.uhppote.order import Phase
from drivers.uhppote.record import Record
from drivers.uhppote.requests import (
    clear_passcodes,
    count_cards,
    find,
    get_door,
    get_status,
    pc_control,
    record_special_events,
    set_listener,
    set_time,
)
from drivers.uhppote.watch import GRACE_S, Watch
from drivers.uhppote.wire import (
    Function,
    count_of,
    door_of,
    event_of,
    status_of,
    version_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from drivers.spec import WallClock
    from drivers.uhppote.options import UhppoteOptions
    from drivers.uhppote.order import Task
    from drivers.uhppote.wire import Event, Packet, Request, Status

#: The controller itself; its readers are units 1 to 8.
CONTROLLER = 0
CLOCK_EVERY_S = 3_600.0
#: How soon a time that is not known yet is asked for again.
CLOCK_UNKNOWN_S = 60.0
PROBE_EVERY_S = 1.0
#: Of whatever may be repeated: the first sending and two repeats.
SENDINGS = 3
#: Behind the end of a release: its relay is looked at.
RELEASE_MARGIN_S = 0.2
_SETTINGS = {
    Function.PC_CONTROL: "who decides",
    Function.RECORD_SPECIAL_EVENTS: "door events",
    Function.SET_LISTENER: "where events go",
    Function.SET_PASSCODES: "supervisor passcodes",
}


class Controller:
    """The state of one controller; see the module for its course."""

    def __init__(
        self,
        *,
        options: UhppoteOptions,
        readers: Collection[int],
        wall_clock: WallClock | None,
    ) -> None:
        self.serial = options.serial
        self.doors = Doors(options.doors)
        self._options = options
        self._readers = frozenset(readers)
        self._wall_clock = wall_clock
        self._cards = OfflineCards(numbers=options.cards(), doors=options.doors)
        self._liveness = Liveness()
        self._record = Record()
        self._watch = Watch(
            unit=CONTROLLER,
            doors=options.doors,
            admits_cards=not options.pc_control,
        )
        self._plan: deque[Request] = deque()
        self._due_at = 0.0
        self._clock_at = 0.0
        self._release_ends: dict[int, float] = {}
        self._inputs: tuple[bool, ...] = ()
        self._relays = (False,) * options.doors
        self._notes: list[str] = []
        self._unanswered: tuple[Request | None, int] = (None, 0)
        self._version = ""

    @property
    def reach(self) -> Reach:
        """Whether the controller answers."""
        return self._liveness.reach

    @property
    def units(self) -> tuple[int, ...]:
        """The controller and its readers, as the house names them."""
        return (CONTROLLER, *sorted(self._readers))

    def opened(self, now: float) -> None:
        """Begin anew; whatever was known of the controller is void."""
        self._liveness.restart()
        self.begin(now)

    def begin(self, now: float) -> None:
        """Find the controller and go through the whole plan, from ``now`` on."""
        self.serial = self._options.serial
        self.doors.begin()
        self._record.skip()
        self._watch.begin()
        self._plan = deque([find()])
        self._due_at = now
        self._inputs = ()
        self._release_ends.clear()
        self._notes.clear()
        self._cards.begin()

    def resumed(self, now: float) -> None:
        """Judge no swipe of meanwhile, and report all levels anew."""
        self._record.skip()
        self._watch.begin()
        self._inputs = ()
        self._due_at = min(self._due_at, now)

    def due_at(self) -> float:
        """When the controller is to be asked."""
        if self.reach is not Reach.ANSWERING:
            return self._due_at
        if self._plan or self._record.missing or self._cards.next_request():
            return 0.0
        return min(self._status_at(), self.doors.due_at())

    def next_request(self, now: float) -> Request:
        """Return the question to ask now; the caller brings the reply, or none."""
        if self.reach is not Reach.ANSWERING:
            return self._plan[0] if self._plan else get_status()
        if self._status_at() <= now:
            return get_status()
        planned = self._plan[0] if self._plan else self.doors.take_back(now)
        return (
            self._record.next_missing()
            or planned
            or self._cards.next_request()
            or get_status()
        )

    def answered(self, request: Request, packet: Packet, now: float) -> list[Signal]:
        """Take the reply to a request of :meth:`next_request`, or an order's."""
        self._liveness.heard()
        if self._unanswered[0] == request:
            self._unanswered = (None, 0)
        self._done(request)
        if request == self._cards.next_request():
            self._cards.answered(request, packet)
            return self._cards_told()
        match request.function:
            case Function.STATUS:
                return self._take_status(status_of(packet), now)
            case Function.GET_EVENT:
                return self._take_event(request, packet, now)
            case Function.FIND:
                self.serial = packet.serial
                self._version = version_of(packet)
                self._plan.extend(self._whole_plan(now))
            case Function.GET_DOOR | Function.SET_DOOR:
                self._take_door(packet)
            case Function.COUNT_CARDS if count := count_of(packet):
                self._notes.append(f"{count} cards of its own")
            case function if function in _SETTINGS and not packet.is_done:
                self._notes.append(f"{_SETTINGS[function]} can't be set")
        return []

    def missed(self, request: Request, why: str, now: float) -> list[Signal]:
        """Count an unanswered question, be it an order's.

        Not every firmware knows every function: a controller is lost when it answers
        neither finding nor status; what else it never answers is given up.
        """
        if request == self._cards.next_request():
            self._cards.missed(request)
            return self._cards_told()
        if request.function not in (Function.FIND, Function.STATUS):
            last, misses = self._unanswered
            misses = misses + 1 if last == request else 1
            self._unanswered = (request, misses)
            if misses >= SENDINGS:
                self._unanswered = (None, 0)
                self._give_up(request)
            return []
        is_lost = self._liveness.missed()
        if self.reach is not Reach.SILENT:
            return []
        self.begin(now + PROBE_EVERY_S)
        units = self.units if is_lost else ()
        return [Unreachable(unit=unit, why=why) for unit in units]

    def reported(self, packet: Packet, now: float) -> list[Signal]:
        """Take a report that nobody asked for; one that was overtaken says nothing."""
        status = status_of(packet)
        is_told = self.reach is Reach.ANSWERING and status.event is not None
        if not is_told or not self._record.accepts(status, is_asked=False):
            return []
        return self._take_levels(status, now)

    def sends(self, task: Task, now: float) -> None:
        """Take note that a packet goes out by which a door's relay moves."""
        door = task.order.channel
        self._watch.explains(door, now + task.control.delay_s + GRACE_S)
        if task.phase is Phase.OPENING:
            self._watch.opens(door, now)

    def unsure(self, door: int) -> None:
        """Ask how a door is held: whether it was set nobody knows."""
        self.doors.unsure(door)
        if (question := get_door(door)) not in self._plan:
            self._plan.append(question)

    def released(self, door: int, now: float) -> None:
        """Take note that a door was released: look at its relay now and then again."""
        self._due_at = now
        self._release_ends[door] = now + self.doors.delay_s(door) + RELEASE_MARGIN_S

    def is_late_report(self, packet: Packet, door: int) -> bool:
        """Whether a status may be a report of before, which shows a door's relay off.

        Nothing tells a report from an answer but that it bears news.
        """
        status = status_of(packet)
        return self._record.is_news(status) and not status.relays[door - 1]

    def is_on(self, door: int) -> bool:
        """Whether a door's relay was on when the controller was last asked."""
        return self._relays[door - 1]

    # -- inside --------------------------------------------------------------------

    def _status_at(self) -> float:
        return min([self._due_at, *self._release_ends.values()])

    def _whole_plan(self, now: float) -> list[Request]:
        options, doors = self._options, self.doors.numbers
        plan: list[Request] = self._clock(now)
        plan += [pc_control(is_on=options.pc_control), record_special_events()]
        if options.listen_address:
            plan.append(set_listener(options.listener(), options.listen_port))
        plan += [clear_passcodes(door) for door in doors]
        if not options.cards():  # with some, the others are counted behind them
            plan.append(count_cards())
        plan += [get_door(door) for door in doors]
        return [*plan, get_status()]

    def _clock(self, now: float) -> list[Request]:
        told = None if self._wall_clock is None else self._wall_clock()
        self._clock_at = now + (CLOCK_UNKNOWN_S if told is None else CLOCK_EVERY_S)
        return [] if told is None else [set_time(told)]

    def _take_door(self, packet: Packet) -> None:
        door, control = packet.body[0], door_of(packet)
        if packet.function == Function.SET_DOOR:
            self.doors.was_set(door, control)
        else:
            is_beginning = self.reach is not Reach.ANSWERING
            self.doors.found(door, control, is_beginning=is_beginning)

    def _take_event(self, request: Request, packet: Packet, now: float) -> list[Signal]:
        self._record.drop(request)
        return self._heed(event_of(packet), now)

    def _heed(self, event: Event | None, now: float) -> list[Signal]:
        """Return what an event that is news means."""
        if event is None:
            return []
        foreign = self._watch.heed(event, self.doors.delay_s(event.door), now)
        return [*foreign, *self._tag(event, now)]

    def _done(self, request: Request) -> None:
        if self._plan and self._plan[0] == request:
            self._plan.popleft()

    def _give_up(self, request: Request) -> None:
        self._done(request)
        match request.function:
            case Function.GET_EVENT:
                self._record.drop(request)
            case Function.SET_DOOR:
                self.doors.leave(request.body[0])
            case function if function in _SETTINGS:
                self._notes.append(f"{_SETTINGS[function]} can't be set")

    def _take_status(self, status: Status, now: float) -> list[Signal]:
        """Take a status that was asked for: the next one is due in a while."""
        ends = self._release_ends.items()
        self._release_ends = {door: end for door, end in ends if end > now}
        self._due_at = now
        if not self._record.accepts(status, is_asked=True):
            return []
        signals: list[Signal] = []
        if not self._plan and self.reach is not Reach.ANSWERING:
            self._liveness.found()
            self.doors.reached(now)
            signals += self._reachable()
        self._due_at = now + self._options.poll_s
        signals += self._take_levels(status, now)
        if now >= self._clock_at:
            self._plan.extend(self._clock(now))
        return signals

    def _reachable(self) -> list[Signal]:
        detail = "; ".join([f"version {self._version}", *self._notes])
        return [Reachable(unit=unit, detail=detail) for unit in self.units]

    def _cards_told(self) -> list[Signal]:
        """Say once more that it answers, if there is something to tell of its list."""
        notes = self._cards.notes()
        if self._cards.next_request() or not notes:
            return []
        self._notes += notes
        return self._reachable()

    def _take_levels(self, status: Status, now: float) -> list[Signal]:
        event = self._record.take_status(status, now)
        signals = [*self._report_inputs(status), *self._report_relays(status)]
        signals += self._heed(event, now)
        if self._record.missing:  # a button that was pressed may be among them
            return signals
        free = {door for door in self.doors.numbers if self.doors.may_stand_open(door)}
        return [*signals, *self._watch.look(status, free, now)]

    def _tag(self, event: Event, now: float) -> list[Signal]:
        """Return a swipe's number, if its reader is one that the site names."""
        swipe = self._record.judge(event, now)
        if swipe is None or swipe.reader not in self._readers:
            return []
        return [
            TagRead(
                unit=swipe.reader,
                technology=Technology.WIEGAND,
                bits=32,
                number=swipe.card.to_bytes(4, "big"),
            )
        ]

    def _report_inputs(self, status: Status) -> list[Signal]:
        doors = self._options.doors
        shut = [not is_open for is_open in status.are_open[:doors]]
        values = (*shut, *status.are_pressed[:doors])
        channels = [*range(1, doors + 1), *range(5, doors + 5)]
        before: tuple[bool | None, ...] = self._inputs or (None,) * len(values)
        self._inputs = values
        levels = zip(channels, before, values, strict=True)
        return [
            InputChanged(unit=CONTROLLER, channel=channel, is_active=is_active)
            for channel, was_active, is_active in levels
            if is_active is not was_active
        ]

    def _report_relays(self, status: Status) -> list[Signal]:
        values = status.relays[: self._options.doors]
        pairs = enumerate(zip(self._relays, values, strict=True), start=1)
        self._relays = values
        return [
            OutputChanged(unit=CONTROLLER, channel=channel, is_on=is_on)
            for channel, (was_on, is_on) in pairs
            if is_on is not was_on
        ]
