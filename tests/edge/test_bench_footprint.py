# SPDX-License-Identifier: Apache-2.0
"""What the footprint bench reads and builds before it starts any process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from edge.cli.bench.bench_site import CODES_A_SCANNER, make_site
from edge.cli.bench.process_figures import (
    field_of,
    memory_mib,
    peak_mib,
    written_bytes,
)
from edge.cli.bench.walking_site import DOORS, with_doors
from edge.cli.load_site import load_site

if TYPE_CHECKING:
    from pathlib import Path

#: proc(5): a page of each kind, as the kernel writes them.
STATUS = "Name:\tpython\nVmPeak:\t  120000 kB\nVmHWM:\t   66560 kB\nThreads:\t3\n"
IO = "rchar: 9\nwchar: 8\nwrite_bytes: 12288\ncancelled_write_bytes: 4096\n"
#: More than an interpreter with its tests takes at its start.
BALLAST_MIB = 128


def test_a_field_is_found_by_its_whole_name() -> None:
    assert field_of(STATUS, "VmHWM") == 66_560
    assert field_of(IO, "write_bytes") == 12_288


def test_a_field_that_is_not_there_is_an_error_not_a_zero() -> None:
    with pytest.raises(ValueError, match="VmSwap"):
        field_of(STATUS, "VmSwap")


def test_a_peak_is_in_mib_and_holds_what_was_held() -> None:
    ballast = bytearray(BALLAST_MIB * 1024 * 1024)
    ballast[::4096] = b"x" * len(ballast[::4096])
    del ballast
    assert BALLAST_MIB < peak_mib(os.getpid()) < 64 * BALLAST_MIB


def test_what_is_held_is_told_with_and_without_what_others_hold_too() -> None:
    ballast = bytearray(b"x") * (BALLAST_MIB * 1024 * 1024)
    held = memory_mib(os.getpid())
    assert len(ballast) < held["private"] * 1024 * 1024
    assert held["private"] <= held["proportional"] <= held["resident"]


def test_written_bytes_count_what_was_synced(tmp_path: Path) -> None:
    before = written_bytes(os.getpid())
    with (tmp_path / "file").open("wb") as file:
        file.write(b"x" * 8_192)
        file.flush()
        os.fsync(file.fileno())
    assert written_bytes(os.getpid()) >= before


async def test_every_walker_has_a_door_with_a_contact_of_its_own(
    tmp_path: Path,
) -> None:
    site = await make_site(
        tmp_path,
        credentials=2,
        bookings=2,
        rate=DOORS * CODES_A_SCANNER,
        broker_port=1883,
    )
    site.site.write_text(with_doors(site.site.read_text(encoding="utf-8")), "utf-8")
    settings = load_site(site.site)
    wires = [
        (door.strike.output, door.contact.input)
        for door in settings.door
        if door.contact is not None
    ]
    assert wires == [(n, n) for n in range(1, DOORS + 1)]
    assert len({point.door for point in settings.access_point}) == DOORS
