# SPDX-License-Identifier: Apache-2.0
"""The office and the box that the files of this folder share."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from tests.brokers import free_port
from tests.edge.sneakernet.sites import Office, Place, prepare, reached

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture
def folder() -> Iterator[Path]:
    # A Unix socket's path has 107 bytes at most: not below pytest's long folder.
    with TemporaryDirectory(prefix="mn-") as name:
        yield Path(name)


@pytest.fixture
def office(folder: Path) -> Office:
    return Office(folder / "office")


@pytest.fixture
def state(folder: Path, office: Office) -> Path:
    """A box whose broker nobody runs."""
    return prepare(folder, office, port=free_port())


@pytest.fixture
async def place(state: Path) -> AsyncIterator[Place]:
    async with reached(state) as running:
        yield running


@pytest.fixture
def stick(folder: Path) -> Path:
    """An empty stick, mounted."""
    made = folder / "stick"
    made.mkdir()
    return made
