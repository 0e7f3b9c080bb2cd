# SPDX-License-Identifier: Apache-2.0
"""One connection to the broker, opened and closed without a remnant.

The law of the module: a client object lives for one connection and is thrown away,
since paho keeps what was not acknowledged and would send it again by itself. Whatever
happens, cancellation included, socket and helper task are gone when the block is left.
Source: aiomqtt 2.5.1 and paho-mqtt 2.2.0, their code read; docs/sync-contract.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiomqtt

from cloud_sync.inbox import Inbox, brake
from cloud_sync.window import WINDOW_BATCHES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import paho.mqtt.client as mqtt
    from aiomqtt.types import PahoSocket

#: For TCP, for each address of the host, and for the handshake of TLS: short, since
#: there may be another broker to try.
CONNECT_WITHIN_S = 3.0
#: For CONNACK and SUBACK each.
ANSWER_WITHIN_S = 5.0
#: A polite DISCONNECT to a broker that no longer reads is not worth more.
LEAVE_WITHIN_S = 1.0
#: A dead peer is noticed after at most two of these even with nothing to send.
KEEPALIVE_S = 20
#: The window twice over (acknowledged by the platform before the broker), hello, pull,
#: and what goes beside: alarms, days, a heartbeat.
CALLS_AT_ONCE = 2 * WINDOW_BATCHES + 16
_NO_DELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker is and how to enter; ``tls`` None for plain TCP."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None


@asynccontextmanager
async def connected(broker: Broker, identifier: str) -> AsyncIterator[aiomqtt.Client]:
    """Hold one MQTT 3.1.1 connection with a clean session; MqttError if there is none.

    Cancelling waits for the thread in which paho connects, at most three seconds for
    each address of the host and three for TLS.
    """
    client = aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password,
        identifier=identifier,
        protocol=aiomqtt.ProtocolVersion.V311,
        clean_session=True,
        timeout=ANSWER_WITHIN_S,
        keepalive=KEEPALIVE_S,
        queue_type=Inbox,
        tls_context=broker.tls,
        socket_options=[_NO_DELAY],
    )
    client.pending_calls_threshold = CALLS_AT_ONCE
    brake(client)
    _write_only_while_open(client)
    _fail_when_turned_away(client)
    client._client.manual_ack_set(on=True)  # noqa: SLF001  aiomqtt has no word
    client._client.connect_timeout = CONNECT_WITHIN_S  # noqa: SLF001
    try:
        await _enter(client)
        try:
            yield client
        finally:
            client.timeout = LEAVE_WITHIN_S
            with contextlib.suppress(aiomqtt.MqttError):
                await client.__aexit__(None, None, None)
    finally:
        await _close(client)


def acknowledge(client: aiomqtt.Client, message: aiomqtt.Message) -> None:
    """Send the PUBACK of a message that was dealt with; harmless for QoS 0.

    A broker has only so many messages in flight (mosquitto 20), so that a snapshot of
    20 MB waits in the broker and not in our memory.
    """
    client._client.ack(message.mid, message.qos)  # noqa: SLF001


def _write_only_while_open(client: aiomqtt.Client) -> None:
    # aiomqtt notes the descriptor's number and waits for it a turn later, when paho may
    # have closed it and another thread opened a file of that number.
    loop, paho = asyncio.get_running_loop(), client._client  # noqa: SLF001

    def write() -> None:
        try:
            paho.loop_write()
        except Exception as fault:  # noqa: BLE001  as aiomqtt does
            if not client._disconnected.done():  # noqa: SLF001
                client._disconnected.set_exception(fault)  # noqa: SLF001

    def wait(opened: PahoSocket) -> None:
        if opened.fileno() >= 0:
            loop.add_writer(opened.fileno(), write)

    def wait_soon(_: mqtt.Client, __: object, opened: PahoSocket) -> None:
        loop.call_soon_threadsafe(wait, opened)  # the connecting thread calls, too

    paho.on_socket_register_write = wait_soon


def _fail_when_turned_away(client: aiomqtt.Client) -> None:
    # aiomqtt waits its time out for a CONNACK on a connection that has ended; and with
    # TLS 1.3 a broker refuses our certificate after its handshake, in an alert that
    # paho logs and drops.
    loop, paho = asyncio.get_running_loop(), client._client  # noqa: SLF001
    receive, told = paho._sock_recv, paho.on_disconnect  # noqa: SLF001
    alerts: list[ssl.SSLError] = []

    def heeding(size: int) -> bytes:
        try:
            return receive(size)
        except ssl.SSLError as alert:
            alerts.append(alert)
            raise

    def fail() -> None:
        connected = client._connected  # noqa: SLF001
        if not connected.done():
            error = aiomqtt.MqttError("the broker ended the connection unheard")
            error.__cause__ = alerts[0] if alerts else None
            connected.set_exception(error)

    def ended(*words: Any) -> None:
        loop.call_soon_threadsafe(fail)  # the connecting thread calls, too
        if told is not None:
            told(*words)

    paho._sock_recv = heeding  # type: ignore[assignment,method-assign]  # noqa: SLF001
    paho.on_disconnect = ended


async def _enter(client: aiomqtt.Client) -> None:
    entering = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.shield(entering)
    except asyncio.CancelledError:
        # The connecting thread cannot be stopped, and would add its socket to the
        # loop behind our back. Waiting for CONNACK can: by giving up its future.
        client._connected.cancel()  # noqa: SLF001
        await asyncio.wait({entering})
        if not entering.cancelled():
            entering.exception()
        raise


async def _close(client: aiomqtt.Client) -> None:
    # aiomqtt leaves the socket open when CONNACK or the farewell does not come.
    client._client._sock_close()  # noqa: SLF001
    misc = client._misc_task  # noqa: SLF001
    if misc is not None:
        misc.cancel()
        await asyncio.wait({misc})
    if client._disconnected.done():  # noqa: SLF001
        # Looked at, so that asyncio does not complain that nobody did.
        client._disconnected.exception()  # noqa: SLF001
