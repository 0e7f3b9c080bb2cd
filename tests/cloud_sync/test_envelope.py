# SPDX-License-Identifier: Apache-2.0
"""Batches: as full as 64 KiB allow, contiguous, at the speed that draining owes."""

from __future__ import annotations

import json
import random
import time

import pytest

from cloud_sync.envelope import BATCH_BYTES, Batch, fill_batch
from edge.core.record import Record
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY, canonical, rows


def fill(records: list[Record]) -> Batch:
    return fill_batch(
        gateway=GATEWAY, epoch=EPOCH, previous=b"", records=records, time_ms=0
    )


@pytest.mark.parametrize("seed", range(10))
def test_a_batch_takes_what_fits_and_no_row_less(seed: int) -> None:
    rng = random.Random(seed)
    texts = [rng.choice("a门🚪") * rng.randrange(1, 900) for _ in range(400)]
    records = [
        Record(seq, canonical({"x": text}), bytes(16), "{}", None, bytes(32))
        for seq, text in enumerate(texts, rng.choice([1, 95, 10**15]))
    ]
    batch = fill(records)
    taken = len(batch.hashes)
    assert len(batch.payload) <= BATCH_BYTES
    assert (batch.first, batch.last) == (records[0].seq, records[taken - 1].seq)
    items = json.loads(batch.payload)["data"]["items"]
    assert [item["core"]["x"] for item in items] == texts[:taken]
    item = {
        "core": {"x": texts[taken]},
        "pii": {},
        "salt": "00" * 16,
        "seq": records[taken].seq,
    }
    one_more = len(batch.payload) + 1 + len(canonical(item).encode())
    # The frame may name a longer number of the last row: a few digits, no more.
    assert one_more + 15 > BATCH_BYTES


def test_a_row_that_no_batch_can_hold_is_our_own_fault() -> None:
    giant = Record(5, canonical({"x": "y" * 70_000}), bytes(16), "{}", None, bytes(32))
    with pytest.raises(ValueError, match="event 5 alone exceeds"):
        fill([giant])


def test_rows_with_a_gap_make_no_batch() -> None:
    first, _, third = rows(3)
    with pytest.raises(ValueError, match="event 3 stands where 2 should"):
        fill([first, third])


def test_a_row_without_person_and_com_makes_no_batch() -> None:
    with pytest.raises(ValueError, match="neither a person nor a com"):
        fill([Record(1, "{}", None, None, None, bytes(32))])


@pytest.mark.alone
def test_batches_are_built_at_twice_the_speed_that_draining_owes() -> None:
    records, done = rows(50_000), 0
    begun_s = time.process_time()
    while done < len(records):
        done += len(fill(records[done : done + 300]).hashes)
    assert done / (time.process_time() - begun_s) > 100_000
