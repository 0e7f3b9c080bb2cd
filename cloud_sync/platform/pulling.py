# SPDX-License-Identifier: Apache-2.0
"""One shard's messages, pulled out of the stream in their order.

The law of the module: a shard has one consumer and its holder is the only one who
pulls. What another holder had taken and not finished comes again before all that is
newer, since the consumer is then made anew: a stream of a work queue holds exactly
what nobody has finished. More is asked for only when the last wish has been met.
Source: NATS documentation, JetStream consumers, pull requests and their status codes;
the behaviour of nats-server 2.9.10, measured (docs/scale.md).
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING

from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

#: Messages of one wish; they arrive at once where so many wait.
PULL = 100
EXPIRES_S = 5.0
#: A wish that was lost with its node is not answered at all.
ANSWERED_WITHIN_S = EXPIRES_S + 1.0
#: Longer than a commit ever takes; then the server thinks we are dead.
FINISHED_WITHIN_S = 30.0
#: Room for all wishes of one shard, pulled and not finished.
UNFINISHED = 200


def subjects_of(shard: str) -> str:
    """Return the subjects of one shard; ``*`` for all of them."""
    return f"mn.v1.up.{shard}.*.*"


async def ready(stream: JetStreamContext, name: str, shard: str, copies: int) -> None:
    """Have a consumer that begins with the oldest message that is not finished."""
    consumer = consumer_of(shard)
    # Nobody has served this shard yet, or another worker takes it away this moment.
    with suppress(NotFoundError):
        found = await stream.consumer_info(name, consumer)
        if not found.num_ack_pending:
            return
        await stream.delete_consumer(name, consumer)
    config = ConsumerConfig(
        durable_name=consumer,
        filter_subject=subjects_of(shard),
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=FINISHED_WITHIN_S,
        max_ack_pending=UNFINISHED,
        num_replicas=copies,
    )
    await stream.add_consumer(name, config)


def consumer_of(shard: str) -> str:
    """Return the name of a shard's consumer."""
    return f"shard-{shard}"


class Puller:
    """Hands one shard's messages to ``put``, which may let it wait."""

    def __init__(
        self,
        connection: Client,
        stream: str,
        shard: str,
        put: Callable[[str, Msg], Awaitable[None]],
    ) -> None:
        self._connection = connection
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer_of(shard)}"
        self._shard = shard
        self._put = put
        self._owed = 0
        self._is_met = asyncio.Event()

    async def run(self) -> None:
        """Pull until cancelled."""
        inbox = self._connection.new_inbox()
        heard = await self._connection.subscribe(inbox, cb=self._heard)
        wish = json.dumps({"batch": PULL, "expires": int(EXPIRES_S * 1e9)}).encode()
        try:
            while True:
                self._owed = PULL
                self._is_met.clear()
                await self._connection.publish(self._next, wish, reply=inbox)
                await self._met()
        finally:
            if not self._connection.is_closed:
                await heard.unsubscribe()

    async def _met(self) -> None:
        """Wait until a wish was met, or cannot be any more."""
        while True:
            owed = self._owed
            try:
                async with asyncio.timeout(ANSWERED_WITHIN_S):
                    await self._is_met.wait()
            except TimeoutError:
                if self._owed == owed:
                    return
            else:
                return

    async def _heard(self, message: Msg) -> None:
        if message.headers and "Status" in message.headers:
            # The wish ended: its time is over, or its server has changed its mind.
            self._is_met.set()
            return
        self._owed -= 1
        await self._put(self._shard, message)
        if self._owed <= 0:
            self._is_met.set()
