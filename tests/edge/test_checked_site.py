# SPDX-License-Identifier: Apache-2.0
"""A gateway starts on settings that were checked, and checks them only once."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from edge.cli.checked_site import COPY, checked_site
from edge.cli.files import config_folder
from edge.cli.load_site import load_site
from edge.settings.checked_copy import stamp_of
from edge.settings.errors import SettingsError
from tests.edge.small_site import TEXT

if TYPE_CHECKING:
    from pathlib import Path

    from edge.settings.site import Settings


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def started(site: Path, state: Path) -> Settings:
    """Do what a gateway does at its start."""
    checked = checked_site(site, state)
    checked.keep(state)
    return checked.settings


def test_the_copy_says_what_the_file_says(site: Path, tmp_path: Path) -> None:
    first = started(site, tmp_path)
    assert first == load_site(site)
    assert (tmp_path / COPY).stat().st_mode & 0o777 == 0o600
    assert started(site, tmp_path) == first


def test_the_demonstration_comes_back_whole(tmp_path: Path) -> None:
    demo = config_folder() / "demo.toml"
    assert started(demo, tmp_path) == load_site(demo)


def test_a_good_copy_is_not_made_again(site: Path, tmp_path: Path) -> None:
    started(site, tmp_path)
    made = (tmp_path / COPY).stat().st_mtime_ns
    started(site, tmp_path)
    assert (tmp_path / COPY).stat().st_mtime_ns == made


def test_a_changed_file_is_checked_again(site: Path, tmp_path: Path) -> None:
    started(site, tmp_path)
    site.write_text(TEXT.replace("[site]", '[site]\nname = "Kitchen"'), "utf-8")
    assert started(site, tmp_path).site.name == "Kitchen"


def test_a_file_that_was_never_good_starts_nothing(site: Path, tmp_path: Path) -> None:
    site.write_text(TEXT.replace("[site]", "[sight]"), "utf-8")
    with pytest.raises(SettingsError) as told:
        started(site, tmp_path)
    assert any(
        "unknown key, did you mean 'site'?" in line for line in told.value.faults
    )


def test_a_spoilt_file_leaves_the_last_good_settings_and_says_where_to_mend(
    site: Path, tmp_path: Path
) -> None:
    good = started(site, tmp_path)
    site.write_text(TEXT.replace("[site]", "[sight]"), "utf-8")
    checked = checked_site(site, tmp_path)
    assert checked.settings == good
    assert f"{site}:" in checked.faults[0]
    assert "did you mean 'site'?" in "".join(checked.faults)
    checked.keep(tmp_path)
    # Once it is mended, the file counts again.
    site.write_text(TEXT.replace("[site]", '[site]\nname = "Kitchen"'), "utf-8")
    mended = checked_site(site, tmp_path)
    assert (mended.settings.site.name, mended.faults) == ("Kitchen", ())


def test_a_file_that_is_gone_leaves_the_last_good_settings(
    site: Path, tmp_path: Path
) -> None:
    good = started(site, tmp_path)
    site.unlink()
    checked = checked_site(site, tmp_path)
    assert checked.settings == good
    assert "No such file" in checked.faults[0]


def test_a_spoilt_file_and_a_damaged_copy_start_nothing(
    site: Path, tmp_path: Path
) -> None:
    started(site, tmp_path)
    copy = (tmp_path / COPY).read_text()
    (tmp_path / COPY).write_text(copy.replace('"output": 1', '"output": 3'))
    site.write_text(TEXT.replace("[site]", "[sight]"), "utf-8")
    with pytest.raises(SettingsError):
        started(site, tmp_path)


@pytest.mark.parametrize("damage", [b"", b"{", b"\0" * 400, b'{"stamp":1}', b"[]"])
def test_a_damaged_copy_counts_as_none(
    site: Path, tmp_path: Path, damage: bytes
) -> None:
    good = started(site, tmp_path)
    (tmp_path / COPY).write_bytes(damage)
    assert started(site, tmp_path) == good


def test_a_copy_with_a_key_of_another_version_counts_as_none(
    site: Path, tmp_path: Path
) -> None:
    good = started(site, tmp_path)
    kept = json.loads((tmp_path / COPY).read_text().partition("\n")[2])
    kept["settings"]["site"]["colour"] = "red"
    body = json.dumps(kept)
    seal = hashlib.sha256(body.encode()).hexdigest()
    (tmp_path / COPY).write_text(f"{seal}\n{body}")
    assert started(site, tmp_path) == good


def test_a_copy_in_which_one_byte_changed_counts_as_none(
    site: Path, tmp_path: Path
) -> None:
    """Else the strike would move to another channel, unchecked."""
    good = started(site, tmp_path)
    text = (tmp_path / COPY).read_text()
    assert text.count('"output": 1') == 1
    (tmp_path / COPY).write_text(text.replace('"output": 1', '"output": 3'))
    assert started(site, tmp_path) == good


def test_a_folder_that_takes_no_copy_hinders_no_start(
    site: Path, tmp_path: Path
) -> None:
    (tmp_path / COPY).mkdir()
    assert started(site, tmp_path) == load_site(site)


def test_other_checkers_make_another_stamp(tmp_path: Path) -> None:
    rule = tmp_path / "rule.py"
    rule.write_text("ALLOWED = 1")
    before = stamp_of(b"site", [tmp_path], [])
    os.utime(rule, ns=(1, 1))
    assert stamp_of(b"site", [tmp_path], []) != before
    assert stamp_of(b"sites", [], []) != stamp_of(b"site", [], [])
    assert stamp_of(b"site", [], ["a 1"]) != stamp_of(b"site", [], ["a 2"])


def test_what_runs_day_and_night_does_not_load_the_checker(
    site: Path, tmp_path: Path
) -> None:
    started(site, tmp_path)
    program = (
        "import sys; from pathlib import Path; import edge.cli.run;"
        "from edge.cli.checked_site import checked_site;"
        f"found = checked_site(Path({str(site)!r}), Path({str(tmp_path)!r}));"
        "sys.exit('pydantic' in sys.modules or bool(found.news))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
