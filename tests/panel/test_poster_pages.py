# SPDX-License-Identifier: Apache-2.0
"""Posters to print, and the settings to read, as a browser gets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from edge.panel.poster_view import hours_en, hours_zh, read_posters
from tests.panel.scripted_gateway import TABLET
from tests.panel.test_cupboard_pages import press

if TYPE_CHECKING:
    import httpx

    from tests.panel.scripted_gateway import ScriptedGateway


@pytest.mark.parametrize("odd", [None, 7, [], [1], [{"url": "javascript:x()"}]])
def test_nothing_that_comes_in_breaks_a_poster(odd: Any) -> None:
    assert all(each.url == "" for each in read_posters({"doors": odd}))


@pytest.mark.parametrize(
    ("hours", "zh", "en"),
    [
        ("mon-fri 08:00-22:00", "周一至周五 08:00-22:00", "Mon-Fri 08:00-22:00"),
        (
            "mon 08:00-12:00; sat,sun 09:00-26:30",
            "周一 08:00-12:00；周六、周日 09:00-次日02:30",
            "Mon 08:00-12:00; Sat,Sun 09:00-next day 02:30",
        ),
    ],
)
def test_hours_are_words_of_people(hours: str, zh: str, en: str) -> None:
    assert (hours_zh(hours), hours_en(hours)) == (zh, en)


async def test_a_poster_says_it_in_three_languages_with_the_door_s_code(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    http.cookies.update({"tablet": TABLET, "session": "manager"})
    assert 'href="/posters/2"' in (await http.get("/posters")).text
    page = (await http.get("/posters/1")).text
    said = (
        *("厨房门", "<svg", "周一至周五 08:00-22:00", "Mon-Fri 08:00-22:00"),
        *("刷身份证", "拍身份证", "hold your ID", "/door/kl/kitchen-door"),
    )
    for word in said:
        assert word in page, word
    assert len(page) < 15_000
    plain = (await http.get("/posters/2")).text
    assert "<svg" not in plain, "no address, no code"
    assert "值班员在的时候" in plain
    for odd in ("3", "0", "x", "99"):
        assert (await http.get(f"/posters/{odd}")).status_code == 404
    assert gateway.orders == []


async def test_the_installer_reads_settings_a_page_at_a_time_and_tests(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    http.cookies.update({"tablet": TABLET, "session": "installer"})
    gateway.status["settings_faults"] = ["site.toml:9 door.1.open: unknown key"]
    page = (await http.get("/settings")).text
    words = ("site.toml:9", "/dev/ttyUSB0", "aarch64", "只能看", "?page=2")
    for word in words:
        assert word in page, word
    assert len(page) < 15_000
    for number in ("2", "99", "-1", "<b>"):
        answer = await http.get("/settings", params={"page": number})
        assert answer.status_code == 200
        assert "<b></" not in answer.text
    where = await press(http, "/settings", "/settings/test")
    assert where == "/settings?told=settings.testing"
    assert gateway.orders.pop()["verb"] == "self-test"
