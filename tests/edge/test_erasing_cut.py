# SPDX-License-Identifier: Apache-2.0
"""The power is cut while a person is erased: his cards do not come back either."""

from __future__ import annotations

import shutil
from hashlib import sha256
from typing import TYPE_CHECKING

from tests.edge.at_work import at_work
from tests.edge.test_erasing import (
    PLANTED,
    TOKEN,
    command,
    erased,
    feed,
    files_with,
    rostered,
    state,
)
from tests.storage.samples import WatchedConnection

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["state"]  # a fixture

NAMES = ("journal.db", "journal.db-wal", "roster.db", "roster.db-wal")


class Cuts:
    """Keeps the folder as it is after each statement on the roster."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self.folders: list[Path] = []
        self._seen: set[bytes] = set()

    def cut(self) -> None:
        held = {name: self._state / name for name in NAMES}
        data = {k: path.read_bytes() for k, path in held.items() if path.exists()}
        digest = sha256(repr(sorted(data.items())).encode()).digest()
        if digest in self._seen:
            return
        self._seen.add(digest)
        folder = self._state.parent / f"cut-{len(self.folders)}"
        folder.mkdir()
        shutil.copyfile(self._state.parent / "site.toml", folder / "site.toml")
        shutil.copytree(self._state / "keys", folder / "state" / "keys")
        for name, content in data.items():
            (folder / "state" / name).write_bytes(content)
        self.folders.append(folder / "state")


async def test_wherever_it_is_cut_his_card_is_not_brought_back(state: Path) -> None:
    async with at_work(state) as first:
        await feed(first, rev=1)
        store = first.feed._store
        cuts = Cuts(state)
        watched = WatchedConnection(store._connection, cuts.cut)
        store._connection = watched
        first._remote.order(command())
        await erased(first)
        store._connection = watched.inner
    assert len(cuts.folders) > 5
    gone = 0
    for folder in cuts.folders:
        async with at_work(folder) as second:
            gone += PLANTED not in await rostered(second)
            await erased(second)
            await feed(second, rev=2)  # the platform still brings him, and his card
            assert not await rostered(second) & {PLANTED, TOKEN}, folder
            assert (
                second.controller.rolls.roster.revocation(bytes.fromhex(TOKEN)) is None
            )
            assert files_with(folder, PLANTED, TOKEN) == []
    assert 0 < gone < len(cuts.folders), "cuts before and after his rows went"
