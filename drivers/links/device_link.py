# SPDX-License-Identifier: Apache-2.0
"""The shell around a pure driver, whatever its port is: timers, orders, back-off.

The law of the module: it understands no byte. What arrives is handed on in the same
callback, what a driver wants to say is sent in the same call; nothing waits in a
queue. A port that is lost is opened again for ever, in growing steps, until the task
is cancelled; each port has steps of its own.
"""

from __future__ import annotations

import asyncio
import traceback
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.errors import LocalError
from drivers.links.alarm import Alarm

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import Device, Order, Signal
    from drivers.links.link import Clock, OnSignals, OnState

FIRST_RETRY_S = 0.1
#: Between the last frames, and for the very last to leave: 32 bytes at 9,600 baud.
FAREWELL_S = 0.05
#: A frame for each output of the largest board that cannot end a pulse itself.
MAX_LAST_WORDS = 8
#: Also how long a port must have lasted for the steps to begin anew.
LAST_RETRY_S = 5.0


class DeviceLink(ABC):
    """One port and its device.

    ``on_signals`` is called in the callback in which the signals arose; ``on_state``
    when the port opens (True, "") or fails (False, why), once per change. ``now`` is
    monotonic seconds. A link belongs to the loop in which :meth:`run` runs.
    """

    def __init__(
        self,
        name: str,
        device: Device,
        on_signals: OnSignals,
        *,
        now: Clock,
        on_state: OnState,
    ) -> None:
        self.name = name
        self._device = device
        self._on_signals = on_signals
        self._now = now
        self._on_state = on_state
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lost: asyncio.Future[str] | None = None
        self._alarm = Alarm(self._ticked, now)
        self._told: tuple[bool, str] | None = None

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether the device can be spoken to at this moment."""

    @abstractmethod
    async def _connect(self, loop: asyncio.AbstractEventLoop) -> None:
        """Open the port and watch it; OSError says why not, and leaves none open."""

    @abstractmethod
    def _let_go(self) -> None:
        """Stop using the port at once; harmless when repeated."""

    @abstractmethod
    def _close(self) -> None:
        """Close the port, which was let go of before."""

    @abstractmethod
    def _send(self, data: bytes) -> None:
        """Send what the device wants to say, while the port is open."""

    @abstractmethod
    def _discard(self) -> None:
        """Forget what waits to be read or sent; OSError with a lost port."""

    @abstractmethod
    def _take_back_late(self) -> None:
        """See that nothing which should long have left leaves late."""

    async def run(self) -> None:
        """Keep the port open until cancelled; leaves nothing open behind."""
        if self._loop is not None:
            raise LocalError(f"{self.name}: this link runs already")
        self._loop = asyncio.get_running_loop()
        retry_s = FIRST_RETRY_S
        try:
            while True:
                opened_at = self._now()
                self._tell(is_open=False, why=await self._session(self._loop))
                if self._now() - opened_at >= LAST_RETRY_S:
                    retry_s = FIRST_RETRY_S
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, LAST_RETRY_S)
        finally:
            self._alarm.clear()
            self._loop = None

    def order(self, order: Order) -> None:
        """Hand an order to the device and write at once; LocalError if not running.

        A refusal comes as OrderFailed through ``on_signals``, never from this call.
        """
        if self._loop is None:
            raise LocalError(f"{self.name}: an order came, but the link does not run")
        self._run(lambda now: self._device.order(order, now))

    def flush_input(self) -> None:
        """Throw away what waits to be read or written, after the process stood still.

        The device forgets what it had half read and reads all levels anew.
        """
        if not self.is_open:
            return
        try:
            self._discard()
        except OSError as fault:
            self._lose(f"input can't be flushed: {fault}")
            return
        self._run(self._device.resumed)

    def data_received(self, data: bytes) -> None:
        """Let the device take bytes; its signals go out before this returns."""
        self._run(lambda now: self._device.receive(data, now))

    async def _session(self, loop: asyncio.AbstractEventLoop) -> str:
        """Open the port and serve it; return why it was lost or did not open."""
        try:
            await self._connect(loop)
        except OSError as fault:
            return str(fault)
        self._lost = loop.create_future()
        try:
            self._tell(is_open=True, why="")
            self._run(self._device.opened)
            return await self._lost
        finally:
            await self._end()

    async def _end(self) -> None:
        """Let the device say its last, which an output at rest may need; then close."""
        signals: list[Signal] = []
        try:
            signals = self._device.closed(self._now())
            last_words = self._device.take_outgoing()
            for _ in range(MAX_LAST_WORDS):
                if not (last_words and self.is_open):
                    break
                # Before, for the frame that went before; at the end, to let it leave.
                await asyncio.sleep(FAREWELL_S)
                self._send(last_words)
                last_words = self._device.take_outgoing()
                if not last_words:
                    await asyncio.sleep(FAREWELL_S)
        except Exception as fault:  # noqa: BLE001
            self._lose(f"driver fault: {place_of(fault)}")
        finally:
            self._let_go()
            self._close()
            self._settle(signals)

    def _ticked(self) -> None:
        # Time-outs come from here: what the driver gives up must not go out later.
        self._take_back_late()
        self._run(self._device.tick)

    def _run(self, verb: Callable[[float], list[Signal] | None]) -> None:
        """Call the device; a fault of its own costs this port, not the gateway."""
        try:
            signals = verb(self._now())
        except Exception as fault:  # noqa: BLE001
            self._lose(f"driver fault: {place_of(fault)}")
            return
        self._settle(signals or [])

    def _settle(self, signals: list[Signal]) -> None:
        """Hand signals on, send what the device wants to say, set its timer.

        A listener that fails is loud, and the port goes on all the same.
        """
        try:
            if signals:
                self._on_signals(signals)
        finally:
            self._speak()

    def _speak(self) -> None:
        try:
            outgoing = self._device.take_outgoing()
            if outgoing and self.is_open:
                self._send(outgoing)
            self._arm()
        except Exception as fault:  # noqa: BLE001
            self._lose(f"driver fault: {place_of(fault)}")

    def _arm(self) -> None:
        if self._loop is not None:
            self._alarm.set(self._device.deadline())

    def _lose(self, why: str) -> None:
        """Stop using the port at once; the session closes it."""
        self._let_go()
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(why)

    def _tell(self, *, is_open: bool, why: str) -> None:
        if self._told != (is_open, why):
            self._told = (is_open, why)
            self._on_state(is_open, why)


def place_of(fault: Exception) -> str:
    """Name a fault by type and line; its message could hold what people showed."""
    frame = traceback.extract_tb(fault.__traceback__)[-1]
    return f"{type(fault).__name__} at {Path(frame.filename).name}:{frame.lineno}"
