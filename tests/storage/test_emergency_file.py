# SPDX-License-Identifier: Apache-2.0
"""What the emergency file says after any mishap, and that fire wins every doubt."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from edge.core.emergency.state import EmergencyState
from edge.storage.emergency_file import UNKNOWN, read_emergency, write_emergency

if TYPE_CHECKING:
    from pathlib import Path

SUBSETS = [
    frozenset(some) for n in range(5) for some in combinations(EmergencyState, n)
]


@pytest.mark.parametrize("standing", SUBSETS, ids=sorted)
def test_what_was_written_is_read(
    tmp_path: Path, standing: frozenset[EmergencyState]
) -> None:
    path = tmp_path / "emergency"
    write_emergency(path, standing)
    assert read_emergency(path) == standing


def test_a_box_that_never_wrote_one_stands_in_peace(tmp_path: Path) -> None:
    assert read_emergency(tmp_path / "emergency") == frozenset()


@pytest.mark.parametrize(
    "bytes_left", [b"", b"\n", b"FI", b"\xff\xfe", b"LOCK_DOWN FLOOD", b"none FIRE"]
)
def test_what_cannot_be_understood_is_fire(tmp_path: Path, bytes_left: bytes) -> None:
    path = tmp_path / "emergency"
    path.write_bytes(bytes_left)
    assert read_emergency(path) == UNKNOWN == {EmergencyState.FIRE}


def test_a_folder_in_its_place_is_fire(tmp_path: Path) -> None:
    (tmp_path / "emergency").mkdir()
    assert read_emergency(tmp_path / "emergency") == UNKNOWN


def test_what_an_older_version_wrote_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "emergency"
    path.write_text("fire\n", encoding="ascii")
    assert read_emergency(path) == {EmergencyState.FIRE}


def test_a_cut_between_writing_and_renaming_leaves_the_old_word(tmp_path: Path) -> None:
    path = tmp_path / "emergency"
    write_emergency(path, {EmergencyState.LOCK_DOWN})
    path.with_suffix(".new").write_text("FI", encoding="ascii")
    assert read_emergency(path) == {EmergencyState.LOCK_DOWN}
