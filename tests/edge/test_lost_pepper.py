# SPDX-License-Identifier: Apache-2.0
"""The pepper of PINs is lost: it is said aloud, and cards log in as ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.accounts import pins
from edge.cli.status_view import lines
from tests.edge.panel_site import TabletOf, panel_site
from tests.edge.test_panel_desk import OTHER, PIN, add, by_pin

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "SCRYPT_N", 2)


async def set_up(folder: Path) -> tuple[str, str]:
    """Leave two people with a PIN, one of them with a card."""
    async with panel_site(folder) as site:
        chen = await add(site, "陈姨", "VOLUNTEER", holder="h-chen", pin=PIN)
        return chen, await add(site, "林叔", "MANAGER", pin=OTHER)


@pytest.mark.parametrize("fate", ["gone", "damaged", "another"])
async def test_pins_are_void_and_cards_log_in(tmp_path: Path, fate: str) -> None:
    chen, lin = await set_up(tmp_path)
    pepper = tmp_path / "state" / "keys" / "panel-pepper"
    kept = pepper.read_bytes()
    if fate == "gone":
        pepper.unlink()
    else:
        pepper.write_bytes({"damaged": b"cut off", "another": b"q" * 32}[fate])
    for _ in range(2):  # the new one is no news at the second start
        async with panel_site(tmp_path) as site:
            fault = await site.until_told("STORAGE_FAULT")
            assert (fault["at"], fault["what"], fault["count"]) == (
                *("accounts", "pepper"),
                2,
            )
            status = await site.shell("status")
            assert status["panel"]["pins_lost"] == 2
            assert status["panel"]["has_manager"]
            [said] = [each for each in lines(status) if each.startswith("PINS")]
            assert "menshen account pin" in said
            tablet = await TabletOf(site).pair()
            for _ in range(7):  # no guess, and so nobody has to wait
                assert (await by_pin(tablet, chen))["state"] != "waits"
            await tablet.tap_in("h-chen")
            assert await tablet.role() == "VOLUNTEER"
    pepper.write_bytes(kept)
    async with panel_site(tmp_path) as site:  # it was in the backup
        assert "pins_lost" not in (await site.shell("status"))["panel"]
        tablet = await TabletOf(site).pair()
        await by_pin(tablet, lin, OTHER)
        assert await tablet.role() == "MANAGER"


async def test_with_the_first_new_pin_the_old_ones_are_gone(tmp_path: Path) -> None:
    chen, lin = await set_up(tmp_path)
    pepper = tmp_path / "state" / "keys" / "panel-pepper"
    kept = pepper.read_bytes()
    pepper.unlink()
    async with panel_site(tmp_path) as site:
        await site.shell("account-pin", account=lin, pin=PIN)
        assert (await site.shell("status"))["panel"]["pins_lost"] == 1
    async with panel_site(tmp_path) as site:
        assert "pins_lost" not in (await site.shell("status"))["panel"]
        tablet = await TabletOf(site).pair()
        await by_pin(tablet, chen)
        assert await tablet.role() == ""
        await by_pin(tablet, lin)
        assert await tablet.role() == "MANAGER"
    pepper.write_bytes(kept)
    async with panel_site(tmp_path) as site:
        assert (await site.shell("status"))["panel"]["pins_lost"] == 1
