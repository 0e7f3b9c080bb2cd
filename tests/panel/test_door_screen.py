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
URL = "https://platform.example.org/door/kl/kitchen-door"
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


async def test_telephones_find_a_code_that_changes_and_words_where_there_is_none(
    street: httpx.AsyncClient, gateway: ScriptedGateway
) -> None:
    code = gateway.readings["door-code"]
    code["good_ms"] = 0  # over as soon as it is shown
    page = (await street.get(PAGE)).text
    assert "手机扫这个码开门" in page
    assert "<svg" in page
    assert len(page.encode()) < 15_000
    async with asyncio.timeout(10), street.stream("GET", f"{PAGE}/live") as stream:
        lines = stream.aiter_lines()
        before = (await _part(lines, "code"))["html"]
        code["url"] = f"{URL}?c=59844305.{'B' * 86}"
        gateway.show()
        after = (await _part(lines, "code"))["html"]
        assert "<svg" in after != before
        code["state"] = "away"
        gateway.show()
        html = (await _part(lines, "code"))["html"]
        assert "请刷卡或出示二维码" in html
        assert "<svg" not in html


@pytest.mark.parametrize(
    "told",
    [
        {"state": "none"},
        {"state": "shown", "url": "javascript:alert(1)"},
        {"state": "shown", "url": 7, "good_ms": "x"},
        {"ok": False},
    ],
)
async def test_a_door_without_a_page_for_telephones_shows_no_code(
    street: httpx.AsyncClient, gateway: ScriptedGateway, told: dict[str, Any]
) -> None:
    gateway.readings["door-code"] = told
    page = (await street.get(PAGE)).text
    assert '<div class="qr"' not in page
    assert "请刷身份证或二维码" in page


async def test_who_has_to_leave_is_asked_to_scan_nothing(
    street: httpx.AsyncClient, gateway: ScriptedGateway
) -> None:
    gateway.status["signs"] = {"kitchen-door": REFUSED | {"cue": "EVACUATE"}}
    gateway.show()
    pages: list[str] = []
    while not pages or ('<div class="qr"' in pages[-1] and len(pages) < 100):
        pages.append((await street.get(PAGE)).text)
    assert '<div class="qr"' not in pages[-1]


async def _part(lines: AsyncIterator[str], name: str = "sign") -> dict[str, Any]:
    """Return the next part of a stream."""
    async for line in lines:
        if line.startswith(f'data: {{"name": "{name}"'):
            part: dict[str, Any] = json.loads(line.removeprefix("data: "))
            return part
    raise AssertionError("the stream ended")
