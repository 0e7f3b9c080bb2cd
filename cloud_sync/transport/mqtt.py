# SPDX-License-Identifier: Apache-2.0
"""The port over MQTT 3.1.1: aiomqtt, a client object for each connection.

The law of the module: it adds nothing to :mod:`cloud_sync.connection` but the port's
shape and words; a message is acknowledged when the next one is asked for, and a
certificate of the broker that is found out of its dates ends the connection, also in
its middle: the platform's signed time may be what tells.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import aiomqtt

from cloud_sync.connection import Broker, acknowledge, connected
from cloud_sync.transport.cancelling import heed_cancellation
from cloud_sync.transport.mqtt_troubles import trouble_of
from cloud_sync.transport.port import Incoming, State, TransportError, Trouble
from cloud_sync.transport.tls import (
    DatesError,
    PinnedContext,
    TlsFileError,
    TlsWay,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from edge.core.moment import Moment

#: SUBACK's code for "no"; every smaller one is a granted QoS.
_SUBSCRIPTION_REFUSED = 0x80
#: What the platform says needs no more than the line itself: with a clean session no
#: broker keeps anything for the next one. A cluster of NATS makes a consumer of each
#: subscription at QoS 1, and while a node is dead most of them fail (docs/scale.md).
_QOS_DOWN = 0


class MqttTransport:
    """The way to one broker for the client called ``identifier``.

    ``tls`` None for plain TCP; ``now`` is the clock that certificates are held
    against.
    """

    def __init__(
        self,
        broker: Broker,
        identifier: str,
        *,
        tls: TlsWay | None = None,
        now: Callable[[], Moment] | None = None,
    ) -> None:
        if tls is not None and now is None:
            raise ValueError("TLS needs a clock: dates are held against it")
        self._broker = broker
        self._identifier = identifier
        self._tls = tls
        self._now = now
        #: Until when our certificate is good, as its file last said; None without one.
        self.certificate_until_ms: int | None = None
        self._context: PinnedContext | None = None
        self._stack: AsyncExitStack | None = None
        self._client: aiomqtt.Client | None = None
        self._is_connecting = False

    @property
    def state(self) -> State:
        """How the connection stands, as far as TCP knows."""
        if self._is_connecting:
            return State.CONNECTING
        if self._client is None:
            return State.CLOSED
        is_over = self._client._disconnected.done()  # noqa: SLF001
        return State.LOST if is_over else State.CONNECTED

    async def connect(self) -> None:
        """Connect with a clean session and nothing of the connection before."""
        if self._stack is not None or self._is_connecting:
            raise RuntimeError("a transport has one connection at a time")
        self._is_connecting = True
        try:
            broker = await self._secured()
            async with AsyncExitStack() as stack:
                opening = connected(broker, self._identifier)
                self._client = await stack.enter_async_context(opening)
                self._stack = stack.pop_all()
        except aiomqtt.MqttError as error:
            trouble = self._unheard(trouble_of(error))
            if self._tls is not None:
                self._tls.failed(trouble.kind)
            raise trouble from error
        except ValueError as error:  # a host that is no name, which nobody looks up
            raise TransportError(Trouble.NAME_UNKNOWN, str(error)) from error
        finally:
            self._is_connecting = False

    def _unheard(self, trouble: TransportError) -> TransportError:
        # The alert of a broker that closes in a hurry may be lost with its connection.
        has_shaken_hands = self._context is not None and bool(self._context.seen)
        if trouble.kind is not Trouble.LOST or not has_shaken_hands:
            return trouble
        hint = "right after TLS: it may refuse this gateway's certificate"
        return TransportError(Trouble.LOST, f"{trouble}, {hint}")

    async def _secured(self) -> Broker:
        if self._tls is None or self._now is None:
            return self._broker
        try:
            self._context = await asyncio.to_thread(self._tls.context, self._now)
        except (TlsFileError, OSError, ValueError) as fault:  # it may go meanwhile
            self._tls.failed(Trouble.TLS_FILES)
            raise TransportError(Trouble.TLS_FILES, str(fault)) from fault
        self.certificate_until_ms = self._context.own_until_ms
        return replace(self._broker, tls=self._context)

    async def subscribe(self, topics: Sequence[str]) -> bool:
        """Subscribe; False if the broker refuses one of the topics."""
        client = self._standing()
        try:
            granted = await client.subscribe([(topic, _QOS_DOWN) for topic in topics])
        except aiomqtt.MqttError as error:
            raise trouble_of(error) from error
        heed_cancellation()
        codes = [code if isinstance(code, int) else code.value for code in granted]
        return all(code < _SUBSCRIPTION_REFUSED for code in codes)

    async def publish(self, topic: str, payload: bytes, qos: int = 1) -> None:
        """Publish; at QoS 1 return at the PUBACK."""
        client = self._standing()
        try:
            await client.publish(topic, payload, qos=qos, timeout=math.inf)
        except aiomqtt.MqttError as error:
            raise trouble_of(error) from error

    def messages(self) -> AsyncIterator[Incoming]:
        """Return what comes; the PUBACK of one goes out when the next is asked for."""
        return _Messages(self._standing(), self._check_dates)

    async def close(self) -> None:
        """Say goodbye if anybody listens, and close the socket in any case."""
        stack, self._stack = self._stack, None
        try:
            if stack is not None:
                await stack.aclose()
        finally:
            self._client = self._context = None

    def _standing(self) -> aiomqtt.Client:
        if self._client is None:
            raise TransportError(Trouble.LOST, "not connected")
        return self._client

    def _check_dates(self) -> None:
        if self._context is None:
            return
        try:
            self._context.check_dates()
        except DatesError as error:
            raise TransportError(Trouble.BROKER_DATES, str(error)) from error


class _Messages:
    """The messages of one connection."""

    def __init__(self, client: aiomqtt.Client, check: Callable[[], None]) -> None:
        self._client = client
        self._check = check
        self._before: aiomqtt.Message | None = None

    def __aiter__(self) -> _Messages:
        return self

    async def __anext__(self) -> Incoming:
        before, self._before = self._before, None
        if before is not None:
            acknowledge(self._client, before)
            self._check()
        try:
            message = await anext(self._client.messages)
        except aiomqtt.MqttError as error:
            raise trouble_of(error) from error
        self._before = message
        return Incoming(
            topic=message.topic.value,
            payload=message.payload,
            is_retained=message.retain,
        )
