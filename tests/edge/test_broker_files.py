# SPDX-License-Identifier: Apache-2.0
"""The files of ``[platform]``: told by ``config check``, and no reason not to start."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from edge.cli.broker_files import check_files
from edge.cli.load_site import load_site
from edge.cli.status import status
from edge.cli.status_view import lines
from edge.settings.errors import SettingsError
from tests.certificates import ALWAYS, PAST, SHORTLY_AFTER, Authority
from tests.edge.at_work import PLATFORM_KEYS, SITE_KEYS, at_work, until
from tests.edge.small_site import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.settings.site import Settings

TLS = """
[platform]
brokers = ["127.0.0.1:8883", "127.0.0.1:8884"]
ca = "keys/ca.pem"
certificate = "keys/gw-7.pem"
key = "keys/gw-7.key"
"""
NOW_MS = 1_795_000_000_000
#: The lines of TLS in the site file.
CA, CERTIFICATE, KEY = 40, 41, 42


def files_of(state: Path, *, password: bytes = b"") -> Authority:
    """Make all files of a site, good and in date."""
    keys = state / "keys"
    keys.mkdir(parents=True, exist_ok=True)
    authority = Authority(keys)
    authority.issue("gw-7", password=password)
    return authority


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(TEXT + TLS, "utf-8")
    return path


def checked(site: Path, state: Path) -> list[str]:
    """Return warnings, the site's path shortened."""
    settings: Settings = load_site(site)
    found = check_files(site, settings, state, NOW_MS)
    return [each.replace(str(site), "site.toml") for each in found]


def test_good_files_are_not_spoken_of(site: Path, tmp_path: Path) -> None:
    files_of(tmp_path)
    assert checked(site, tmp_path) == []


def missing(state: Path) -> None:
    (state / "keys" / "gw-7.pem").unlink()


def open_to_all(state: Path) -> None:
    (state / "keys" / "gw-7.key").chmod(0o644)


def of_another(state: Path) -> None:
    other = Authority(state / "keys", "another").issue("gw-8")
    (state / "keys" / "gw-7.key").write_bytes(other.key.read_bytes())


def locked(state: Path) -> None:
    files_of(state, password=b"secret")


def rubbish(name: str) -> Callable[[Path], None]:
    def spoil(state: Path) -> None:
        (state / "keys" / name).write_bytes(b"\x00no certificate\xff")

    return spoil


def expired(state: Path) -> None:
    Authority(state / "keys").issue("gw-7", dates=(PAST, SHORTLY_AFTER))


def not_yet(state: Path) -> None:
    start = dt.datetime(2090, 1, 1, tzinfo=dt.UTC)
    Authority(state / "keys").issue("gw-7", dates=(start, ALWAYS[1]))


@pytest.mark.parametrize(
    ("spoil", "line", "words"),
    [
        (missing, CERTIFICATE, "cannot be read (No such file or directory)"),
        (open_to_all, KEY, "others may read this secret; run: chmod 600"),
        (of_another, KEY, "does not belong to the certificate"),
        (locked, KEY, "no private key in PEM without a password"),
        (rubbish("gw-7.key"), KEY, "no private key in PEM"),
        (rubbish("gw-7.pem"), CERTIFICATE, "no certificate in PEM"),
        (rubbish("ca.pem"), CA, "no certificate in PEM"),
        (expired, CERTIFICATE, "has expired on 2001-01-01, fetch a new one"),
        (not_yet, CERTIFICATE, "is valid only from 2090-01-01; is the clock right?"),
    ],
)
def test_each_fault_is_told_with_line_file_and_mend(
    site: Path, tmp_path: Path, spoil: Callable[[Path], None], line: int, words: str
) -> None:
    files_of(tmp_path)
    spoil(tmp_path)
    with pytest.raises(SettingsError) as caught:
        checked(site, tmp_path)
    [fault] = caught.value.faults
    assert fault.startswith(f"{site}:{line} platform.")
    assert str(tmp_path / "keys") in fault
    assert words in fault
    assert "\n" not in fault


def test_what_will_not_do_for_long_is_a_warning(site: Path, tmp_path: Path) -> None:
    soon = dt.datetime.fromtimestamp(NOW_MS / 1000, dt.UTC) + dt.timedelta(days=20)
    files_of(tmp_path).issue("gw-7", dates=(PAST, soon))
    [warning] = checked(site, tmp_path)
    assert warning.startswith(f"site.toml:{CERTIFICATE} platform.certificate: ")
    assert f"expires on {soon:%Y-%m-%d}" in warning


def test_a_certificate_for_another_gateway_is_a_warning(
    site: Path, tmp_path: Path
) -> None:
    other = files_of(tmp_path).issue("gw-8")
    for ours, theirs in (("pem", other.certificate), ("key", other.key)):
        (tmp_path / "keys" / f"gw-7.{ours}").write_bytes(theirs.read_bytes())
    [warning] = checked(site, tmp_path)
    assert "is for gw-8, not for gateway 'gw-7'" in warning


def test_without_the_state_folder_it_says_what_it_did_not_look_at(
    site: Path, tmp_path: Path
) -> None:
    [warning] = checked(site, tmp_path / "nowhere")
    assert "are not looked at" in warning


def test_the_command_prints_warnings_and_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    said = '[platform]\nhost = "mqtt.example.org"\nplain_tcp = true\n'
    path.write_text(TEXT + said, "utf-8")
    code = "from edge.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "config", "check", "--site", str(path)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{path}: good\n"
    assert done.stderr.startswith("warning: plain TCP to mqtt.example.org:1883: ")


def state_with_keys(site: Path) -> Path:
    """Make a state folder beside the site file that a gateway starts on."""
    folder = site.parent / "state"
    (folder / "keys").mkdir(parents=True)
    for name, keys in (("site", SITE_KEYS), ("platform", PLATFORM_KEYS)):
        (folder / "keys" / f"{name}.json").write_text(json.dumps(keys), "utf-8")
        (folder / "keys" / f"{name}.json").chmod(0o600)
    return folder


async def test_a_gateway_without_its_files_starts_and_says_what_to_do(
    site: Path,
) -> None:
    folder = state_with_keys(site)
    async with at_work(folder) as runtime:
        await until(lambda: len(runtime.client.status.troubles) == 2)
        shown = status(runtime)
        assert shown["doors"]["front"]["mode"] == "LOCKED"
        text = "\n".join(lines(shown))
    assert "NOT CONNECTED (doors go on)" in text
    assert f"127.0.0.1:8883: ca {folder}/keys/ca.pem: cannot be read" in text
    assert "menshen config check" in text


def shown_with(**platform: object) -> str:
    shown = {
        "connected": False,
        "broker": "b:8883",
        "troubles": [],
        "silent": None,
        "plain_tcp": [],
    }
    return "\n".join(lines(STATUS | {"platform": shown | platform}))


STATUS = {
    "pid": 7,
    "uptime_s": 12.4,
    "lost": "",
    "fire": False,
    "doors": {},
    "banks": {},
    "devices": {},
    "events": {"waiting": 3, "last_seq": 9, "storage_fault": False, "not_on_disk": 0},
    "roster": {"epoch": "0001-0a1b2c3d", "revision": 5, "credentials": 100, "age_s": 7},
    "clock": {"known": True},
}


def test_status_names_each_broker_in_trouble_and_what_to_do() -> None:
    troubles = [
        {"broker": "a:8883", "why": "certificate has expired", "advice": "renew it"},
        {"broker": "b:8883", "why": "Connection refused", "advice": "check the net"},
    ]
    text = shown_with(troubles=troubles)
    assert "platform     NOT CONNECTED (doors go on), by b:8883" in text
    assert "broker       a:8883: certificate has expired\n             renew it" in text
    assert "broker       b:8883: Connection refused\n             check the net" in text
    assert "SILENT" not in text
    assert "PLAIN TCP" not in text


def test_status_says_it_in_capitals_when_the_platform_is_silent_or_all_can_read() -> (
    None
):
    trouble = {"broker": "b:8883", "why": "HELLO_UNANSWERED", "advice": "look there"}
    text = shown_with(silent="look there", troubles=[trouble], plain_tcp=["b:8883"])
    assert "PLATFORM     SILENT: look there" in text
    assert text.count("look there") == 1
    assert "PLAIN TCP    to b:8883: what goes up can be read on the way" in text
    connected = shown_with(connected=True)
    assert "platform     connected, by b:8883" in connected


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (None, ""),
        (30, ""),
        (29, "CERTIFICATE  of this gateway expires in 29 days"),
        (-1, "CERTIFICATE  of this gateway has expired"),
    ],
)
def test_status_tells_a_certificate_that_ends_soon(
    days: int | None, words: str
) -> None:
    text = shown_with(certificate_days=days)
    assert words in text
    assert ("CERTIFICATE" in text) is bool(words)


async def test_status_knows_how_long_the_gateway_s_certificate_is_good(
    site: Path,
) -> None:
    folder = state_with_keys(site)
    authority = files_of(folder)
    async with at_work(folder) as runtime:
        await until(lambda: len(runtime.client.status.troubles) == 2)
        days = status(runtime)["platform"]["certificate_days"]
        assert days > 365
        authority.issue("gw-7", dates=(PAST, SHORTLY_AFTER))
        await until(lambda: status(runtime)["platform"]["certificate_days"] < days)
