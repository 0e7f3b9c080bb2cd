# SPDX-License-Identifier: Apache-2.0
"""One link a port, whichever devices share it; and the status in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.serial_port import SerialPort
from drivers.stream_link import StreamLink
from edge.cli.device_lines import open_lines
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


GOOD = {
    "pid": 7,
    "uptime_s": 12.4,
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
        "FIRE         escape doors are held open",
        "board: DOES NOT ANSWER",
        "STORAGE      4 events are in memory alone",
        "NOT CONNECTED (doors go on)",
        "NONE, 0 credentials",
        "NOT KNOWN, only a lower bound",
    ):
        assert words in text
