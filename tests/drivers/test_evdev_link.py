# SPDX-License-Identifier: Apache-2.0
"""The link to a keyboard-like device, on a FIFO that stands in for the kernel's."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drivers.device import CodeRead, Reachable, Signal, Unreachable
from drivers.links.evdev_link import EVIOCGRAB, EvdevLink, EvdevPort
from drivers.links.link import PortError
from drivers.scanners.key_wedge import KeyWedge, KeyWedgeOptions
from tests.drivers.key_lists import events, typed
from tests.drivers.link_site import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

CODE = b"MS1ABCDEF0"
READ = CodeRead(unit=0, payload=CODE)


class Fifo:
    """A device node that is plugged in and pulled out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = -1

    def plug(self) -> None:
        os.mkfifo(self.path)
        self._writer = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)

    def unplug(self) -> None:
        if self._writer >= 0:
            self.path.unlink()
            os.close(self._writer)
            self._writer = -1

    def type(self, text: bytes) -> None:
        data = events(typed(text))
        assert os.write(self._writer, data) == len(data)


class Site:
    """A link, what it told, and which descriptors it grabbed."""

    def __init__(
        self, path: Path, *, grab: Callable[[int], None] | None = None
    ) -> None:
        self.signals: list[Signal] = []
        self.states: list[tuple[bool, str]] = []
        self.grabbed: list[int] = []
        self.link = EvdevLink(
            str(path),
            KeyWedge(options=KeyWedgeOptions(event_bytes=24, same_code_s=0.0)),
            self.signals.extend,
            now=time.monotonic,
            on_state=lambda is_open, why: self.states.append((is_open, why)),
            grab=grab or self.grabbed.append,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.link.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[Fifo]:
    found = Fifo(tmp_path / "usb-scanner-event-kbd")
    found.plug()
    yield found
    found.unplug()


async def test_it_grabs_the_device_and_reads_codes(fifo: Fifo) -> None:
    site = Site(fifo.path)
    async with site.running():
        await until(lambda: site.link.is_open)
        assert len(site.grabbed) == 1
        fifo.type(CODE)
        await until(lambda: READ in site.signals)
    assert site.signals == [
        Reachable(unit=0, detail=""),
        READ,
        Unreachable(unit=0, why="the link was lost"),
    ]
    assert not site.link.is_open


async def test_a_scanner_that_was_pulled_out_is_found_again(fifo: Fifo) -> None:
    site = Site(fifo.path)
    async with site.running():
        for count in range(1, 3):
            await until(lambda: site.link.is_open)
            assert len(site.grabbed) == count
            fifo.type(CODE)
            await until(lambda: READ in site.signals)
            site.signals.clear()
            fifo.unplug()
            await until(lambda: not site.link.is_open)
            fifo.plug()
        await until(lambda: site.link.is_open)
    assert [is_open for is_open, _ in site.states][:3] == [True, False, True]


async def test_a_device_that_cannot_be_grabbed_is_not_read(fifo: Fifo) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    before = descriptors()
    site = Site(fifo.path, grab=refuse)
    async with site.running():
        await until(lambda: site.states)
        fifo.type(CODE)
        await asyncio.sleep(0.15)
        assert not site.link.is_open
        [(is_open, why)] = site.states
        assert not is_open
        assert "has it open" in why
    assert site.signals == []
    assert not descriptors() - before


async def test_what_came_while_the_process_stood_still_is_thrown_away(
    fifo: Fifo,
) -> None:
    site = Site(fifo.path)
    async with site.running():
        await until(lambda: site.link.is_open)
        fifo.type(CODE)
        site.link.flush_input()
        fifo.type(b"MS1LATER00")
        await until(lambda: len(site.signals) > 1)
    assert READ not in site.signals


async def test_a_scanner_that_is_not_there_is_told_with_those_that_are(
    tmp_path: Path,
) -> None:
    port = EvdevPort(str(tmp_path / "gone"), by_id=tmp_path)
    with pytest.raises(PortError, match="no scanner of the keyboard kind"):
        await port.open()
    for name in ("usb-A-event-kbd", "usb-B-event-mouse", "usb-C-event-kbd"):
        (tmp_path / name).touch()
    with pytest.raises(PortError) as fault:
        await port.open()
    assert str(fault.value).endswith("plugged in are usb-A-event-kbd, usb-C-event-kbd")


async def test_the_true_grab_refuses_what_is_no_input_device(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(PortError, match="this is no input device"):
        await EvdevPort(str(path)).open()
    with pytest.raises(PortError, match="this is no input device"):
        await EvdevPort("/dev/null").open()


def test_the_grab_is_the_kernels_number() -> None:
    """_IOW('E', 0x90, int): write, four bytes, 'E', 0x90."""
    number = 1 << 30 | 4 << 16 | ord("E") << 8 | 0x90
    assert number == EVIOCGRAB
