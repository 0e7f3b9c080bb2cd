# SPDX-License-Identifier: Apache-2.0
"""Bad links as pytest fixtures, for whoever tests against Menshen's contract.

The law of the module: nothing of the product imports it; it needs pytest and
pytest-asyncio, which a gateway does not carry. Use it by one line in a ``conftest.py``:
``pytest_plugins = ["cloud_sync.transport.fixtures"]``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest_asyncio

from cloud_sync.transport.tcp_proxy import TcpProxy

LinkTo = Callable[[int], Awaitable[TcpProxy]]


@pytest_asyncio.fixture
async def link_to() -> AsyncIterator[LinkTo]:
    """Return what makes a link to a port of this machine; all end with the test."""
    async with AsyncExitStack() as stack:

        async def opened(port: int) -> TcpProxy:
            return await stack.enter_async_context(TcpProxy(port))

        yield opened
