# SPDX-License-Identifier: Apache-2.0
"""A site's own voice in its backups, and files that are none of ours."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from edge.cli.backup.errors import BackupError
from edge.cli.backup.finishing import finish_restore
from edge.cli.backup.making import make
from edge.cli.backup.manifest import (
    MAX_SOUND_BYTES,
    Manifest,
    Part,
    place_of,
    told,
)
from edge.cli.backup.reading import MANIFEST_BYTES, check, look
from edge.cli.backup.restoring import replaced, stage
from tests.edge.backup.test_backup import AT_MS, WISH, box, made, state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["box", "state"]

OURS = {
    "voice/zh-CN.toml": b'code = "zh-CN"',
    "voice/zh-CN/granted.wav": b"RIFF of Auntie Chen",
    "voice/hak/come_at.wav": b"RIFF in Hakka",
}
NOT_OURS = {
    "voice/notes.txt": b"ask Auntie Chen again",
    "voice/zh-CN/granted.mp3": b"ID3",
    "voice/zh-CN/old/granted.wav": b"RIFF",
    "voice/zh-CN/too-long.wav": b"R" * (MAX_SOUND_BYTES + 1),
}


def lay(state: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (state / name).parent.mkdir(parents=True, exist_ok=True)
        (state / name).write_bytes(content)


def test_a_site_s_own_voice_goes_along_and_comes_back(state: Path) -> None:
    lay(state, OURS | NOT_OURS)
    (state / "voice" / "en.toml").symlink_to(state / "keys" / "site.json")
    path = made(state)
    inside = look(path)
    assert {name for name in inside.parts if name.startswith("voice")} == set(OURS)
    assert (inside.sounds, inside.left_out) == (len(OURS), len(NOT_OURS))
    assert "voice     3 files of its own, 4 left out" in told(inside)
    later = {
        "voice/zh-CN/granted.wav": b"RIFF of somebody else",
        "voice/zh-CN/closed.wav": b"RIFF of later",
    }
    lay(state, later)
    assert "voice" in replaced(state, inside)
    stage(path, state, WISH)
    aside = state / finish_restore(state)
    for name, content in OURS.items():
        assert (state / name).read_bytes() == content, name
    assert (state / "voice/zh-CN/closed.wav").exists(), "nothing of later is deleted"
    before = aside / "voice/zh-CN/granted.wav"
    assert before.read_bytes() == b"RIFF of somebody else"


def test_a_backup_of_before_there_were_voices_is_read(state: Path) -> None:
    path = made(state)

    def older(manifest: dict[str, Any]) -> None:
        del manifest["left_out"]
        manifest["format"] = 1

    packed_anew(path, older)
    assert look(path).sounds == 0
    stage(path, state, WISH)


def packed_anew(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Write a backup once more, with another manifest."""
    with tarfile.open(path) as archive:
        parts = {e.name: archive.extractfile(e) for e in archive}
        texts = {name: file.read() for name, file in parts.items() if file}
    manifest = json.loads(texts["manifest.json"])
    change(manifest)
    texts["manifest.json"] = json.dumps(manifest).encode()
    with tarfile.open(path, "w:gz") as archive:
        for name, content in texts.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


@pytest.mark.parametrize(
    "name",
    [
        *("../journal.db", "/etc/passwd", "keys/site.json", "voice/../accounts.db"),
        *("voice/zh-CN/x.wav/..", "voice/zh-CN", "voice//x.wav", "voice/zh\n/x.wav"),
        *("site.adopting.toml", "panel/panel.key", "backups/x", ""),
    ],
)
def test_a_name_that_is_no_part_comes_out_of_no_backup(state: Path, name: str) -> None:
    assert place_of(name) is None
    path = made(state)

    def add(manifest: dict[str, Any]) -> None:
        sha256 = hashlib.sha256(b"x").hexdigest()
        manifest["parts"][name] = {"size": 1, "sha256": sha256}

    packed_anew(path, add)
    with pytest.raises(BackupError, match="no backup of Menshen"):
        check(path)


@pytest.mark.parametrize(
    ("name", "size"),
    [("keys.enc", 5 << 20), ("voice/en/closed.wav", 3 << 20), ("journal.db", 3 << 30)],
)
def test_a_part_bigger_than_any_is_refused_by_what_it_says(
    state: Path, name: str, size: int
) -> None:
    path = made(state)

    def grow(manifest: dict[str, Any]) -> None:
        manifest["parts"][name] = {"size": size, "sha256": "0" * 64}

    packed_anew(path, grow)
    with pytest.raises(BackupError, match="no backup of Menshen"):
        check(path)


def empty_manifest() -> bytes:
    part = Part(size=4, sha256=hashlib.sha256(b"well").hexdigest())
    manifest = Manifest(
        site="hall-7",
        name="",
        offset_hours=8,
        at_ms=AT_MS,
        version="1",
        epoch="",
        events=0,
        erased=0,
        holders=0,
        accounts=0,
        parts={"site.toml": part},
    )
    return json.dumps(manifest.dump()).encode()


def plain(name: str, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    return entry, content


def odd(kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    entry, _ = plain("site.toml", b"")
    entry.type, entry.linkname = kind, target
    return entry, b""


FIRST = plain("manifest.json", empty_manifest())
HOSTILE = {
    "a link": [FIRST, odd(tarfile.SYMTYPE, "/etc/passwd")],
    "a hard link": [FIRST, odd(tarfile.LNKTYPE, "manifest.json")],
    "a device": [FIRST, odd(tarfile.CHRTYPE)],
    "a folder": [FIRST, odd(tarfile.DIRTYPE)],
    "a long name": [FIRST, plain("x" * 300, b"well")],
    "a part twice": [FIRST, plain("site.toml", b"well"), plain("site.toml", b"well")],
    "more than it says": [FIRST, plain("site.toml", b"well, well")],
    "a manifest second": [plain("site.toml", b"well"), FIRST],
    "a huge manifest": [plain("manifest.json", b" " * (MANIFEST_BYTES + 1))],
    "nothing": [],
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_file_of_somebody_else_s_making_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "odd.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for entry, content in HOSTILE[what]:
            archive.addfile(entry, io.BytesIO(content))
    with pytest.raises(BackupError):
        check(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_as_long_as_the_memory_is_not_read(tmp_path: Path) -> None:
    """A header that says 8 GB of name follow; so many zeros fit into a kilobyte."""
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 8 << 30
    path = tmp_path / "odd.tar.gz"
    path.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20)))
    with pytest.raises(BackupError, match=r"odd\.tar\.gz: torn, or no backup"):
        look(path)


def test_what_is_packed_needs_no_name_but_a_plain_one(state: Path) -> None:
    lay(state, {f"voice/zh-Hant/{'w' * 48}.wav": b"RIFF"})
    path, manifest = make(state, at_ms=AT_MS, version="1")
    assert check(path).parts.keys() == manifest.parts.keys()
