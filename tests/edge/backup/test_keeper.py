# SPDX-License-Identifier: Apache-2.0
"""A running gateway's backups: at night, by a tablet, restored at its next start."""

from __future__ import annotations

import base64
import os
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from edge.cli.backup.keeper import SETTLED_S, Backups
from edge.cli.backup.manifest import KEPT_SITE
from edge.cli.backup.start import carry_out
from edge.core.moment import Moment
from tests.edge.at_work import until
from tests.edge.panel_site import TabletOf, panel_site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.edge.panel_site import Site

PIN, OTHER = "274916", "613950"
#: 2026-11-22 at UTC+8.
MIDNIGHT_MS = 1_795_276_800_000
HOUR_MS = 3_600_000


@asynccontextmanager
async def kept_site(folder: Path) -> AsyncIterator[Site]:
    async with panel_site(folder) as site:
        shutil.copyfile(folder / "site.toml", site.state / KEPT_SITE)
        yield site


def backups_of(site: Site) -> Backups:
    found = site.runtime.desk.backups
    assert found is not None
    return found


async def keepers(site: Site) -> tuple[TabletOf, str]:
    """Return a manager's tablet, and who could vouch."""
    add = {"role": "MANAGER", "pin": PIN}
    mine = (await site.shell("account-add", name="李站长", **add))["account"]
    second = (await site.shell("account-add", name="陈姨", pin=OTHER))["account"]
    tablet = await TabletOf(site).pair()
    assert (await tablet.ask("login-pin", account=mine, pin=PIN))["state"] == "in"
    return tablet, second


async def made(site: Site, tablet: TabletOf) -> str:
    before = len(backups_of(site).files)
    assert (await tablet.ask("backup-make"))["state"] == "begun"
    assert (await tablet.ask("backup-make"))["state"] == "busy"
    await until(lambda: len(backups_of(site).files) > before)
    await until(lambda: not backups_of(site).shown()["doing"])
    return str((await tablet.ask("backups"))["files"][0]["name"])


class Night:
    """A gateway's clock, set by hand, and what would have begun."""

    def __init__(self, site: Site) -> None:
        self.hours = 12.0
        self.is_known = True
        self.backups = Backups(
            site.state,
            site.runtime.controller,
            now=self.now,
            note=lambda note: None,
            offset_hours=8,
        )

    def now(self) -> Moment:
        at_ms = MIDNIGHT_MS + int(self.hours * HOUR_MS)
        return Moment(
            monotonic_s=SETTLED_S + self.hours * 3_600,
            earliest_ms=at_ms,
            latest_ms=at_ms + 100,
            boot="b",
        )

    async def begins_at(self, hours: float) -> bool:
        self.hours = hours
        self.backups.look()
        has_begun = bool(self.backups.shown()["doing"])
        await self.backups.close()
        return has_begun


async def test_one_is_made_at_a_quiet_hour(tmp_path: Path) -> None:
    async with kept_site(tmp_path) as site:
        night = Night(site)
        assert not await night.begins_at(12.5)
        assert await night.begins_at(13.1), "the first one of a new box"
        assert not await night.begins_at(13.2), "it was tried just now"
        night.backups.begin_make()
        await until(lambda: not night.backups.shown()["doing"])
        assert night.backups.fault == ""
        [made] = night.backups.files
        made_s = night.now().earliest_ms / 1000
        os.utime(site.state / "backups" / made["name"], (made_s, made_s))
        for hour, is_time in ((23.0, False), (25.9, False), (26.1, True)):
            assert await night.begins_at(hour) is is_time, hour
        assert await night.begins_at(60.0), "switched off at night"


async def test_what_hinders_one_is_told_in_status_and_as_an_event(
    tmp_path: Path,
) -> None:
    async with panel_site(tmp_path) as site:
        assert (await site.shell("backup-make"))["state"] == "begun"
        told = await site.until_told("STORAGE_FAULT")
        assert (told["at"], told["what"]) == ("backup", "backup")
        status = await site.shell("status")
        assert "site.kept.toml" in status["backup"]["fault"]


async def test_a_manager_makes_looks_and_takes_with_a_second_person(
    tmp_path: Path,
) -> None:
    async with kept_site(tmp_path) as site:
        tablet, second = await keepers(site)
        name = await made(site, tablet)
        inside = await tablet.ask("backup-look", name=name)
        assert (inside["site"], inside["accounts"]) == ("hall-7", 2)
        assert not inside["has_keys"]
        for odd in ("../keys/site.json", "menshen-x-20260101-000000.tar.gz", None):
            assert not (await tablet.ask("backup-look", name=odd))["ok"]
        vouch = {"second_account": second, "second_pin": OTHER}
        assert not (await tablet.ask("backup-take", name=name))["ok"]
        assert not (await tablet.ask("backup-read", ticket="guess", offset=0))["ok"]
        taken = await tablet.ask("backup-take", name=name, **vouch)
        content = b""
        while len(content) < taken["bytes"]:
            ask = {"ticket": taken["ticket"], "offset": len(content)}
            content += base64.b64decode(
                (await tablet.ask("backup-read", **ask))["piece"]
            )
        assert content == (site.state / "backups" / name).read_bytes()
        await until(lambda: bool(taken_events(site)))
        [event] = taken_events(site)
        assert event["second"] == second
        stranger = await TabletOf(site).pair()
        ask = {"ticket": taken["ticket"], "offset": 0}
        assert not (await stranger.ask("backup-read", **ask))["ok"]
        assert not (await stranger.ask("backups"))["ok"]


def taken_events(site: Site) -> list[dict[str, Any]]:
    found = site.events("SETTINGS_CHANGED")
    return [event for event in found if event.get("what") == "backup_taken"]


async def test_a_restore_waits_for_calm_ends_the_gateway_and_is_done_at_its_start(
    tmp_path: Path,
) -> None:
    ended: list[str] = []
    async with kept_site(tmp_path) as site:
        tablet, _ = await keepers(site)
        name = await made(site, tablet)
        await site.shell("account-add", name="后来的人", pin=PIN)
        keeper = backups_of(site)
        keeper._end = lambda: ended.append("now")
        fire = {"actor": "shell", "state": "SHELTER", "reason": "typhoon"}
        await site.shell("emergency", **fire)
        assert (await tablet.ask("restore-ask", name=name))["state"] == "begun"
        await until(lambda: keeper.is_ending)
        assert keeper.shown()["waits"] == "EMERGENCY"
        keeper.look()
        assert ended == [], "never while an emergency stands"
        assert (await tablet.ask("restore-cancel"))["state"] == "done"
        assert not (site.state / "restoring").exists()
        await site.shell("end-emergency", **fire)
        assert (await tablet.ask("restore-ask", name=name))["state"] == "begun"
        await until(lambda: ended == ["now"])
    carry_out(site.state)
    async with kept_site(tmp_path) as site:
        names = [one["name"] for one in (await site.shell("accounts"))["accounts"]]
        assert "李站长" in names
        assert "后来的人" not in names
        await until(lambda: bool(restored_events(site)))
        [event] = restored_events(site)
        assert event["which"] == name
        assert event["actor"].startswith("acc"), event
    async with kept_site(tmp_path) as site:
        await site.until_told("STARTED", 3)
        assert len(restored_events(site)) == 1, "it is told once"


def restored_events(site: Site) -> list[dict[str, Any]]:
    found = site.events("SETTINGS_CHANGED")
    return [event for event in found if event.get("what") == "restored"]


@pytest.mark.parametrize("spoil", ["gone", "torn"])
async def test_a_restore_that_cannot_be_is_told_and_changes_nothing(
    tmp_path: Path, spoil: str
) -> None:
    async with kept_site(tmp_path) as site:
        tablet, _ = await keepers(site)
        name = await made(site, tablet)
        path = site.state / "backups" / name
        path.unlink() if spoil == "gone" else path.write_bytes(path.read_bytes()[:999])
        assert (await tablet.ask("restore-ask", name=name))["state"] == "begun"
        await until(lambda: bool(backups_of(site).fault))
        assert name in backups_of(site).fault
        assert not backups_of(site).is_ending
        assert not (site.state / "restoring").exists()
