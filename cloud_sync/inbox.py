# SPDX-License-Identifier: Apache-2.0
"""What the broker has sent and nobody has read yet: bounded, by not reading on.

The law of the module: a broker may push as fast as it likes; beyond a megabyte its
bytes stay in the kernel's buffer, and then with the broker. What no honest broker
sends, a packet beyond every size or one of QoS 2, ends the connection before it is
read. Nothing is dropped for want of room but what one read brought beyond every bound.
Source: aiomqtt 2.5.1 and paho-mqtt 2.2.0, their code read (neither can pause).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiomqtt

from cloud_sync.signing import MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    import paho.mqtt.client as mqtt
    from aiomqtt.types import PahoSocket

#: Sixteen full messages keep the reader of a snapshot busy; reading goes on at half.
PAUSE_BYTES = 16 * MESSAGE_BYTES
#: What one read may bring beyond that: paho takes a packet for each publish that is
#: out. What is over is dropped, which is safe: a lost ack is healed by the next, a
#: lost part by the next pull.
INBOX_BYTES = 4 * PAUSE_BYTES
#: What an empty message takes of our memory: four small objects and their places.
MESSAGE_COST_BYTES = 1024
#: A message, its topic and their headers, twice over: paho itself would collect 256 MB.
PACKET_BYTES = 2 * MESSAGE_BYTES
#: PUBLISH with QoS 2 and the bits that tell it (MQTT 3.1.1, 3.3.1). Nothing is
#: subscribed to with QoS 2, and paho would keep such messages without a bound.
_EXACTLY_ONCE = 0b0011_0100
_EXACTLY_ONCE_MASK = 0b1111_0110


class Inbox(asyncio.Queue[aiomqtt.Message]):
    """A queue that counts bytes; aiomqtt logs and drops what ``put_nowait`` refuses."""

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        self.pause: Callable[[], None] | None = None
        self.resume: Callable[[], None] | None = None
        self.is_paused = False
        self.bytes = 0

    def put_nowait(self, item: aiomqtt.Message) -> None:
        """Take a message; QueueFull if it is too much."""
        size = _bytes_of(item)
        if self.bytes + size > INBOX_BYTES:
            raise asyncio.QueueFull
        self.bytes += size
        super().put_nowait(item)
        is_full = self.bytes >= PAUSE_BYTES
        if self.pause is not None and is_full and not self.is_paused:
            self.is_paused = True
            self.pause()

    def get_nowait(self) -> aiomqtt.Message:
        """Hand the oldest message out, and let reading go on if there is room."""
        item = super().get_nowait()
        self.bytes -= _bytes_of(item)
        has_room = self.bytes <= PAUSE_BYTES // 2
        if self.resume is not None and has_room and self.is_paused:
            self.is_paused = False
            self.resume()
        return item


def _bytes_of(message: aiomqtt.Message) -> int:
    return MESSAGE_COST_BYTES + len(message.topic.value) + len(message.payload)


def brake(client: aiomqtt.Client) -> None:
    """Let the client's inbox stop and start its reading, and bound what is read."""
    inbox, paho = client._queue, client._client  # noqa: SLF001
    assert isinstance(inbox, Inbox)  # noqa: S101  as connected() asked for
    loop = asyncio.get_running_loop()

    def opened(caller: mqtt.Client, userdata: object, socket: PahoSocket) -> None:
        # Called by the connecting thread. aiomqtt's own reader goes on while TLS holds
        # bytes, full inbox or not: ours takes its place.
        client._on_socket_open(caller, userdata, socket)  # noqa: SLF001
        descriptor = socket.fileno()
        loop.call_soon_threadsafe(loop.add_reader, descriptor, _read, client, inbox)

    def pause() -> None:
        descriptor = _descriptor(client)
        if descriptor >= 0:
            loop.remove_reader(descriptor)

    def resume() -> None:
        descriptor = _descriptor(client)
        if descriptor >= 0:
            loop.add_reader(descriptor, _read, client, inbox)
            loop.call_soon(_read, client, inbox)  # TLS may hold bytes that wake nobody

    inbox.pause, inbox.resume = pause, resume
    paho.on_socket_open = opened
    paho._sock_recv = _bounded(paho, paho._sock_recv)  # type: ignore[assignment]  # noqa: SLF001


def _bounded(
    paho: mqtt.Client, receive: Callable[[int], bytes]
) -> Callable[[int], bytes]:
    """Return a ``receive`` that breaks off as soon as a header promises too much."""

    def bounded(size: int) -> bytes:
        packet = paho._in_packet  # noqa: SLF001
        if packet["command"] & _EXACTLY_ONCE_MASK == _EXACTLY_ONCE:
            raise ConnectionAbortedError("a message of QoS 2, not subscribed to")
        if packet["remaining_length"] > PACKET_BYTES:
            raise ConnectionAbortedError(f"a packet beyond {PACKET_BYTES} bytes")
        return receive(size)

    return bounded


def _descriptor(client: aiomqtt.Client) -> int:
    socket = client._client.socket()  # noqa: SLF001
    return -1 if socket is None else socket.fileno()


def _read(client: aiomqtt.Client, inbox: Inbox) -> None:
    """Read as aiomqtt itself does: a broken connection ends its client."""
    paho = client._client  # noqa: SLF001
    try:
        paho.loop_read()
        while not inbox.is_paused and getattr(paho.socket(), "pending", int)() > 0:
            paho.loop_read()
    except Exception as fault:  # noqa: BLE001
        if not client._disconnected.done():  # noqa: SLF001
            client._disconnected.set_exception(fault)  # noqa: SLF001
