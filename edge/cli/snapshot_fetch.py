# SPDX-License-Identifier: Apache-2.0
"""Fetching a big snapshot by HTTPS, in a thread, line by line.

The law of the module: the loop never waits for a socket; a line is handed over only
when the one before was dealt with, so that a quick platform fills no memory. Trusted
is the authority of ``[platform] ca``, shown is this gateway's certificate. A line that
breaks is taken up twice where it ended; then it fails, and the broker carries it.
Source: docs/sync-contract.md, section 4; docs/sync.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cloud_sync.ports import FetchError
from cloud_sync.signing import MESSAGE_BYTES
from cloud_sync.transport.tls import TlsFileError

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Callable

    from cloud_sync.outputs import FetchSnapshot
    from cloud_sync.transport.tls import TlsFiles
    from edge.core.moment import Moment

#: For TCP, TLS and each line; parts are signed as they go, a millisecond each.
ANSWER_WITHIN_S = 10.0
#: How often a broken line is taken up again.
RESUMES = 2
_NO_MORE = b""


class SnapshotFetch:
    """Fetches from ``base``, an address that begins with ``https://``."""

    def __init__(
        self, base: str, files: TlsFiles | None, *, now: Callable[[], Moment]
    ) -> None:
        split = urlsplit(base)
        self._host, self._port = split.hostname or "", split.port or 443
        self._prefix = split.path.rstrip("/")
        self._files = files
        self._now = now

    async def lines(self, order: FetchSnapshot) -> AsyncGenerator[bytes]:
        """Yield each part once, in order; FetchError where it ends early."""
        taken, broken = 0, 0
        while taken < order.parts:
            try:
                async with contextlib.aclosing(self._some(order, taken)) as some:
                    async for line in some:
                        taken += 1
                        yield line
            except (OSError, http.client.HTTPException, ValueError) as fault:
                broken += 1
                if broken > RESUMES:
                    raise FetchError(f"by HTTPS: {_why(fault)}") from fault
            except TlsFileError as fault:
                raise FetchError(f"by HTTPS: {fault}") from fault

    async def _some(self, order: FetchSnapshot, start: int) -> AsyncGenerator[bytes]:
        """Yield lines from part ``start`` on, until they end or break."""
        loop = asyncio.get_running_loop()
        came: asyncio.Queue[bytes | Exception] = asyncio.Queue()
        wanted = threading.Semaphore(1)
        left = threading.Event()

        def tell(item: bytes | Exception) -> None:
            with contextlib.suppress(RuntimeError):  # a loop that has ended
                loop.call_soon_threadsafe(came.put_nowait, item)

        def work() -> None:
            try:
                self._read(order, start, wanted, left, tell)
                tell(_NO_MORE)
            except Exception as fault:  # noqa: BLE001  raised again by who asked
                tell(fault)

        # Not the loop's own threads: a reader of identity cards waits for one of those.
        threading.Thread(target=work, name="snapshot", daemon=True).start()
        try:
            while (item := await came.get()) != _NO_MORE:
                if isinstance(item, Exception):
                    raise item
                yield item
                wanted.release()
        finally:
            left.set()
            wanted.release()

    def _read(
        self,
        order: FetchSnapshot,
        start: int,
        wanted: threading.Semaphore,
        left: threading.Event,
        tell: Callable[[bytes], None],
    ) -> None:
        connection = self._connection()
        try:
            connection.request("GET", f"{self._prefix}{order.path}?part={start}")
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                raise OSError(f"the platform answered {answer.status}")
            for _ in range(start, order.parts):
                line = answer.readline(MESSAGE_BYTES + 2)
                if not line.endswith(b"\n"):
                    raise OSError("it ended before its last part")
                wanted.acquire()
                if left.is_set():
                    break
                tell(line[:-1])
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self._files is None:
            raise OSError("no authority is named in [platform] ca")
        context: ssl.SSLContext = self._files.context(self._now)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=ANSWER_WITHIN_S, context=context
        )


def _why(fault: Exception) -> str:
    return str(fault) or type(fault).__name__
