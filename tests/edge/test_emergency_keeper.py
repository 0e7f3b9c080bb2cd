# SPDX-License-Identifier: Apache-2.0
"""The emergency file follows what stands, whatever changes while it is written."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from edge.cli import emergency_keeper
from edge.cli.emergency_keeper import EmergencyKeeper
from edge.core.emergency.state import EmergencyState
from edge.storage.emergency_file import read_emergency, write_emergency

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

PEACE: frozenset[EmergencyState] = frozenset()
FIRE = frozenset({EmergencyState.FIRE})
SHELTER = frozenset({EmergencyState.SHELTER})


class Disk:
    """Writes once its gate is open; ``fault`` raises when the file is in its place."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.fault: OSError | None = None
        self.writes = 0

    def write(self, path: Path, standing: Collection[EmergencyState]) -> None:
        self.gate.wait(20)
        self.writes += 1
        write_emergency(path, standing)
        if self.fault is not None:
            raise self.fault


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    played = Disk()
    monkeypatch.setattr(emergency_keeper, "write_emergency", played.write)
    yield played
    played.gate.set()


async def written(keeper: EmergencyKeeper) -> None:
    """Wait for the write under way, and for nothing more."""
    assert keeper._writing is not None
    await keeper._writing


async def test_what_changes_during_a_write_is_written_after_it(
    tmp_path: Path, disk: Disk
) -> None:
    keeper = EmergencyKeeper(tmp_path / "emergency")
    disk.gate.clear()
    keeper.keep(SHELTER)
    keeper.keep(FIRE)
    keeper.keep(SHELTER | FIRE)
    disk.gate.set()
    await written(keeper)
    assert read_emergency(tmp_path / "emergency") == SHELTER | FIRE
    assert disk.writes <= 2, "only the last word counts"


async def test_what_ends_during_its_own_write_does_not_stand_for_ever(
    tmp_path: Path, disk: Disk
) -> None:
    keeper = EmergencyKeeper(tmp_path / "emergency")
    disk.gate.clear()
    keeper.keep(FIRE)
    await asyncio.sleep(0)  # its write has begun
    keeper.keep(PEACE)
    disk.gate.set()
    await written(keeper)
    assert read_emergency(tmp_path / "emergency") == PEACE


async def test_nobody_relies_on_a_write_that_failed(tmp_path: Path, disk: Disk) -> None:
    """The file was in its place already when the folder could not be synced."""
    keeper = EmergencyKeeper(tmp_path / "emergency")
    disk.fault = OSError(5, "Input/output error")
    keeper.keep(FIRE)
    await written(keeper)
    disk.fault = None
    keeper.keep(PEACE)
    await keeper.settle(PEACE)
    assert read_emergency(tmp_path / "emergency") == PEACE


async def test_what_stands_as_it_stood_is_not_written(
    tmp_path: Path, disk: Disk
) -> None:
    write_emergency(tmp_path / "emergency", FIRE)
    keeper = EmergencyKeeper(tmp_path / "emergency")
    keeper.keep(FIRE)
    await keeper.settle(FIRE)
    assert disk.writes == 0
    await keeper.settle(PEACE)
    assert (keeper.remembered, disk.writes) == (FIRE, 1)
