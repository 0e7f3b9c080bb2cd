# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that is a bad link: slow, cut, half open, a byte at a time.

The law of the module: it knows no protocol and changes no byte; what it does to a link
is what links do. A fault holds from the moment it is set, on connections that stand as
on those to come; back to ``Link()`` everything goes on that was not cut. What is in
its hands is bounded: it reads on only when the other side has taken what it read.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOST = "127.0.0.1"
#: What is read at once: a link has no big memory.
CHUNK_BYTES = 16 * 1024
CONNECT_WITHIN_S = 5.0
#: RST instead of FIN at close: no linger, nothing more is sent.
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """How the link is; both ways alike. Without a word it is a good one.

    ``delay_s`` is added to each chunk; ``bytes_s`` is its speed, None for the
    machine's. ``is_half_open``: nothing moves, and neither side is told. ``is_down``:
    new connections are turned away.
    """

    delay_s: float = 0.0
    bytes_s: float | None = None
    is_half_open: bool = False
    is_down: bool = False


GOOD = Link()
ONE_BYTE_A_SECOND = Link(bytes_s=1.0)
HALF_OPEN = Link(is_half_open=True)
DOWN = Link(is_down=True)


@dataclass(slots=True)
class Moved:
    """Bytes that passed: ``up`` from who connected, ``down`` to him."""

    up: int = 0
    down: int = 0
    connections: int = 0


@dataclass(slots=True, eq=False)
class _Line:
    """One connection and the one behind it."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


class TcpProxy:
    """A link to ``port`` of ``host``; ``menshen`` and its tests connect to its own.

    Use it as ``async with TcpProxy(1883) as link: … link.port``.
    """

    host = HOST

    def __init__(self, port: int, host: str = HOST) -> None:
        self.port = 0
        self.moved = Moved()
        self._to = (host, port)
        self._link = GOOD
        self._changed = asyncio.Event()
        self._lines: set[_Line] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        self.reset()
        await self._ended()

    @property
    def link(self) -> Link:
        """How the link is."""
        return self._link

    @link.setter
    def link(self, link: Link) -> None:
        self._link = link
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def drop(self) -> None:
        """End every connection as a peer does that leaves (FIN)."""
        for line in tuple(self._lines):
            self._end(line)

    def reset(self) -> None:
        """End every connection with an RST: what was under way is gone."""
        for line in tuple(self._lines):
            for writer in (line.near, line.far):
                ended = writer.get_extra_info("socket")
                with contextlib.suppress(OSError):
                    ended.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                writer.transport.abort()
            self._end(line)

    @asynccontextmanager
    async def being(self, link: Link) -> AsyncIterator[None]:
        """Have the link be so for the block, and good again after it."""
        self.link = link
        try:
            yield
        finally:
            self.link = GOOD

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self._link.is_down:
            writer.transport.abort()
            return
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                far_reader, far = await asyncio.open_connection(*self._to)
        except OSError:  # nobody there: whoever connected is told so
            writer.transport.abort()
            return
        self.moved.connections += 1
        line = _Line(writer, far)
        self._lines.add(line)
        for each in (writer, far):
            opened = each.get_extra_info("socket")
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.tasks = [
            asyncio.create_task(self._carry(line, reader, far, is_up=True)),
            asyncio.create_task(self._carry(line, far_reader, writer, is_up=False)),
        ]

    async def _carry(
        self,
        line: _Line,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        is_up: bool,
    ) -> None:
        try:
            with contextlib.suppress(OSError):  # the other end is gone: so is this one
                while data := await reader.read(CHUNK_BYTES):
                    await self._pass(data, writer, is_up=is_up)
        finally:
            self._end(line)

    async def _pass(
        self, data: bytes, writer: asyncio.StreamWriter, *, is_up: bool
    ) -> None:
        while data:
            await self._moves()
            link = self._link
            piece = data if link.bytes_s is None else data[: _at_once(link.bytes_s)]
            wait_s = link.delay_s + (len(piece) / link.bytes_s if link.bytes_s else 0.0)
            if wait_s and await self._changes_within(wait_s):
                continue  # and then by what holds now
            writer.write(piece)
            await writer.drain()
            if is_up:
                self.moved.up += len(piece)
            else:
                self.moved.down += len(piece)
            data = data[len(piece) :]

    async def _moves(self) -> None:
        while self._link.is_half_open:
            await self._changed.wait()

    async def _changes_within(self, wait_s: float) -> bool:
        changed = self._changed
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await changed.wait()
        return changed.is_set()

    def _end(self, line: _Line) -> None:
        self._lines.discard(line)
        for writer in (line.near, line.far):
            writer.close()
        for task in line.tasks:
            task.cancel()

    async def _ended(self) -> None:
        # Their cancellation takes a turn of the loop, and closing a socket another.
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def _at_once(bytes_s: float) -> int:
    """Return how much goes in a tenth of a second, a byte at least."""
    return max(1, int(bytes_s / 10))
