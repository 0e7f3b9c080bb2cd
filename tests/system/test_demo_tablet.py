# SPDX-License-Identifier: Apache-2.0
"""A newcomer at the demonstration: a code, one press, and somebody's card."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import httpx
import pytest

from edge.cli.demo.play import Play
from edge.cli.demo.stage import Stage
from edge.cli.files import config_folder
from edge.cli.tasks import running
from edge.settings.site_file import load

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]

TOKEN = re.compile(r'name="token" value="([^"]+)"')


async def token(client: httpx.AsyncClient, path: str) -> str:
    found = TOKEN.search((await client.get(path)).text)
    assert found is not None, path
    return found.group(1)


async def post(client: httpx.AsyncClient, path: str, page: str, **form: str) -> str:
    """Send a form of a page; return where it leads."""
    form["token"] = await token(client, page)
    answer = await client.post(path, data=form)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def test_who_presses_i_am_on_duty_is_on_duty(tmp_path: Path) -> None:
    site = config_folder() / "demo.toml"
    stage = Stage(folder=tmp_path)
    play = Play(settings=load(site), site=site, stage=stage, seed=1, panel_port=0)
    play.prepare()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(play.end)
        await play.open(asyncio.Event())
        welcoming = await play.welcome()
        assert play.tablet is not None
        first, *pins = play.tablet.lines
        assert [pin.partition(" ")[0] for pin in pins] == ["陈姨", "李站长"]
        await stack.enter_async_context(running([*welcoming, play.firmware.watch()]))
        url, _, code = first.partition("pair?t=")
        headers = {"Origin": url.rstrip("/")}
        client = httpx.AsyncClient(base_url=url, headers=headers, timeout=20)
        await stack.enter_async_context(client)
        led = await post(client, "/pair", "/pair", code=code, name="tablet")
        assert led == "/?told=paired"
        assert await post(client, "/login/card", "/") == "/login/card"
        async with asyncio.timeout(20):
            while led != "/":
                await asyncio.sleep(0.3)
                led = await post(client, "/login/card/take", "/login/card")
        page = (await client.get("/")).text
        assert "陈姨" in page
        assert "厨房门" in page
        async with asyncio.timeout(20):
            while play.tablet.url == first:  # noqa: ASYNC110  the gateway's own time
                await asyncio.sleep(0.2)
