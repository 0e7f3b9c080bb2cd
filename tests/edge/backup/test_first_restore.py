# SPDX-License-Identifier: Apache-2.0
"""A gateway without a manager, restored by the tablet of the label's code."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import pytest

from edge.accounts.people import Tablet
from edge.cli.backup.adopted import ADOPTED, adopt, is_adopted, site_in_force
from edge.cli.backup.errors import BackupError
from edge.cli.backup.finishing import finish_restore, is_staged
from edge.cli.backup.manifest import KEPT_SITE
from edge.cli.backup.restoring import Wish, stage
from edge.cli.backup.start import carry_out
from tests.edge.at_work import until
from tests.edge.backup.test_backup import AT_MS, PHRASE, box, count, made, state
from tests.edge.keys.cut import DIED
from tests.edge.panel_site import TabletOf, panel_site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.edge.panel_site import Site

__all__ = ["box", "state"]

PIN = "830617"
TABLET = Tablet(id="tablet-new", name="前台平板", secret="ab", is_first=True)  # noqa: S106  a hash of nothing
FIRST = Wish(by=TABLET.id, at_ms=AT_MS, takes_other=True, tablet=TABLET.dump())


@asynccontextmanager
async def first_site(folder: Path, ended: list[str]) -> AsyncIterator[Site]:
    async with panel_site(folder) as site:
        backups = site.runtime.desk.backups
        assert backups is not None
        backups._end = lambda: ended.append("now")
        yield site


async def first_tablet(site: Site) -> TabletOf:
    code = await site.runtime.desk.book.new_first_code()
    tablet = TabletOf(site)
    assert (await tablet.ask("pair", code=code, name="前台平板"))["is_first"]
    return tablet


async def sent(tablet: TabletOf, content: bytes, piece: int = 45_000) -> dict[str, Any]:
    begun = await tablet.ask("first-restore-begin", bytes=len(content) + 999)
    answer = begun
    for at in range(0, len(content), piece):
        part = content[at : at + piece]
        answer = await tablet.ask(
            "first-restore-piece",
            ticket=begun["ticket"],
            offset=at,
            piece=base64.b64encode(part).decode(),
            is_last=at + piece >= len(content),
        )
    return answer


async def until_step(tablet: TabletOf, *steps: str) -> dict[str, Any]:
    for _ in range(1_000):
        told = await tablet.ask("first-restore")
        if told.get("step") in steps:
            return told
        await asyncio.sleep(0.05)
    raise AssertionError(told)


async def test_without_keys_the_tablet_stays_and_may_make_a_manager(
    state: Path, tmp_path: Path
) -> None:
    backup, ended = made(state).read_bytes(), list[str]()
    async with first_site(tmp_path / "box", ended) as site:
        tablet = await first_tablet(site)
        stranger = await TabletOf(site).pair()
        for verb in ("first-restore", "first-restore-begin", "first-restore-go"):
            assert not (await stranger.ask(verb, bytes=1))["ok"], verb
        assert (await tablet.ask("first-restore"))["step"] == "empty"
        assert (await sent(tablet, b"no backup at all"))["state"] == "taken"
        told = await until_step(tablet, "empty")
        assert told["fault"] == "torn"
        assert str(tmp_path) not in told["detail"]
        assert (await sent(tablet, backup))["state"] == "taken"
        told = await until_step(tablet, "held")
        assert (told["inside"]["site"], told["inside"]["accounts"]) == ("hall-7", 1)
        assert (await tablet.ask("first-restore-cancel"))["state"] == "done"
        assert (await tablet.ask("first-restore-go"))["state"] == "busy"
        await sent(tablet, backup)
        await until_step(tablet, "held")
        await site.shell("emergency", actor="shell", state="SHELTER", reason="typhoon")
        assert (await tablet.ask("first-restore-go"))["state"] == "begun"
        told = await until_step(tablet, "ending")
        assert told["waits"] == "EMERGENCY"
        assert ended == []
        end = {"actor": "shell", "state": "SHELTER", "reason": "over"}
        await site.shell("end-emergency", **end)
        backups = site.runtime.desk.backups
        assert backups is not None
        backups.look()
        assert ended == ["now"]
    where = tmp_path / "box" / "state"
    assert carry_out(where)
    assert adopt(tmp_path / "box" / "site.toml", where)
    (where / "keys" / "panel-pepper").unlink()  # as on another box
    async with panel_site(tmp_path / "box") as site:
        tablet._site = site
        session = await tablet.ask("session")
        assert (session["is_paired"], session["is_first"]) == (True, True)
        assert not session["has_manager"]
        assert (await tablet.ask("first-restore"))["step"] == "done"
        manager = {"name": "陈姨", "pin": PIN}
        assert (await tablet.ask("first-manager", **manager))["state"] == "taken"
        manager["name"] = "李站长"
        assert (await tablet.ask("first-manager", **manager))["state"] == "in"
        assert not (await tablet.ask("first-restore-begin", bytes=1))["ok"]


async def test_pieces_come_in_order_whole_and_within_bounds(tmp_path: Path) -> None:
    async with first_site(tmp_path, []) as site:
        tablet = await first_tablet(site)
        for size in (0, -1, True, "9", None, (512 << 20) + 1):
            told = await tablet.ask("first-restore-begin", bytes=size)
            assert told["state"] == "size", size
        begun = await tablet.ask("first-restore-begin", bytes=8)
        again = await tablet.ask("first-restore-begin", bytes=8)
        assert again["state"] == "busy", "one file at a time"
        good: dict[str, Any] = {
            "ticket": begun["ticket"],
            "offset": 0,
            "piece": "d2VsbA==",
        }
        odds: tuple[dict[str, Any], ...] = (
            {"ticket": "guess"},
            {"ticket": None},
            {"offset": 4},
            {"offset": True},
            {"piece": "%%%"},
            {"piece": ""},
            {"piece": None},
        )
        for odd in odds:
            told = await tablet.ask("first-restore-piece", **(good | odd))
            assert told["state"] == "piece", odd
        assert (await tablet.ask("first-restore-piece", **good))["state"] == "taken"
        assert (await tablet.ask("first-restore-piece", **good))["state"] == "piece"
        more = {**good, "offset": 4, "piece": "d2VsbCwgd2VsbA=="}
        assert (await tablet.ask("first-restore-piece", **more))["state"] == "size"
        folder = site.state / "incoming"
        assert [path.stat().st_size for path in folder.iterdir()] == [4]
    async with first_site(tmp_path, []):
        assert not folder.exists(), "half a file is gone with the next start"


def test_settings_that_cannot_be_used_are_refused_before_anything_is(
    state: Path, tmp_path: Path
) -> None:
    kept = state / KEPT_SITE
    kept.write_text(kept.read_text().replace("qr_line", "qr_lime", 1))
    empty = tmp_path / "empty"
    with pytest.raises(BackupError, match=r"site\.toml:\d+ .*qr_l") as refused:
        stage(made(state), empty_box(empty), FIRST)
    assert refused.value.kind == "site"
    assert str(empty) not in str(refused.value)
    assert not (empty / "restoring").exists()


def empty_box(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_restored_settings_are_in_force_until_the_site_file_is_written_anew(
    state: Path, tmp_path: Path
) -> None:
    empty, site = empty_box(tmp_path / "empty"), tmp_path / "site.toml"
    site.write_text("[site]\nid = 'new-box'\n")
    stage(made(state), empty, FIRST)
    assert site_in_force(site, empty) == site
    finish_restore(empty)
    assert site_in_force(site, empty) == site, "not before it is marked"
    assert adopt(site, empty)
    assert not adopt(site, empty)
    assert site_in_force(site, empty) == empty / ADOPTED
    assert (empty / ADOPTED).read_text() == (state / KEPT_SITE).read_text()
    stage(made(state), empty, Wish(by="shell", at_ms=AT_MS, takes_other=True))
    finish_restore(empty)
    assert is_adopted(site, empty), "another restore leaves in force what is"
    site.write_text("[site]\nid = 'mended'\n")
    assert site_in_force(site, empty) == site
    site.unlink()
    assert site_in_force(site, empty) == site


@pytest.mark.parametrize("phrase", ["", PHRASE])
def test_a_tablet_stays_paired_and_first_while_no_pin_is_right(
    state: Path, tmp_path: Path, phrase: str
) -> None:
    with closing(sqlite3.connect(state / "accounts.db")) as accounts:
        accounts.execute(
            "UPDATE entry SET body = replace(body, 'VOLUNTEER', 'MANAGER')"
        )
        accounts.commit()
    path, empty = made(state, passphrase=PHRASE), empty_box(tmp_path / "empty")
    wish = Wish(
        by="t",
        at_ms=AT_MS,
        takes_other=True,
        passphrase=phrase,
        tablet=TABLET.dump(),
    )
    stage(path, empty, wish)
    finish_restore(empty)
    with closing(sqlite3.connect(empty / "accounts.db")) as accounts:
        [[body]] = accounts.execute("SELECT body FROM entry WHERE id = 'tablet-new'")
    assert json.loads(body) == {**TABLET.dump(), "is_first": not phrase}


def test_whenever_the_power_goes_the_box_is_empty_or_wholly_restored(
    state: Path, tmp_path: Path
) -> None:
    path, site = made(state, out=tmp_path / "b.tar.gz"), tmp_path / "site.toml"
    site.write_text("[site]\nid = 'new-box'\n")
    whole = {"journal.db", "accounts.db", ADOPTED, "panel"}
    outcomes: list[tuple[int, bool]] = []
    number = 1
    while not outcomes or outcomes[-1][0] == DIED:
        there = empty_box(tmp_path / f"cut-{number}")
        words = [str(number), str(path), str(there), "first"]
        command = [sys.executable, "-m", "tests.edge.backup.cut", *words]
        code = subprocess.run(command, check=False).returncode
        carry_out(there)
        adopt(site, there)
        found = {each.name for each in there.iterdir()} & whole
        assert found in (set(), whole), number
        assert not is_staged(there)
        if found:
            assert count(there / "journal.db") == count(state / "journal.db")
            assert site_in_force(site, there) == there / ADOPTED
        outcomes.append((code, bool(found)))
        shutil.rmtree(there)
        number += 16
    assert {is_new for _, is_new in outcomes} == {False, True}, outcomes
    assert len(outcomes) > 4


async def test_a_gateway_of_before_tells_nothing_of_it(tmp_path: Path) -> None:
    async with first_site(tmp_path, []) as site:
        tablet = await first_tablet(site)
        assert (await tablet.ask("first-manager", name="李站长", pin=PIN))[
            "state"
        ] == "in"
        assert not (await tablet.ask("first-restore"))["ok"]
        await until(lambda: site.runtime.desk.book.has_manager)
