# SPDX-License-Identifier: Apache-2.0
"""A serial port in the event loop: the one shell around a pure driver.

The law of the module: it owns the port and the timers and understands no byte. What
arrives is handed on in the same callback, what a driver wants to say is written in
the same call; nothing waits in a queue. A port that is lost is opened again for ever,
in growing steps, until the task is cancelled.

Source: pyserial 3.5 for the port's settings; tty_ioctl(4) and termios(3) for the rest.
"""

from __future__ import annotations

import asyncio
import os
import termios
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import serial

from drivers.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import Device, Order, Signal

READ_BYTES = 4096
#: A driver's longest frame is far shorter; so much unsent means a line that is stuck.
MAX_UNSENT_BYTES = 4096
#: Reads that empty a port at most when its input is thrown away; a babbling device
#: could otherwise hold the loop.
MAX_DRAIN_READS = 16
FIRST_RETRY_S = 0.1
#: Also how long a port must have lasted for the steps to begin anew.
LAST_RETRY_S = 5.0


class SerialLink:
    """One port and its device.

    ``on_signals`` is called in the callback in which the signals arose; ``on_state``
    when the port opens (True, "") or fails (False, why), once per change. ``now`` is
    monotonic seconds. A link belongs to the loop in which :meth:`run` runs.
    """

    def __init__(
        self,
        port: str,
        baud: int,
        device: Device,
        on_signals: Callable[[list[Signal]], None],
        *,
        now: Callable[[], float],
        on_state: Callable[[bool, str], None],
    ) -> None:
        if baud not in serial.Serial.BAUDRATES:
            raise LocalError(f"{port}: no serial port runs at {baud} baud")
        self._port = port
        self._baud = baud
        self._device = device
        self._on_signals = on_signals
        self._now = now
        self._on_state = on_state
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lost: asyncio.Future[str] | None = None
        self._fd = -1
        self._unsent = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._told: tuple[bool, str] | None = None

    @property
    def is_open(self) -> bool:
        """Whether bytes can be read and written at this moment."""
        return self._fd >= 0

    async def run(self) -> None:
        """Keep the port open until cancelled; leaves nothing open behind."""
        if self._loop is not None:
            raise LocalError(f"{self._port}: this link runs already")
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
            self._disarm()
            self._loop = None

    def order(self, order: Order) -> None:
        """Hand an order to the device and write at once; LocalError if not running.

        A refusal comes as OrderFailed through ``on_signals``, never from this call.
        """
        if self._loop is None:
            raise LocalError(f"{self._port}: an order came, but the link does not run")
        self._device.order(order, self._now())
        self._settle([])

    def flush_input(self) -> None:
        """Throw away what waits to be read or written, after the process stood still.

        The device forgets what it had half read and reads all levels anew.
        """
        if not self.is_open:
            return
        try:
            self._discard()
        except (OSError, termios.error) as fault:
            self._lose(f"input can't be flushed: {fault}")
            return
        self._device.resumed(self._now())
        self._settle([])

    def data_received(self, data: bytes) -> None:
        """Let the device take bytes; its signals go out before this returns."""
        self._run(lambda now: self._device.receive(data, now))

    async def _session(self, loop: asyncio.AbstractEventLoop) -> str:
        """Open the port and serve it; return why it was lost or did not open."""
        try:
            port = _open(self._port, self._baud)
        except (OSError, termios.error) as fault:
            return str(fault)
        self._fd = port.fileno()
        self._lost = loop.create_future()
        try:
            loop.add_reader(self._fd, self._readable)
            self._tell(is_open=True, why="")
            self._device.opened(self._now())
            self._settle([])
            return await self._lost
        finally:
            self._let_go()
            port.close()
            self._settle(self._device.closed(self._now()))

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return
        except OSError as fault:
            self._lose(f"read failed: {fault.strerror}")
            return
        if data:
            self.data_received(data)
        else:
            self._lose("the port hung up")

    def _ticked(self) -> None:
        self._timer = None
        self._run(self._device.tick)

    def _run(self, verb: Callable[[float], list[Signal]]) -> None:
        """Call the device; a fault of its own costs this port, not the gateway."""
        try:
            signals = verb(self._now())
        except Exception as fault:  # noqa: BLE001
            self._lose(f"driver fault: {_place_of(fault)}")
            return
        self._settle(signals)

    def _settle(self, signals: list[Signal]) -> None:
        """Hand signals on, write what the device wants to say, set its timer."""
        if signals:
            self._on_signals(signals)
        outgoing = self._device.take_outgoing()
        if outgoing and self.is_open:
            self._write(outgoing)
        self._arm()

    def _write(self, data: bytes) -> None:
        if self._unsent:
            self._unsent += data
        else:
            self._unsent += data[self._write_some(data) :]
        if len(self._unsent) > MAX_UNSENT_BYTES:
            self._lose("the port takes no more bytes")
        elif self._unsent and self._loop is not None and self.is_open:
            self._loop.add_writer(self._fd, self._writable)

    def _writable(self) -> None:
        del self._unsent[: self._write_some(self._unsent)]
        if not self._unsent and self._loop is not None and self.is_open:
            self._loop.remove_writer(self._fd)

    def _write_some(self, data: bytes | bytearray) -> int:
        """Write what the port takes; all of it counts as gone with a lost port."""
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError as fault:
            self._lose(f"write failed: {fault.strerror}")
            return len(data)

    def _discard(self) -> None:
        # Both queues: what waits to be sent is as old as what waits to be read.
        termios.tcflush(self._fd, termios.TCIOFLUSH)
        self._unsent.clear()
        if self._loop is not None:
            self._loop.remove_writer(self._fd)
        for _ in range(MAX_DRAIN_READS):
            try:
                if not os.read(self._fd, READ_BYTES):
                    return
            except BlockingIOError:
                return

    def _arm(self) -> None:
        """Have :meth:`_ticked` called at the deadline; an earlier timer may stay."""
        deadline = self._device.deadline()
        if deadline is None or self._loop is None:
            return
        if self._timer is not None:
            if self._timer_at <= deadline:
                return
            self._timer.cancel()
        self._timer_at = deadline
        delay_s = max(0.0, deadline - self._now())
        self._timer = self._loop.call_later(delay_s, self._ticked)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _lose(self, why: str) -> None:
        """Stop using the port at once; the session closes it."""
        with suppress(OSError, termios.error):
            # Closing would wait for bytes that a stuck line never takes.
            termios.tcflush(self._fd, termios.TCOFLUSH)
        self._let_go()
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(why)

    def _let_go(self) -> None:
        if self._loop is not None and self.is_open:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
        self._fd = -1
        self._unsent.clear()

    def _tell(self, *, is_open: bool, why: str) -> None:
        if self._told != (is_open, why):
            self._told = (is_open, why)
            self._on_state(is_open, why)


def _open(path: str, baud: int) -> serial.Serial:
    """Open a port raw, for us alone, with empty queues; OSError or termios.error.

    pyserial passes over the missing modem lines of a pseudo-terminal by itself.
    """
    port = serial.Serial(path, baud, exclusive=True)
    try:
        settings = termios.tcgetattr(port.fileno())
        # No input byte has a meaning to the kernel, a break included.
        settings[0] = 0
        # With VMIN 0 "nothing there" would look like "hung up": both read as empty.
        settings[6][termios.VMIN] = 1
        termios.tcsetattr(port.fileno(), termios.TCSANOW, settings)
        termios.tcflush(port.fileno(), termios.TCIOFLUSH)
    except BaseException:
        port.close()
        raise
    return port


def _place_of(fault: Exception) -> str:
    """Name a fault by type and line; its message could hold what people showed."""
    frame = traceback.extract_tb(fault.__traceback__)[-1]
    return f"{type(fault).__name__} at {Path(frame.filename).name}:{frame.lineno}"
