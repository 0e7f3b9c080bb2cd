# SPDX-License-Identifier: Apache-2.0
"""``menshen platform stick`` and ``box``, as typed."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from cloud_sync.fingerprint import fingerprint_of
from cloud_sync.signing import PlatformKeys
from cloud_sync.stick import StickHeader, open_header
from cloud_sync.stick_file import check_import
from edge.cli.platform.verbs import app
from tests.vectors import stick_vectors

if TYPE_CHECKING:
    from pathlib import Path

VECTORS: dict[str, Any] = json.loads(stick_vectors.FILE.read_text(encoding="utf-8"))
GATEWAY, GOOD = VECTORS["gateway"], VECTORS["up"]["text"]
SHOWN = fingerprint_of(bytes.fromhex(VECTORS["box"]["public"]))
LAST = json.loads(GOOD.splitlines()[0])["last"]


def typed(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def stick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stick with one export, beside the folder of a platform."""
    office, made = tmp_path / "office", tmp_path / "stick"
    office.mkdir()
    made.mkdir()
    monkeypatch.chdir(office)
    assert typed("init").exit_code == 0
    added = typed("gateway", "add", GATEWAY, "--shard", VECTORS["shard"])
    assert added.exit_code == 0
    (made / "a.mnup").write_text(GOOD, encoding="utf-8")
    return made


def answers(stick: Path) -> list[Path]:
    return sorted(stick.glob(f"{GATEWAY}-*.mndown"))


def test_the_first_stick_is_believed_once_its_fingerprint_was_compared(
    stick: Path,
) -> None:
    file = stick / "a.mnup"
    refused = typed("stick", "in", file)
    assert refused.exit_code == 1
    assert f"BOX_UNKNOWN: signed as {SHOWN}" in refused.output
    assert answers(stick) == []
    other = fingerprint_of(bytes(32))
    wrong = typed("box", "trust", GATEWAY, other, "--stick", file)
    assert (wrong.exit_code, "another than was typed" in wrong.output) == (2, True)
    assert typed("box", "trust", GATEWAY, SHOWN).exit_code == 2
    trusted = typed("box", "trust", GATEWAY, SHOWN, "--stick", file)
    assert trusted.exit_code == 0, trusted.output
    done = typed("stick", "in", file)
    assert done.exit_code == 0, done.output
    assert f"{LAST} of them new; stored up to {LAST}" in done.output
    [answer] = answers(stick)
    keys = PlatformKeys(json.loads(typed("keys").output))
    with answer.open("rb") as opened:
        header = open_header(keys, check_import(opened).encode(), GATEWAY)
    assert isinstance(header, StickHeader)
    assert header.ack is not None
    assert header.ack.hi == LAST
    assert typed("box", "forget", GATEWAY).exit_code == 0
    assert typed("stick", "in", file).exit_code == 1


def test_of_a_folder_each_file_stands_for_itself(stick: Path) -> None:
    key = VECTORS["box"]["public"]
    assert typed("box", "trust", GATEWAY, SHOWN, "--key", key).exit_code == 0
    for number, case in enumerate(VECTORS["up"]["invalid"]):
        (stick / f"spoilt-{number}.mnup").write_text(case["text"], encoding="utf-8")
    (stick / ".half.mnup").write_text("half a line")
    (stick / "photos.jpg").write_bytes(bytes(64))
    (stick / "\x1b[2J名.mnup").write_text("no export")
    (stick / os.fsdecode(b"\xff.mnup")).symlink_to("/dev/zero")
    done = typed("stick", "in", stick)
    assert done.exit_code == 1
    for case in VECTORS["up"]["invalid"]:
        assert f"{case['refusal']}: " in done.output
    assert "?[2J名.mnup: TORN: " in done.output
    assert "?.mnup: NOT_READ: " in done.output
    assert "\x1b" not in done.output
    assert len(answers(stick)) == 1
    again = typed("stick", "in", stick / "a.mnup", "--no-answer")
    assert (again.exit_code, "0 of them new" in again.output) == (0, True)
    assert len(answers(stick)) == 1


def test_a_stick_out_needs_something_to_say_and_a_free_name(stick: Path) -> None:
    file = stick / "gw.mndown"
    nothing = typed("stick", "out", GATEWAY, file)
    assert (nothing.exit_code, nothing.output[:9]) == (1, "NOTHING: ")
    assert not file.exists()
    rows = stick / "rows.jsonl"
    row = {
        "kind": "revocation",
        "id": "r-1",
        "body": {"holder": "h-1", "reason": "LEFT"},
    }
    rows.write_text(json.dumps(row))
    imported = typed("rows", "import", rows, "--gateway", GATEWAY)
    assert imported.exit_code == 0, imported.output
    done = typed("stick", "out", GATEWAY, file)
    assert done.exit_code == 0, done.output
    assert "a roster of 1 row, no events acknowledged" in done.output
    assert typed("stick", "out", GATEWAY, file).output.startswith("EXISTS: ")
    strange = typed("stick", "out", "gw-stranger", stick / "b.mndown")
    assert (strange.exit_code, "no gateway gw-stranger" in strange.output) == (2, True)
    assert typed("stick", "in", file).output.count("WRONG_WAY: ") == 1
    shutil.rmtree(stick)
    assert "NOT_READ: " in typed("stick", "in", stick / "a.mnup").output
