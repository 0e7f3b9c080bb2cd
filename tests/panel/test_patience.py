# SPDX-License-Identifier: Apache-2.0
"""Who dawdles within a request is hung up on; who is served is not."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import uvicorn

from edge.panel import patience
from edge.panel.patience import PatientProtocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

SHORT_S = 0.3
HEAD = b"POST / HTTP/1.1\r\nHost: h\r\n"


async def _slow(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve for longer than a request may take to arrive."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(4):
        await asyncio.sleep(SHORT_S / 2)
        await send({"type": "http.response.body", "body": b".", "more_body": True})
    await send({"type": "http.response.body", "body": b"whole"})


@asynccontextmanager
async def served(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(patience, "PATIENCE_S", SHORT_S)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        _slow, http=PatientProtocol, lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    server.capture_signals = asynccontextmanager(_nothing)  # type: ignore[assignment,method-assign]
    serving = asyncio.create_task(server._serve([listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await serving


async def _nothing() -> AsyncIterator[None]:
    yield


async def fate(port: int, *parts: bytes) -> bytes:
    """Send parts with pauses; return all that came until the hang-up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(SHORT_S / 3)
        async with asyncio.timeout(10):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (b"G",),
        (HEAD,),
        (HEAD, b"X-A: 1\r\n", b"X-B: 2\r\n", b"X-C: 3\r\n", b"X-D: 4\r\n"),
        (HEAD + b"Content-Length: 9\r\n\r\n",),
    ],
    ids=["nothing", "a letter", "half a head", "a line at a time", "no body"],
)
async def test_a_request_that_is_not_whole_soon_is_hung_up_on(
    monkeypatch: pytest.MonkeyPatch, parts: tuple[bytes, ...]
) -> None:
    async with served(monkeypatch) as port:
        assert b"whole" not in await fate(port, *parts)


async def test_a_whole_request_is_served_as_long_as_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    async with served(monkeypatch) as port:
        assert b"whole" in await fate(port, request)
