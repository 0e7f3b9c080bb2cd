# SPDX-License-Identifier: Apache-2.0
"""Lock-control boards on one line, of whatever family: who may speak next.

The law of the module: one question at a time; after an opening the look at its board
first, then orders, then whatever is due longest. An opening is sent once and never
again: only a person may repeat it. Nothing old opens a lock: an order that is 2 s
old, or whose board does not answer, is dropped and reported. Openings keep a distance
for the sake of the supply. There is no order to open all. A board that is woken from
being busy is woken before an opening is sent to it, never behind one that may count.

InputChanged is a lock's feedback, active while it says "closed". An order that opened
its lock says so by that alone; OrderFailed tells of any other end.

Source: Open-Locker ADR-0035 and ADR-0067; WjlLockDriver of dp2 (timing).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.device import Garbled, OpenLock, Order, OrderFailed, Show, Signal
from drivers.errors import LocalError
from drivers.limits import RateLimit, Reach
from drivers.locks.lock_line import Heard, LockLine, Unanswered
from drivers.locks.lock_unit import UNKNOWN_OUTCOME, LockUnit
from drivers.locks.lock_wire import Ask, Levels, LockWire, Status
from drivers.waiting import WaitingSignals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.locks.lock_options import LockBoardOptions

#: Orders of the line that wait or are not decided; more than people stand there.
MAX_ORDERS = 64
ORDER_MAX_AGE_S = 2.0
#: A solenoid draws 1 to 2 A for some 300 ms; two at once may starve the board.
OPENINGS_EVERY_S = 0.4
#: Garbled at most once in so long for the whole line.
GARBLED_EVERY_S = 1.0
_UNREACHABLE = "the board is unreachable"
_ECHOING = "the line echoes"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """An order that waits for the line."""

    order: OpenLock
    taken_at: float

    @property
    def old_at(self) -> float:
        """From when on it is too old to be sent."""
        return self.taken_at + ORDER_MAX_AGE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What the line is busy with: an opening if ``order`` is there, else a query."""

    unit: LockUnit
    ask: Ask
    asked_at: float
    order: OpenLock | None = None


class LockBoards:
    """The driver of a family; see :class:`drivers.device.Device` for the verbs."""

    def __init__(
        self, *, wire: LockWire, boards: Mapping[int, LockBoardOptions]
    ) -> None:
        if not boards:
            raise LocalError("a line of lock-control boards needs at least one board")
        for address in boards:
            if address not in wire.addresses:
                allowed = f"{wire.addresses[0]} to {wire.addresses[-1]}"
                raise LocalError(f"a board has an address {allowed}, not {address}")
        self._wire = wire
        self._units = {
            address: LockUnit(address=address, wire=wire, options=options)
            for address, options in boards.items()
        }
        self._line = LockLine(
            wire=wire,
            turnaround_s=max(options.turnaround_s for options in boards.values()),
        )
        self._garbled = RateLimit(most=1, within_s=GARBLED_EVERY_S)
        self._tasks: deque[_Task] = deque()
        self._question: _Question | None = None
        self._waiting = WaitingSignals()
        self._next_opening_at = 0.0
        self._is_open = False

    @property
    def buffered_bytes(self) -> int:
        """How much of a frame waits for its rest."""
        return self._line.buffered_bytes

    def opened(self, now: float) -> None:
        """Ask every board for its levels; touch no lock."""
        self._drop_orders("the link was opened anew")
        self._line.opened(now)
        for unit in self._units.values():
            for signal in unit.give_openings_up():
                self._waiting.add(signal)
            unit.opened(now)
        self._is_open = True
        self._advance(now)

    def resumed(self, now: float) -> None:
        """Give the question in flight up and read all levels anew.

        An opening in flight is decided by what they say.
        """
        if not self._is_open:
            return
        question, self._question = self._question, None
        self._line.forget(now)
        for unit in self._units.values():
            unit.resumed(now)
        if question is not None:
            self._end_opening(question, now, None)

    def closed(self, now: float) -> list[Signal]:
        """Drop all orders; call all boards unreachable."""
        self._is_open = False
        self._drop_orders("the link was lost")
        self._line.forget(now)
        signals = self._waiting.take()
        for unit in self._units.values():
            signals += unit.closed()
            unit.opened(now)
        return signals

    def receive(self, data: bytes, now: float) -> list[Signal]:
        """Take bytes of the line's."""
        if not self._is_open:
            return []
        heard = self._line.receive(data, now)
        # Reports last: each is followed by a look, which an older answer must not undo.
        signals = self._answered(heard, now) + self._reported(heard, now)
        self._advance(now)
        return [*self._waiting.take(), *signals]

    def tick(self, now: float) -> list[Signal]:
        """Give up what was not answered, ask what is due."""
        signals: list[Signal] = []
        unanswered = self._line.expire(now)
        if unanswered is not None and self._question is not None:
            question, self._question = self._question, None
            signals = self._unanswered(question, unanswered, now)
        self._advance(now)
        return [*self._waiting.take(), *signals]

    def deadline(self) -> float | None:
        """Return the end of the wait for a reply, else the time of a question."""
        if self._waiting:
            return 0.0
        if not self._is_open:
            return None
        times = [task.old_at for task in self._tasks]
        if not self._line.is_idle:
            return min([*times, self._line.answer_by])
        due_at = min(unit.due_at for unit in self._units.values())
        if any(self._is_served(task) for task in self._tasks):
            due_at = min(due_at, self._next_opening_at)
        return min([*times, max(due_at, self._line.ready_at)])

    def order(self, order: Order, now: float) -> None:
        """Take an order and send it at once if the line is free; no board can show."""
        if isinstance(order, Show):
            return
        task = self._task_of(order, now)
        if isinstance(task, str):
            self._fail(order, task)
            return
        self._tasks.append(task)
        self._advance(now)

    def take_outgoing(self) -> bytes:
        """Hand over the frame that is to be written."""
        return self._line.take_outgoing()

    def _task_of(self, order: Order, now: float) -> _Task | str:
        """Return what is to be sent, or why the order is refused."""
        if not isinstance(order, OpenLock):
            return "a lock-control board only opens locks"
        unit = self._units.get(order.unit)
        if unit is None:
            return "no board has this address"
        if not 1 <= order.channel <= unit.options.channels:
            return f"the board has channels 1 to {unit.options.channels}"
        if not self._is_open or unit.reach is Reach.SILENT:
            return _UNREACHABLE
        open_count = sum(unit.open_count for unit in self._units.values())
        if len(self._tasks) + open_count >= MAX_ORDERS:
            return "too many orders wait"
        return _Task(order=order, taken_at=now)

    def _advance(self, now: float) -> None:
        """Ask the next question, if the line is free."""
        self._drop_hopeless(now)
        if not self._is_open or not self._line.is_idle or now < self._line.ready_at:
            return
        due = [unit for unit in self._units.values() if unit.due_at <= now]
        owing = [unit for unit in due if unit.owes_look]
        if owing:
            self._ask(owing[0], now)
        elif not self._send_order(now) and due:
            self._ask(min(due, key=lambda unit: unit.due_at), now)

    def _send_order(self, now: float) -> bool:
        if now < self._next_opening_at:
            return False
        task = next((task for task in self._tasks if self._is_served(task)), None)
        if task is None:
            return False
        order, unit = task.order, self._units[task.order.unit]
        if not unit.is_fresh(now):
            self._ask(unit, now)
            return True
        self._tasks.remove(task)
        options = unit.options
        request = self._wire.open_one(
            order.unit, order.channel, channels=options.channels
        )
        self._line.ask(request, now, timeout_s=options.opening_wait_s)
        self._next_opening_at = now + OPENINGS_EVERY_S
        self._question = _Question(
            unit=unit, ask=request.ask, asked_at=now, order=order
        )
        return True

    def _ask(self, unit: LockUnit, now: float) -> None:
        """Put the unit's next question, or wake it first."""
        is_echo_known = self._line.is_echoing is not None
        request = unit.next_request(is_echo_known=is_echo_known)
        timeout_s = unit.options.reply_timeout_s
        if request.ask is Ask.CLEAR:
            timeout_s = unit.clearing_s
        self._line.ask(request, now, timeout_s=timeout_s)
        self._question = _Question(unit=unit, ask=request.ask, asked_at=now)

    def _reported(self, heard: Heard, now: float) -> list[Signal]:
        signals: list[Signal] = []
        for status in heard.told:
            unit = self._units.get(status.address)
            if unit is not None and status.bit is not None:
                signals += unit.told(status.channel, now, bit=status.bit)
        for address in heard.reporting:
            if address in self._units:
                self._units[address].reported(now)
        return signals

    def _answered(self, heard: Heard, now: float) -> list[Signal]:
        if heard.answer is None or self._question is None:
            return []
        question, self._question = self._question, None
        unit = question.unit
        match heard.answer:
            case Levels(bits=bits):
                detail = _ECHOING if self._line.is_echoing else ""
                return unit.looked(bits, now, detail=detail)
            case Status(channel=channel, bit=bit) as status:
                self._end_opening(question, now, status)
                if bit is None:
                    return []
                if question.order is None:
                    return unit.looked_at_one(channel, now, bit=bit)
                return unit.told(channel, now, bit=bit)

    def _unanswered(
        self, question: _Question, unanswered: Unanswered, now: float
    ) -> list[Signal]:
        if question.ask is Ask.CLEAR:
            question.unit.cleared()
            return []
        signals: list[Signal] = []
        address, raw, why = question.unit.address, unanswered.raw, unanswered.why
        if raw and self._garbled.admit(now):
            signals.append(Garbled(unit=address, raw=raw, why=why))
        if question.order is None:
            return signals + question.unit.missed(why, now)
        self._end_opening(question, now, None)
        return signals

    def _end_opening(
        self, question: _Question, now: float, answer: Status | None
    ) -> None:
        """Let the board's levels decide, if the question was an opening."""
        if question.order is not None:
            question.unit.opening_ended(
                question.order,
                sent_at=question.asked_at,
                now=now,
                is_answered=answer is not None,
                is_refused=answer is not None and answer.is_refused,
            )

    def _is_served(self, task: _Task) -> bool:
        return self._units[task.order.unit].reach is Reach.ANSWERING

    def _drop_hopeless(self, now: float) -> None:
        """Fail the orders that grew old or whose board was lost."""
        for task in tuple(self._tasks):
            is_old = now >= task.old_at
            is_lost = self._units[task.order.unit].reach is Reach.SILENT
            if is_old or is_lost:
                self._tasks.remove(task)
                why = "the order grew too old" if is_old else _UNREACHABLE
                self._fail(task.order, why)

    def _drop_orders(self, why: str) -> None:
        """Fail all orders, the one in flight included."""
        if self._question is not None and self._question.order is not None:
            self._fail(self._question.order, UNKNOWN_OUTCOME)
        self._question = None
        for task in self._tasks:
            self._fail(task.order, why)
        self._tasks.clear()

    def _fail(self, order: Order, why: str) -> None:
        self._waiting.add(OrderFailed(unit=order.unit, order=order, why=why))
