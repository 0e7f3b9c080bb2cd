# SPDX-License-Identifier: Apache-2.0
"""The session's one connection to the broker.

The law of the module: it carries, it decides nothing. A connection that fails is
thrown away with all that waited in it, since whatever it held is stale: gateways
ask again. PUBACK means nothing in either direction.
Source: docs/sync-contract.md sections 1 and 6; MQTT 3.1.1.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

import aiomqtt

from firmware_sim.platform.envelope import MAXIMUM_PAYLOAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from firmware_sim.platform.session import Publish, Session

SUBSCRIPTIONS = tuple(
    f"mn/v1/up/+/+/{leaf}" for leaf in ("hello", "evt", "pull", "res", "csr")
)
#: Messages in one commit: enough to share its flush, few enough (30 ms of work) to
#: keep the connection alive and other gateways' windows moving.
MAXIMUM_GROUP = 8
#: Received and not yet taken, 32 MiB; beyond it the client drops what the broker
#: believes delivered, and the gateway, unacknowledged, sends it again.
MAXIMUM_WAITING = 512
#: Signed and not yet published: two snapshots of the largest feed. Beyond it the
#: newest is dropped and its gateway asks again.
MAXIMUM_OUTGOING = 2048
#: Publications waiting for their PUBACK at once, below paho's own limit of 20.
_IN_FLIGHT = 16
_PUBLISH_TIMEOUT_S = 10.0
_KEEPALIVE_S = 15
_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 5.0


class Shell:
    """Connects, reconnects, and moves bytes between the broker and the session."""

    def __init__(
        self, session: Session, host: str, port: int, now_ms: Callable[[], int]
    ) -> None:
        """``now_ms`` gives UTC milliseconds and never steps."""
        self.is_connected = False
        self.dropped = 0
        self._session = session
        self._address = (host, port)
        self.now_ms = now_ms
        self._outgoing: deque[Publish] = deque()
        self._filled = asyncio.Event()
        self._touched = asyncio.Event()

    async def run(self) -> None:
        """Keep a connection until cancelled."""
        delay_s = _FIRST_DELAY_S
        while True:
            try:
                async with self._client() as client:
                    delay_s = _FIRST_DELAY_S
                    await self._serve(client)
            except* aiomqtt.MqttError:
                self._forget()
            await asyncio.sleep(delay_s * random.uniform(0.5, 1.0))
            delay_s = min(2 * delay_s, _LONGEST_DELAY_S)

    def post(self, messages: Iterable[Publish]) -> None:
        """Queue messages for the broker; without a connection they are for nobody."""
        for message in messages:
            if not self.is_connected or len(self._outgoing) >= MAXIMUM_OUTGOING:
                self.dropped += 1
            else:
                self._outgoing.append(message)
        self._filled.set()

    async def _serve(self, client: aiomqtt.Client) -> None:
        await client.subscribe([(topic, 1) for topic in SUBSCRIPTIONS])
        self.is_connected = True
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._work(client))
            tasks.create_task(self._send(client))
            tasks.create_task(self._tick())

    async def _work(self, client: aiomqtt.Client) -> None:
        """Take all that waits, up to a group, and let the session commit it."""
        messages = client.messages
        while True:
            group = [_taken(await anext(messages))]
            while len(messages) and len(group) < MAXIMUM_GROUP:
                group.append(_taken(await anext(messages)))
            self.post(self._session.receive_all(group, self.now_ms()))
            self._touched.set()

    async def _send(self, client: aiomqtt.Client) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._outgoing:
                size = min(len(self._outgoing), _IN_FLIGHT)
                chunk = [self._outgoing.popleft() for _ in range(size)]
                async with asyncio.TaskGroup() as tasks:
                    for one in chunk:
                        tasks.create_task(_publish(client, one))

    async def _tick(self) -> None:
        """Publish what a knob delayed, when it is due."""
        while True:
            due = self._session.deadline()
            wait_s = None if due is None else max(0, due - self.now_ms()) / 1000
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._touched.wait()
            self._touched.clear()
            self.post(self._session.tick(self.now_ms()))

    def _client(self) -> aiomqtt.Client:
        host, port = self._address
        client = aiomqtt.Client(
            host,
            port,
            clean_session=True,
            timeout=_PUBLISH_TIMEOUT_S,
            keepalive=_KEEPALIVE_S,
            max_queued_incoming_messages=MAXIMUM_WAITING,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        client.pending_calls_threshold = _IN_FLIGHT
        return client

    def _forget(self) -> None:
        self.is_connected = False
        self._outgoing.clear()


async def _publish(client: aiomqtt.Client, message: Publish) -> None:
    await client.publish(message.topic, message.payload, qos=1)


def _taken(message: aiomqtt.Message) -> tuple[str, bytes]:
    """Return topic and payload; one byte over the limit is enough to refuse it."""
    payload = message.payload
    raw = payload if isinstance(payload, bytes) else b""
    return message.topic.value, raw[: MAXIMUM_PAYLOAD_BYTES + 1]
