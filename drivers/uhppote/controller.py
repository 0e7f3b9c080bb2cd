# SPDX-License-Identifier: Apache-2.0
"""A UHPPOTE (微耕) door controller by UDP: a board of doors and its readers.

The law of the module: one question at a time, orders first. A door is opened by one
packet that is never sent twice: without an answer its relay is looked at, and what
that does not tell is "unknown outcome". The answer names no door, so that for a while
after one that was missed none is believed, and the relay is looked at each time.
Everything else is sent up to three times. Nothing old moves a relay: an order that is
2 s old is dropped and reported.

A port is one controller. Unit 0 is the controller itself, with doors 1 to 4 as its
channels (see :mod:`drivers.uhppote.unit` for its inputs); units 1 to 4 are the readers
at the entries of the doors, 5 to 8 at their exits. A swipe at a reader that the site
does not name is passed over.

A pulse's length is a setting of the door, kept by the controller in whole seconds: it
is set before an opening only where it differs. Each call of ``receive`` takes one
datagram; ``take_outgoing`` gives whole packets of 64 bytes.

The packets have no secret: whoever reaches the controller's address opens its doors.
It belongs on a network of its own.

Source: uhppoted/uhppote-core, messages/*.go; uhppoted-lib-python 0.9.1.1.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from drivers.device import (
    GARBLED_BYTES,
    Garbled,
    Order,
    OrderFailed,
    Pulse,
    SetOutput,
    Show,
    Signal,
    Unreachable,
)
from drivers.errors import LocalError
from drivers.limits import RateLimit, Reach
from drivers.uhppote.order import Phase, Task, control_of
from drivers.uhppote.requests import MAX_DELAY_S, get_status, open_door, set_door
from drivers.uhppote.unit import CONTROLLER, SENDINGS, Controller
from drivers.uhppote.wire import (
    DoorMode,
    Function,
    Packet,
    Request,
    decode,
    encode,
)
from drivers.waiting import WaitingSignals

if TYPE_CHECKING:
    from collections.abc import Collection

    from drivers.spec import WallClock
    from drivers.uhppote.options import UhppoteOptions

#: Orders that wait; several times all doors of a controller.
MAX_ORDERS = 16
GARBLED_EVERY_S = 1.0
#: Nothing is on its way in a local network for longer.
LATE_ANSWER_S = 3.0
READERS = range(1, 9)
_NO_ANSWER = "no answer"
_UNKNOWN = "unknown outcome"
_TOO_OLD = "the order grew too old"
_UNREACHABLE = "the controller is unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What an answer is awaited to; ``task`` is None for the controller's own."""

    request: Request
    task: Task | None
    answer_by: float
    sendings: int


class UhppoteController:
    """The driver; see :class:`drivers.device.Device` for the verbs.

    ``readers``: the readers' units that the site names. ``wall_clock``: the local time
    to which the controller's clock is set at each beginning and every hour; it is
    handed in because ``now`` is monotonic and no driver asks a clock. Without it, and
    while it tells None, the clock is left alone.
    """

    def __init__(
        self,
        *,
        options: UhppoteOptions,
        readers: Collection[int] = (),
        wall_clock: WallClock | None = None,
    ) -> None:
        if not set(readers) <= set(READERS):
            raise LocalError("a controller's readers are units 1 to 8")
        self._doors = options.doors
        self._reply_timeout_s = options.reply_timeout_s
        self._controller = Controller(
            options=options, readers=readers, wall_clock=wall_clock
        )
        self._garbled = RateLimit(most=1, within_s=GARBLED_EVERY_S)
        self._orders: deque[Task] = deque()
        self._question: _Question | None = None
        self._late_until = 0.0
        self._outgoing = bytearray()
        self._waiting = WaitingSignals()
        self._is_open = False

    def opened(self, now: float) -> None:
        """Find the controller and bring it in line before anything else."""
        self._drop_orders("the link was opened anew", now)
        self._outgoing.clear()
        self._controller.opened(now)
        self._is_open = True
        self._advance(now)

    def resumed(self, now: float) -> None:
        """Give up what is in flight and take no swipe of meanwhile."""
        if not self._is_open:
            return
        self._drop_question("the process stood still", now)
        self._outgoing.clear()
        self._controller.resumed(now)

    def closed(self, now: float) -> list[Signal]:
        """Drop all orders; call controller and readers unreachable."""
        self._is_open = False
        self._drop_orders("the link was lost", now)
        self._outgoing.clear()
        signals = self._waiting.take()
        if self._controller.reach is Reach.ANSWERING:
            why = "the link was lost"
            units = self._controller.units
            signals += [Unreachable(unit=unit, why=why) for unit in units]
        self._controller.opened(now)
        return signals

    def receive(self, data: bytes, now: float) -> list[Signal]:
        """Take one datagram; whatever another controller says is passed over."""
        packet = decode(data)
        if isinstance(packet, str):
            return self._report_garbled(data, packet, now)
        if not self._is_open or self._controller.serial not in (0, packet.serial):
            return []
        signals: list[Signal] = []
        question = self._question
        if question is not None and self._is_answer(packet, question):
            self._question = None
            signals += self._answered(question, packet, now)
        elif packet.function == Function.STATUS:
            signals += self._controller.reported(packet, now)
        self._advance(now)
        return [*signals, *self._waiting.take()]

    def tick(self, now: float) -> list[Signal]:
        """Give up what was not answered, ask what is due."""
        signals: list[Signal] = []
        if self._question is not None and now >= self._question.answer_by:
            question, self._question = self._question, None
            signals += self._unanswered(question, now)
        self._advance(now)
        return [*self._waiting.take(), *signals]

    def deadline(self) -> float | None:
        """Return the end of the wait for a reply, else the time of a question."""
        if self._waiting:
            return 0.0
        if not self._is_open:
            return None
        times = [task.old_at for task in self._orders]
        if self._question is not None:
            return min([*times, self._question.answer_by])
        is_served = self._orders and self._controller.reach is Reach.ANSWERING
        return 0.0 if is_served else min([*times, self._controller.due_at()])

    def order(self, order: Order, now: float) -> None:
        """Take an order and send it at once unless an answer is awaited."""
        if isinstance(order, Show):
            return
        task = self._task_of(order, now)
        if isinstance(task, str):
            self._fail(order, task)
            return
        self._orders.append(task)
        self._advance(now)

    def take_outgoing(self) -> bytes:
        """Hand over the packet that is to be sent."""
        outgoing = bytes(self._outgoing)
        self._outgoing.clear()
        return outgoing

    # -- inside --------------------------------------------------------------------

    def _task_of(self, order: Order, now: float) -> Task | str:
        """Return what is to be done, or why the order is refused."""
        if not isinstance(order, Pulse | SetOutput):
            return "a controller has doors, neither locks nor lamps"
        if order.unit != CONTROLLER:
            return "a reader moves nothing; its controller is unit 0"
        if not 1 <= order.channel <= self._doors:
            return f"the controller has doors 1 to {self._doors}"
        if isinstance(order, SetOutput):  # the house's word, even if it is lost here
            self._controller.doors.wants(order.channel, is_on=order.is_on)
        if not self._is_open or self._controller.reach is Reach.SILENT:
            return _UNREACHABLE
        if len(self._orders) >= MAX_ORDERS:
            return "too many orders wait"
        control = control_of(order, self._controller.doors.get(order.channel))
        if control is None:
            return f"a pulse lasts up to {MAX_DELAY_S} s"
        return Task(order=order, control=control, taken_at=now)

    def _advance(self, now: float) -> None:
        """Ask the next question, if no answer is awaited."""
        self._drop_hopeless(now)
        if not self._is_open or self._question is not None:
            return
        if self._orders and self._controller.reach is Reach.ANSWERING:
            self._begin(self._orders.popleft(), now)
        elif self._controller.due_at() <= now:
            self._ask(self._controller.next_request(now), None, now)

    def _begin(self, task: Task, now: float) -> None:
        """Set the door if it is held otherwise, else open it."""
        door, control = task.order.channel, task.control
        is_held_so = self._controller.doors.get(door) == control
        # A door that stands open by order is not to be shut by a pulse.
        is_ready = is_held_so or self._controller.doors.stands_open(door)
        if is_ready and isinstance(task.order, Pulse):
            was_on = self._controller.is_on(door)
            task = replace(task, phase=Phase.OPENING, was_on=was_on)
            self._ask(open_door(door), task, now)
            return
        request = set_door(door, DoorMode(control.mode), control.delay_s)
        self._ask(request, task, now)

    def _ask(
        self, request: Request, task: Task | None, now: float, sendings: int = 1
    ) -> None:
        if task is not None and task.phase is not Phase.LOOKING:
            self._controller.sends(task, now)
        self._outgoing += encode(request, self._controller.serial)
        self._question = _Question(
            request=request,
            task=task,
            answer_by=now + self._reply_timeout_s,
            sendings=sendings,
        )

    def _answered(
        self, question: _Question, packet: Packet, now: float
    ) -> list[Signal]:
        signals = self._controller.answered(question.request, packet, now)
        task = question.task
        if task is None:
            return signals
        door = task.order.channel
        match task.phase:
            case Phase.SETTING:
                self._door_was_set(task, now)
            case Phase.OPENING if now < self._late_until:
                self._look(task, now)
            case Phase.OPENING if packet.is_done:
                self._controller.released(door, now)
            case Phase.OPENING:
                self._fail(task.order, "the controller refused to open")
            case Phase.LOOKING:
                self._looked(task, now)
        return signals

    def _is_answer(self, packet: Packet, question: _Question) -> bool:
        """Tell whether a packet answers; a report of before is none to a look."""
        if not question.request.is_answered_by(packet):
            return False
        task = question.task
        if task is None or task.phase is not Phase.LOOKING:
            return True
        return not self._controller.is_late_report(packet, task.order.channel)

    def _look(self, task: Task, now: float) -> None:
        self._ask(get_status(), replace(task, phase=Phase.LOOKING), now)

    def _looked(self, task: Task, now: float) -> None:
        """Conclude from the relay, which proves something only if it was off before."""
        door = task.order.channel
        if self._controller.is_on(door) and not task.was_on:
            self._controller.released(door, now)
        else:
            self._fail(task.order, _UNKNOWN)

    def _door_was_set(self, task: Task, now: float) -> None:
        if self._controller.doors.get(task.order.channel) != task.control:
            # Or else it is a late answer to a setting of before.
            self._give_up(task, "the controller refused to set the door", now)
        elif now >= task.old_at:
            self._fail(task.order, _TOO_OLD)
        elif isinstance(task.order, Pulse):
            self._begin(task, now)

    def _unanswered(self, question: _Question, now: float) -> list[Signal]:
        task, request = question.task, question.request
        signals = self._controller.missed(request, _NO_ANSWER, now)
        if task is None:
            return signals
        is_last = question.sendings >= SENDINGS or now >= task.old_at
        match task.phase:
            case Phase.OPENING:
                self._late_until = now + LATE_ANSWER_S
                self._look(task, now)
            case Phase.SETTING if not is_last:
                self._ask(request, task, now, question.sendings + 1)
            case Phase.LOOKING:
                self._looked(task, now)
            case _:
                self._give_up(task, _NO_ANSWER, now)
        return signals

    def _give_up(self, task: Task, why: str, now: float) -> None:
        """Fail an order that may or may not have been carried out."""
        self._fail(task.order, why)
        match task.phase:
            case Phase.SETTING:
                self._controller.unsure(task.order.channel)
            case Phase.OPENING:
                self._late_until = now + LATE_ANSWER_S

    def _drop_hopeless(self, now: float) -> None:
        """Fail the orders that grew old or whose controller was lost."""
        is_lost = self._controller.reach is Reach.SILENT
        for task in tuple(self._orders):
            if now >= task.old_at or is_lost:
                self._orders.remove(task)
                self._fail(task.order, _UNREACHABLE if is_lost else _TOO_OLD)

    def _drop_orders(self, why: str, now: float) -> None:
        """Fail all orders, the one in flight included."""
        self._drop_question(why, now)
        for task in self._orders:
            self._fail(task.order, why)
        self._orders.clear()

    def _drop_question(self, why: str, now: float) -> None:
        if self._question is not None and self._question.task is not None:
            self._give_up(self._question.task, why, now)
        self._question = None

    def _fail(self, order: Order, why: str) -> None:
        self._waiting.add(OrderFailed(unit=order.unit, order=order, why=why))

    def _report_garbled(self, data: bytes, why: str, now: float) -> list[Signal]:
        if not self._garbled.admit(now):
            return []
        return [Garbled(unit=CONTROLLER, raw=data[:GARBLED_BYTES], why=why)]
