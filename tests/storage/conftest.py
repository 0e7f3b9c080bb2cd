# SPDX-License-Identifier: Apache-2.0
"""The contract suite runs over both connections, and over a fresh file each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.storage.connection import open_aiosqlite, open_inline
from tests.storage.samples import opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from edge.storage.journal import Journal
    from tests.storage.samples import Opener


@pytest.fixture(params=[open_aiosqlite, open_inline], ids=["aiosqlite", "inline"])
def opener(request: pytest.FixtureRequest) -> Opener:
    chosen: Opener = request.param
    return chosen


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
async def journal(opener: Opener, path: Path) -> AsyncIterator[Journal]:
    async with opened(opener, path) as fresh:
        yield fresh
