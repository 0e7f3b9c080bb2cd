# SPDX-License-Identifier: Apache-2.0
"""The tablet beside a door says what the door says, and nothing of anybody."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.panel.scripted_gateway import GRANTED, TABLET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.panel.conftest import PanelProcess
    from tests.panel.scripted_gateway import ScriptedGateway

PAGE = "/door/kitchen-door"
REFUSED = {"cue": "DENIED", "language": "yue", "text": "未到时间，13:50 起可以入嚟"}


@pytest.fixture
async def street(panel: PanelProcess) -> AsyncIterator[httpx.AsyncClient]:
    """A tablet that is paired, and at which nobody is logged in."""
    async with httpx.AsyncClient(
        base_url=panel.url, cookies={"tablet": TABLET}
    ) as client:
        yield client


async def test_it_is_ready_and_says_how_to_get_help(street: httpx.AsyncClient) -> None:
    page = (await street.get(PAGE)).text
    assert "厨房门" in page
    assert "请刷身份证或二维码" in page
    assert "请按门铃" in page
    assert "客厅门" not in page
    assert "<form" not in page
    assert "<nav" not in page


async def test_a_verdict_comes_by_itself_in_the_language_of_the_person(
    street: httpx.AsyncClient, gateway: ScriptedGateway
) -> None:
    async with asyncio.timeout(10), street.stream("GET", f"{PAGE}/live") as stream:
        lines = stream.aiter_lines()
        assert "请刷身份证或二维码" in (await _part(lines))["html"]
        gateway.status["signs"] = {
            "kitchen-door": REFUSED,
            "living-room-door": {"cue": "GRANTED", "language": "en", "text": "Welcome"},
        }
        gateway.show()
        html = (await _part(lines))["html"]
    assert "未到时间，13:50 起可以入嚟" in html
    assert 'lang="yue"' in html
    assert "card bad" in html
    assert "Welcome" not in html


async def test_events_with_persons_in_them_change_nothing(
    street: httpx.AsyncClient, gateway: ScriptedGateway
) -> None:
    before = (await street.get(PAGE)).text
    gateway.tell(GRANTED | {"name": "陈姨", "holder": "h-chen"})
    gateway.show()
    await asyncio.sleep(0.1)
    assert (await street.get(PAGE)).text == before


async def test_what_a_gateway_tells_is_escaped_and_cut(
    street: httpx.AsyncClient, gateway: ScriptedGateway
) -> None:
    async with asyncio.timeout(10), street.stream("GET", f"{PAGE}/live") as stream:
        lines = stream.aiter_lines()
        await _part(lines)
        long: dict[str, Any] = REFUSED | {"text": "<b>" + 1000 * "x", "cue": 7}
        gateway.status["signs"] = {"kitchen-door": long}
        gateway.show()
        html = (await _part(lines))["html"]
    assert "&lt;b&gt;" in html
    assert len(html) < 1_500
    assert "card info" in html


async def test_a_door_that_is_none_and_a_stranger_see_no_page(
    street: httpx.AsyncClient, panel: PanelProcess
) -> None:
    assert (await street.get("/door/no-door")).status_code == 404
    async with httpx.AsyncClient(base_url=panel.url) as stranger:
        assert (await stranger.get(PAGE)).status_code in (303, 403)


async def _part(lines: AsyncIterator[str]) -> dict[str, Any]:
    """Return the next part of a stream."""
    async for line in lines:
        if line.startswith('data: {"name": "sign"'):
            part: dict[str, Any] = json.loads(line.removeprefix("data: "))
            return part
    raise AssertionError("the stream ended")
