# SPDX-License-Identifier: Apache-2.0
"""``menshen journal``: shows what is stored, finds what was changed."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from edge.core.event import Event, EventKind, Person
from edge.core.moment import Moment
from edge.storage.journal_file import open_journal

if TYPE_CHECKING:
    from pathlib import Path


async def _fill(folder: Path, count: int) -> None:
    async with open_journal(
        folder / "journal.db", new_epoch=lambda: "0a1b2c3d", salt=lambda: bytes(16)
    ) as opened:
        moment = Moment(monotonic_s=1.0, earliest_ms=5, latest_ms=6, boot="boot0000")
        await opened.journal.append(
            [
                Event(
                    seq=seq,
                    kind=EventKind.ACCESS_GRANTED,
                    moment=moment,
                    subject="front",
                    facts=(("rule", "booking"),),
                    person=Person(holder="h-1", booking=f"b-{seq}"),
                )
                for seq in range(1, count + 1)
            ]
        )


def _menshen(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge.cli.main", "journal", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def test_the_last_events_are_shown_as_they_were_stored(tmp_path: Path) -> None:
    await _fill(tmp_path, 30)
    done = _menshen("show", "--state", str(tmp_path), "--last", "2", "--json")
    assert done.returncode == 0, done.stderr
    [before, last] = map(json.loads, done.stdout.splitlines())
    assert (before["seq"], last["seq"]) == (29, 30)
    assert last["person"] == {"booking": "b-30", "holder": "h-1"}
    plain = _menshen("show", "--state", str(tmp_path), "--last", "1").stdout
    assert "ACCESS_GRANTED" in plain
    assert "booking=b-30" in plain


async def test_a_sound_journal_verifies_and_a_changed_one_does_not(
    tmp_path: Path,
) -> None:
    await _fill(tmp_path, 30)
    good = _menshen("verify", "--state", str(tmp_path), "--json")
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["checked"] == 30
    with closing(sqlite3.connect(tmp_path / "journal.db")) as database:
        database.execute(
            "UPDATE event SET core = replace(core, 'front', 'fronT') WHERE place = 17"
        )
        database.commit()
    bad = _menshen("verify", "--state", str(tmp_path), "--json")
    assert bad.returncode == 1
    assert json.loads(bad.stdout)["first_bad_seq"] == 17


def test_where_no_journal_is_one_line_says_so(tmp_path: Path) -> None:
    for verb in ("show", "verify"):
        done = _menshen(verb, "--state", str(tmp_path))
        assert done.returncode == 1
        assert "no journal here" in done.stderr
        assert "Traceback" not in done.stderr


async def test_a_damaged_journal_is_set_aside_and_a_new_one_begun(
    tmp_path: Path,
) -> None:
    await _fill(tmp_path, 30)
    path = tmp_path / "journal.db"
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 8192)
    for companion in ("-wal", "-shm"):
        (tmp_path / f"journal.db{companion}").unlink(missing_ok=True)
    async with open_journal(
        path, new_epoch=lambda: "11112222", salt=lambda: bytes(16)
    ) as opened:
        assert opened.set_aside is not None
        assert opened.set_aside.exists(), "the evidence is gone"
        assert opened.journal.next_seq == 1
        assert opened.journal.epoch == "0001-11112222"
