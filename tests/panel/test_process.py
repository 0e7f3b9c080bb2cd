# SPDX-License-Identifier: Apache-2.0
"""The panel as a process: its streams, its gateway's absences, its end."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from edge.cli.bench.process_figures import memory_mib
from edge.panel import gateway_link
from edge.panel.gateway_link import GatewayLink, Opened
from edge.panel.ground import MAX_STREAMS
from edge.panel.hub import Hub
from edge.panel.live import GATHER_S
from edge.panel.serve import PanelOptions, WrongHostError, _listen
from edge.panel.visitor import Keys
from tests.panel.conftest import VOLUNTEER, PanelProcess, start_panel, stop_panel
from tests.panel.scripted_gateway import DENIED, GRANTED, ScriptedGateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

#: A panel larger than this does not fit beside the gateway on a small board.
MAX_MEMORY_MIB = 60


async def parts(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, str]]:
    """Yield the fragments of a stream."""
    async for line in lines:
        if line.startswith("data: {"):
            yield json.loads(line.removeprefix("data: "))


async def until(what: str, seen: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 10
    while not seen():
        assert time.monotonic() < until_s, f"not seen: {what}"
        await asyncio.sleep(0.02)


async def test_news_reach_an_open_page_at_once_and_only_what_changed(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    async with asyncio.timeout(10), http.stream("GET", "/live") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        news = parts(stream.aiter_lines())
        whole = {(await anext(news))["name"] for _ in range(11)}
        assert whole == {
            *("said", "emergency", "verdict", "troubles", "links"),
            *("bell", "rooms", "notices", "notice"),
            *("door-1", "door-2"),
        }
        await asyncio.sleep(2 * GATHER_S)
        began_s = time.monotonic()
        gateway.tell(GRANTED)
        changed = [await anext(news) for _ in range(3)]
        assert [part["name"] for part in changed] == ["said", "verdict", "told"]
        assert "可以进，欢迎" in changed[1]["html"]
        print(f"event to stream {1000 * (time.monotonic() - began_s):.0f} ms")


async def test_sigterm_with_open_streams_ends_within_a_second(
    gateway: ScriptedGateway,
) -> None:
    panel = await start_panel(gateway.path)
    await gateway.watched()
    limits = httpx.Limits(max_connections=None)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            httpx.AsyncClient(limits=limits, cookies=VOLUNTEER)
        )
        streams = [
            await stack.enter_async_context(client.stream("GET", f"{panel.url}live"))
            for _ in range(5)
        ]
        news = [parts(stream.aiter_lines()) for stream in streams]
        for part in news:
            await anext(part)
        memory = memory_mib(panel.process.pid)
        print(f"MiB with 5 streams: {memory}")
        assert memory["resident"] < MAX_MEMORY_MIB
        began_s = time.monotonic()
        panel.process.terminate()
        async with asyncio.timeout(10):
            code = await panel.process.wait()
        took_s = time.monotonic() - began_s
    print(f"stopped in {took_s:.2f} s")
    assert code == 0
    assert took_s < 1.0
    assert await stop_panel(panel) == ""


async def test_streams_are_bounded_and_a_closed_page_makes_room(
    panel: PanelProcess,
) -> None:
    url = f"{panel.url}live"
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(limits=limits, cookies=VOLUNTEER) as client:
        async with AsyncExitStack() as stack:
            lines = []
            for _ in range(MAX_STREAMS):
                stream = await stack.enter_async_context(client.stream("GET", url))
                lines.append(stream.aiter_lines())  # dropped, it would hang up
                await anext(lines[-1])
            assert (await client.get(url)).status_code == 503
            assert (await client.get(panel.url)).status_code == 200
        async with asyncio.timeout(10):
            while True:
                async with client.stream("GET", url) as stream:
                    if stream.status_code == 200:
                        break
                await asyncio.sleep(0.05)


async def test_a_gateway_that_goes_and_comes_back_is_told_and_healed(
    tmp_path: Path,
) -> None:
    gateway = ScriptedGateway(tmp_path / "control.sock")
    panel = await start_panel(gateway.path)
    async with httpx.AsyncClient(base_url=panel.url, cookies=VOLUNTEER) as client:
        assert "正在等盒子回应" in (await client.get("/")).text
        for _ in range(2):
            await gateway.open()
            await gateway.watched()
            await asyncio.sleep(0.1)
            page = (await client.get("/")).text
            assert "厨房门" in page
            assert "锁好" in page
            await gateway.close()
            await asyncio.sleep(0.1)
            page = (await client.get("/")).text
            assert "正在等盒子回应" in page
            assert "锁好" not in page
    assert await stop_panel(panel) == ""


async def test_nonsense_from_the_gateway_changes_nothing(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    gateway.tell(DENIED)
    for line in (b"", b"\xff", b"[]", b'{"event": 3}', b'{"status": []}', b"{" * 9999):
        gateway.say(line)
    gateway.tell({"k": "NEW_KIND", "at": "\ud800"})
    await asyncio.sleep(0.1)
    assert "来早了一点" in (await http.get("/")).text


async def test_a_line_without_end_is_hung_up_on_and_watching_begins_anew(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    first = set(gateway._watchers)
    gateway.say(b"x" * (gateway_link.MAX_LINE + 1))
    await until("a new watch", lambda: bool(gateway._watchers - first))
    await asyncio.sleep(0.1)
    assert "锁好" in (await http.get("/")).text


async def test_a_silent_gateway_is_asked_whether_it_lives(
    gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_link, "SILENCE_S", 0.1)
    monkeypatch.setattr(gateway_link, "ANSWER_S", 0.3)
    hub = Hub(time.monotonic)
    link = GatewayLink(gateway.path, hub)
    watching = asyncio.create_task(link.run())
    await until("live", lambda: hub.standing.is_live)
    await asyncio.sleep(0.5)
    assert hub.standing.is_live, "quiet is not dead"
    gateway.is_mute = True
    await until("gone", lambda: not hub.standing.is_live)
    assert await link.open_door("kitchen-door", Keys()) is Opened.GONE
    gateway.is_mute = False
    await until("healed", lambda: hub.standing.is_live)
    assert await link.open_door("kitchen-door", Keys()) is Opened.DONE
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("127.0.0.1", True),
        ("127.0.0.2", True),
        ("::1", True),
        ("192.168.1.5", False),
        ("0.0.0.0", False),  # noqa: S104  refused, never bound
        ("::", False),
        ("224.0.0.1", False),
        ("panel.example", False),
    ],
)
def test_the_panel_answers_on_loopback_alone(host: str, *, is_allowed: bool) -> None:
    options = PanelOptions(socket=Path("s"), host=host)
    if is_allowed:
        options.check()
    else:
        with pytest.raises(WrongHostError):
            options.check()


def test_plain_http_is_allowed_by_name_and_never_for_all_addresses() -> None:
    def options(host: str) -> PanelOptions:
        return PanelOptions(socket=Path("s"), host=host, allow_plain_http=True)

    options("192.168.1.5").check()
    for host in ("0.0.0.0", "::"):  # noqa: S104  refused, never bound
        with pytest.raises(WrongHostError):
            options(host).check()


async def test_a_wrong_start_is_one_line_and_exit_two(tmp_path: Path) -> None:
    words = ("-m", "edge.panel", "--socket", str(tmp_path / "s"), "--host", "10.0.0.9")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert errors.decode().count("\n") == 1
    assert "--plain-http" in errors.decode()


def test_no_answer_waits_for_the_one_before_it_to_be_acknowledged() -> None:
    with _listen("127.0.0.1", 0) as listener:
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
