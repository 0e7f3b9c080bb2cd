# SPDX-License-Identifier: Apache-2.0
"""The two ways in which a call leaves: a program, and a web address."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import TYPE_CHECKING

import pytest

from cloud_sync.platform.alarms.callers import Command, Webhook, caller_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MESSAGE: dict[str, int | str] = {"id": "a1-1", "who": "陈", "reach": "tel:1"}


async def test_a_program_gets_the_call_and_its_words(tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = f'cat > {out}; echo "$MENSHEN_WHO $MENSHEN_ID" >> {out}'
    assert await Command(["sh", "-c", script], 5.0).call(MESSAGE) == ""
    first, second = out.read_text(encoding="utf-8").splitlines()
    assert json.loads(first) == MESSAGE
    assert second == "陈 a1-1"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["sh", "-c", "echo no line >&2; exit 3"], "ended with 3: ['no line']"),
        (["/no/such/program"], "No such file"),
    ],
)
async def test_a_program_that_fails_says_why(words: list[str], why: str) -> None:
    assert why in await Command(words, 5.0).call(MESSAGE)


async def test_a_program_that_hangs_is_ended_with_all_its_children(
    tmp_path: Path,
) -> None:
    mark = tmp_path / "mark"
    script = f"(sleep 1; touch {mark}) & sleep 30"
    begun_s = time.monotonic()
    why = await Command(["sh", "-c", script], 0.3).call(MESSAGE)
    assert why == "took longer than 0.3 s"
    assert time.monotonic() - begun_s < 5
    await asyncio.sleep(1.2)
    assert not mark.exists()


@contextlib.asynccontextmanager
async def server(answer: bytes | None) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Serve one answer to whoever posts; None: none at all."""
    seen: list[bytes] = []
    is_over = asyncio.Event()
    serving: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        seen.append(head + await reader.readexactly(size))
        if answer is None:
            await is_over.wait()
        else:
            writer.write(answer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/call", seen
        is_over.set()
        await asyncio.gather(*filter(None, serving))


async def test_a_web_address_gets_the_call_with_its_id() -> None:
    async with server(b"HTTP/1.1 204 Fine\r\n\r\n") as (address, seen):
        assert await Webhook(address, 2.0).call(MESSAGE) == ""
    [request] = seen
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /call HTTP/1.1")
    assert b"idempotency-key: a1-1" in head.lower()
    assert json.loads(body) == MESSAGE


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "HTTP 503"),
        (b"HTTP/1.1 302 There\r\nLocation: http://127.0.0.1:1/\r\n\r\n", "HTTP 302"),
        (None, "timed out"),
    ],
)
async def test_a_web_address_that_does_not_take_it_says_so(
    answer: bytes | None, why: str
) -> None:
    async with server(answer) as (address, _):
        assert why in await Webhook(address, 0.4).call(MESSAGE)


async def test_nobody_there_is_a_reason() -> None:
    assert "refused" in (await Webhook("http://127.0.0.1:1/", 1.0).call(MESSAGE))


def test_the_settings_choose() -> None:
    assert caller_of((), None, 1.0) is None
    assert isinstance(caller_of(("true",), None, 1.0), Command)
    assert isinstance(caller_of((), "http://x/", 1.0), Webhook)
