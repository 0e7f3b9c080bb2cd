# SPDX-License-Identifier: Apache-2.0
"""Relay and input boards on one Modbus RTU line: who may speak next.

The law of the module: one question at a time. Orders go first, then whatever is due
longest, and at an opening that is switching off. Nothing old moves a relay: an order
that is 2 s old, or whose board does not answer, is dropped and reported.
A pulse is one frame, timed by the board; sent again (at most twice, within 1 s of
the first) it can only last longer by that. Two boards with one address talk at once:
three answers in a row that begin as they must and fail their check say so.

Source: Waveshare wiki, "Modbus RTU Relay" (flash-on, FC 05 at 0200 + channel).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from math import ceil, isfinite
from typing import TYPE_CHECKING

from drivers.device import (
    GARBLED_BYTES,
    AddressConflict,
    Garbled,
    OpenLock,
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
from drivers.modbus.master import ModbusMaster, Unanswered
from drivers.modbus.relay_unit import (
    FLASH_ON,
    MAX_PULSE_UNITS,
    OFF,
    ON,
    RelayBoardOptions,
    RelayUnit,
    Step,
)
from drivers.modbus.rtu import Fault, Refused, Reply, Request, write_coil
from drivers.waiting import WaitingSignals

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Orders that wait for the line; more than all relays of a full bus want at once.
MAX_ORDERS = 64
ORDER_MAX_AGE_S = 2.0
#: The first sending and up to two repeats, begun within REPEAT_WITHIN_S.
ORDER_SENDINGS = 3
REPEAT_WITHIN_S = 1.0
#: Garbled at most once in so long for the whole line.
GARBLED_EVERY_S = 1.0
#: AddressConflict at most once in so long for one address.
CONFLICT_EVERY_S = 60.0
#: One collision may be noise, two an unlucky line.
COLLISIONS = 3
_TOO_OLD = "the order grew too old"
_UNREACHABLE = "the board is unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """An order on its way: when it came, when and how often it was sent."""

    order: Order
    request: Request
    taken_at: float
    first_sent_at: float = 0.0
    sendings: int = 0

    @property
    def old_at(self) -> float:
        """From when on it is too old to be sent."""
        return self.taken_at + ORDER_MAX_AGE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What the line is busy with: an order, or a step of a unit."""

    unit: RelayUnit
    about: _Task | Step


class RelayBoards:
    """The driver; see :class:`drivers.device.Device` for the verbs."""

    def __init__(self, *, boards: Mapping[int, RelayBoardOptions]) -> None:
        if not boards:
            raise LocalError("a Modbus line needs at least one board")
        self._units = {
            address: RelayUnit(address=address, options=options)
            for address, options in boards.items()
        }
        self._master = ModbusMaster(
            turnaround_s=max(options.turnaround_s for options in boards.values()),
            reply_timeout_s=max(options.reply_timeout_s for options in boards.values()),
        )
        self._garbled = RateLimit(most=1, within_s=GARBLED_EVERY_S)
        self._collisions = dict.fromkeys(boards, 0)
        self._conflicts = {
            address: RateLimit(most=1, within_s=CONFLICT_EVERY_S) for address in boards
        }
        self._orders: deque[_Task] = deque()
        self._question: _Question | None = None
        self._waiting = WaitingSignals()
        self._is_open = False

    @property
    def buffered_bytes(self) -> int:
        """How much of a reply waits for its rest."""
        return self._master.buffered_bytes

    def opened(self, now: float) -> None:
        """Switch all outputs of all boards off before anything else."""
        self._drop_orders("the link was opened anew")
        self._master.opened(now)
        for unit in self._units.values():
            unit.opened(now)
        self._is_open = True
        self._advance(now)

    def resumed(self, now: float) -> None:
        """Give the question in flight up and read all levels anew."""
        if not self._is_open:
            return
        if self._question and isinstance(self._question.about, _Task):
            self._fail(self._question.about.order, "the process stood still")
        self._question = None
        self._master.forget(now)
        for unit in self._units.values():
            unit.resumed(now)

    def closed(self, now: float) -> list[Signal]:
        """Drop all orders; call all boards unreachable."""
        self._is_open = False
        self._drop_orders("the link was lost")
        self._master.forget(now)
        signals = self._waiting.take()
        for unit in self._units.values():
            if unit.reach is Reach.ANSWERING:
                signals.append(Unreachable(unit=unit.address, why="the link was lost"))
            unit.opened(now)
        return signals

    def receive(self, data: bytes, now: float) -> list[Signal]:
        """Take bytes of the line's."""
        was_echoing = self._master.is_echoing
        reply = self._master.receive(data, now)
        if reply is None or self._question is None:
            return []
        question, self._question = self._question, None
        signals = self._answered(question, reply, now)
        if self._master.is_echoing and not was_echoing:
            self._begin_anew(now)
        self._advance(now)
        return [*signals, *self._waiting.take()]

    def tick(self, now: float) -> list[Signal]:
        """Give up what was not answered, ask what is due."""
        signals: list[Signal] = []
        was_echoing = self._master.is_echoing
        unanswered = self._master.expire(now)
        if unanswered is not None and self._question is not None:
            question, self._question = self._question, None
            signals += self._unanswered(question, unanswered, now)
        if self._master.is_echoing and not was_echoing:
            self._begin_anew(now)
        self._advance(now)
        return [*self._waiting.take(), *signals]

    def deadline(self) -> float | None:
        """Return the end of the wait for a reply, else the time of a question."""
        if self._waiting:
            return 0.0
        if not self._is_open:
            return None
        times = [task.old_at for task in self._orders]
        if not self._master.is_idle:
            return min([*times, self._master.answer_by])
        due_at = min([unit.due_at() for unit in self._units.values()])
        if any(self._is_served(task) for task in self._orders):
            due_at = 0.0
        return min([*times, max(due_at, self._master.ready_at)])

    def order(self, order: Order, now: float) -> None:
        """Take an order and send it at once if the line is free.

        A cue is dropped: a board has no lamp that anybody looks at.
        """
        if isinstance(order, Show):
            return
        task = self._task_of(order, now)
        if isinstance(task, str):
            self._fail(order, task)
            return
        self._orders.append(task)
        self._advance(now)

    def take_outgoing(self) -> bytes:
        """Hand over the frame that is to be written."""
        return self._master.take_outgoing()

    def _task_of(self, order: Pulse | SetOutput | OpenLock, now: float) -> _Task | str:
        """Return what is to be sent, or why the order is refused."""
        unit = self._units.get(order.unit)
        if unit is None:
            return "no board has this address"
        if isinstance(order, OpenLock):
            return "a relay board has outputs, not locks"
        if not 1 <= order.channel <= unit.channels:
            return f"the board has channels 1 to {unit.channels}"
        if not self._is_open or unit.reach is Reach.SILENT:
            return _UNREACHABLE
        if len(self._orders) >= MAX_ORDERS:
            return "too many orders wait"
        request = _request_of(order)
        if request is None:
            return f"a pulse lasts 0.1 to {MAX_PULSE_UNITS / 10} s"
        return _Task(order=order, request=request, taken_at=now)

    def _advance(self, now: float) -> None:
        """Ask the next question, if the line is free."""
        self._drop_hopeless(now)
        if not self._is_open or not self._master.is_idle or now < self._master.ready_at:
            return
        if not self._send_order(now):
            self._send_question(now)

    def _send_order(self, now: float) -> bool:
        task = next((task for task in self._orders if self._is_served(task)), None)
        if task is None:
            return False
        self._orders.remove(task)
        first_sent_at = task.first_sent_at if task.sendings else now
        task = replace(task, sendings=task.sendings + 1, first_sent_at=first_sent_at)
        self._master.ask(task.request, now)
        unit = self._units[task.order.unit]
        self._question = _Question(unit=unit, about=task)
        return True

    def _send_question(self, now: float) -> None:
        due = [unit for unit in self._units.values() if unit.due_at() <= now]
        if not due:
            return
        # At an opening all are due at once: all are off before any is asked.
        unit = min(due, key=lambda unit: (unit.due_at(), unit.is_switched_off))
        step, request = unit.next_request(now)
        self._master.ask(request, now)
        self._question = _Question(unit=unit, about=step)

    def _answered(self, question: _Question, reply: Reply, now: float) -> list[Signal]:
        self._collisions[question.unit.address] = 0
        if isinstance(question.about, Step):
            return question.unit.answered(question.about, reply, now)
        if isinstance(reply, Refused):
            self._fail(question.about.order, reply.why)
        else:
            question.unit.obeyed(question.about.order, now)
        return []

    def _unanswered(
        self, question: _Question, unanswered: Unanswered, now: float
    ) -> list[Signal]:
        unit, about, why = question.unit, question.about, unanswered.why
        signals = self._report_garbled(unit.address, unanswered, now)
        signals += self._report_conflict(unit.address, unanswered, now)
        signals += unit.missed(why, now)
        if isinstance(about, _Task):
            is_late = now - about.first_sent_at >= REPEAT_WITHIN_S
            if is_late or about.sendings >= ORDER_SENDINGS:
                self._fail(about.order, why)
            else:
                self._orders.appendleft(about)
        return signals

    def _begin_anew(self, now: float) -> None:
        """Repeat all steps: until the echo was known, it may have been the answer."""
        for unit in self._units.values():
            if unit.reach is not Reach.SILENT:
                unit.begin(now)

    def _is_served(self, task: _Task) -> bool:
        return self._units[task.order.unit].reach is Reach.ANSWERING

    def _drop_hopeless(self, now: float) -> None:
        """Fail the orders that grew old or whose board was lost."""
        for task in tuple(self._orders):
            is_old = now >= task.old_at
            is_lost = self._units[task.order.unit].reach is Reach.SILENT
            if is_old or is_lost:
                self._orders.remove(task)
                self._fail(task.order, _TOO_OLD if is_old else _UNREACHABLE)

    def _drop_orders(self, why: str) -> None:
        """Fail all orders, the one in flight included."""
        if self._question is not None and isinstance(self._question.about, _Task):
            self._fail(self._question.about.order, why)
        self._question = None
        for task in self._orders:
            self._fail(task.order, why)
        self._orders.clear()

    def _fail(self, order: Order, why: str) -> None:
        self._waiting.add(OrderFailed(unit=order.unit, order=order, why=why))

    def _report_garbled(
        self, address: int, unanswered: Unanswered, now: float
    ) -> list[Signal]:
        if not unanswered.raw or not self._garbled.admit(now):
            return []
        raw = unanswered.raw[:GARBLED_BYTES]
        return [Garbled(unit=address, raw=raw, why=unanswered.why)]

    def _report_conflict(
        self, address: int, unanswered: Unanswered, now: float
    ) -> list[Signal]:
        is_mixed = unanswered.why == Fault.CHECKSUM and unanswered.raw[0] == address
        self._collisions[address] = self._collisions[address] + 1 if is_mixed else 0
        if self._collisions[address] < COLLISIONS:
            return []
        self._collisions[address] = 0
        if not self._conflicts[address].admit(now):
            return []
        why = "answers fail their check, as when two boards talk"
        return [AddressConflict(unit=address, why=why)]


def _request_of(order: Pulse | SetOutput) -> Request | None:
    """Return the one frame of an order; None for a pulse that the board can't time."""
    coil = order.channel - 1
    match order:
        case SetOutput(is_on=is_on):
            return write_coil(order.unit, coil, ON if is_on else OFF)
        case Pulse(duration_s=duration_s):
            if not isfinite(duration_s) or duration_s <= 0:
                return None
            # Rounded up; 0.7 s is 7 units although 0.7 * 10 is a little more in floats.
            units = ceil(round(duration_s * 10, 6))
            if not 1 <= units <= MAX_PULSE_UNITS:
                return None
            return write_coil(order.unit, FLASH_ON + coil, units)
