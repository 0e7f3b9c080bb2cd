# SPDX-License-Identifier: Apache-2.0
"""Golden vectors of the chain, held against hashlib and against the journal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from edge.core.event import decode
from tests.storage.chain_by_hand import as_items, links, sha
from tests.storage.samples import events, opened, rows_of

if TYPE_CHECKING:
    from tests.storage.samples import Opener

VECTORS = json.loads(
    (Path(__file__).parent / "vectors" / "chain.json").read_text(encoding="utf-8")
)


def erased_items() -> list[dict[str, Any]]:
    replaced = {item["seq"]: item for item in VECTORS["erased"]}
    return [replaced.get(item["seq"], item) for item in VECTORS["items"]]


def test_the_vectors_agree_with_hashlib_erased_or_not() -> None:
    hashes = [item["hash"] for item in VECTORS["items"]]
    assert sha(b"menshen:" + VECTORS["epoch"].encode()).hex() == VECTORS["genesis"]
    assert links(VECTORS["epoch"], VECTORS["items"]) == hashes
    assert links(VECTORS["epoch"], erased_items()) == hashes


async def test_the_journal_stores_the_vectors_byte_for_byte(
    opener: Opener, path: Path
) -> None:
    salts = iter(bytes.fromhex(item["salt"]) for item in VECTORS["items"])
    async with opened(opener, path) as journal:
        journal._new_suffix = lambda: VECTORS["epoch"][5:]
        journal._salt = lambda: next(salts)
        await journal._scribe.connection.execute(
            "UPDATE epoch SET name = ?", (VECTORS["epoch"],)
        )
    async with opened(opener, path) as journal:
        journal._salt = lambda: next(salts)
        assert (journal.epoch, journal.head.hex()) == (
            VECTORS["epoch"],
            VECTORS["genesis"],
        )
        await journal.append(
            [
                decode(item["seq"], item["core"], item["pii"])
                for item in VECTORS["items"]
            ]
        )
        for found, item in zip(
            await journal.read(0, max_rows=9, max_bytes=9999),
            VECTORS["items"],
            strict=True,
        ):
            assert found.seq == item["seq"]
            assert (found.core, found.pii) == (item["core"], item["pii"])
            assert found.salt is not None
            assert found.salt.hex() == item["salt"]
            assert (found.commitment, found.hash.hex()) == (None, item["hash"])
        assert await journal.erase(VECTORS["erased_holder"]) == 1
        for item in VECTORS["erased"]:
            [gone] = await journal.read(item["seq"] - 1, max_rows=1, max_bytes=9999)
            assert (gone.salt, gone.pii) == (None, None)
            assert gone.commitment is not None
            assert gone.commitment.hex() == item["com"]
            assert (gone.core, gone.hash.hex()) == (item["core"], item["hash"])
        assert (await journal.verify()).is_sound


@pytest.mark.parametrize("count", [1, 63, 64, 65, 200])
async def test_every_batch_size_chains_as_hashlib_does(
    opener: Opener, path: Path, count: int
) -> None:
    async with opened(opener, path) as journal:
        await journal.append(events(1, count))
        await journal.append(events(count + 1, 3), state="s")
        epoch = journal.epoch
    rows = rows_of(path)
    assert links(epoch, as_items(rows)) == [row[5].hex() for row in rows]
