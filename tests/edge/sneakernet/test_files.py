# SPDX-License-Identifier: Apache-2.0
"""Files that are torn, or none of ours, are named before anybody is asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.stick_file import StickError
from edge.cli.sneakernet.carry_down import import_file
from firmware_sim.platform.stick import sealed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.edge.sneakernet.sites import Office


def lines_of(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_bytes().splitlines()][:-1]


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def swapped(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"A", b"B", 1))


def an_export(file: Path) -> None:
    file.write_bytes(sealed([{"type": "mn.stick.up.v1", "version": 1}]))


def newer(file: Path) -> None:
    lines = lines_of(file)
    file.write_bytes(sealed([{"type": "mn.stick.down.v2", "version": 2}, *lines[1:]]))


def photos(file: Path) -> None:
    file.write_bytes(bytes(range(256)) * 300)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def no_header(file: Path) -> None:
    file.write_bytes(sealed(lines_of(file)[:1]))


def no_message(file: Path) -> None:
    file.write_bytes(sealed([lines_of(file)[0], {"ack": 7}]))


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (cut, "TORN"),
        (swapped, "TORN"),
        (an_export, "WRONG_WAY"),
        (newer, "TOO_NEW"),
        (photos, "NOT_A_STICK"),
        (empty, "NOT_A_STICK"),
        (no_header, "NOT_A_STICK"),
        (no_message, "NOT_A_STICK"),
    ],
)
async def test_files_that_are_none_are_named_before_anything_is_asked(
    office: Office, stick: Path, spoil: Callable[[Path], None], name: str
) -> None:
    office.admit("h-1")
    file = office.write(stick / "down")
    spoil(file)
    with pytest.raises(StickError) as refused:
        import_file(file, stick / "no gateway")
    assert refused.value.name == name
