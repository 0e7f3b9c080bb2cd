# SPDX-License-Identifier: Apache-2.0
"""LCUS-1, -2, -4 and -8 relays on USB: outputs alone, switched one frame at a time.

The law of the module: the board can't time a pulse, has no watchdog and need not
answer, so that a pulse ends only while this driver lives: killed, unplugged or stalled
between "on" and "off" it leaves a door open for as long as the board has power. Hence
``pulse_on_board`` is False, and a site has to accept that by name. What can be done is
done: all off before anything else at each opening, off once more when the port is
given up, off before every other frame that waits, and every level said twice and then
again each ``REPEAT_EVERY_S``, since a frame that was lost is never known to be.
Nothing that comes back is believed: some boards answer, others don't, and the answers
differ. An order that is 2 s old, or was still waiting over a stall, is dropped. A
pulse on an output that was on for good ends that too, as on boards with a clock.

Source: printed frames of LCUS-1 shops and drivers (A0, channel, state, sum; 9600 8N1;
50 ms between commands); no manual of the maker is known.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import inf

from drivers.device import (
    OpenLock,
    Order,
    OrderFailed,
    Pulse,
    Reachable,
    SetOutput,
    Show,
    Signal,
    Unreachable,
)
from drivers.errors import LocalError
from drivers.options import between
from drivers.untimed_pulses import MAX_PULSE_S, UntimedPulses, is_pulse
from drivers.waiting import WaitingSignals

SIZES = (1, 2, 4, 8)
_HEAD = 0xA0
#: Orders that wait for the line: twice all relays of the largest board.
MAX_ORDERS = 16
ORDER_MAX_AGE_S = 2.0
#: A level is said so often at once, then each REPEAT_EVERY_S.
SAYINGS = 2
REPEAT_EVERY_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UsbRelayOptions:
    """``channels``: 1, 2, 4 or 8; ``command_gap_s``: from one command to the next."""

    channels: int = 1
    command_gap_s: float = 0.05

    def __post_init__(self) -> None:
        if self.channels not in SIZES:
            raise LocalError(f"channels must be 1, 2, 4 or 8, not {self.channels}")
        between("command_gap_s", self.command_gap_s, 0.05, 0.5)


@dataclass(slots=True)
class _Output:
    """A relay as it was last told to be, and when that is to be said (again)."""

    is_on: bool
    say_at: float
    sayings: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """An order and when it came."""

    order: Pulse | SetOutput
    taken_at: float


class UsbRelay:
    """The driver; see :class:`drivers.device.Device` for the verbs."""

    def __init__(self, *, unit: int = 0, options: UsbRelayOptions) -> None:
        self._unit = unit
        self._gap_s = options.command_gap_s
        self._outputs = {
            channel: _Output(is_on=False, say_at=0.0)
            for channel in range(1, options.channels + 1)
        }
        self._pulses = UntimedPulses()
        self._orders: deque[_Waiting] = deque()
        self._waiting = WaitingSignals()
        self._outgoing = b""
        self._ready_at = 0.0
        self._farewell: list[bytes] = []
        self._is_open = False
        self._is_told = False

    def opened(self, now: float) -> None:
        """Switch everything off before anything else."""
        self._drop_orders("the link was opened anew")
        self._outgoing = b""
        self._farewell.clear()
        # A frame of before may lie in the board still: its gap is kept.
        self._ready_at = max(self._ready_at, now)
        self._is_open, self._is_told = True, False
        self._all_off(now)
        self._advance(now)

    def closed(self, now: float) -> list[Signal]:
        """Give up; what is on is told to go off, should the link still carry it.

        A frame for each call of :meth:`take_outgoing`: the link spaces its last words.
        """
        self._drop_orders("the link was lost")
        on = [number for number, output in self._outputs.items() if output.is_on]
        self._all_off(now)
        self._outgoing = b""
        self._farewell = [frame(channel, is_on=False) for channel in on]
        signals = self._waiting.take()
        if self._is_open and self._is_told:
            signals.append(Unreachable(unit=self._unit, why="the link was lost"))
        self._is_open = False
        return signals

    def resumed(self, now: float) -> None:
        """Drop what was to be switched; pulses that ran over end with the next tick."""
        if self._is_open:
            self._drop_orders("the process stood still")
            self._outgoing = b""
            self._advance(now)

    def receive(self, data: bytes, now: float) -> list[Signal]:
        """Take an answer and believe nothing of it."""
        del data
        return self.tick(now)

    def tick(self, now: float) -> list[Signal]:
        """End what is to be ended, say what is to be said."""
        self._advance(now)
        return self._waiting.take()

    def deadline(self) -> float | None:
        """Return when the next frame is due, or the next order grows too old."""
        if self._waiting:
            return 0.0
        if not self._is_open:
            return None
        pulses = self._pulses.deadline()
        due_at = 0.0 if self._orders else min(o.say_at for o in self._outputs.values())
        frame_at = max(self._ready_at, due_at)
        old_at = (one.taken_at + ORDER_MAX_AGE_S for one in self._orders)
        return min([frame_at, *old_at, inf if pulses is None else pulses])

    def order(self, order: Order, now: float) -> None:
        """Take an order and send it at once if the line is free."""
        match order:
            case Show():
                return
            case OpenLock():
                self._fail(order, "a relay board has outputs, not locks")
                return
        why = self._refusal(order)
        if why:
            self._fail(order, why)
            return
        self._orders.append(_Waiting(order=order, taken_at=now))
        self._advance(now)

    def take_outgoing(self) -> bytes:
        """Hand over the frame that is to be written; at the end, one at a time."""
        if self._farewell:
            return self._farewell.pop(0)
        outgoing, self._outgoing = self._outgoing, b""
        return outgoing

    def _refusal(self, order: Pulse | SetOutput) -> str:
        """Say why an order is not taken; empty if it is."""
        if order.unit != self._unit:
            return "no board has this address"
        if order.channel not in self._outputs:
            return f"the board has channels 1 to {len(self._outputs)}"
        if not self._is_open:
            return "the board is unreachable"
        if len(self._orders) >= MAX_ORDERS:
            return "too many orders wait"
        if isinstance(order, Pulse) and not is_pulse(order.duration_s):
            return f"a pulse without a clock of the board's lasts up to {MAX_PULSE_S} s"
        return ""

    def _advance(self, now: float) -> None:
        """Send the next frame, if the line is free: off goes before everything."""
        if not self._is_open:
            return
        for ended in self._pulses.take_due(now):
            self._set(ended, is_on=False, now=now)
        self._drop_old(now)
        if now < self._ready_at:
            return
        channel = self._unsaid_off()
        if channel is None and self._orders:
            channel = self._obey(self._orders.popleft().order, now)
        if channel is None:
            channel = self._due(now)
        if channel is not None:
            self._say(channel, now)
        self._tell_once()

    def _unsaid_off(self) -> int | None:
        """Return a channel that is to be off and was not told so yet."""
        for channel, output in self._outputs.items():
            if not (output.is_on or output.sayings):
                return channel
        return None

    def _due(self, now: float) -> int | None:
        channel = min(self._outputs, key=lambda number: self._outputs[number].say_at)
        return channel if self._outputs[channel].say_at <= now else None

    def _obey(self, order: Pulse | SetOutput, now: float) -> int:
        match order:
            case Pulse(channel=channel, duration_s=duration_s):
                self._set(channel, is_on=True, now=now)
                self._pulses.begin(channel, duration_s, now)
            case SetOutput(channel=channel, is_on=is_on):
                self._pulses.drop(channel)
                self._set(channel, is_on=is_on, now=now)
        return order.channel

    def _say(self, channel: int, now: float) -> None:
        output = self._outputs[channel]
        output.sayings += 1
        is_settled = output.sayings >= SAYINGS
        output.say_at = now + (REPEAT_EVERY_S if is_settled else self._gap_s)
        self._outgoing += frame(channel, is_on=output.is_on)
        self._ready_at = now + self._gap_s

    def _set(self, channel: int, *, is_on: bool, now: float) -> None:
        self._outputs[channel] = _Output(is_on=is_on, say_at=now)

    def _all_off(self, now: float) -> None:
        self._pulses.clear()
        for channel in self._outputs:
            self._set(channel, is_on=False, now=now)

    def _tell_once(self) -> None:
        """Call the board reachable when all was switched off: no more is known."""
        if self._is_told or self._unsaid_off() is not None:
            return
        self._is_told = True
        detail = "this board never answers: only its port is known to work"
        self._waiting.add(Reachable(unit=self._unit, detail=detail))

    def _drop_old(self, now: float) -> None:
        while self._orders and now - self._orders[0].taken_at >= ORDER_MAX_AGE_S:
            self._fail(self._orders.popleft().order, "the order grew too old")

    def _drop_orders(self, why: str) -> None:
        for waiting in self._orders:
            self._fail(waiting.order, why)
        self._orders.clear()

    def _fail(self, order: Order, why: str) -> None:
        self._waiting.add(OrderFailed(unit=order.unit, order=order, why=why))


def frame(channel: int, *, is_on: bool) -> bytes:
    """Return the frame that switches one channel, its sum at the end."""
    body = bytes((_HEAD, channel, int(is_on)))
    return body + bytes((sum(body) & 0xFF,))
