# SPDX-License-Identifier: Apache-2.0
"""A site file of one door, short enough to count its lines, and ways to spoil it."""

from __future__ import annotations

from pathlib import Path

from edge.cli.load_site import load_site
from edge.settings.errors import SettingsError

#: Its first line is line 1; the tables of faults count from there.
TEXT = """\
[site]
id = "hall-7"

[gateway]
id = "gw-7"

[[space]]
id = "hall"

[[device]]
id = "scanner"
driver = "qr_line"
port = "ports/scanner"

[[device]]
id = "board"
driver = "modbus_relay_board"
port = "ports/board"
address = 1

[[door]]
id = "front"
space = "hall"
lock = "fail_secure"
egress = "mechanical"
strike = { device = "board", output = 1 }
contact = { device = "board", input = 1 }

[fire]
device = "board"
input = 8

[[access_point]]
id = "outside"
door = "front"
readers = ["scanner"]
"""


def spoilt(old: str, new: str) -> str:
    """Return the site's text with one place changed."""
    assert TEXT.count(old) == 1, old
    return TEXT.replace(old, new)


def stanzas() -> list[tuple[str, str, list[str]]]:
    """Read the table of faults: what was spoilt, how, and what has to be told."""
    text = Path(__file__).with_name("site_faults.txt").read_text(encoding="utf-8")
    found = []
    for stanza in text.split("\n\n"):
        marked = [(line[:1], line[2:]) for line in stanza.splitlines()]
        places = [line for mark, line in marked if mark == "-"]
        if places:
            [old] = places
            new = "\n".join(line for mark, line in marked if mark == "+")
            found.append((old, new, [line for mark, line in marked if mark == "!"]))
    return found


def faults(folder: Path, text: str | bytes) -> list[str]:
    """Return what is found wrong, the file's path shortened to ``site.toml``."""
    path = folder / "site.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    try:
        load_site(path)
    except SettingsError as error:
        return [fault.replace(str(path), "site.toml") for fault in error.faults]
    return []
