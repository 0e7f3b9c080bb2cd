# SPDX-License-Identifier: Apache-2.0
"""``menshen pair`` and ``menshen account`` at a gateway that works."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from edge.accounts.codes import typed
from edge.cli.main import app
from edge.control.client import ControlError
from tests.edge.panel_site import Site, TabletOf, panel_site

if TYPE_CHECKING:
    from pathlib import Path

PIN = "274916\n274916\n"


async def menshen(site: Site, *words: str, typing: str = "") -> str:
    """Run a verb; return what it printed, or raise what it failed with."""
    line = [*words, "--socket", str(site.socket)]
    done = await asyncio.to_thread(CliRunner().invoke, app, line, typing)
    if done.exception is not None:
        raise done.exception
    return str(done.stdout)


async def test_the_shell_pairs_a_tablet_and_sees_to_people(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        shown = await menshen(site, "pair")
        found = re.search(r"once: (\S+)  or open http://127.0.0.1:8443/pair", shown)
        assert found is not None, shown
        tablet = TabletOf(site)
        code = typed(found.group(1))
        assert (await tablet.ask("pair", code=code, name="t"))["state"] == "paired"
        told = await menshen(site, "account", "add", "林叔", "--pin", typing=PIN)
        lin = told.split()[-1]
        await menshen(site, "account", "add", "陈姨", "--holder", "h-chen")
        login = await tablet.ask("login-pin", account=lin, pin="274916")
        assert login["state"] == "in"
        await menshen(site, "account", "pin", lin, typing="613950\n613950\n")
        assert await tablet.role() == ""
        await menshen(site, "account", "retire", lin)
        listed = await menshen(site, "account", "list")
        assert re.search(rf"{lin}  VOLUNTEER  retired   林叔", listed)
        assert re.search(r"VOLUNTEER  card      陈姨", listed)
        by = {event["actor"] for event in site.events("SETTINGS_CHANGED")}
        assert by == {"shell"}


@pytest.mark.parametrize(
    ("words", "typing", "why"),
    [
        (("add", "林叔", "--pin"), "123456\n123456\n", "too easy"),
        (("add", "林叔", "--pin"), "12\n12\n", "six digits"),
        (("add", "110101199003070017", "--pin"), PIN, "a name of 1 to 24"),
        (("add", "林叔", "--pin", "--role", "KING"), PIN, "a role that there is"),
        (("add", "林叔", "--holder", "h-nobody"), "", "on the roster"),
        (("retire", "acc-none"), "", "no such account"),
    ],
)
async def test_what_cannot_be_is_told_in_a_line(
    tmp_path: Path, words: tuple[str, ...], typing: str, why: str
) -> None:
    async with panel_site(tmp_path) as site:
        with pytest.raises(ControlError, match=why):
            await menshen(site, "account", *words, typing=typing)
