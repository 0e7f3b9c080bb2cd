# SPDX-License-Identifier: Apache-2.0
"""A USB stick, played by a folder in memory: another disk than the state folder's."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.cli.backup.making import KEPT, make
from edge.cli.backup.stick import copy, copy_backup, find
from edge.settings.site_file import load
from tests.edge.at_work import until
from tests.edge.backup.test_backup import AT_MS, box, state
from tests.edge.backup.test_keeper import backups_of, keepers, kept_site, made
from tests.edge.panel_site import DESK
from tests.edge.small_site import TEXT, faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.edge.panel_site import Site

__all__ = ["box", "state"]

MEMORY = Path("/dev/shm")  # noqa: S108  a private folder is made in it
NAME = "menshen-hall-7-20261122-033000.tar.gz"


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Path]:
    if not MEMORY.is_dir() or MEMORY.stat().st_dev == tmp_path.stat().st_dev:
        why = "no second disk here: /dev/shm is to be one"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        stick = Path(folder, "pi", "MENSHEN")
        stick.mkdir(parents=True)
        yield stick


@asynccontextmanager
async def site_with(folder: Path, *sticks: str) -> AsyncIterator[Site]:
    async with kept_site(folder) as site:
        backups_of(site)._sticks = list(sticks)
        yield site


def test_a_stick_is_found_by_its_label_and_no_folder_of_this_disk_is_one(
    stick: Path, tmp_path: Path
) -> None:
    pattern = f"{stick.parent.parent}/*/MENSHEN"
    assert find([pattern], tmp_path) == stick
    (tmp_path / "MENSHEN").mkdir()
    assert find([str(tmp_path / "MENSHEN")], tmp_path) is None, "it is not mounted"
    assert find([str(tmp_path / "MENSHEN"), pattern], tmp_path) == stick
    assert find([], tmp_path) is None


def test_a_site_file_says_where_sticks_appear(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(f"{TEXT}{DESK}", "utf-8")
    assert "/media/MENSHEN" in load(path).backup.sticks
    path.write_text(f"{TEXT}{DESK}\n[backup]\nsticks = []\n", "utf-8")
    assert load(path).backup.sticks == []
    odd = '\n[backup]\nsticks = ["media/../etc"]\n'
    [fault] = faults(tmp_path, TEXT + odd)
    assert "a folder such as '/media/MENSHEN'" in fault


def test_what_hinders_a_copy_is_one_word_and_leaves_nothing(
    stick: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"well")
    (stick / f".{NAME}.new").write_bytes(b"pulled out half-way")
    assert copy(source, NAME, [str(stick)], tmp_path) == "done"
    assert (stick / NAME).read_bytes() == b"well"
    assert [path.name for path in stick.iterdir()] == [NAME]
    with source.open("r+b") as file:
        file.truncate(1 << 42)  # of holes: no stick is so big
    assert copy(source, "other", [str(stick)], tmp_path) == "full"
    source.write_bytes(b"well")
    assert copy(source, NAME, ["/sys/kernel"], tmp_path) == "read_only"
    (stick / f".{NAME}.new").mkdir()
    assert copy(source, NAME, [str(stick)], tmp_path) in ("broken", "read_only")
    assert copy(source, NAME, [str(stick / "nothing")], tmp_path) == "none"
    assert (stick / NAME).read_bytes() == b"well"


async def test_each_backup_is_copied_told_and_old_ones_go_there_too(
    stick: Path, tmp_path: Path
) -> None:
    async with site_with(tmp_path, str(stick)) as site:
        tablet, _ = await keepers(site)
        others = stick / NAME.replace("hall-7", "hall-8")
        others.write_bytes(b"of another site")
        for day in range(10, 10 + KEPT + 1):
            (stick / NAME.replace("20261122", f"202610{day}")).write_bytes(b"torn")
        name = await made(site, tablet)
        copied = site.state / "backups" / name
        assert (stick / name).read_bytes() == copied.read_bytes()
        mine = [path for path in os.listdir(stick) if "hall-7" in path]  # noqa: PTH208
        assert len(mine) == KEPT
        assert others.exists()
        assert (await tablet.ask("backups"))["stick"] == "done"
        await until(lambda: bool(told(site)))
        [event] = told(site)
        assert event["which"] == name


async def test_a_stick_that_takes_nothing_is_told_once_and_costs_no_backup(
    stick: Path, tmp_path: Path
) -> None:
    async with site_with(tmp_path, "/sys/kernel") as site:
        tablet, _ = await keepers(site)
        for count in (1, 2):
            shutil.rmtree(site.state / "backups", ignore_errors=True)
            backups_of(site)._files = []
            await made(site, tablet)
            assert backups_of(site).fault == "", count
        assert (await tablet.ask("backups"))["stick"] == "read_only"
        event = await site.until_told("STORAGE_FAULT")
        assert (event["at"], event["what"]) == ("backup", "stick")
        assert len(site.events("STORAGE_FAULT")) == 1
        assert not told(site)


async def test_without_a_stick_nobody_is_told_of_one(tmp_path: Path) -> None:
    async with site_with(tmp_path) as site:
        tablet, _ = await keepers(site)
        await made(site, tablet)
        assert (await tablet.ask("backups"))["stick"] == "none"
        assert not site.events("STORAGE_FAULT")


def test_who_was_erased_goes_from_the_stick_too(stick: Path, state: Path) -> None:
    path, _ = make(state, at_ms=AT_MS, version="1")
    assert copy_backup(path, [str(stick)], state) == "done"
    with closing(sqlite3.connect(state / "journal.db")) as journal:
        journal.execute(
            "UPDATE event SET core = replace(core, 'STARTED', 'ERASED') WHERE place = 1"
        )
        journal.commit()
    path, _ = make(state, at_ms=AT_MS + 86_400_000, version="1")
    assert copy_backup(path, [str(stick)], state) == "done"
    assert [each.name for each in stick.iterdir()] == [path.name]


def told(site: Site) -> list[dict[str, object]]:
    found = site.events("SETTINGS_CHANGED")
    return [event for event in found if event.get("what") == "backup_copied"]
