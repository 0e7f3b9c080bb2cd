# SPDX-License-Identifier: Apache-2.0
"""An export sent to the gateway for a stick, and what is told of it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from tests.panel.scripted_gateway import TABLET
from tests.panel.test_cupboard_pages import press

if TYPE_CHECKING:
    import httpx

    from tests.panel.scripted_gateway import ScriptedGateway

ROW = {"place": 9, "k": "ACCESS_DENIED", "at": "kitchen-front", "lo": 1, "tail": "0042"}


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_what_a_browser_would_get_goes_to_the_stick(
    gateway: ScriptedGateway, http: httpx.AsyncClient, form: str
) -> None:
    http.cookies.update({"tablet": TABLET, "session": "manager"})
    days = ["2026-11-16", "2026-11-22"]
    gateway.answers |= {
        "export": {"export": "word", "days": days},
        "export-rows": {"rows": [ROW] * 150, "next": 0},
        "export-stick-begin": {"state": "begun", "ticket": "t"},
        "export-stick-piece": {"state": "taken"},
        "export-stick-write": {"state": "done"},
    }
    ordered = {"form": form, "first": days[0]}
    assert await press(http, "/export", "/export", **ordered)
    assert "写到U盘" in (await http.get("/export")).text
    gateway.orders.clear()
    where = await press(http, "/export", "/export/stick")
    assert where == "/export?told=stick.done"
    begun, *pieces, written = gateway.orders
    assert {each["export"] for each in gateway.orders} == {"word"}
    assert (begun["verb"], written["verb"]) == (
        "export-stick-begin",
        "export-stick-write",
    )
    sent = b"".join(base64.b64decode(each["piece"]) for each in pieces)
    assert sent.startswith(b"PK" if form == "xlsx" else "\ufeff时间".encode())
    assert pieces[-1]["is_last"]
    for word in ("none", "full", "read_only", "broken", "odd"):
        gateway.answers["export-stick-write"] = {"state": word}
        told = "gone" if word == "odd" else word
        where = await press(http, "/export", "/export/stick")
        assert where == f"/export?told=stick.{told}"
        assert "U盘" in (await http.get(where)).text or told == "gone"
    gateway.answers["export-stick-begin"] = {"state": "size"}
    where = await press(http, "/export", "/export/stick")
    assert where == "/export?told=stick.size"
