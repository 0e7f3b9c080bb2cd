# SPDX-License-Identifier: Apache-2.0
"""The port in memory: a broker in one event loop, for many clients at once.

The law of the module: it promises what the port promises and nothing more, and it
disappoints as real brokers do: a session ends with its connection, a second client of
a name ends the first, a publish that nobody may make is taken and thrown away, and
what waits beyond a thousand messages is dropped, the newest first.
Source: MQTT 3.1.1, 3.1.4-2, 4.3.2 and 4.7; mosquitto 2.0, max_queued_messages.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from cloud_sync.transport.port import Incoming, State, TransportError, Trouble

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

#: mosquitto's own default.
QUEUED_MESSAGES = 1000


class MemoryBroker:
    """Routes messages among its clients; can stop, start, and cut one off.

    ``denies(client, topic)`` True: a publish is taken and thrown away, as MQTT 3.1.1
    has it. ``is_deaf``: it takes everything and delivers nothing.
    """

    def __init__(self) -> None:
        self.denies: Callable[[str, str], bool] = lambda _client, _topic: False
        self.is_deaf = False
        self.is_up = True
        #: How many messages found a client's queue full.
        self.dropped = 0
        self._clients: dict[str, MemoryTransport] = {}

    def transport(self, identifier: str) -> MemoryTransport:
        """Return a way here for the client of that name; it is not connected yet."""
        return MemoryTransport(self, identifier)

    @property
    def clients(self) -> frozenset[str]:
        """Who is connected."""
        return frozenset(self._clients)

    def stop(self) -> None:
        """End all connections and take none."""
        self.is_up = False
        for identifier in tuple(self._clients):
            self.cut(identifier)

    def start(self) -> None:
        """Take connections again; nothing is left of what was."""
        self.is_up = True

    def cut(self, identifier: str) -> None:
        """End the connection of one client, if there is one."""
        client = self._clients.pop(identifier, None)
        if client is not None:
            client.lose("the broker ended the connection")

    def enter(self, client: MemoryTransport, identifier: str) -> None:
        """Take a client in, and end the one before of that name; TransportError."""
        if not self.is_up:
            raise TransportError(Trouble.UNREACHABLE, "nobody listens")
        self.cut(identifier)
        self._clients[identifier] = client

    def leave(self, client: MemoryTransport, identifier: str) -> None:
        """Forget a client."""
        if self._clients.get(identifier) is client:
            del self._clients[identifier]

    def route(self, sender: str, topic: str, payload: bytes) -> None:
        """Deliver a message to all that asked for its topic."""
        if self.is_deaf or self.denies(sender, topic):
            return
        for client in tuple(self._clients.values()):
            if client.wants(topic):
                taken = client.take(Incoming(topic=topic, payload=payload))
                self.dropped += not taken


class MemoryTransport:
    """One client's way to a broker in memory."""

    def __init__(self, broker: MemoryBroker, identifier: str) -> None:
        self._broker = broker
        self._identifier = identifier
        self._state = State.CLOSED
        self._wanted: set[str] = set()
        self._line: deque[Incoming] = deque()
        self._news = asyncio.Event()
        self._why_lost = ""

    @property
    def state(self) -> State:
        """How the connection stands."""
        return self._state

    async def connect(self) -> None:
        """Enter the broker."""
        if self._state is not State.CLOSED:
            raise RuntimeError("a transport has one connection at a time")
        self._forget()
        self._state = State.CONNECTING
        try:
            await asyncio.sleep(0)
            self._broker.enter(self, self._identifier)
        except BaseException:
            self._state = State.CLOSED
            raise
        self._state = State.CONNECTED

    async def subscribe(self, topics: Sequence[str]) -> bool:
        """Ask for topics, with wildcards if need be."""
        self._refuse_unconnected()
        self._wanted.update(topics)
        await asyncio.sleep(0)
        self._refuse_unconnected()
        return True

    async def publish(self, topic: str, payload: bytes, qos: int = 1) -> None:
        """Hand a message to the broker; QoS 0 is the same here."""
        del qos
        self._refuse_unconnected()
        self._broker.route(self._identifier, topic, payload)
        await asyncio.sleep(0)
        self._refuse_unconnected()

    def messages(self) -> AsyncIterator[Incoming]:
        """Return what comes; what nobody asked for yet waits with the broker."""
        return _Messages(self)

    async def next_message(self) -> Incoming:
        """Wait for a message; TransportError when the connection ends."""
        while True:
            self._refuse_unconnected()
            if self._line:
                return self._line.popleft()
            self._news.clear()
            await self._news.wait()

    async def close(self) -> None:
        """Leave the broker."""
        self._broker.leave(self, self._identifier)
        self._forget()
        self._state = State.CLOSED

    def wants(self, topic: str) -> bool:
        """Say whether a subscription fits a topic."""
        return any(is_match(pattern, topic) for pattern in self._wanted)

    def take(self, message: Incoming) -> bool:
        """Let a message wait; False if too many do."""
        if len(self._line) >= QUEUED_MESSAGES:
            return False
        self._line.append(message)
        self._news.set()
        return True

    def lose(self, why: str) -> None:
        """Learn that the connection has ended; what waited is gone."""
        self._forget()
        self._state, self._why_lost = State.LOST, why
        self._news.set()

    def _forget(self) -> None:
        self._wanted.clear()
        self._line.clear()

    def _refuse_unconnected(self) -> None:
        if self._state is not State.CONNECTED:
            raise TransportError(Trouble.LOST, self._why_lost or "not connected")


class _Messages:
    """What one client hears."""

    def __init__(self, client: MemoryTransport) -> None:
        self._client = client

    def __aiter__(self) -> _Messages:
        return self

    async def __anext__(self) -> Incoming:
        return await self._client.next_message()


def is_match(pattern: str, topic: str) -> bool:
    """Say whether a topic fits a pattern with ``+`` and ``#`` (MQTT 3.1.1, 4.7)."""
    wanted, levels = pattern.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        levels = levels[: len(wanted)]
    return len(wanted) == len(levels) and all(
        each in ("+", level) for each, level in zip(wanted, levels, strict=True)
    )
