# SPDX-License-Identifier: Apache-2.0
"""What the broker has sent and nobody has read yet: bounded, by not reading on.

The law of the module: a broker may push as fast as it likes; beyond a megabyte its
bytes stay in the kernel's buffer, and then with the broker. Nothing is dropped for
want of room but what a single read brought beyond every bound.
Source: aiomqtt 2.5.1 and paho-mqtt 2.2.0, their code read (neither can pause).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiomqtt

from cloud_sync.signing import MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

#: Sixteen full messages keep the reader of a snapshot busy; reading goes on at half.
PAUSE_BYTES = 16 * MESSAGE_BYTES
#: What one read may bring beyond that: a message may be as long as a broker likes.
#: What is over is dropped, which is safe: a lost ack is healed by the next, a lost
#: part by the next pull.
INBOX_BYTES = 4 * PAUSE_BYTES


class Inbox(asyncio.Queue[aiomqtt.Message]):
    """A queue that counts bytes; aiomqtt logs and drops what ``put_nowait`` refuses."""

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        self.pause: Callable[[], None] | None = None
        self.resume: Callable[[], None] | None = None
        self._bytes = 0
        self._is_paused = False

    def put_nowait(self, item: aiomqtt.Message) -> None:
        """Take a message; QueueFull if it is too much."""
        size = len(item.payload)
        if self._bytes + size > INBOX_BYTES:
            raise asyncio.QueueFull
        self._bytes += size
        super().put_nowait(item)
        is_full = self._bytes >= PAUSE_BYTES
        if self.pause is not None and is_full and not self._is_paused:
            self._is_paused = True
            self.pause()

    def get_nowait(self) -> aiomqtt.Message:
        """Hand the oldest message out, and let reading go on if there is room."""
        item = super().get_nowait()
        self._bytes -= len(item.payload)
        has_room = self._bytes <= PAUSE_BYTES // 2
        if self.resume is not None and has_room and self._is_paused:
            self._is_paused = False
            self.resume()
        return item


def brake(client: aiomqtt.Client) -> None:
    """Let the client's inbox stop and start the reading of its socket."""
    inbox = client._queue  # noqa: SLF001
    assert isinstance(inbox, Inbox)  # noqa: S101  as connected() asked for
    loop = asyncio.get_running_loop()

    def pause() -> None:
        descriptor = _descriptor(client)
        if descriptor >= 0:
            loop.remove_reader(descriptor)

    def resume() -> None:
        descriptor = _descriptor(client)
        if descriptor >= 0:
            loop.add_reader(descriptor, _read, client)
            loop.call_soon(_read, client)  # TLS may hold bytes that wake nobody

    inbox.pause, inbox.resume = pause, resume


def _descriptor(client: aiomqtt.Client) -> int:
    socket = client._client.socket()  # noqa: SLF001
    return -1 if socket is None else socket.fileno()


def _read(client: aiomqtt.Client) -> None:
    """Read as aiomqtt itself does: a broken connection ends its client."""
    paho = client._client  # noqa: SLF001
    try:
        paho.loop_read()
        while getattr(paho.socket(), "pending", int)() > 0:
            paho.loop_read()
    except Exception as fault:  # noqa: BLE001
        if not client._disconnected.done():  # noqa: SLF001
            client._disconnected.set_exception(fault)  # noqa: SLF001
