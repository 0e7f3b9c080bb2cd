# SPDX-License-Identifier: Apache-2.0
"""A connection that ends in the middle of a write leaves nothing in the event loop."""

from __future__ import annotations

import asyncio
from typing import Any

from cloud_sync.connection import Broker, connected
from tests.cloud_sync.raw_broker import RawBroker


async def test_a_socket_that_closed_in_the_turn_of_a_write_is_not_waited_for() -> None:
    loop = asyncio.get_running_loop()
    complaints: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    async with RawBroker().running() as port:
        async with connected(Broker(host="127.0.0.1", port=port), "gw-test") as client:
            client._client.publish("t", b"x", qos=1)
            client._client._sock_close()
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
    assert complaints == []


async def test_what_the_kernel_does_not_take_at_once_is_sent_later() -> None:
    async with (
        RawBroker().running() as port,
        connected(Broker(host="127.0.0.1", port=port), "gw-test") as client,
    ):
        await asyncio.gather(
            *(client.publish("t", bytes(4_000_000), qos=1) for _ in range(4))
        )
