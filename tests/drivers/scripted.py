# SPDX-License-Identifier: Apache-2.0
"""A wire with a script: literal replies to literal frames, on a clock of its own."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import Device, Order, Signal

#: What a frame meets: silence, one reply for ever, or replies one by one.
Reply = str | list[str | None] | None
#: What the far end takes to answer.
ANSWER_S = 0.002
#: Steps of one run; a driver that asks for ticks without moving on ends here.
MAX_STEPS = 100_000


class ScriptedWire:
    """Feeds a driver from ``replies`` (hex to hex) and notes all that it does.

    A frame without a reply meets silence. A list is answered entry by entry, its last
    one for ever; None in it is silence. ``sent`` and ``signals`` hold pairs of time
    and what happened.
    """

    def __init__(
        self, device: Device, *, splits: Callable[[bytes], list[bytes]]
    ) -> None:
        self.device = device
        self.now = 0.0
        self.replies: dict[str, Reply] = {}
        self.sent: list[tuple[float, str]] = []
        self.signals: list[tuple[float, Signal]] = []
        self._splits = splits
        self._coming: list[tuple[float, bytes]] = []
        self._asked: defaultdict[str, int] = defaultdict(int)

    def open(self) -> None:
        self.device.opened(self.now)
        self._write()

    def order(self, order: Order) -> None:
        self.device.order(order, self.now)
        self._write()

    def feed(self, digits: str) -> list[Signal]:
        """Let bytes arrive now."""
        return self._note(self.device.receive(bytes.fromhex(digits), self.now))

    def run(self, seconds: float) -> list[Signal]:
        """Let time pass; return the signals of it, in order."""
        end = self.now + seconds
        before = len(self.signals)
        for _ in range(MAX_STEPS):
            at = self._next_at()
            if at is None or at > end:
                break
            self.now = max(self.now, at)
            self._step()
        else:
            raise AssertionError("the driver never stops asking for ticks")
        self.now = end
        return [signal for _, signal in self.signals[before:]]

    def run_until_sent(self) -> None:
        """Let time pass until the driver writes, and stop in that moment."""
        before = len(self.sent)
        for _ in range(MAX_STEPS):
            at = self._next_at()
            assert at is not None, "the driver plans nothing"
            self.now = max(self.now, at)
            self._step()
            if len(self.sent) > before:
                return
        raise AssertionError("the driver writes nothing")

    def sent_since(self, at: float) -> list[str]:
        return [frame for moment, frame in self.sent if moment >= at]

    def _next_at(self) -> float | None:
        deadline = self.device.deadline()
        times = [at for at, _ in self._coming]
        if deadline is not None:
            times.append(deadline)
        return min(times, default=None)

    def _step(self) -> None:
        if self._coming and self._coming[0][0] <= self.now:
            _, data = self._coming.pop(0)
            self._note(self.device.receive(data, self.now))
        else:
            self._note(self.device.tick(self.now))
        self._write()

    def _note(self, signals: list[Signal]) -> list[Signal]:
        self.signals += [(self.now, signal) for signal in signals]
        return signals

    def _write(self) -> None:
        data = self.device.take_outgoing()
        for frame in self._splits(data):
            digits = frame.hex().upper()
            self.sent.append((self.now, digits))
            reply = self._reply_to(digits)
            if reply is not None:
                self._coming.append((self.now + ANSWER_S, bytes.fromhex(reply)))

    def _reply_to(self, digits: str) -> str | None:
        reply = self.replies.get(digits)
        if not isinstance(reply, list):
            return reply
        index = self._asked[digits]
        self._asked[digits] += 1
        return reply[min(index, len(reply) - 1)]
