# SPDX-License-Identifier: Apache-2.0
"""The relay boards' driver against a peer we did not write: pymodbus's server.

Only where that server behaves as a board does: one board on the line (it answers for
those that are not there), and no flash-on by its stock word for function 05, which
knows only on and off; the word of the board's own stands below.
"""

from __future__ import annotations

import asyncio
import logging
import os
import struct
import time
import tty
from contextlib import ExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from pymodbus import FramerType
from pymodbus.pdu import ModbusPDU
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.device import (
    InputChanged,
    OrderFailed,
    OutputChanged,
    Pulse,
    Reachable,
    SetOutput,
    Signal,
)
from drivers.links.serial_link import SerialLink
from drivers.modbus.relay_board import RelayBoards
from drivers.modbus.relay_unit import RelayBoardOptions
from drivers.modbus.scan import AddressScan

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from drivers.device import Device

#: Longer than anything here takes on a busy machine.
PATIENCE_S = 10.0
REGISTERS_OF_MODES = 0x1000
FLASH_ON = 0x0200


class WriteCoil(ModbusPDU):
    """Function 05 as the boards take it: any value, echoed."""

    function_code = 5
    rtu_frame_size = 8
    #: What was written, as address and value.
    written: tuple[tuple[int, int], ...] = ()
    value = 0

    def encode(self) -> bytes:
        return struct.pack(">HH", self.address, self.value)

    def decode(self, data: bytes) -> None:
        self.address, self.value = struct.unpack(">HH", data[:4])

    async def datastore_update(self, _context: object, _device: int) -> ModbusPDU:
        WriteCoil.written += ((self.address, self.value),)
        return self


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep pymodbus from printing frames; forget what was written before."""
    names = ("pymodbus", "pymodbus_internal", "pymodbus.logging")
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    WriteCoil.written = ()
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


class Bridge:
    """Two pseudo-terminals back to back: what one side says the other hears."""

    def __init__(self, stack: ExitStack) -> None:
        ends = [os.openpty() for _ in range(2)]
        for end in (end for pair in ends for end in pair):
            tty.setraw(end)
            stack.callback(os.close, end)
        self.ports = [os.ttyname(slave) for _, slave in ends]
        self._masters = [master for master, _ in ends]
        loop = asyncio.get_running_loop()
        for near, far in (self._masters, self._masters[::-1]):
            os.set_blocking(near, False)
            loop.add_reader(near, self._carry, near, far)
            stack.callback(loop.remove_reader, near)

    def _carry(self, near: int, far: int) -> None:
        with suppress(BlockingIOError):
            os.write(far, os.read(near, 4096))


def board(*, modes: int = 0, inputs: int = 0) -> SimDevice:
    """One board of eight, its coils on, its inputs and their modes as told."""
    levels = [bool(inputs >> n & 1) for n in range(8)]
    return SimDevice(
        id=1,
        simdata=(
            [SimData(0, count=256, values=True, datatype=DataType.BITS)],
            [SimData(0, values=levels, datatype=DataType.BITS)],
            [
                SimData(
                    REGISTERS_OF_MODES,
                    count=8,
                    values=modes,
                    datatype=DataType.REGISTERS,
                )
            ],
            [SimData(0, values=[0], datatype=DataType.REGISTERS)],
        ),
    )


class Line:
    """Our driver on one end, and all that it told."""

    def __init__(self, port: str, device: Device) -> None:
        self.signals: list[Signal] = []
        self.link = SerialLink(
            port,
            9_600,
            device,
            self.signals.extend,
            now=time.monotonic,
            on_state=lambda _is_open, _why: None,
        )

    async def until(self, claim: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not claim():  # noqa: ASYNC110  a claim has no event
                await asyncio.sleep(0.005)

    def told(self, signal: Signal) -> bool:
        return signal in self.signals


@asynccontextmanager
async def line(
    device: Device, peer: SimDevice, *, own_coils: bool = False
) -> AsyncIterator[Line]:
    with ExitStack() as stack:
        near, far = Bridge(stack).ports
        server = ModbusSerialServer(
            peer,
            framer=FramerType.RTU,
            port=far,
            baudrate=9_600,
            custom_pdu=[WriteCoil] if own_coils else None,
        )
        served = asyncio.create_task(server.serve_forever(background=False))
        ours = Line(near, device)
        task = asyncio.create_task(ours.link.run())
        try:
            yield ours
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await server.shutdown()  # type: ignore[no-untyped-call]
            with suppress(asyncio.CancelledError):
                await served


def driver(*, linkage: bool = False) -> RelayBoards:
    return RelayBoards(boards={1: RelayBoardOptions(linkage=linkage)})


def note(detail: str = "") -> Reachable:
    return Reachable(unit=1, detail=detail)


async def test_opening_reads_switches_off_and_reports() -> None:
    async with line(driver(), board(inputs=0b101)) as ours:
        await ours.until(lambda: any(isinstance(s, Reachable) for s in ours.signals))
    told = [s for s in ours.signals if isinstance(s, InputChanged)]
    assert [s.is_active for s in told] == [True, False, True] + 5 * [False]


async def test_modes_are_cleared_with_function_10_and_checked() -> None:
    async with line(driver(), board(modes=1)) as ours:
        await ours.until(lambda: ours.told(note()))


async def test_linkage_that_is_wanted_is_kept() -> None:
    kept = note(f"input modes {[1] * 8} are kept")
    async with line(driver(linkage=True), board(modes=1)) as ours:
        await ours.until(lambda: ours.told(kept))


async def test_a_relay_is_switched_and_read_back() -> None:
    peer = board()
    async with line(driver(), peer) as ours:
        await ours.until(lambda: ours.told(note()))
        # The peer's coils are on but for the one that "all off" wrote: 00FF.
        off = OutputChanged(unit=1, channel=3, is_on=False)
        ours.link.order(SetOutput(unit=1, channel=3, is_on=False))
        await ours.until(lambda: ours.told(off))
        ours.link.order(SetOutput(unit=1, channel=3, is_on=True))
        on = OutputChanged(unit=1, channel=3, is_on=True)
        await ours.until(lambda: ours.signals[-1] == on)
    assert not [s for s in ours.signals if isinstance(s, OrderFailed)]


async def test_a_pulse_is_one_write_of_the_boards_own() -> None:
    async with line(driver(), board(), own_coils=True) as ours:
        await ours.until(lambda: ours.told(note()))
        ours.link.order(Pulse(unit=1, channel=2, duration_s=0.7))
        await ours.until(lambda: len(WriteCoil.written) == 2)
        await asyncio.sleep(0.2)
    assert WriteCoil.written == ((0x00FF, 0x0000), (FLASH_ON + 1, 7))
    assert not [s for s in ours.signals if isinstance(s, OrderFailed)]


async def test_the_search_finds_the_board() -> None:
    scan = AddressScan((1,))
    async with line(scan, board()) as ours:
        await ours.until(lambda: scan.is_done)
    assert scan.answering == (1,)
    assert ours.signals == [note()]
