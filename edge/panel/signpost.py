# SPDX-License-Identifier: Apache-2.0
"""What answers without encryption: one page that says where the panel is.

The law of the module: whatever is asked, the answer is the same and is made before
anybody asks; nothing is read of a request but its first line, and nothing is done.
Tablets that ask whether there is an internet are told yes, or they leave the Wi-Fi.
Source: RFC 9112, section 9.6 (one answer, then close); Android's connectivity check.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: Who asks for longer, or for more, or in such a crowd, is hung up on.
WITHIN_S = 5.0
MAX_LINE = 2_048
MAX_AT_ONCE = 16
#: What Android and its cousins ask to see whether a network is good.
CHECK = b"/generate_204"

_CHECKED = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
_HEAD = """\
HTTP/1.1 200 OK\r
Content-Type: text/html; charset=utf-8\r
Content-Length: {length}\r
Content-Security-Policy: default-src 'none'\r
X-Content-Type-Options: nosniff\r
X-Frame-Options: DENY\r
Cache-Control: no-store\r
Connection: close\r
\r
"""


class Signpost:
    """One page over plain HTTP on an address of this box."""

    def __init__(self, page: str) -> None:
        body = page.encode()
        self._answer = _HEAD.format(length=len(body)).encode() + body
        self._callers: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    @contextlib.asynccontextmanager
    async def standing(self, host: str, port: int) -> AsyncIterator[int]:
        """Answer for the block, and say at which port; OSError if it may not."""
        server = await asyncio.start_server(self._serve, host, port, limit=MAX_LINE)
        try:
            async with server:
                yield server.sockets[0].getsockname()[1]
        finally:
            serving = [task for task in self._callers.values() if task is not None]
            for caller in self._callers:
                caller.transport.abort()
            await asyncio.gather(*serving)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._callers[writer] = asyncio.current_task()
        try:
            if len(self._callers) <= MAX_AT_ONCE:
                with contextlib.suppress(OSError, ValueError, TimeoutError):
                    await self._answer_one(reader, writer)
        finally:
            del self._callers[writer]
            writer.close()

    async def _answer_one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        async with asyncio.timeout(WITHIN_S):
            words = (await reader.readline()).split(b" ")
            is_check = len(words) > 1 and words[1] == CHECK
            # What came beside is read away: a reset would take the answer with it.
            while (await reader.readline()).strip():
                pass
            writer.write(_CHECKED if is_check else self._answer)
            await writer.drain()
