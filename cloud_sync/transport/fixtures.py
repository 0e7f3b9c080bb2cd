# SPDX-License-Identifier: Apache-2.0
"""Bad links, clocks and disks as fixtures, for tests against Menshen's contract.

The law of the module: nothing of the product imports it; it needs pytest and
pytest-asyncio, which a gateway does not carry. Use it by one line in a ``conftest.py``:
``pytest_plugins = ["cloud_sync.transport.fixtures"]``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from random import Random
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from cloud_sync.transport.faults import KIND, Faults, FaultyTransport
from cloud_sync.transport.mishaps import FullDisk, LeapingClock
from cloud_sync.transport.tcp_proxy import TcpProxy

if TYPE_CHECKING:
    from cloud_sync.transport.port import Transport

LinkTo = Callable[[int], Awaitable[TcpProxy]]
Spoil = Callable[..., FaultyTransport]


@pytest_asyncio.fixture
async def link_to() -> AsyncIterator[LinkTo]:
    """Return what makes a link to a port of this machine; all end with the test."""
    async with AsyncExitStack() as stack:

        async def opened(port: int) -> TcpProxy:
            return await stack.enter_async_context(TcpProxy(port))

        yield opened


@pytest.fixture
def spoil() -> Spoil:
    """Return what puts faults into a transport, the same ones for the same seed."""

    def spoilt(
        inner: Transport, faults: Faults = KIND, seed: int = 1
    ) -> FaultyTransport:
        chance = Random(seed)  # noqa: S311  a test's chance has to come again
        return FaultyTransport(inner, faults=faults, chance=chance)

    return spoilt


@pytest.fixture
def leaping_clock() -> LeapingClock:
    """Return a clock that a hand moves: weeks pass, and the wall's time leaps."""
    return LeapingClock()


@pytest.fixture
def full_disk() -> FullDisk:
    """Return a disk that is full whenever it is told to be; set its ``fault``."""
    return FullDisk()
