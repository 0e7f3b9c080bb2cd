# SPDX-License-Identifier: Apache-2.0
"""Plain HTTP shows the way and nothing else, whatever is asked."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import httpx
import pytest

from edge.panel.signpost import CHECK, MAX_AT_ONCE, MAX_LINE, Signpost
from tests.panel.conftest import start_panel, stop_panel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.panel.scripted_gateway import ScriptedGateway

PAGE = "<!doctype html><p>https://192.168.8.10:8443/ 门神</p>"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with Signpost(PAGE).standing("127.0.0.1", 0) as port:
        yield port


async def said(port: int, request: bytes) -> bytes:
    """Send bytes and return all that comes back until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        async with asyncio.timeout(10):
            return await reader.read()
    except ConnectionResetError:  # hung up on with something still unread
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("path", ["/", "/login", "/emergency/fire", "/?told=opened"])
async def test_every_address_shows_the_same_page(port: int, path: str) -> None:
    async with httpx.AsyncClient() as client:
        shown = await client.get(f"http://127.0.0.1:{port}{path}")
        pressed = await client.post(f"http://127.0.0.1:{port}{path}", data={"a": "b"})
    assert shown.text == pressed.text == PAGE
    assert shown.headers["content-security-policy"] == "default-src 'none'"
    assert "set-cookie" not in shown.headers


async def test_a_tablet_that_looks_for_an_internet_stays(port: int) -> None:
    answer = await said(port, b"GET " + CHECK + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 204 ")


@pytest.mark.parametrize(
    "request_",
    [
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\n\n",
        b"GET\n\n",
        b"GET /<script>alert(1)</script> HTTP/1.1\r\n\r\n",
    ],
)
async def test_nonsense_is_answered_with_nothing_of_it(
    port: int, request_: bytes
) -> None:
    answer = await said(port, request_)
    assert answer == b"" or answer.endswith(PAGE.encode())
    assert b"alert" not in answer


async def test_a_line_without_end_and_a_crowd_are_hung_up_on(port: int) -> None:
    assert await said(port, b"G" * 3 * MAX_LINE) == b""
    async with AsyncExitStack() as stack:
        for _ in range(MAX_AT_ONCE):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
        await asyncio.sleep(0.1)
        assert await said(port, b"GET / HTTP/1.1\r\n\r\n") == b""


async def test_the_panel_shows_the_way_to_itself(gateway: ScriptedGateway) -> None:
    async with Signpost("").standing("127.0.0.1", 0) as port:
        pass  # a port that was free a moment ago
    panel = await start_panel(gateway.path, 0, "--signpost", str(port))
    await gateway.watched()
    async with httpx.AsyncClient() as client:
        shown = await client.get(f"http://127.0.0.1:{port}/anything")
    assert f'href="{panel.url}"' in shown.text
    assert await stop_panel(panel) == ""


async def test_a_port_that_it_may_not_have_stops_no_panel(
    gateway: ScriptedGateway,
) -> None:
    async with Signpost(PAGE).standing("127.0.0.1", 0) as taken:
        panel = await start_panel(gateway.path, 0, "--signpost", str(taken))
        await gateway.watched()
        assert "no signpost" in await stop_panel(panel)
