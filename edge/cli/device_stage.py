# SPDX-License-Identifier: Apache-2.0
"""One device of a site driven by itself: its link, its driver, and what it tells.

The law of the module: it runs what the gateway would run and adds no byte; when the
work is done the port is closed.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drivers.device import (
    InputChanged,
    OpenLock,
    OrderFailed,
    OutputChanged,
    Pulse,
    Reachable,
)
from drivers.links.opening import open_link
from drivers.question import Outcome
from drivers.registry import DRIVERS, build
from edge.cli.device_lines import place_of, units_of
from edge.cli.device_probe import ADVICE
from edge.cli.signal_words import READ, in_words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from drivers.device import Signal
    from drivers.links.link import Link
    from edge.settings.site import Device

    Say = Callable[[str], None]
    Work = Callable[["Stage", Link], Awaitable[int]]

#: A board opens its dialogue and answers within a second; a reader has a power-up.
ANSWER_WITHIN_S = 5.0
#: What the longest order needs to be known as carried out or failed.
OUTCOME_WITHIN_S = 4.0


@dataclass(slots=True)
class Stage:
    """What a device has said, told as it comes."""

    unit: int
    say: Say
    signals: list[Signal] = field(default_factory=list)
    has_no_port: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, signals: list[Signal]) -> None:
        """Tell the signals of this device."""
        for signal in signals:
            if signal.unit == self.unit:
                self.signals.append(signal)
                self.say(in_words(signal))
        self._news.set()

    def take_state(self, is_open: bool, why: str) -> None:  # noqa: FBT001
        """Tell why a port does not open, or was lost."""
        self.has_no_port = not is_open
        if not is_open:
            self.say(why)
        self._news.set()

    def leave(self) -> None:
        """Say nothing more: what ends now is no news."""
        self.say = _silent

    async def until(self, is_met: Callable[[], bool], within_s: float) -> bool:
        """Wait until something is met; False when the time is up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not is_met():
                    self._news.clear()
                    await self._news.wait()
        return is_met()


async def with_device(device: Device, state: Path, say: Say, work: Work) -> int:
    """Run the device's link for the work; return what the work returns."""
    spec = DRIVERS[device.driver]
    stage = Stage(unit=device.address, say=say)
    link = open_link(
        spec,
        place_of(device, state),
        device.baud or spec.default_baud,
        build(device.driver, units_of([device])),
        stage.take,
        now=time.monotonic,
        on_state=stage.take_state,
    )
    running = asyncio.create_task(link.run())
    try:
        return await work(stage, link)
    finally:
        stage.leave()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def watch(for_s: float) -> Work:
    """Wait for somebody to show something."""

    async def work(stage: Stage, _link: Link) -> int:
        def is_read() -> bool:
            return any(isinstance(signal, READ) for signal in stage.signals)

        await stage.until(lambda: is_read() or stage.has_no_port, for_s)
        if not (is_read() or stage.has_no_port):
            stage.say("Nothing was read.")
        return 0 if is_read() else 1

    return work


def carry_out(order: OpenLock | Pulse) -> Work:
    """Wait for the device, give one order, and wait for what becomes of it."""

    async def work(stage: Stage, link: Link) -> int:
        def answers() -> bool:
            return any(isinstance(signal, Reachable) for signal in stage.signals)

        await stage.until(lambda: answers() or stage.has_no_port, ANSWER_WITHIN_S)
        if not answers():
            if not stage.has_no_port:
                stage.say(ADVICE[Outcome.SILENCE])
            return 1
        begun = len(stage.signals)

        def known() -> list[Signal]:
            return [s for s in stage.signals[begun:] if _is_outcome(order, s)]

        stage.say("Ordered; look and listen.")
        link.order(order)
        if not await stage.until(lambda: bool(known()), OUTCOME_WITHIN_S):
            stage.say("It took the order but tells of no change.")
            return 1
        if isinstance(known()[0], OrderFailed):
            return 1
        if isinstance(order, Pulse):
            await asyncio.sleep(order.duration_s)  # the board ends it; let it be seen
        return 0

    return work


def _is_outcome(order: OpenLock | Pulse, signal: Signal) -> bool:
    match signal:
        case OrderFailed():
            return True
        case OutputChanged(channel=channel, is_on=True):
            return isinstance(order, Pulse) and channel == order.channel
        case InputChanged(channel=channel):
            return isinstance(order, OpenLock) and channel == order.channel
        case _:
            return False


def _silent(_words: str) -> None:
    """Say nothing."""
