# SPDX-License-Identifier: Apache-2.0
"""Pulses for the outputs of one OSDP reader.

The law of the module: the reader itself ends a pulse; one that is 2 s old is not sent
any more; whatever was not surely carried out ends as OrderFailed, once. An output of
a reader hangs on the unsafe side of a door: these are for lamps and chimes, never
for a strike.

Source: OSDP v2.2, OUT (control code 5); libosdp cuts its timer to eight bits.
"""

from __future__ import annotations

from collections import deque
from math import ceil, isfinite
from typing import TYPE_CHECKING

from drivers.device import OrderFailed, Pulse
from drivers.osdp.messages import MAX_TIMER_UNITS, Command, pulse

if TYPE_CHECKING:
    from drivers.waiting import WaitingSignals

#: Pulses that wait for one reader; it has two outputs at most.
MAX_ORDERS = 8
ORDER_MAX_AGE_S = 2.0
TOO_OLD = "the order grew too old"


class Pulses:
    """Those that wait, and the one on its way; failures go to ``outbox``."""

    def __init__(self, *, unit: int, outbox: WaitingSignals) -> None:
        self._unit = unit
        self._outbox = outbox
        self._waiting: deque[tuple[Pulse, float]] = deque()
        self._sent: tuple[Pulse, float] | None = None

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def is_any(self) -> bool:
        """Whether one waits or is on its way."""
        return bool(self._waiting) or self._sent is not None

    def take(self, order: Pulse, outputs: int, now: float) -> str:
        """Take an order; return why it is refused, empty if it is not."""
        if not 1 <= order.channel <= outputs:
            return f"the reader has {outputs} outputs"
        if not 1 <= _timer_units(order) <= MAX_TIMER_UNITS:
            return f"a pulse lasts 0.1 to {MAX_TIMER_UNITS / 10} s"
        if len(self._waiting) >= MAX_ORDERS:
            return "too many orders wait"
        self._waiting.append((order, now))
        return ""

    def next(self, now: float) -> Command | None:
        """Return the command of the oldest that is not too old."""
        while self._waiting:
            order, taken_at = self._waiting.popleft()
            if now - taken_at <= ORDER_MAX_AGE_S:
                self._sent = (order, taken_at)
                return pulse(order.channel, _timer_units(order))
            self._fail(order, TOO_OLD)
        return None

    def is_too_old(self, now: float) -> bool:
        """Whether the one on its way must not be asked for again."""
        return self._sent is not None and now - self._sent[1] > ORDER_MAX_AGE_S

    def answered(self, refusal: str = "") -> None:
        """End the one on its way, if there is one."""
        if self._sent is not None and refusal:
            self._fail(self._sent[0], refusal)
        self._sent = None

    def drop(self, why: str) -> None:
        """Fail all, the one on its way included: nobody knows what became of it."""
        self.answered(why)
        for order, _ in self._waiting:
            self._fail(order, why)
        self._waiting.clear()

    def _fail(self, order: Pulse, why: str) -> None:
        self._outbox.add(OrderFailed(unit=self._unit, order=order, why=why))


def _timer_units(order: Pulse) -> int:
    """Return the duration in units of 100 ms, rounded up; 0 for what is none."""
    if not isfinite(order.duration_s) or order.duration_s <= 0:
        return 0
    # 0.7 s is 7 units although 0.7 * 10 is a little more in floats.
    return ceil(round(order.duration_s * 10, 6))
