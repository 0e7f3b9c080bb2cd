# SPDX-License-Identifier: Apache-2.0
"""Snapshots: complete and verified, or nothing."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest

from cloud_sync.feed import (
    MAX_PARTS,
    MAX_ROWS,
    NO_FEED,
    FeedCursor,
    FeedPart,
    FeedRow,
    SnapshotAssembler,
    Staged,
    add,
    read_row,
)
from cloud_sync.refusal import RefusalKind, Refused
from tests.cloud_sync.scripted_platform import FEED_EPOCH, booking, digest

PULL = "ab" * 16
HELD = FeedCursor(epoch=FEED_EPOCH, rev=41)


def total(feed_rows: list[Any]) -> bytes:
    value = sum(int.from_bytes(digest(row)) for row in feed_rows) % 2**256
    return value.to_bytes(32)


def snapshot(feed_rows: list[Any], *, parts: int, rev: int = 42) -> list[FeedPart]:
    whole = total(feed_rows)
    return [
        FeedPart(
            pull=PULL,
            cursor=FeedCursor(epoch=FEED_EPOCH, rev=rev),
            index=index,
            parts=parts,
            count=len(feed_rows),
            hash=whole,
            rows=tuple(feed_rows[index::parts]),
        )
        for index in range(parts)
    ]


ROWS = [booking(number) for number in range(10)]
PARTS = snapshot(ROWS, parts=4)


def refusal(answer: Staged | Refused) -> RefusalKind | None:
    return answer.kind if isinstance(answer, Refused) else None


@pytest.mark.parametrize("seed", range(20))
def test_parts_in_any_order_with_duplicates_complete_once(seed: int) -> None:
    rng = random.Random(seed)
    order = PARTS + rng.choices(PARTS, k=6)
    rng.shuffle(order)
    assembler = SnapshotAssembler(PULL, HELD)
    seen: set[int] = set()
    staged: list[FeedRow] = []
    for part in order:
        answer = assembler.receive(part)
        assert isinstance(answer, Staged)
        assert bool(answer.rows) == (part.index not in seen)
        staged += answer.rows
        seen.add(part.index)
        assert answer.is_complete == (len(seen) == 4)
    assert sorted(row.id for row in staged) == sorted(row["id"] for row in ROWS)


def test_an_empty_snapshot_is_one_part_of_nothing() -> None:
    assembler = SnapshotAssembler(PULL, NO_FEED)
    answer = assembler.receive(snapshot([], parts=1)[0])
    assert answer == Staged(rows=(), is_complete=True)


def test_the_sum_does_not_depend_on_order_and_wraps() -> None:
    top = b"\xff" * 32
    assert add(add(0, [top, top]), [b"\x00" * 31 + b"\x03"]) == 1
    assert add(0, [digest(row) for row in ROWS]) == int.from_bytes(total(ROWS))


def test_a_part_of_another_pull_spoils_nothing() -> None:
    assembler = SnapshotAssembler(PULL, HELD)
    stray = dataclasses.replace(PARTS[0], pull="cd" * 16)
    assert refusal(assembler.receive(stray)) is RefusalKind.FEED_PULL
    answers = [assembler.receive(part) for part in PARTS]
    assert answers[-1] == Staged(
        rows=answers[-1].rows if isinstance(answers[-1], Staged) else (),
        is_complete=True,
    )


BAD: list[tuple[str, dict[str, Any], RefusalKind]] = [
    ("another count", {"count": 11}, RefusalKind.FEED_SHAPE),
    ("another number of parts", {"parts": 5}, RefusalKind.FEED_SHAPE),
    ("another hash", {"hash": bytes(32)}, RefusalKind.FEED_SHAPE),
    (
        "another revision",
        {"cursor": FeedCursor(epoch=FEED_EPOCH, rev=43)},
        RefusalKind.FEED_SHAPE,
    ),
    (
        "a cursor going backward",
        {"cursor": FeedCursor(epoch=FEED_EPOCH, rev=40)},
        RefusalKind.FEED_CURSOR,
    ),
    (
        "an older epoch with a higher revision",
        {"cursor": FeedCursor(epoch="0002-ffffffff", rev=999)},
        RefusalKind.FEED_CURSOR,
    ),
    ("an index beyond", {"index": 4}, RefusalKind.FEED_SHAPE),
    ("too many parts", {"parts": MAX_PARTS + 1}, RefusalKind.FEED_LIMIT),
    ("too many rows", {"count": MAX_ROWS + 1}, RefusalKind.FEED_LIMIT),
    ("more rows than announced", {"rows": tuple(ROWS)}, RefusalKind.FEED_SHAPE),
    ("a row that is none", {"rows": (7,)}, RefusalKind.FEED_SHAPE),
]


@pytest.mark.parametrize(
    ("change", "kind"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_a_bad_part_spoils_the_snapshot_for_good(
    change: dict[str, Any], kind: RefusalKind
) -> None:
    assembler = SnapshotAssembler(PULL, HELD)
    assert isinstance(assembler.receive(PARTS[0]), Staged)
    bad = dataclasses.replace(PARTS[1], **change)
    assert refusal(assembler.receive(bad)) is kind
    for part in PARTS:
        assert refusal(assembler.receive(part)) is kind


@pytest.mark.parametrize(
    ("forged", "kind"),
    [
        ([*ROWS[:9], booking(9, party=9)], RefusalKind.FEED_HASH),
        ([*ROWS[:9], ROWS[8]], RefusalKind.FEED_HASH),
        (ROWS[:9], RefusalKind.FEED_SHAPE),
    ],
)
def test_rows_that_do_not_add_up_are_not_complete(
    forged: list[Any], kind: RefusalKind
) -> None:
    parts = [
        dataclasses.replace(part, hash=total(ROWS), count=len(ROWS))
        for part in snapshot(forged, parts=4)
    ]
    assembler = SnapshotAssembler(PULL, HELD)
    answers = [refusal(assembler.receive(part)) for part in parts]
    assert answers == [None, None, None, kind]


def test_a_snapshot_at_the_held_cursor_may_repair_it() -> None:
    assembler = SnapshotAssembler(PULL, HELD)
    answers = [assembler.receive(part) for part in snapshot(ROWS, parts=2, rev=41)]
    assert [refusal(answer) for answer in answers] == [None, None]


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        {},
        {**ROWS[0], "kind": "Booking"},
        {**ROWS[0], "kind": ""},
        {**ROWS[0], "id": ""},
        {**ROWS[0], "id": "x" * 129},
        {**ROWS[0], "id": 7},
        {**ROWS[0], "ver": "1"},
        {**ROWS[0], "ver": True},
        {**ROWS[0], "ver": 1.0},
        {**ROWS[0], "body": []},
        {**ROWS[0], "body": {"x": 1.5}},
        {**ROWS[0], "body": {"x": None}},
        {**ROWS[0], "body": {"x": {"y": 1}}},
        {**ROWS[0], "body": {"x": [[1]]}},
        {**ROWS[0], "body": {"x": [True]}},
        {**ROWS[0], "later": 1.5},
    ],
)
def test_a_row_that_cannot_be_hashed_alike_everywhere_is_refused(raw: object) -> None:
    assert isinstance(read_row(raw), Refused)


def test_a_field_of_a_later_contract_enters_the_hash_and_nothing_else() -> None:
    row = {**ROWS[0], "valid": 7, "kind": "notice"}
    read = read_row(row)
    assert isinstance(read, FeedRow)
    assert read.digest == digest(row)
    assert read.kind == "notice"


@pytest.mark.parametrize("epoch", ["3-9f2c1d00", "0003-9f2c1d0", "x", "0003-9F2C1D00"])
def test_a_malformed_epoch_makes_no_cursor(epoch: str) -> None:
    with pytest.raises(ValueError, match="feed epoch"):
        FeedCursor(epoch=epoch, rev=1)
