# SPDX-License-Identifier: Apache-2.0
"""What a backup holds, what it refuses, and what a restore leaves behind."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from edge.cli.backup.errors import BackupError
from edge.cli.backup.finishing import (
    cancel,
    finish_restore,
    is_staged,
    result,
)
from edge.cli.backup.making import KEPT, make, prune
from edge.cli.backup.manifest import KEPT_SITE
from edge.cli.backup.reading import look
from edge.cli.backup.restoring import Wish, stage
from edge.cli.backup.start import carry_out
from edge.cli.main import app
from edge.cli.state_folder import StateFolderError, own_folder
from tests.edge.keys.cut import DIED
from tests.edge.panel_site import panel_site

if TYPE_CHECKING:
    from pathlib import Path

AT_MS = 1_795_329_120_000
WISH = Wish(by="test", at_ms=AT_MS)
PHRASE, OTHER = "seven quiet horses", "eight loud horses"
SHORT = "short"


def count(database: Path) -> int:
    with closing(sqlite3.connect(database)) as reader:
        [found] = reader.execute("SELECT count(*) FROM event").fetchone()
    return int(found)


async def lived_in(folder: Path) -> Path:
    """Return the state folder of a gateway that worked and was stopped."""
    async with panel_site(folder) as site:
        await site.shell("account-add", name="陈姨", pin="274916")
        await site.until_told("SETTINGS_CHANGED")
    shutil.copyfile(folder / "site.toml", folder / "state" / KEPT_SITE)
    return folder / "state"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(lived_in(tmp_path_factory.mktemp("box")))


@pytest.fixture
def state(box: Path, tmp_path: Path) -> Path:
    shutil.copytree(box, tmp_path / "state")
    return tmp_path / "state"


def made(state: Path, **more: Any) -> Path:
    return make(state, at_ms=AT_MS, version="0.1.0", **more)[0]


def menshen(*words: object, typing: str = "") -> str:
    done = CliRunner().invoke(app, list(map(str, words)), typing)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return str(done.stdout)


async def test_a_gateway_at_work_is_backed_up_and_nobody_waits(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        await site.shell("account-add", name="陈姨", pin="274916")
        shutil.copyfile(tmp_path / "site.toml", site.state / KEPT_SITE)
        making = asyncio.create_task(asyncio.to_thread(made, site.state))
        before = site.runtime.journal.last_seq
        await site.shell("emergency", state="SHELTER", actor="shell", reason="typhoon")
        await site.until_told("EMERGENCY_STARTED")
        path = await making
        assert site.runtime.journal.last_seq > before
        manifest = look(path)
        assert (manifest.site, manifest.accounts) == ("hall-7", 1)
        assert 0 < manifest.events <= site.runtime.journal.last_seq
        assert path.stat().st_mode & 0o077 == 0


def test_no_key_is_in_it_without_a_passphrase(state: Path, tmp_path: Path) -> None:
    with tarfile.open(made(state)) as archive:
        assert set(archive.getnames()) == {
            *("manifest.json", "site.toml"),
            *("accounts.db", "roster.db", "journal.db"),
        }
        inside = b"".join(
            file.read() for name in archive if (file := archive.extractfile(name))
        )
    secret = json.loads((state / "keys" / "site.json").read_text())["site_key"]
    assert secret.encode() not in inside
    with pytest.raises(BackupError, match="10 characters"):
        made(state, passphrase=SHORT)
    path = made(state, passphrase=PHRASE)
    (state / "keys" / "site.json").unlink()
    with pytest.raises(BackupError, match="not the passphrase"):
        stage(path, state, Wish(by="test", at_ms=AT_MS, passphrase=OTHER))
    assert not is_staged(state)
    stage(path, state, Wish(by="test", at_ms=AT_MS, passphrase=PHRASE))
    finish_restore(state)
    kept = state / "keys" / "site.json"
    assert json.loads(kept.read_text())["site_key"] == secret
    assert kept.stat().st_mode & 0o077 == 0


def test_the_shell_shows_what_is_inside_before_it_acts(state: Path) -> None:
    (state / "days.json").write_text("of later days")
    before = state / "days.json"
    before.rename(state / "days")
    first = menshen("backup", "--state", state).splitlines()
    path, events = first[0], count(state / "journal.db")
    assert f"{events} events, 0 holders, 1 accounts, without keys" in first[3]
    (state / "days").rename(before)
    with closing(sqlite3.connect(state / "journal.db")) as later:
        later.execute("DELETE FROM event WHERE place > 1")
        later.commit()
    shown = menshen("restore", path, "--state", state, typing="n\n")
    assert "hall-7" in shown
    assert "journal.db" in shown
    assert count(state / "journal.db") == 1, "somebody said no"
    done = menshen("restore", path, "--state", state, "--yes")
    assert "restored" in done
    assert count(state / "journal.db") == events
    [aside] = state.glob("before-restore-*")
    assert count(aside / "journal.db") == 1
    assert not before.exists(), "the days of a journal that is aside"
    assert (aside / "days.json").exists()
    assert result(state)["aside"] == aside.name
    assert (state / "site.restored.toml").read_text() == (state / KEPT_SITE).read_text()


def test_it_is_refused_while_a_gateway_works_there(state: Path) -> None:
    path = made(state)
    with (
        own_folder(state, "gateway.lock"),
        pytest.raises(StateFolderError, match="another one works"),
    ):
        menshen("restore", path, "--state", state, "--yes")


def test_another_site_is_taken_only_when_that_is_meant(state: Path) -> None:
    path = made(state)
    mine = state / KEPT_SITE
    mine.write_text(mine.read_text().replace("hall-7", "hall-8"))
    with pytest.raises(BackupError, match="'hall-7', and this is 'hall-8'"):
        stage(path, state, WISH)
    stage(path, state, Wish(by="test", at_ms=AT_MS, takes_other=True))
    assert is_staged(state)
    cancel(state)
    assert not (state / "restoring").exists()


def test_an_empty_box_takes_any_backup(state: Path, tmp_path: Path) -> None:
    path, fresh = made(state), tmp_path / "fresh"
    menshen("restore", path, "--state", fresh, "--yes")
    assert count(fresh / "journal.db") == count(state / "journal.db")


def changed_part(path: Path, name: str) -> None:
    """Write the file anew with one byte of one part changed."""
    with tarfile.open(path) as archive:
        parts = [
            (entry, file.read())
            for entry in archive
            if (file := archive.extractfile(entry))
        ]
    with tarfile.open(path, "w:gz") as archive:
        for entry, content in parts:
            flipped = bytes([content[0] ^ 1]) + content[1:]
            text = flipped if entry.name == name else content
            archive.addfile(entry, io.BytesIO(text))


@pytest.mark.parametrize("name", ["journal.db", "accounts.db", "site.toml"])
def test_a_changed_part_is_told_by_its_name(state: Path, name: str) -> None:
    path = made(state)
    changed_part(path, name)
    with pytest.raises(BackupError, match=f"{name}' is not as it was written"):
        stage(path, state, WISH)
    assert not (state / "restoring").exists()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95])
def test_a_torn_file_is_told_and_changes_nothing(state: Path, share: float) -> None:
    path = made(state)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(BackupError, match=path.name):
        stage(path, state, WISH)
    assert not (state / "restoring").exists()


def test_a_newer_program_s_journal_is_refused(state: Path) -> None:
    with closing(sqlite3.connect(state / "journal.db")) as newer:
        newer.execute("PRAGMA user_version = 99")
    with pytest.raises(BackupError, match="newer program"):
        stage(made(state), state, WISH)


def test_whenever_the_power_goes_all_is_of_before_or_all_restored(
    state: Path, tmp_path: Path
) -> None:
    path = made(state, out=tmp_path / "b.tar.gz")
    with closing(sqlite3.connect(state / "journal.db")) as later:
        later.execute("DELETE FROM event WHERE place > 1")
        later.commit()
    old, new = 1, look(path).events
    outcomes: list[tuple[int, int]] = []
    number = 1
    while not outcomes or outcomes[-1][0] == DIED:
        there = tmp_path / f"cut-{number}"
        shutil.copytree(state, there)
        command = [sys.executable, "-m", "tests.edge.backup.cut", str(number)]
        code = subprocess.run([*command, path, there], check=False).returncode
        carry_out(there)
        outcomes.append((code, count(there / "journal.db")))
        is_new = outcomes[-1][1] == new
        assert len(list(there.glob("before-restore-*"))) == is_new
        assert not (there / "restoring").exists()
        assert (there / "site.restored.toml").exists() == is_new
        shutil.rmtree(there)
        number += 3
    assert {found for _, found in outcomes} == {old, new}, outcomes
    assert len(outcomes) > 5


def test_the_newest_are_kept_and_none_that_knows_who_was_erased(state: Path) -> None:
    for day in range(KEPT + 2):
        path, manifest = make(state, at_ms=AT_MS + day * 86_400_000, version="1")
        prune(state, manifest)
    kept = sorted((state / "backups").glob("*.tar.gz"))
    assert len(kept) == KEPT
    assert path in kept
    with closing(sqlite3.connect(state / "journal.db")) as journal:
        journal.execute(
            "UPDATE event SET core = replace(core, 'STARTED', 'ERASED') WHERE place = 1"
        )
        journal.commit()
    (state / "before-restore-1").mkdir()
    path, manifest = make(state, at_ms=AT_MS + 40 * 86_400_000, version="1")
    prune(state, manifest)
    assert list((state / "backups").glob("*.tar.gz")) == [path]
    assert not (state / "before-restore-1").exists()
