# SPDX-License-Identifier: Apache-2.0
"""The ledgers: once stored is once, a gap and a fork change nothing, poison passes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from firmware_sim.platform.counts import (
    JournalCounts,
    count_garbled,
    count_journals,
    find_breaks,
)
from firmware_sim.platform.envelope import Batch, Garbled, parse
from firmware_sim.platform.ledger import MAXIMUM_GARBLED, Ledger
from tests.firmware_sim.platform_stub import EPOCH, GATEWAY, SHARD, Journal, up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with closing(Ledger(path)) as opened:
        yield opened


def read(payload: bytes, gateway: str = GATEWAY) -> Batch:
    batch = parse(up("evt", gateway), payload, {gateway: SHARD})
    assert isinstance(batch, Batch), batch
    return batch


def only(path: Path) -> JournalCounts:
    (counted,) = count_journals(path)
    return counted


def edit(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def test_a_batch_is_stored_and_the_watermark_is_its_end(
    ledger: Ledger, path: Path
) -> None:
    journal = Journal(10)
    (at,) = ledger.apply([read(journal.batch(1, 10))])
    assert (at.gateway, at.epoch) == (GATEWAY, EPOCH)
    assert (at.hi, at.hash) == (10, journal.hashes[10])
    assert only(path).stored == only(path).deliveries == 10
    assert find_breaks(path) == {}


def test_an_unknown_journal_stands_at_its_genesis(ledger: Ledger) -> None:
    at = ledger.high(GATEWAY, EPOCH)
    assert (at.hi, at.hash) == (0, Journal(0).hashes[0])


def test_what_comes_again_is_counted_and_has_no_second_effect(
    ledger: Ledger, path: Path
) -> None:
    journal = Journal(10)
    ledger.apply([read(journal.batch(1, 6))])
    ledger.apply([read(journal.batch(1, 6)), read(journal.batch(4, 10))])
    counted = only(path)
    assert (counted.stored, counted.deliveries, counted.redelivered) == (10, 19, 9)
    assert (counted.duplicated, counted.lost, counted.hi) == (0, 0, 10)


@pytest.mark.parametrize("first", [3, 6, 10])
def test_a_gap_changes_nothing(ledger: Ledger, path: Path, first: int) -> None:
    journal = Journal(10)
    ledger.apply([read(journal.batch(1, 1))])
    (at,) = ledger.apply([read(journal.batch(first, 10))])
    assert at.hi == 1
    counted = only(path)
    assert (counted.stored, counted.refused) == (1, 11 - first)
    assert counted.alarms == 0


def test_a_gap_inside_a_batch_changes_nothing(ledger: Ledger, path: Path) -> None:
    journal = Journal(4)
    items = [journal.items[0], journal.items[2]]
    (at,) = ledger.apply([read(journal.batch_of(1, journal.hashes[0], items))])
    assert (at.hi, only(path).refused) == (0, 2)


def test_a_fork_is_an_alarm_and_never_overwrites(ledger: Ledger, path: Path) -> None:
    mine, other = Journal(10, seed=1), Journal(10, seed=2)
    ledger.apply([read(mine.batch(1, 6))])
    for _ in range(2):
        (at,) = ledger.apply([read(other.batch(1, 10))])
        assert (at.hi, at.hash) == (6, mine.hashes[6])
    counted = only(path)
    assert (counted.alarms, counted.stored, counted.redelivered) == (1, 6, 0)
    assert find_breaks(path) == {}
    (at,) = ledger.apply([read(mine.batch(7, 10))])
    assert (at.hi, at.hash) == (10, mine.hashes[10])


def test_the_alarm_names_the_first_key_that_differs(ledger: Ledger, path: Path) -> None:
    mine, other = Journal(6), Journal(6)
    other.items[3] = mine.items[3] | {"core": {"k": "DOOR_OPENED"}}
    ledger.apply([read(mine.batch(1, 6))])
    ledger.apply([read(other.batch(2, 6))])
    with closing(sqlite3.connect(path)) as connection:
        alarm = connection.execute("SELECT seq, held FROM alarm").fetchall()
    assert alarm == [(4, mine.hashes[4])]


def test_a_batch_on_another_chain_is_refused_with_an_alarm(
    ledger: Ledger, path: Path
) -> None:
    mine, other = Journal(10, seed=1), Journal(10, seed=2)
    ledger.apply([read(mine.batch(1, 5))])
    (at,) = ledger.apply([read(other.batch(6, 10))])
    assert at.hi == 5
    assert (only(path).alarms, only(path).refused) == (1, 5)


def test_a_false_beginning_is_an_alarm(ledger: Ledger, path: Path) -> None:
    journal = Journal(3)
    ledger.apply([read(journal.batch_of(1, b"x" * 32, journal.items))])
    assert (only(path).alarms, only(path).stored) == (1, 0)


@pytest.mark.parametrize("erased", [{1}, {3, 4}, {1, 2, 3, 4, 5, 6}])
def test_erased_items_verify_the_chain(
    ledger: Ledger, path: Path, erased: set[int]
) -> None:
    journal = Journal(6)
    for seq in erased:
        journal.erase(seq)
    (at,) = ledger.apply([read(journal.batch(1, 6))])
    assert at.hash == journal.hashes[6]
    assert find_breaks(path) == {}
    assert only(path).quarantined == 0


def test_an_item_erased_between_two_deliveries_is_the_same_item(
    ledger: Ledger, path: Path
) -> None:
    journal = Journal(6)
    ledger.apply([read(journal.batch(1, 6))])
    journal.erase(2)
    ledger.apply([read(journal.batch(1, 6))])
    assert (only(path).alarms, only(path).redelivered) == (0, 6)


def test_an_item_we_cannot_understand_is_set_aside_and_its_chain_goes_on(
    ledger: Ledger, path: Path
) -> None:
    # Another item than the gateway's own hash chain knows would be a fork, so this
    # journal is made of it from the start: a core with a list, a float, a nest.
    odd = {"seq": 1, "core": {"k": [1, 2], "x": 1.5}, "com": "11" * 32}
    (at,) = ledger.apply([read(Journal(0).batch_of(1, Journal(0).hashes[0], [odd]))])
    assert at.hi == 1
    counted = only(path)
    assert (counted.stored, counted.quarantined, counted.lost) == (1, 1, 0)
    assert find_breaks(path) == {}


@pytest.mark.parametrize(
    "item",
    [
        None,
        7,
        "text",
        [],
        {},
        {"seq": 2},
        {"seq": 2, "core": {}},
        {"seq": 2, "core": {}, "com": "zz"},
        {"seq": 2, "core": {}, "com": "00"},
        {"seq": 2, "core": {}, "salt": "00" * 16},
        {"seq": 2, "core": {}, "salt": "00" * 15, "pii": {}},
        {"seq": 2, "core": {}, "salt": 5, "pii": {}},
        {"seq": 2, "core": {"k": "\ud800"}, "salt": "00" * 16, "pii": {}},
        {"seq": "2", "core": {}, "salt": "", "pii": {}},
    ],
)
def test_one_bad_item_never_holds_up_the_line(
    ledger: Ledger, path: Path, item: Any
) -> None:
    journal = Journal(3)
    items = [journal.items[0], item, journal.items[2]]
    batch = Batch(
        gateway=GATEWAY,
        epoch=EPOCH,
        first=1,
        previous=journal.hashes[0],
        items=items,
        name=f"{EPOCH}:1-3",
    )
    (at,) = ledger.apply([batch])
    assert at.hi == 3
    # The gateway sees by the hash that it was not understood.
    assert at.hash != journal.hashes[3]
    assert (only(path).stored, only(path).quarantined) == (3, 1)
    assert find_breaks(path) == {}
    ledger.apply([batch])
    assert (only(path).redelivered, only(path).alarms) == (3, 0)


def test_rubbish_is_kept_up_to_its_limit(ledger: Ledger, path: Path) -> None:
    rubbish = Garbled(gateway=GATEWAY, why="evt: empty", raw=b"\x00")
    ledger.apply([], [rubbish] * (MAXIMUM_GARBLED + 7))
    assert count_garbled(path) == MAXIMUM_GARBLED
    assert count_journals(path) == []


def test_a_restart_goes_on_where_it_stood(path: Path) -> None:
    journal = Journal(8)
    with closing(Ledger(path)) as first:
        first.apply([read(journal.batch(1, 5))])
    with closing(Ledger(path)) as second:
        assert second.high(GATEWAY, EPOCH).hash == journal.hashes[5]
        (at,) = second.apply([read(journal.batch(4, 8))])
    assert at.hi == 8
    assert (only(path).redelivered, only(path).duplicated) == (2, 0)


def test_a_commit_that_fails_leaves_nothing_and_believes_nothing(
    ledger: Ledger, path: Path
) -> None:
    journal = Journal(8)
    ledger.apply([read(journal.batch(1, 4))])
    edit(
        path,
        "CREATE TRIGGER full BEFORE INSERT ON keyed WHEN new.seq = 8"
        " BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    )
    group = [read(journal.batch(5, 6)), read(journal.batch(7, 8))]
    with pytest.raises(sqlite3.IntegrityError, match="disk full"):
        ledger.apply(group)
    assert (ledger.high(GATEWAY, EPOCH).hi, only(path).deliveries) == (4, 4)
    edit(path, "DROP TRIGGER full")
    (at,) = ledger.apply(group)
    assert (at.hi, only(path).duplicated) == (8, 0)


def test_journals_stand_apart(ledger: Ledger, path: Path) -> None:
    one = Journal(5)
    two = Journal(4, seed=2, epoch="0004-00000001")
    three = Journal(3, seed=3, gateway="gw-attic")
    standings = ledger.apply(
        [
            read(one.batch(1, 5)),
            read(two.batch(1, 2)),
            read(three.batch(1, 3), "gw-attic"),
            read(two.batch(3, 4)),
        ]
    )
    assert [(at.gateway, at.hi) for at in standings] == [
        (GATEWAY, 5),
        (GATEWAY, 4),
        ("gw-attic", 3),
    ]
    assert [counted.stored for counted in count_journals(path)] == [3, 5, 4]


def test_a_restored_platform_takes_again_what_it_forgot(
    ledger: Ledger, path: Path
) -> None:
    journal = Journal(9)
    ledger.apply([read(journal.batch(1, 9))])
    ledger.rewind(GATEWAY, EPOCH, 4)
    at = ledger.high(GATEWAY, EPOCH)
    assert (at.hi, at.hash) == (4, journal.hashes[4])
    ledger.apply([read(journal.batch(5, 9))])
    counted = only(path)
    assert (counted.hi, counted.stored, counted.duplicated) == (9, 9, 0)
    assert find_breaks(path) == {}


def test_a_head_that_contradicts_the_ledger_is_an_alarm(
    ledger: Ledger, path: Path
) -> None:
    journal = Journal(6)
    ledger.apply([read(journal.batch(1, 4))])
    assert ledger.compare(GATEWAY, EPOCH, 4, journal.hashes[4])
    assert ledger.compare(GATEWAY, EPOCH, 6, b"beyond what we can know.")
    assert only(path).alarms == 0
    assert not ledger.compare(GATEWAY, EPOCH, 3, b"x" * 32)
    assert only(path).alarms == 1


@pytest.mark.parametrize("seed", range(8))
def test_any_order_of_deliveries_ends_with_everything_once(
    ledger: Ledger, path: Path, seed: int
) -> None:
    random = Random(seed)
    journal = Journal(120, seed)
    for _ in range(150):
        first = random.randint(1, 120)
        last = min(120, first + random.randrange(20))
        if random.random() < 0.1:
            journal.erase(first)
        before = ledger.high(GATEWAY, EPOCH).hi
        (at,) = ledger.apply([read(journal.batch(first, last))])
        assert at.hi == (before if first > before + 1 else max(before, last))
        assert at.hash == journal.hashes[at.hi]
    ledger.apply([read(journal.batch(1, 120))])
    counted = only(path)
    assert (counted.stored, counted.hi, counted.lost) == (120, 120, 0)
    assert (counted.duplicated, counted.alarms) == (0, 0)
    assert counted.deliveries == counted.stored + counted.redelivered
    assert find_breaks(path) == {}


def test_the_checkers_see_what_they_are_for(path: Path) -> None:
    journal = Journal(6)
    with closing(Ledger(path)) as ledger:
        ledger.apply([read(journal.batch(1, 6))])
    # A platform that forgot its watermark runs effects twice, whatever its keys say.
    with closing(sqlite3.connect(path)) as connection, connection:
        start = (journal.hashes[2],)
        connection.execute("UPDATE stream SET hi = 2, hash = ?", start)
    with closing(Ledger(path)) as ledger:
        ledger.apply([read(journal.batch(3, 6))])
    assert (only(path).duplicated, only(path).stored) == (4, 6)
    edit(path, "UPDATE keyed SET core = '{}' WHERE seq = 5")
    assert find_breaks(path) == {(GATEWAY, EPOCH): 5}
    edit(path, "DELETE FROM keyed WHERE seq = 3")
    assert only(path).lost == 1
    assert find_breaks(path) == {(GATEWAY, EPOCH): 3}
