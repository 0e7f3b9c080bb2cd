# SPDX-License-Identifier: Apache-2.0
"""A line over MQTT 3.1.1, to whatever broker gateways are at.

The law of the module: it carries and decides nothing. The broker gets its PUBACK for a
message after the commit; what it had retained is acknowledged and passed over.
Source: docs/sync-contract.md, sections 1 and 6.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import aiomqtt

from cloud_sync.connection import acknowledge, connected
from cloud_sync.platform.line import Handful, LineError
from cloud_sync.transport.cancelling import heed_cancellation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator, Sequence

    from cloud_sync.connection import Broker
    from cloud_sync.platform.line import Line

#: Messages in one commit. mosquitto has 20 in flight at most, and sends no more
#: before it has its PUBACKs: this is the window between the broker and us.
GROUP = 20
_SUBSCRIPTION_REFUSED = 0x80


class MqttLines:
    """Connections to one broker, as one client; ``shards`` None for all of them."""

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        shards: Collection[str] | None = None,
    ) -> None:
        self.shards = None if shards is None else frozenset(shards)
        self._broker = broker
        self._client_id = client_id

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Line]:
        """Connect with a clean session."""
        with _told():
            async with connected(self._broker, self._client_id) as client:
                yield _MqttLine(client, self.shards)


@contextmanager
def _told() -> Iterator[None]:
    """Call a loss by the port's own name."""
    try:
        yield
    except aiomqtt.MqttError as lost:
        raise LineError(str(lost) or type(lost).__name__) from lost


class _MqttLine:
    def __init__(self, client: aiomqtt.Client, shards: frozenset[str] | None) -> None:
        self._client = client
        self._shards = shards
        self._leaves: frozenset[str] = frozenset()

    async def hear(self, topics: Sequence[str]) -> None:
        # One subscription for all that a gateway says: a cluster makes a consumer of
        # each, in seconds of its own where it has just lost a node.
        self._leaves = frozenset(topic.rpartition("/")[2] for topic in topics)
        above = sorted({topic.rpartition("/")[0] for topic in topics})
        wanted = [(f"{topic}/+", 1) for each in above for topic in self._own(each)]
        with _told():
            granted = await self._client.subscribe(wanted)
        heed_cancellation()
        codes = (code if isinstance(code, int) else code.value for code in granted)
        if any(code >= _SUBSCRIPTION_REFUSED for code in codes):
            raise LineError(
                "the broker refuses to let us hear gateways; see the rights of our "
                "account there"
            )

    async def take(self) -> Handful:
        handful, messages = Handful(), self._client.messages
        while not handful.receipts or (len(messages) and len(handful.receipts) < GROUP):
            with _told():
                message = await anext(messages)
            handful.receipts.append(message)
            topic = message.topic.value
            # Nothing of the contract is retained: it is old, or not a gateway's.
            if not message.retain and topic.rpartition("/")[2] in self._leaves:
                handful.said.append((topic, message.payload))
        return handful

    async def done(self, handful: Handful) -> None:
        for message in handful.receipts:
            acknowledge(self._client, message)

    async def publish(self, topic: str, payload: bytes, qos: int = 1) -> None:
        with _told():
            await self._client.publish(topic, payload, qos=qos)

    def _own(self, topic: str) -> list[str]:
        """Return the topic in each shard of ours; the first ``+`` is its place."""
        if self._shards is None:
            return [topic]
        return [topic.replace("+", shard, 1) for shard in sorted(self._shards)]
