# SPDX-License-Identifier: Apache-2.0
"""The key wedge on the kernel's own input devices, where a test may make one."""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drivers.device import CodeRead
from drivers.links.evdev_link import EvdevPort
from drivers.links.link import PortError
from drivers.scanners.key_wedge import KeyWedge, KeyWedgeOptions
from tests.drivers.key_lists import typed

if TYPE_CHECKING:
    from collections.abc import Iterator

UINPUT = Path("/dev/uinput")
UI_SET_EVBIT, UI_SET_KEYBIT = 0x40045564, 0x40045565
UI_DEV_CREATE, UI_DEV_DESTROY = 0x5501, 0x5502
#: _IOC(_IOC_READ, 'U', 44, 64).
UI_GET_SYSNAME = 2 << 30 | 64 << 16 | ord("U") << 8 | 44
EVENT = struct.Struct("@llHHi")
CODE = b"MS1ABCDEF0"

pytestmark = pytest.mark.skipif(
    not os.access(UINPUT, os.W_OK),
    reason="no /dev/uinput here that we may write: no keyboard can be plugged in",
)


@contextmanager
def keyboard() -> Iterator[tuple[int, str]]:
    """A keyboard that the kernel believes in: what to type into, and its node."""
    descriptor = os.open(UINPUT, os.O_WRONLY | os.O_NONBLOCK)
    try:
        fcntl.ioctl(descriptor, UI_SET_EVBIT, 1)
        for code in range(1, 112):
            fcntl.ioctl(descriptor, UI_SET_KEYBIT, code)
        head = struct.pack("@80sHHHHI", b"menshen test scanner", 3, 1, 1, 1, 0)
        os.write(descriptor, head + bytes(4 * 64 * 4))
        fcntl.ioctl(descriptor, UI_DEV_CREATE)
        name = bytearray(64)
        fcntl.ioctl(descriptor, UI_GET_SYSNAME, name)
        folder = Path("/sys/devices/virtual/input") / name.split(b"\0")[0].decode()
        yield descriptor, f"/dev/input/{next(folder.glob('event*')).name}"
        fcntl.ioctl(descriptor, UI_DEV_DESTROY)
    finally:
        os.close(descriptor)


async def opened(path: str) -> int:
    """udev takes a moment to make the node and give it to us."""
    async with asyncio.timeout(5.0):
        while True:
            try:
                return (await EvdevPort(path).open()).descriptor
            except PortError:
                await asyncio.sleep(0.05)


async def test_a_code_that_the_kernel_types_is_read_by_us_alone() -> None:
    with keyboard() as (typing, path):
        descriptor = await opened(path)
        with pytest.raises(PortError, match="has it open"):
            await EvdevPort(path).open()
        for code, value in typed(CODE):
            os.write(typing, EVENT.pack(0, 0, 1, code, value))
            os.write(typing, EVENT.pack(0, 0, 0, 0, 0))
        await asyncio.sleep(0.1)
        wedge = KeyWedge(options=KeyWedgeOptions())
        signals = wedge.receive(os.read(descriptor, 65536), time.monotonic())
        os.close(descriptor)
    assert signals == [CodeRead(unit=0, payload=CODE)]
