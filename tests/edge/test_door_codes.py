# SPDX-License-Identifier: Apache-2.0
"""A gateway makes the code for its doors' screens where a telephone gets somewhere."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync import introduction
from cloud_sync.door_code import SLOT_MS, flaw_of
from edge.control.client import ControlError, ask
from edge.settings.site_file import load
from tests.brokers import amqtt, free_port
from tests.edge.at_work import until
from tests.edge.sneakernet.conftest import folder, office
from tests.edge.sneakernet.sites import GATEWAY, Office, Place, line, prepare, reached

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["folder", "office"]
PAGE = '[panel]\ndoor_url = "https://doors.example.org/door/"\n'


async def code(place: Place, door: str) -> dict[str, Any]:
    return await asyncio.to_thread(ask, place.socket, "door-code", door=door)


async def test_a_platform_in_reach_can_check_the_code_that_a_screen_shows(
    folder: Path, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introduction, "HELLO_AGAIN_S", 0.1)
    with amqtt(folder) as broker:
        state = prepare(folder, office, port=broker.port, extra=PAGE)
        settings = load(folder / "site.toml")
        [door, *_] = settings.door
        async with reached(state) as place:
            assert await code(place, door.id) == {"ok": True, "state": "away"}
            async with line(office, broker.port):
                await until(lambda: place.runtime.client.status.is_connected)
                told = await code(place, door.id)
            assert told["state"] == "shown"
            assert 0 < told["good_ms"] <= SLOT_MS
            page, _, shown = told["url"].partition("?c=")
            assert (
                page == f"https://doors.example.org/door/{settings.site.id}/{door.id}"
            )
            public = place.runtime.box.key().public
            now_ms = place.runtime.clock.now().earliest_ms
            assert flaw_of(public, GATEWAY, door.id, shown, now_ms) is None
            with pytest.raises(ControlError, match="no such door"):
                await code(place, "no-door")


@pytest.mark.parametrize("extra", ["", PAGE + "REMOTE"])
async def test_a_site_without_the_page_or_without_opening_from_afar_has_no_code(
    folder: Path, office: Office, extra: str
) -> None:
    state = prepare(folder, office, port=free_port(), extra=extra.replace("REMOTE", ""))
    if "REMOTE" in extra:
        site = folder / "site.toml"
        told = site.read_text("utf-8")
        off = '[platform]\nremote_unlock = "off"'
        site.write_text(told.replace("[platform]", off, 1), "utf-8")
    [door, *_] = load(folder / "site.toml").door
    async with reached(state) as place:
        assert (await code(place, door.id))["state"] == "none"
