# SPDX-License-Identifier: Apache-2.0
"""A client that may fetch: offers are followed, and what fails comes by the broker."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cloud_sync.ports import FetchError
from cloud_sync.transport.memory import MemoryBroker
from edge.core.event import EventKind
from tests.cloud_sync.memory_platform import MemoryPlatform
from tests.cloud_sync.memory_ports import Site, until
from tests.cloud_sync.scripted_platform import GATEWAY, Json, Platform, Sent, booking

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from cloud_sync.outputs import FetchSnapshot

ROWS = [booking(number) for number in range(10)]


class OfferingPlatform(Platform):
    """Offers its snapshot to whoever may fetch it."""

    def __init__(self) -> None:
        super().__init__()
        self.offered: dict[str, list[Sent]] = {}
        self.by_broker = 0

    def receive(self, topic: str, payload: bytes) -> list[Sent]:
        answers = super().receive(topic, payload)
        if not topic.endswith("/pull"):
            return answers
        event: Json = json.loads(payload)
        if "https" not in event["data"]:
            self.by_broker += 1
            return answers
        self.offered[event["id"]] = answers
        whole = self.part(event["id"], 0, len(answers), [])
        path = {"at": f"/v1/snapshots/{GATEWAY}/{event['id']}"}
        return [self.down("feed", whole | path)]


class Fetch:
    """Brings what was offered, as far as ``breaks_at``."""

    def __init__(self, platform: OfferingPlatform, breaks_at: int | None) -> None:
        self._platform = platform
        self._breaks_at = breaks_at
        self.orders: list[FetchSnapshot] = []

    async def lines(self, order: FetchSnapshot) -> AsyncGenerator[bytes]:
        self.orders.append(order)
        parts = self._platform.offered[order.path.rpartition("/")[2]]
        for number, (_, payload) in enumerate(parts):
            if number == self._breaks_at:
                raise FetchError("the line broke")
            yield payload


@pytest.mark.parametrize("breaks_at", [None, 0, 2])
async def test_a_snapshot_is_fetched_or_comes_by_the_broker(
    breaks_at: int | None,
) -> None:
    broker, platform = MemoryBroker(), OfferingPlatform()
    platform.publish_feed(7, ROWS)
    fetch = Fetch(platform, breaks_at)
    site = Site({"only": broker.transport(GATEWAY)}, fetch=fetch)
    async with MemoryPlatform(broker, platform).running(), site.running():
        await until(lambda: site.feed.cursor.rev == 7)
    assert sorted(site.feed.rows) == sorted(row["id"] for row in ROWS)
    assert len(fetch.orders) == 1
    assert fetch.orders[0].parts == 4
    assert platform.by_broker == (breaks_at is not None)
    told = [facts for kind, facts in site.reports if kind is EventKind.ROSTER_REFUSED]
    if breaks_at is None:
        assert told == []
    else:
        assert told == [(("refusal", "FETCH"), ("why", "the line broke"))]
    assert site.feed.staged == {}
