# SPDX-License-Identifier: Apache-2.0
"""One link a port, whichever devices share it; and the status in words."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from drivers.device import Cue, Show
from drivers.errors import LocalError
from drivers.links.serial_port import SerialPort
from drivers.links.stream_link import StreamLink
from edge.cli.absent_line import AbsentLine
from edge.cli.device_lines import driver_faults, open_lines
from edge.cli.status_view import lines
from edge.settings.site_file import load
from tests.edge.small_site import spoilt

if TYPE_CHECKING:
    from pathlib import Path

    from edge.settings.site import Settings

SECOND_BOARD = """\
[[device]]
id = "board-2"
driver = "modbus_relay_board"
port = "ports/board"
address = 2

[[device]]
id = "far"
driver = "id_card_sam"
port = "/dev/serial/by-path/far"

[[door]]"""


def settings(folder: Path) -> Settings:
    path = folder / "site.toml"
    path.write_text(spoilt("[[door]]", SECOND_BOARD), encoding="utf-8")
    return load(path)


def test_boards_of_one_bus_share_a_link_that_is_not_open_yet(tmp_path: Path) -> None:
    opened = open_lines(
        settings(tmp_path),
        tmp_path,
        on_signals=lambda _port, _signals: None,
        on_state=lambda _port, _is_open, _why: None,
        now=lambda: 0.0,
    )
    assert list(opened) == ["ports/scanner", "ports/board", "/dev/serial/by-path/far"]
    assert [link.is_open for link in opened.values()] == [False] * 3
    ports = []
    for link in opened.values():
        assert isinstance(link, StreamLink)
        assert isinstance(link._opener, SerialPort)
        ports.append((link._opener.name, link._opener.baud))
    # A relative port lies below the state folder, an absolute one where it is.
    assert ports == [
        (str(tmp_path / "ports/scanner"), 9_600),
        (str(tmp_path / "ports/board"), 9_600),
        ("/dev/serial/by-path/far", 115_200),
    ]


READER = """\
[[device]]
id = "tags"
driver = "osdp"
port = "ports/tags"
address = {address}
options = {{ scbk = "{key}" }}

[[door]]"""
KEY = "E3915C7A08D42FB66E1B90C7A35DF218"
TAPS = """\
[[device]]
id = "tap"
driver = "pcsc_reader"
port = "pcsc:"

[[door]]"""


@pytest.mark.parametrize(
    ("address", "key", "at"),
    [(5, KEY, []), (127, KEY, ["address"]), (5, "", ["options"])],
)
def test_what_a_driver_refuses_is_told_where_it_stands(
    tmp_path: Path, address: int, key: str, at: list[str]
) -> None:
    path = tmp_path / "site.toml"
    text = spoilt("[[door]]", READER.format(address=address, key=key))
    path.write_text(text, encoding="utf-8")
    faults = [where for where, _ in driver_faults(load(path))]
    assert faults == [("device", 2, key) for key in at]


async def test_a_missing_package_costs_its_own_port_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "smartcard.scard", None)
    path = tmp_path / "site.toml"
    path.write_text(spoilt("[[door]]", TAPS), encoding="utf-8")
    told: list[tuple[str, bool, str]] = []
    opened = open_lines(
        load(path),
        tmp_path,
        on_signals=lambda _port, _signals: None,
        on_state=lambda port, is_open, why: told.append((port, is_open, why)),
        now=lambda: 0.0,
    )
    line = opened.pop("pcsc:")
    assert isinstance(line, AbsentLine)
    assert all(isinstance(link, StreamLink) for link in opened.values())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await line.run()
    [(port, is_open, why)] = told
    assert (port, is_open, line.is_open) == ("pcsc:", False, False)
    assert "needs pyscard" in why
    line.flush_input()
    with pytest.raises(LocalError, match="nobody to go to"):
        line.order(Show(unit=0, cue=Cue.READING))


GOOD = {
    "pid": 7,
    "uptime_s": 12.4,
    "lost": "",
    "fire": False,
    "doors": {"front": {"mode": "LOCKED", "phase": "SECURE"}},
    "banks": {"lockers": {"compartments": {"1": "FREE", "2": "OCCUPIED"}}},
    "devices": {"board": {"online": True}},
    "events": {"waiting": 3, "last_seq": 9, "storage_fault": False, "not_on_disk": 0},
    "platform": {"connected": True},
    "roster": {"epoch": "0001-0a1b2c3d", "revision": 5, "credentials": 100, "age_s": 7},
    "clock": {"known": True},
}
BAD = GOOD | {
    "lost": "unable to open database file",
    "fire": True,
    "devices": {"board": {"online": False}},
    "events": {"waiting": 3, "last_seq": 9, "storage_fault": True, "not_on_disk": 4},
    "platform": {"connected": False},
    "roster": {"epoch": "", "revision": 0, "credentials": 0, "age_s": 0},
    "clock": {"known": False},
}


def test_a_gateway_in_order_is_told_quietly() -> None:
    text = "\n".join(lines(GOOD))
    assert "front: LOCKED, SECURE" in text
    assert "board: answers" in text
    assert "3 wait to be sent, last 9" in text
    assert "0001-0a1b2c3d@5, 100 credentials" in text
    assert "FIRE" not in text
    assert "STORAGE" not in text
    assert " NO" not in text


def test_faults_are_told_in_capitals() -> None:
    text = "\n".join(lines(BAD))
    for words in (
        "WAY OUT ONLY unable to open database file: nobody can be let in",
        "FIRE         escape doors are held open",
        "board: DOES NOT ANSWER",
        "STORAGE      4 events are in memory alone",
        "NOT CONNECTED (doors go on)",
        "NONE, 0 credentials",
        "NOT KNOWN, only a lower bound",
    ):
        assert words in text
