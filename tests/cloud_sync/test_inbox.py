# SPDX-License-Identifier: Apache-2.0
"""A broker that pushes without end fills a bounded inbox, and loses nothing by it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiomqtt
import pytest

from cloud_sync.connection import Broker, connected
from cloud_sync.inbox import INBOX_BYTES, PAUSE_BYTES, Inbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BODY = 60_000
MESSAGES = 600
#: What sockets of both sides may hold beside the inbox.
KERNEL_BYTES = 10_000_000


def message(size: int) -> aiomqtt.Message:
    return aiomqtt.Message("t", bytes(size), 1, retain=False, mid=1, properties=None)


async def test_what_waits_to_be_read_is_bounded_by_its_bytes() -> None:
    inbox = Inbox()
    for _ in range(4):
        inbox.put_nowait(message(INBOX_BYTES // 4))
    with pytest.raises(asyncio.QueueFull):
        inbox.put_nowait(message(1))
    await inbox.get()
    inbox.put_nowait(message(INBOX_BYTES // 4))
    assert inbox.qsize() == 4


async def test_reading_stops_when_full_and_goes_on_at_half() -> None:
    inbox = Inbox()
    said: list[str] = []
    inbox.pause = lambda: said.append("pause")
    inbox.resume = lambda: said.append("resume")
    for _ in range(3):
        inbox.put_nowait(message(PAUSE_BYTES // 2))
    assert said == ["pause"]
    inbox.get_nowait()
    assert said == ["pause"]
    inbox.get_nowait()
    assert said == ["pause", "resume"]
    inbox.get_nowait()
    inbox.put_nowait(message(PAUSE_BYTES))
    assert said == ["pause", "resume", "pause"]


class Flood:
    """The least of a broker: it admits one client and floods it with QoS 0."""

    def __init__(self) -> None:
        self.sent = 0

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await self._packet(reader)  # CONNECT
        writer.write(b"\x20\x02\x00\x00")
        subscribe = await self._packet(reader)
        writer.write(b"\x90\x03" + subscribe[:2] + b"\x00")
        for number in range(MESSAGES):
            body = b"\x00\x01t" + number.to_bytes(4, "big") + bytes(BODY)
            writer.write(b"\x30" + _length(len(body)) + body)
            await writer.drain()
            self.sent += len(body)
        await reader.read()
        writer.close()

    @staticmethod
    async def _packet(reader: asyncio.StreamReader) -> bytes:
        _, length = await reader.readexactly(2)
        assert length < 128
        return await reader.readexactly(length)


def _length(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


@asynccontextmanager
async def flooded() -> AsyncIterator[tuple[Flood, int]]:
    flood = Flood()
    server = await asyncio.start_server(flood.serve, "127.0.0.1", 0)
    try:
        yield flood, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def test_a_flood_waits_with_its_sender_until_it_is_read() -> None:
    async with (
        flooded() as (flood, port),
        connected(Broker(host="127.0.0.1", port=port), "gw-test") as client,
    ):
        await client.subscribe("t")
        sent = -1
        while flood.sent != sent:  # until nothing moves any more
            sent = flood.sent
            await asyncio.sleep(0.3)
        assert PAUSE_BYTES < sent < INBOX_BYTES + KERNEL_BYTES < MESSAGES * BODY
        numbers = []
        async with asyncio.timeout(30):
            async for taken in client.messages:
                assert isinstance(taken.payload, bytes)
                numbers.append(int.from_bytes(taken.payload[:4], "big"))
                if len(numbers) == MESSAGES:
                    break
        assert numbers == list(range(MESSAGES))
