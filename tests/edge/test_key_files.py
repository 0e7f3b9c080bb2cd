# SPDX-License-Identifier: Apache-2.0
"""Key files: used only if whole and private, and no value of them ever told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from edge.cli.key_files import KeyFileError, read_platform_keys, read_tokens

if TYPE_CHECKING:
    from pathlib import Path

KEY, SALT = "5e" * 32, "a7" * 16
PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


def written(folder: Path, content: object, mode: int = 0o600) -> Path:
    path = folder / "keys.json"
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def told(path: Path, *, is_site: bool = True) -> str:
    """Return the one line with which the file is refused."""

    def read() -> object:
        return read_tokens(path, "hall-7") if is_site else read_platform_keys(path)

    with pytest.raises(KeyFileError) as caught:
        read()
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"{path}: ")
    for secret in (KEY, SALT):
        assert secret[:8] not in line
    return line.removeprefix(f"{path}: ")


def test_a_good_file_makes_tokens_for_its_site(tmp_path: Path) -> None:
    maker = read_tokens(written(tmp_path, {"site_key": KEY, "epoch_salt": SALT}), "s1")
    assert (maker.site_id, maker.site_key.hex(), maker.epoch_salt.hex()) == (
        "s1",
        KEY,
        SALT,
    )


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o777, 0o610])
def test_a_secret_that_others_may_touch_is_not_used(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path, {"site_key": KEY, "epoch_salt": SALT}, mode)
    assert told(path) == f"others may read this secret; run: chmod 600 {path}"


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"site_key": KEY},
        {"epoch_salt": SALT},
        {"site_key": KEY[2:], "epoch_salt": SALT},
        {"site_key": KEY, "epoch_salt": SALT * 2},
        {"site_key": KEY + "zz", "epoch_salt": SALT},
        {"site_key": 7, "epoch_salt": SALT},
        {"site_key": None, "epoch_salt": SALT},
        {"site_key": [KEY], "epoch_salt": SALT},
    ],
)
def test_a_malformed_secret_is_told_in_one_line(
    tmp_path: Path, content: object
) -> None:
    assert told(written(tmp_path, content)) == (
        "site_key (32 bytes) or epoch_salt (16 bytes) is missing or not hex; "
        "restore the file from the backup"
    )


@pytest.mark.parametrize("is_site", [True, False])
@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f'{{"site_key": "{KEY}", ', "not JSON; restore it from the backup"),
        ("", "not JSON; restore it from the backup"),
        (f'["{KEY}"]', "expected a JSON object"),
    ],
)
def test_what_is_no_json_object_is_told(
    tmp_path: Path, text: str, line: str, *, is_site: bool
) -> None:
    assert told(written(tmp_path, text), is_site=is_site) == line


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    path.write_bytes(b"\xff\xfe\x00")
    assert told(path) == "not JSON; restore it from the backup"


@pytest.mark.parametrize("is_site", [True, False])
def test_a_missing_file_is_told_with_where_to_look(
    tmp_path: Path, *, is_site: bool
) -> None:
    assert told(tmp_path / "none.json", is_site=is_site) == (
        "cannot be read (No such file or directory); is --state the right folder?"
    )


def test_the_platforms_keys_are_read_by_name(tmp_path: Path) -> None:
    # RFC 8032, section 7.1, test 1.
    assert read_platform_keys(written(tmp_path, {"p1": PUBLIC}, 0o644)) == {
        "p1": PUBLIC
    }


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ({}, "expected one or more names with their keys in hex"),
        ({"p1": 7}, "expected one or more names with their keys in hex"),
        ({"p1": PUBLIC[2:]}, "platform key 'p1' has 31 bytes, not 32"),
        ({"p1": "zz" * 32}, "non-hexadecimal number"),
        ({"p1": "00" * 32}, "platform key 'p1' is a point anybody can sign for"),
    ],
)
def test_a_platform_key_that_cannot_be_believed_is_refused_at_the_start(
    tmp_path: Path, content: object, line: str
) -> None:
    found = told(written(tmp_path, content), is_site=False)
    assert found.startswith(line)
    assert found.endswith("; fetch the file from the platform again")
