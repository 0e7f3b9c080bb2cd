# SPDX-License-Identifier: Apache-2.0
"""The page behind a door's code: what a telephone hears, and what it costs us."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.platform import feeds
from cloud_sync.platform.commanding import letting_in, passes, places, residents
from cloud_sync.platform.web.tries import ADDRESSES, MINUTE_MS, Tries
from edge.core.chain import canonical
from tests.cloud_sync.platform.desk import NOW_MS
from tests.cloud_sync.scripted_platform import GATEWAY

if TYPE_CHECKING:
    import httpx

    from tests.cloud_sync.platform.web.conftest import Web

DOOR, URL = "kitchen-door", "/door/site-1/kitchen-door"
JSON = {"accept": "application/json"}
BOOKING = {"holder": "h-1", "space": "kitchen", "state": "CONFIRMED", "party": 1}
LEASE_MS = 60_000


async def furnish(web: Web, *, is_online: bool = True, **booking: Any) -> str:
    """Let h-1 have a booking for now; return his pass."""
    hour = {"from": NOW_MS - 60_000, "to": NOW_MS + 3_600_000}
    put = {
        ("holder", "h-1"): canonical({"enabled": 1, "credentials": []}),
        ("booking", "b1"): canonical(BOOKING | hour | booking),
    }
    async with web.lent.database.writing() as work:
        await feeds.change(work, GATEWAY, feeds.Change(put=put), NOW_MS)
        await residents.set_door(work, GATEWAY, DOOR, "kitchen", (10, 5))
        await places.set_address(work, "site-1", DOOR, GATEWAY, is_fresh=False)
        if is_online:
            sql = "UPDATE gateway SET heard_ms = ?1"
            await work.execute(sql, NOW_MS)
        return await passes.issue(work, web.lent.signer, GATEWAY, "h-1", 30, NOW_MS)


async def ask(
    client: httpx.AsyncClient, shown: str, path: str = URL
) -> tuple[int, str]:
    answer = await client.post(path, data={"pass": shown}, headers=JSON)
    told = answer.json()
    assert told["zh"]
    assert told["en"]
    return answer.status_code, told["name"]


async def test_the_page_asks_and_shows_nothing_that_was_sent(web: Web) -> None:
    shown = await furnish(web, is_online=False)
    async with web.client() as client:
        page = await client.get(f"{URL}?c=<script>alert(1)</script>")
        assert page.status_code == 200
        assert "开这扇门" in page.text
        assert "Open this door" in page.text
        assert "script" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        for path in ("/door/site-1/hall", "/door/x/kitchen-door", "/door/%3Cb%3E/a"):
            lost = await client.get(path)
            assert (lost.status_code, "<form" in lost.text) == (404, False)
            assert "<b>" not in lost.text
        assert await ask(client, shown, "/door/site-1/hall") == (404, "DOOR_UNKNOWN")
        said = await client.post(URL, data={"pass": "<b>nobody</b>"})
        assert said.status_code == 401
        assert "nobody" not in said.text
        assert "出示卡片或二维码" in said.text


async def test_a_gateway_that_is_away_is_told_at_once_and_nothing_is_wished(
    web: Web,
) -> None:
    shown = await furnish(web, is_online=False)
    async with web.client() as client:
        answer = await client.post(URL, data={"pass": shown})
        assert answer.status_code == 503
        assert "请在门口出示卡片或二维码" in answer.text
        assert "Show your card or your code at the door" in answer.text
        assert (await ask(client, shown))[1] == "AWAY"
    assert await rows(web, "SELECT id FROM wish") == []


async def test_what_nobody_hears_ends_after_two_seconds_with_the_same_words(
    web: Web,
) -> None:
    shown, loop = await furnish(web), asyncio.get_running_loop()
    async with web.client() as client:
        begun_s = loop.time()
        assert await ask(client, shown) == (503, "UNHEARD")
        took_s = loop.time() - begun_s
        assert letting_in.WITHIN_S <= took_s < letting_in.WITHIN_S + 1.0
        assert await ask(client, shown) == (429, "TOO_OFTEN")
    [(made_ms, until_ms)] = await rows(web, "SELECT made_ms, until_ms FROM wish")
    assert until_ms - made_ms == letting_in.WITHIN_S * 1000


@pytest.mark.parametrize(
    ("state", "why", "expected"),
    [
        ("actuated", "", (200, "OPENED")),
        ("confirmed", "", (200, "OPENED")),
        ("rejected", "RATE_DOOR: too often, wait", (429, "RATE_DOOR")),
        ("rejected", "EMERGENCY: a shelter stands", (403, "EMERGENCY")),
        ("unknown", "", (503, "UNHEARD")),
    ],
)
async def test_what_the_gateway_says_is_said_to_the_telephone(
    web: Web, state: str, why: str, expected: tuple[int, str]
) -> None:
    shown = await furnish(web)

    async def answered() -> None:
        for _ in range(500):
            if await rows(web, "SELECT id FROM wish"):
                break
            await asyncio.sleep(0.01)
        sql = "UPDATE wish SET state = ?1, why = ?2, is_open = 0"
        async with web.lent.database.writing() as work:
            await work.execute(sql, state, why)

    async with web.client() as client:
        said, _ = await asyncio.gather(ask(client, shown), answered())
    assert said == expected
    [(fields,)] = await rows(web, "SELECT fields FROM wish")
    assert json.loads(fields) == {"booking": "b1", "by": "h-1", "door": DOOR}


@pytest.mark.parametrize(
    ("booking", "name"),
    [
        ({"space": "lounge"}, "WRONG_SPACE"),
        ({"to": NOW_MS - 600_000}, "NO_BOOKING"),
        ({"due": 500}, "NOT_PAID"),
    ],
)
async def test_who_may_not_enter_is_told_why_and_who_never_entered_nothing(
    web: Web, booking: dict[str, Any], name: str
) -> None:
    shown = await furnish(web, **booking)
    async with web.client() as client:
        assert await ask(client, shown) == (403, name)
        assert await ask(client, shown, f"{URL}?c=1.x") == (403, "CODE_UNREADABLE")
        for forged in ("", shown[:-9] + "A" * 9, f".{shown}"):
            assert await ask(client, forged) == (401, "PASS_REFUSED")
    assert await rows(web, "SELECT id FROM wish") == []


async def test_an_address_that_tries_and_tries_has_to_wait(web: Web) -> None:
    await furnish(web)
    async with web.client() as client:
        found = [await ask(client, "x") for _ in range(31)]
    assert found == [(401, "PASS_REFUSED")] * 30 + [(429, "TOO_OFTEN")]


def test_tries_are_counted_by_network_in_a_sliding_minute_and_are_bounded() -> None:
    tries = Tries(2)
    assert [tries.may("192.0.2.1", ms) for ms in (0, 10, 20)] == [True, True, False]
    assert tries.may("192.0.2.2", 20)
    assert not tries.may("192.0.2.1", MINUTE_MS - 1)
    assert tries.may("192.0.2.1", MINUTE_MS)
    assert tries.may("2001:db8::1", 0)
    assert tries.may("2001:db8::ffff", 0)
    assert not tries.may("2001:db8::2:1", 0)
    assert tries.may("2001:db8:0:1::1", 0)
    for number in range(ADDRESSES + 10):
        tries.may(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0)
    assert len(tries._made) == ADDRESSES
    assert all(Tries(0).may("", 0) for _ in range(100))


async def rows(web: Web, sql: str) -> list[tuple[Any, ...]]:
    async with web.lent.database.reading() as work:
        return [tuple(row) for row in await work.fetch(sql)]
