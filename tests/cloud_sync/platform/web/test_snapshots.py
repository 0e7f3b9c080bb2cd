# SPDX-License-Identifier: Apache-2.0
"""A big snapshot by HTTPS: the same parts, the same code, and by MQTT if it fails."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.outputs import FetchSnapshot, SnapshotComplete
from cloud_sync.platform import feeds
from cloud_sync.platform.answers import Answers
from cloud_sync.platform.reception import Reception
from cloud_sync.ports import FetchError
from cloud_sync.transport.tls import TlsFiles
from edge.cli.snapshot_fetch import RESUMES, SnapshotFetch
from tests.cloud_sync.driving import Gateway, moment
from tests.cloud_sync.platform.desk import NOW_MS, Desk
from tests.cloud_sync.platform.test_feeds import bodies
from tests.cloud_sync.scripted_platform import GATEWAY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cloud_sync.platform.web.conftest import Web

ROWS = 2_000
#: Of six parts.
MANY = 3_500


class Site:
    """A gateway that knows the web server, beside the platform's desk."""

    def __init__(self, web: Web, name: str = GATEWAY, url: str = "") -> None:
        pair = web.authority.issue(name)
        files = TlsFiles(
            ca=web.authority.ca, certificate=pair.certificate, key=pair.key
        )
        self.web = web
        self.fetch = SnapshotFetch(url or web.url, files, now=lambda: moment(1.0))
        self.gateway = Gateway(capabilities=("delta",), fetches=True)
        self.desk = Desk(web.lent.database)
        self.desk.reception = Reception(
            web.lent.database, Answers(web.lent.signer), fetched_parts=2
        )

    async def offered(self) -> FetchSnapshot:
        """Connect, and return the order to fetch."""
        self.gateway.connect()
        await self.desk.converse(self.gateway)
        found = [one for one in self.gateway.told if isinstance(one, FetchSnapshot)]
        assert len(found) == 1
        return found[0]

    async def take(self, order: FetchSnapshot) -> None:
        async for line in self.fetch.lines(order):
            self.gateway.receive(f"mn/v1/dn/{GATEWAY}/feed", line)


async def written(web: Web, count: int = ROWS) -> None:
    change = feeds.Change(put=bodies(count))
    async with web.lent.database.writing() as work:
        await feeds.change(work, GATEWAY, change, NOW_MS)


async def test_the_parts_come_by_https_and_count_as_ever(web: Web) -> None:
    await written(web)
    site = Site(web)
    order = await site.offered()
    assert order.parts > 2
    assert site.gateway.roster == {}
    await site.take(order)
    assert len(site.gateway.roster) == ROWS
    assert site.gateway.held.rev == 1
    assert any(isinstance(one, SnapshotComplete) for one in site.gateway.told)


async def test_a_small_snapshot_and_an_older_gateway_get_it_by_the_broker(
    web: Web,
) -> None:
    await written(web, 20)
    site = Site(web)
    site.gateway.connect()
    await site.desk.converse(site.gateway)
    assert len(site.gateway.roster) == 20
    await written(web)
    older = Site(web, "gw-older-01")
    older.gateway = Gateway()
    older.gateway.connect()
    await older.desk.converse(older.gateway)
    assert len(older.gateway.roster) == ROWS


async def test_a_fetch_that_fails_is_pulled_by_the_broker(web: Web) -> None:
    await written(web)
    site = Site(web, url="https://127.0.0.1:1")
    order = await site.offered()
    with pytest.raises(FetchError, match="by HTTPS"):
        await site.take(order)
    now = moment(site.gateway.now_s)
    site.gateway.act(site.gateway.session.feed.fetch_failed(order.snapshot, now))
    site.gateway.tick(2)
    (pull,) = [each for each in site.gateway.sent if each.topic.endswith("/pull")]
    assert "https" not in json.loads(pull.payload)["data"]
    await site.desk.converse(site.gateway)
    assert len(site.gateway.roster) == ROWS


class Proxy:
    """Cuts the connection after so many bytes of an answer, ``times`` times."""

    def __init__(self, port: int, after: int, times: int) -> None:
        self._port = port
        self._after = after
        self.times = times
        self.served = 0
        self._serving: set[asyncio.Task[None]] = set()

    async def end(self) -> None:
        """Hang up on everybody."""
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await asyncio.sleep(0)  # for transports to let go of their sockets

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.served += 1
        room = self._after if self.served <= self.times else 1 << 40
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        up = asyncio.create_task(_carry(reader, back, 1 << 40))
        try:
            await _carry(there, writer, room)
        finally:
            up.cancel()
            for one in (writer, back):
                one.transport.abort()
            self._serving.discard(task)


async def _carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, room: int
) -> None:
    try:
        while room > 0 and (data := await reader.read(min(room, 4096))):
            writer.write(data)
            await writer.drain()
            room -= len(data)
    except ConnectionError:
        pass


@pytest.mark.parametrize(("times", "is_whole"), [(RESUMES, True), (RESUMES + 1, False)])
async def test_a_broken_line_is_taken_up_where_it_ended(
    web: Web, times: int, *, is_whole: bool
) -> None:
    await written(web, MANY)
    proxy = Proxy(web.port, 75_000, times)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    site = Site(web, url=f"https://127.0.0.1:{port}")
    order = await site.offered()
    try:
        if is_whole:
            await site.take(order)
        else:
            with pytest.raises(FetchError):
                await site.take(order)
    finally:
        server.close()
        await proxy.end()
    assert proxy.served == RESUMES + 1
    assert (len(site.gateway.roster) == MANY) is is_whole


async def test_only_the_gateway_itself_gets_only_what_it_was_offered(web: Web) -> None:
    await written(web)
    order = await Site(web).offered()
    other = web.authority.issue("gw-other-01")
    mine = web.authority.issue(f"{GATEWAY}")

    async def status(pair: Any, path: str) -> int:
        async with web.client(pair) as client:
            return (await client.get(path)).status_code

    assert await status(None, order.path) == 401
    assert await status(other, order.path) == 403
    nobodys = order.path.replace(order.snapshot, "0" * 32)
    assert await status(mine, nobodys) == 404
    assert await status(mine, f"{order.path}?part=-1") == 422
    assert await status(mine, order.path) == 200


async def test_the_loop_goes_on_while_the_platform_is_silent(
    web: Web, tmp_path: Path
) -> None:
    is_over, has_gone = asyncio.Event(), asyncio.Event()

    async def silent(_: object, writer: asyncio.StreamWriter) -> None:
        await is_over.wait()
        writer.transport.abort()
        await asyncio.sleep(0)  # for the transport to let go of its socket
        has_gone.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    site = Site(web, url=f"https://127.0.0.1:{port}")
    order = FetchSnapshot(snapshot="0" * 32, path="/v1/x", parts=3)
    waiting = asyncio.ensure_future(anext(site.fetch.lines(order)))
    turns = 0
    for _ in range(50):
        await asyncio.sleep(0.002)
        turns += 1
    assert turns == 50
    assert not waiting.done()
    waiting.cancel()
    server.close()
    is_over.set()
    await has_gone.wait()
