# SPDX-License-Identifier: Apache-2.0
"""Whom the platform shuts out at the panel, whatever PIN he has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.core.people.roster import Cursor, RosterBuilder
from edge.core.people.roster_row import HolderRow, RevocationRow
from tests.edge.panel_site import Site, TabletOf, panel_site

if TYPE_CHECKING:
    from pathlib import Path

PIN, OTHER = "274916", "613950"


async def add(site: Site, name: str, role: str, **fields: str) -> str:
    answer = await site.shell("account-add", name=name, role=role, **fields)
    return str(answer["account"])


def feed(site: Site, *, is_enabled: bool, is_revoked: bool) -> None:
    """Let the platform's feed bring another word on 陈姨."""
    builder = RosterBuilder()
    chen = HolderRow(
        holder_id="h-chen",
        roles=("VOLUNTEER",),
        language="zh-CN",
        is_enabled=is_enabled,
        needs_extended_time=False,
        credentials=(),
    )
    builder.add([chen])
    if is_revoked:
        builder.add([RevocationRow(holder_id="h-chen", reason="left")])
    roster = builder.build(Cursor("0001-00000000", 2))
    runtime = site.runtime
    runtime.gateway.do(lambda controller, now: controller.adopt(roster, now))


async def test_the_label_s_code_leaves_no_tablet_behind_but_the_last(
    tmp_path: Path,
) -> None:
    async with panel_site(tmp_path) as site:
        code = await site.runtime.desk.book.new_first_code()
        stranger, ours = TabletOf(site), TabletOf(site)
        assert (await stranger.ask("pair", code=code, name="x"))["is_first"]
        assert (await ours.ask("pair", code=code, name="y"))["is_first"]
        assert not (await stranger.ask("session"))["is_paired"]
        first = {"name": "李站长", "pin": PIN}
        assert (await stranger.ask("first-manager", **first))["ok"] is False
        assert (await ours.ask("first-manager", **first))["state"] == "in"
        assert [t.name for t in site.runtime.desk.book.tablets.values()] == ["y"]


@pytest.mark.parametrize(
    ("is_enabled", "is_revoked"), [(False, False), (True, True), (True, False)]
)
async def test_whom_the_feed_shuts_out_the_pin_does_not_let_in(
    tmp_path: Path, *, is_enabled: bool, is_revoked: bool
) -> None:
    is_barred = is_revoked or not is_enabled
    async with panel_site(tmp_path) as site:
        chen = await add(site, "陈姨", "VOLUNTEER", pin=PIN, holder="h-chen")
        boss = await add(site, "林叔", "MANAGER", pin=OTHER)
        tablet, other = await TabletOf(site).pair(), await TabletOf(site).pair()
        begun = await tablet.ask("login-pin", account=chen, pin=PIN)
        assert begun["state"] == "in"
        feed(site, is_enabled=is_enabled, is_revoked=is_revoked)
        assert await tablet.role() == ("" if is_barred else "VOLUNTEER")
        again = await other.ask("login-pin", account=chen, pin=PIN)
        assert again["state"] == ("closed" if is_barred else "in")
        assert (await other.ask("login-pin", account=boss, pin=OTHER))["state"] == "in"
        made = {"name": "小李", "role": "INSTALLER", "pin": "805137"}
        second = {"second_account": chen, "second_pin": PIN}
        added = await other.ask("account-add", **made, **second)
        assert added.get("state") == (None if is_barred else "done")
