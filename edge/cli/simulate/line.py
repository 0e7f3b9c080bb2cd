# SPDX-License-Identifier: Apache-2.0
"""The shell around a real driver in the simulation: its cable, its timer, its leaps.

The law of the module: as a device link on a machine, it understands no byte, hands
signals on in the call in which they arose, and opens a lost port again for ever. It
differs in one thing: while the attention paid to its device says that polls tell
nothing (see ``attention``), it does not let the driver ask.
Source: drivers/links/device_link.py, whose steps it repeats on simulated time.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from drivers.device import OrderFailed, Reachable, Show, Unreachable
from drivers.links.device_link import (
    FAREWELL_S,
    FIRST_RETRY_S,
    LAST_RETRY_S,
    MAX_LAST_WORDS,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import Device, Order, Signal
    from drivers.links.link import OnSignals, OnState
    from edge.cli.simulate.attention import Attention
    from edge.cli.simulate.cable import Cable
    from edge.cli.simulate.clockwork import BootTime, BootTimer


class Line:
    """One port of one boot."""

    def __init__(
        self,
        cable: Cable,
        device: Device,
        attention: Attention | None,
        boot: BootTime,
        *,
        on_signals: OnSignals,
        on_state: OnState,
    ) -> None:
        self.is_open = False
        self._cable = cable
        self._device = device
        self._attention = attention if cable.weather.leaps else None
        self._boot = boot
        self._on_signals = on_signals
        self._on_state = on_state
        self._is_serving = False
        self._orders = 0
        self._alarm: BootTimer | None = None
        self._retry_s = FIRST_RETRY_S
        self._opened_s = 0.0
        self._told: bool | None = None
        self._waiting = bytearray()

    def run(self) -> None:
        """Open the port, or try again until it opens."""
        self._cable.watcher = self._look
        if not self._cable.is_plugged:
            self._tell(is_open=False, why=f"{self._cable.port}: unplugged")
            return
        self._cable.forget()
        self._cable.listener = self._hear
        self._forget_heard()
        self.is_open = True
        self._opened_s = self._boot.time()
        self._tell(is_open=True, why="")
        self._run(self._device.opened)

    def order(self, order: Order) -> None:
        """Hand an order to the device and send at once."""
        if not isinstance(order, Show) and self._attention is not None:
            self._orders = max(self._orders, self._attention.obeyed) + 1
        self._run(lambda now: self._device.order(order, now))

    def flush_input(self) -> None:
        """Throw away what waits, after the process stood still."""
        if self.is_open:
            self._waiting.clear()
            self._cable.forget()
            self._forget_heard()
            self._run(self._device.resumed)

    def close(self) -> None:
        """Let the device say its last, and leave the port."""
        if not self.is_open:
            return
        signals = self._device.closed(self._boot.time())
        words: list[bytes] = []
        while len(words) < MAX_LAST_WORDS and (said := self._device.take_outgoing()):
            words.append(said)
        self._end()
        for place, said in enumerate(words, 1):
            self._cable.send_later(place * FAREWELL_S, said)
        if signals:
            self._on_signals(signals)

    def abandon(self) -> None:
        """Leave the port as a box does whose power is gone: without a word.

        What had left it still reaches the device: converters have their own supply.
        """
        self.is_open = False
        self._cable.listener = self._cable.watcher = None
        self._clear()

    def _end(self) -> None:
        self.is_open = False
        self._is_serving = False
        self._orders = 0
        self._waiting.clear()
        self._cable.listener = self._cable.watcher = None
        self._cable.forget()
        self._clear()

    def _look(self) -> None:
        """See what became of the cable or its device."""
        if self._boot.is_over:
            return
        if self.is_open and not self._cable.is_plugged:
            self._boot.call_soon(self._lose)
        elif self.is_open:
            self._arm()
        elif self._cable.is_plugged:
            # Tries in growing steps went by meanwhile; all have failed alike.
            self._boot.call_later(self._retry_s, self._reopen)
            self._retry_s = min(2 * self._retry_s, LAST_RETRY_S)

    def _reopen(self) -> None:
        if not self.is_open:
            self.run()

    def _lose(self) -> None:
        if not self.is_open:
            return
        if self._boot.time() - self._opened_s >= LAST_RETRY_S:
            self._retry_s = FIRST_RETRY_S
        signals = self._device.closed(self._boot.time())
        self._device.take_outgoing()
        self._end()
        self._cable.watcher = self._look
        if signals:
            self._on_signals(signals)
        self._tell(is_open=False, why="unplugged")
        if self._cable.is_plugged:  # it was out for a moment only
            self._look()

    def _hear(self, data: bytes) -> None:
        if self._boot.is_still or self._waiting:
            if not self._waiting:
                self._boot.call_soon(self._wake)
            self._waiting += data
            return
        self._take(data)

    def _wake(self) -> None:
        data = bytes(self._waiting)
        self._waiting.clear()
        if data and self.is_open:
            self._take(data)

    def _take(self, data: bytes) -> None:
        if self._attention is not None:
            self._attention.answered()
        self._run(lambda now: self._device.receive(data, now))

    def _ticked(self) -> None:
        self._alarm = None
        if self.is_open:
            self._run(self._device.tick)

    def _run(self, verb: Callable[[float], list[Signal] | None]) -> None:
        signals = verb(self._boot.time())
        if signals:
            self._note(signals)
            self._on_signals(signals)
        outgoing = self._device.take_outgoing()
        if outgoing and self.is_open:
            self._cable.send(outgoing)
        self._arm()

    def _note(self, signals: list[Signal]) -> None:
        for signal in signals:
            match signal:
                case Reachable():
                    self._is_serving = True
                case Unreachable():
                    self._is_serving = False
                    self._forget_heard()
                case OrderFailed():
                    self._orders -= 1
                case _:
                    pass

    def _arm(self) -> None:
        """Set the timer for what the driver wants, unless it would learn nothing."""
        due_s = self._device.deadline()
        if due_s is None or not self.is_open or self._is_calm(due_s):
            self._clear()
            return
        now_s = self._boot.time()
        attention = self._attention
        if attention is not None and 0.0 < due_s < now_s:
            rounds = ceil((now_s - due_s) / attention.poll_s)
            due_s += rounds * attention.poll_s
        if self._alarm is not None:
            if self._alarm.when() == due_s:
                return
            self._alarm.cancel()
        self._alarm = self._boot.call_at(max(due_s, now_s), self._ticked)

    def _is_calm(self, due_s: float) -> bool:
        attention, cable = self._attention, self._cable
        if attention is None or not self._is_serving or due_s == 0.0:
            return False
        if cable.is_noisy:
            attention.forget()
            return False
        if cable.on_way or self._orders > attention.obeyed:
            return False
        return attention.is_satisfied(cable.now_s)

    def _forget_heard(self) -> None:
        if self._attention is not None:
            self._attention.forget()

    def _clear(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _tell(self, *, is_open: bool, why: str) -> None:
        if self._told is not is_open:
            self._told = is_open
            self._on_state(is_open, why)
