# SPDX-License-Identifier: Apache-2.0
"""Lines of a GPIO chip as a device: contacts and buttons in, outputs out.

The law of the module: pure; it hears edges and levels and says which lines to read and
set (:mod:`drivers.gpio.wire`). Each input is debounced here although the kernel did so
already, since not every chip can. A gap in a line's sequence means lost edges: its
level is read anew. A chip times no pulse: the driver ends it, so that a gateway that
stalls leaves an output on, and one that dies leaves it to the chip and the board;
``pulse_on_board`` is False. At each opening all outputs are put to rest first.

Source: linux/gpio.h, GPIO v2 line events (sequence numbers a line, no event for the
level at the request); libgpiod 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from drivers.debounce import Debounce
from drivers.device import (
    GARBLED_BYTES,
    Garbled,
    InputChanged,
    Order,
    OrderFailed,
    Pulse,
    Reachable,
    SetOutput,
    Show,
    Signal,
    Unreachable,
)
from drivers.gpio.wire import (
    SEEN_BYTES,
    SEQUENCE_MASK,
    Level,
    Wish,
    seen,
    wish,
)
from drivers.limits import RateLimit
from drivers.untimed_pulses import MAX_PULSE_S, UntimedPulses, is_pulse
from drivers.waiting import WaitingSignals

if TYPE_CHECKING:
    from drivers.gpio.options import GpioLine, GpioOptions


#: Garbled at most once in so long.
GARBLED_EVERY_S = 1.0


@dataclass(slots=True, kw_only=True)
class _Input:
    """An input line; ``is_asked`` while a reading of its level is on its way."""

    channel: int
    offset: int
    debounce: Debounce
    sequence: int = 0
    is_asked: bool = False


class GpioLines:
    """The driver; see :class:`drivers.device.Device` for the verbs."""

    def __init__(self, *, unit: int = 0, options: GpioOptions) -> None:
        self._unit = unit
        inputs, outputs = options.input_lines(), options.output_lines()
        #: What the link has to request.
        self.lines: tuple[GpioLine, ...] = (*inputs, *outputs)
        self._inputs = {
            line.offset: _Input(
                channel=channel,
                offset=line.offset,
                debounce=Debounce(line.debounce_s),
            )
            for channel, line in enumerate(inputs, start=1)
        }
        self._outputs = {
            channel: line.offset for channel, line in enumerate(outputs, start=1)
        }
        self._pulses = UntimedPulses()
        self._garbled = RateLimit(most=1, within_s=GARBLED_EVERY_S)
        self._waiting = WaitingSignals()
        self._buffer = bytearray()
        self._outgoing = bytearray()
        self._is_open = False
        self._is_told = False

    @property
    def buffered_bytes(self) -> int:
        """How much of a record waits for its rest."""
        return len(self._buffer)

    def opened(self, now: float) -> None:
        """Put all outputs to rest, then read every level."""
        del now
        self._outgoing.clear()
        self._rest()
        for line in self._inputs.values():
            line.sequence = 0
        self._read_all()
        self._is_open, self._is_told = True, False
        self._tell_once()

    def closed(self, now: float) -> list[Signal]:
        """Give the lines up, outputs at rest should the link still carry it."""
        del now
        self._outgoing.clear()
        self._rest()
        signals = self._waiting.take()
        if self._is_open and self._is_told:
            signals.append(Unreachable(unit=self._unit, why="the link was lost"))
        self._is_open = False
        return signals

    def resumed(self, now: float) -> None:
        """Read every level anew; pulses that ran over end with the next tick."""
        del now
        if self._is_open:
            self._read_all()

    def receive(self, data: bytes, now: float) -> list[Signal]:
        """Take what the link saw."""
        signals: list[Signal] = []
        self._buffer += data
        whole = len(self._buffer) // SEEN_BYTES * SEEN_BYTES
        for at in range(0, whole, SEEN_BYTES):
            record = self._buffer[at : at + SEEN_BYTES]
            signals += self._take(seen(record), record, now)
        del self._buffer[:whole]
        self._tell_once()
        return [*signals, *self._waiting.take()]

    def tick(self, now: float) -> list[Signal]:
        """Tell the levels that settled, end the pulses that are over."""
        for channel in self._pulses.take_due(now):
            self._set(channel, is_on=False)
        settled = [line for line in self._inputs.values() if line.debounce.settled(now)]
        return [*self._waiting.take(), *map(self._changed, settled)]

    def deadline(self) -> float | None:
        """Return when a pulse ends or a level settles."""
        if self._waiting:
            return 0.0
        if not self._is_open:
            return None
        pulse_ends_at = self._pulses.deadline()
        settles = (line.debounce.settles_at for line in self._inputs.values())
        at = min([*settles, inf if pulse_ends_at is None else pulse_ends_at])
        return None if at == inf else at

    def order(self, order: Order, now: float) -> None:
        """Set a line at once."""
        if isinstance(order, Show):
            return
        why = self._refusal(order)
        if why:
            self._waiting.add(OrderFailed(unit=order.unit, order=order, why=why))
            return
        match order:
            case Pulse(channel=channel, duration_s=duration_s):
                self._set(channel, is_on=True)
                self._pulses.begin(channel, duration_s, now)
            case SetOutput(channel=channel, is_on=is_on):
                self._pulses.drop(channel)
                self._set(channel, is_on=is_on)

    def take_outgoing(self) -> bytes:
        """Hand over what is wanted of the lines."""
        outgoing = bytes(self._outgoing)
        self._outgoing.clear()
        return outgoing

    def _refusal(self, order: Order) -> str:
        """Say why an order is not taken; empty if it is."""
        if order.unit != self._unit:
            return "no chip has this address"
        if not isinstance(order, Pulse | SetOutput):
            return "lines are outputs, not locks"
        if order.channel not in self._outputs:
            return f"the chip has outputs 1 to {len(self._outputs)}"
        if not self._is_open:
            return "the chip is unreachable"
        if isinstance(order, Pulse) and not is_pulse(order.duration_s):
            return f"a pulse without a clock of the board's lasts up to {MAX_PULSE_S} s"
        return ""

    def _take(
        self, level: Level | None, record: bytes | bytearray, now: float
    ) -> list[Signal]:
        line = self._inputs.get(level.offset) if level else None
        if level is None or line is None:
            return self._report_garbled(bytes(record), now)
        if level.is_edge:
            if level.sequence != (line.sequence + 1) & SEQUENCE_MASK:
                self._read(line)
            line.sequence = level.sequence
        else:
            line.is_asked = False
        is_first = line.debounce.see(now, is_active=level.is_active)
        return [self._changed(line)] if is_first else []

    def _read(self, line: _Input) -> None:
        if not line.is_asked:
            line.is_asked = True
            self._outgoing += wish(Wish.READ, line.offset)

    def _read_all(self) -> None:
        self._buffer.clear()
        for line in self._inputs.values():
            line.debounce.forget()
            line.is_asked = False
            self._read(line)

    def _rest(self) -> None:
        self._pulses.clear()
        for channel in self._outputs:
            self._set(channel, is_on=False)

    def _set(self, channel: int, *, is_on: bool) -> None:
        kind = Wish.SET_ACTIVE if is_on else Wish.SET_INACTIVE
        self._outgoing += wish(kind, self._outputs[channel])

    def _changed(self, line: _Input) -> InputChanged:
        is_active = line.debounce.told is True
        return InputChanged(unit=self._unit, channel=line.channel, is_active=is_active)

    def _tell_once(self) -> None:
        """Call the chip reachable when all levels are known."""
        is_known = all(i.debounce.told is not None for i in self._inputs.values())
        if self._is_open and is_known and not self._is_told:
            self._is_told = True
            self._waiting.add(Reachable(unit=self._unit, detail=""))

    def _report_garbled(self, record: bytes, now: float) -> list[Signal]:
        if not self._garbled.admit(now):
            return []
        raw = record[:GARBLED_BYTES]
        return [Garbled(unit=self._unit, raw=raw, why="no record of a line of ours")]
