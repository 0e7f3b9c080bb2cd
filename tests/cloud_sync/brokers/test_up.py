# SPDX-License-Identifier: Apache-2.0
"""Events over every broker: in order, once, whatever dies or falls silent between."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.cloud_sync.brokers.town import (
    WITHIN_S,
    all_sent,
    connected,
    eventually,
    grow,
)
from tests.cloud_sync.memory_ports import until
from tests.cloud_sync.platform.desk import expected, journal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from cloud_sync.transport.port import Incoming, State, Transport
    from tests.cloud_sync.brokers.town import Town

pytestmark = pytest.mark.alone
JOURNAL = journal(6_000)


class Forgetful:
    """A way on which acknowledgements get lost while ``loses`` says so."""

    loses = True

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.lost = 0

    @property
    def state(self) -> State:
        return self._inner.state

    async def connect(self) -> None:
        await self._inner.connect()

    async def subscribe(self, topics: Sequence[str]) -> bool:
        return await self._inner.subscribe(topics)

    async def publish(self, topic: str, payload: bytes, qos: int = 1) -> None:
        await self._inner.publish(topic, payload, qos)

    async def messages(self) -> AsyncIterator[Incoming]:
        async for message in self._inner.messages():
            if self.loses and message.topic.endswith("/ack"):
                self.lost += 1
            else:
                yield message

    async def close(self) -> None:
        await self._inner.close()


async def test_a_hello_is_answered_and_a_backlog_arrives_whole_and_in_order(
    town: Town,
) -> None:
    site = town.site(JOURNAL)
    async with town.serving(), site.running():
        await all_sent(site)
        assert await town.stored() == expected(JOURNAL)
        # In order: the platform met no gap, and nothing had to be sent again.
        assert {gateway for gateway, _ in await town.refusals()} == {""}
        assert await town.repeated() == 0
        assert site.reports == []
        assert len(site.clock.bounds) == 1


@pytest.mark.usefixtures("impatient")
async def test_lost_acknowledgements_rewind_and_nothing_is_stored_twice(
    town: Town,
) -> None:
    site = town.site(wrapped=Forgetful)
    ways = [way for _, way in site.client._transports]
    assert all(isinstance(way, Forgetful) for way in ways)
    async with town.serving(), site.running():
        await connected(site)
        grow(site, JOURNAL[:1500])
        await until(lambda: any(getattr(way, "lost", 0) for way in ways), WITHIN_S)
        await eventually(town.repeated)
        for way in ways:
            vars(way)["loses"] = False
        await all_sent(site)
        assert await town.stored() == expected(JOURNAL[:1500])
        assert site.journal.new_epochs == []


@pytest.mark.timeout(300)
async def test_every_node_killed_in_mid_drain_loses_and_doubles_nothing(
    town: Town,
) -> None:
    site = town.site()
    async with town.serving(), site.running():
        steps = len(town.nodes) + 1
        for number, node in enumerate(town.nodes, 1):
            await connected(site)
            grow(site, JOURNAL[: number * len(JOURNAL) // steps])
            await asyncio.sleep(0.02)
            node.kill()
            grow(site, JOURNAL[: number * len(JOURNAL) // steps + 100])
            # Another one carries on without it, if it is not the platform's. Of the
            # nodes that follow that is not asked: one of the others is still catching
            # up with what it missed.
            if node is town.first is not town.last:
                await all_sent(site)
                assert site.client.status.broker != str(node.port)
            await town.restart(node)
        grow(site, JOURNAL)
        await all_sent(site)
        assert await town.stored() == expected(JOURNAL)
        assert site.journal.new_epochs == []
        assert site.client.status.reconnects > 0


@pytest.mark.usefixtures("impatient")
async def test_a_node_that_stands_still_is_left_and_its_return_is_taken_up(
    town: Town,
) -> None:
    site = town.site()
    async with town.serving(), site.running():
        await connected(site)
        town.first.freeze()
        grow(site, JOURNAL[:1000])
        await until(lambda: site.client.status.trouble is not None, WITHIN_S)
        town.first.thaw()
        await all_sent(site)
        assert await town.stored() == expected(JOURNAL[:1000])


@pytest.mark.usefixtures("impatient")
async def test_somebody_of_the_same_name_takes_the_place_for_a_moment_at_most(
    town: Town,
) -> None:
    site = town.site()
    async with town.serving(), site.running():
        await connected(site)
        async with town.intruder(town.first):
            grow(site, JOURNAL[:1000])
        grow(site, JOURNAL[:2000])
        await all_sent(site)
        assert await town.stored() == expected(JOURNAL[:2000])
