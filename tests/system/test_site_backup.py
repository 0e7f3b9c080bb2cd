# SPDX-License-Identifier: Apache-2.0
"""A backup restored from the panel: real gateway, real platform line, no card lost."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from edge.cli.demo.journal_file import journal_keys, read_ledger
from edge.cli.run import AGAIN
from edge.control.client import ask
from tests.panel.conftest import start_panel, stop_panel
from tests.system.house import House, living_house
from tests.system.test_site_cupboards import Tablet

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]

PIN, OTHER = "274916", "613950"
HALL = "living-room-front"


async def told(house: House, verb: str, **fields: Any) -> dict[str, Any]:
    return await asyncio.to_thread(ask, house.stage.control_socket, verb, **fields)


async def manager(house: House) -> tuple[dict[str, str], str]:
    """Return what a manager's browser holds, and who could vouch for him."""
    add = {"name": "李站长", "role": "MANAGER", "pin": PIN}
    mine = (await told(house, "account-add", **add))["account"]
    second = (await told(house, "account-add", name="林叔", pin=OTHER))["account"]
    code = (await told(house, "pair-begin"))["code"]
    tablet = (await told(house, "pair", code=code, name="tablet"))["tablet"]
    login = {"tablet": tablet, "account": mine, "pin": PIN}
    session = (await told(house, "login-pin", **login))["session"]
    return {"tablet": tablet, "session": session}, second


def twice_on_the_platform(house: House) -> int:
    """Count events that the platform holds under two numbers."""
    with closing(sqlite3.connect(house.stage.ledger)) as ledger:
        same = "SELECT 1 FROM keyed GROUP BY core, salt HAVING count(*) > 1"
        return len(ledger.execute(same).fetchall())


async def test_a_restored_journal_begins_an_epoch_and_the_platform_keeps_all(
    tmp_path: Path,
) -> None:
    async with living_house(tmp_path) as house:
        held, second = await manager(house)
        await house.visit(HALL, house.part(HALL, "on time"))
        await house.until_sent()
        panel = await start_panel(house.stage.control_socket)
        headers = {"Origin": panel.url.rstrip("/")}
        try:
            async with httpx.AsyncClient(
                base_url=panel.url, headers=headers, timeout=20, cookies=held
            ) as http:
                tablet = Tablet(http=http)
                name = await _made_and_fetched(house, tablet, second)
                before = (await house.status())["events"]["epoch"]
                await told(house, "account-add", name="后来的人", pin="830617")
                await house.visit(HALL, house.part(HALL, "too late"))
                await house.until_sent()
                known = read_ledger(house.stage.ledger).keys
                await _restored(house, tablet, name)
        finally:
            await stop_panel(panel)
        accounts = (await told(house, "accounts"))["accounts"]
        assert "后来的人" not in [one["name"] for one in accounts]
        await house.until("another epoch", lambda s: s["events"]["epoch"] != before)
        await house.visit(HALL, house.part(HALL, "on time"))
        await house.until_sent()
        assert house.events("EPOCH_STARTED"), "and the journal says why"
        [restored] = [
            event
            for event in house.events("SETTINGS_CHANGED")
            if event.get("what") == "restored"
        ]
        assert restored["which"] == name
    ledger = read_ledger(house.stage.ledger)
    assert known <= ledger.keys, "what was sent stays sent"
    assert journal_keys(house.stage.journal) <= ledger.keys, "nothing lost"
    assert ledger.effects_doubled == 0
    assert twice_on_the_platform(house) == 0


async def _made_and_fetched(house: House, tablet: Tablet, second: str) -> str:
    """Make a backup and take a copy; return its name."""
    where, _ = await tablet.press("/backup", "/backup/make")
    assert where == "/backup"
    await house.until("made", lambda s: s["backup"]["count"] == 1)
    name = str((await house.status())["backup"]["last"])
    assert "没有钥匙文件" in await tablet.read(f"/backup/{name}")
    vouch = {"second": second, "second_pin": OTHER}
    token = re.search(
        r'name="token" value="([^"]+)"', await tablet.read(f"/backup/{name}")
    )
    assert token is not None
    form = {"name": name, "token": token.group(1), **vouch}
    leave = await tablet.http.post("/backup/take", data=form)
    fetched = await tablet.http.get(leave.headers["location"])
    path = house.stage.folder / "backups" / name
    assert fetched.content == path.read_bytes()
    return name


async def _restored(house: House, tablet: Tablet, name: str) -> None:
    """Have it restored: the gateway ends itself, and its supervisor starts it."""
    gateway = house.demo.children["gateway"]
    page = f"/backup/{name}/restore"
    await tablet.press(page, "/backup/restore", name=name)
    assert gateway.process is not None
    async with asyncio.timeout(30):
        assert await gateway.process.wait() == AGAIN
    await gateway.start()
    await house.until_ready()
    restored = (await house.status())["backup"]["restored"]
    assert (restored["file"], restored.get("fault")) == (name, None)
    assert (house.stage.folder / restored["aside"] / "journal.db").exists()
