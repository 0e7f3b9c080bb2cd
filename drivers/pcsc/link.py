# SPDX-License-Identifier: Apache-2.0
"""A PC/SC reader in the event loop: the shell around :mod:`drivers.pcsc.reader`.

The law of the module: the loop never calls the service, which may block; the thread
of :mod:`drivers.pcsc.watch` never calls the device. News comes over by
``call_soon_threadsafe`` and is acknowledged after the device took it. What was asked
before a flush, and what lay about during a stall, is answered to nobody. One process
uses a reader: a fork would share its connection.

Source: see :mod:`drivers.pcsc.watch`.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, assert_never, runtime_checkable

from drivers.device import Device
from drivers.errors import LocalError
from drivers.links.alarm import Alarm
from drivers.links.device_link import place_of
from drivers.pcsc.service import system_service
from drivers.pcsc.watch import (
    Answered,
    Arrived,
    Attached,
    Detached,
    Removed,
    Request,
    Watch,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import Order, Signal
    from drivers.links.link import Clock, OnSignals, OnState
    from drivers.pcsc.service import PcscService
    from drivers.pcsc.watch import News

PORT_KIND = "pcsc:"
#: A wait of the service is over by then; a call that lasts longer ends by itself.
STOP_WITHIN_S = 1.5
#: An answer that lay about for longer, since the process stood still, is none: its
#: card may be gone, and nothing old opens a door.
STALE_S = 2.0
LIFE_CHECK_S = 1.0
#: Without a look so often, pcscd hangs: a wait of one second and the slowest APDU are
#: over long before.
SILENT_CHECKS = 8


@runtime_checkable
class CardDevice(Device, Protocol):
    """What this link needs of a driver besides the verbs of every device."""

    def named(self, reader: str) -> None:
        """Take the reader's name, before ``opened``."""

    def arrived(self, atr: bytes, now: float) -> list[Signal]:
        """Take a card that lies in the field."""

    def removed(self, now: float) -> list[Signal]:
        """Take an empty field."""

    def failed(self, now: float) -> list[Signal]:
        """Learn that the last APDU met no answer."""


class PcscLink:
    """One reader and its device.

    ``port`` is ``pcsc:`` and the beginning of the reader's name (``pcsc:ACS ACR122``);
    ``pcsc:`` alone means the only reader. ``on_signals``, ``on_state`` and ``now``
    are those of every link; ``now`` is called in both threads. A device without the
    verbs of :class:`CardDevice`, or a missing pyscard, is a LocalError at once.
    """

    def __init__(
        self,
        port: str,
        device: Device,
        on_signals: OnSignals,
        *,
        now: Clock,
        on_state: OnState,
        service: PcscService | None = None,
    ) -> None:
        if not port.startswith(PORT_KIND):
            raise LocalError(f"{port}: a PC/SC port is {PORT_KIND!r} and a name")
        if not isinstance(device, CardDevice):
            raise LocalError(f"{port}: a PC/SC port needs the driver pcsc_reader")
        self._port = port
        self._device: CardDevice = device
        self._on_signals = on_signals
        self._now = now
        self._on_state = on_state
        self._service = system_service() if service is None else service
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: Watch | None = None
        self._is_open = False
        self._asked = 0
        self._alarm = Alarm(self._ticked, now)
        self._told: tuple[bool, str] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the reader is there at this moment."""
        return self._is_open

    async def run(self) -> None:
        """Keep the reader watched until cancelled; leaves no thread behind.

        A call of the service that hangs is left to end by itself after 1.5 s.
        """
        if self._loop is not None:
            raise LocalError(f"{self._port}: this link runs already")
        loop = self._loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def tell(news: News) -> None:
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(self._take, watch, news)

        def work() -> None:
            watch.run()
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(ended.set)

        prefix = self._port.removeprefix(PORT_KIND).strip()
        watch = self._watch = Watch(prefix, self._service, tell, now=self._now)
        thread = threading.Thread(target=work, name=self._port)
        thread.start()
        try:
            await self._check_life(watch)
        finally:
            watch.stop()
            self._acknowledge(watch)
            self._close()
            self._alarm.clear()
            self._watch = self._loop = None
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_WITHIN_S):
                    await ended.wait()
                thread.join()

    def order(self, order: Order) -> None:
        """Hand an order to the device and send at once; LocalError if not running.

        A refusal comes as OrderFailed through ``on_signals``, never from this call.
        """
        if self._loop is None:
            raise LocalError(f"{self._port}: an order came, but the link does not run")
        self._device.order(order, self._now())
        self._settle([])

    def flush_input(self) -> None:
        """Throw away the answer that is under way, after the process stood still."""
        if not self.is_open:
            return
        self._asked += 1
        self._device.resumed(self._now())
        self._settle([])

    async def _check_life(self, watch: Watch) -> None:
        """Lose a reader whose thread hangs in the service; for ever."""
        looks, silent = -1, 0
        while True:
            await asyncio.sleep(LIFE_CHECK_S)
            silent = silent + 1 if self.is_open and watch.looks == looks else 0
            looks = watch.looks
            if silent >= SILENT_CHECKS:
                self._lose("pcscd does not answer")

    def _take(self, watch: Watch, news: News) -> None:
        """Let the device take news, then let the thread go on."""
        if watch is not self._watch:
            return
        try:
            self._dispatch(news)
        finally:
            self._acknowledge(watch)

    def _dispatch(self, news: News) -> None:
        match news:
            case Attached(reader=reader):
                self._open(reader)
            case Detached(why=why):
                self._close()
                self._tell(is_open=False, why=why)
            case Arrived(atr=atr):
                self._run(lambda now: self._device.arrived(atr, now))
            case Removed():
                self._run(self._device.removed)
            case Answered(number=number):
                if number == self._asked:
                    self._run(lambda now: self._answered(news, now))
            case _ as never:
                assert_never(never)

    def _answered(self, news: Answered, now: float) -> list[Signal]:
        if news.answer is None or now - news.at > STALE_S:
            return self._device.failed(now)
        return self._device.receive(news.answer, now)

    def _acknowledge(self, watch: Watch) -> None:
        # A full queue wakes the thread as well.
        with suppress(queue.Full):
            watch.requests.put_nowait(None)

    def _open(self, reader: str) -> None:
        self._is_open = True
        self._asked += 1
        self._tell(is_open=True, why="")
        self._device.named(reader)
        self._device.opened(self._now())
        self._settle([])

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._settle(self._device.closed(self._now()))

    def _lose(self, why: str) -> None:
        """Give the reader up; the thread begins anew as soon as it can."""
        self._close()
        self._tell(is_open=False, why=why)
        if self._watch is not None:
            self._watch.renew()

    def _ticked(self) -> None:
        try:
            signals = self._device.tick(self._now())
        except Exception as fault:  # noqa: BLE001
            self._lose(f"driver fault: {place_of(fault)}")
            return
        self._settle(signals)

    def _run(self, verb: Callable[[float], list[Signal]]) -> None:
        """Call the device; a fault of its own costs this port, not the gateway."""
        if not self._is_open:
            return
        try:
            signals = verb(self._now())
        except Exception as fault:  # noqa: BLE001
            self._lose(f"driver fault: {place_of(fault)}")
            return
        self._settle(signals)

    def _settle(self, signals: list[Signal]) -> None:
        """Hand signals on, send what the device wants to say, set its timer.

        A listener that fails is loud, and the reader goes on all the same.
        """
        try:
            if signals:
                self._on_signals(signals)
        finally:
            self._speak()

    def _speak(self) -> None:
        apdu = self._device.take_outgoing()
        if apdu and self._is_open and self._watch is not None:
            self._asked += 1
            try:
                self._watch.requests.put_nowait(Request(number=self._asked, apdu=apdu))
            except queue.Full:
                self._lose("pcscd takes no more requests")
        self._arm()

    def _arm(self) -> None:
        if self._loop is not None:
            self._alarm.set(self._device.deadline())

    def _tell(self, *, is_open: bool, why: str) -> None:
        if self._told != (is_open, why):
            self._told = (is_open, why)
            self._on_state(is_open, why)
