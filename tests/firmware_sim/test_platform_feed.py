# SPDX-License-Identifier: Apache-2.0
"""The feed: its revisions, its hash, its parts, and the people it is made of."""

from __future__ import annotations

import json
import time
from contextlib import closing
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from stdnum.cn import ric

from firmware_sim.platform.feed import (
    MAXIMUM_PART_BYTES,
    MAXIMUM_ROW_BYTES,
    Cursor,
    Feed,
    Row,
    altered,
    mishashed,
    parse_row,
)
from firmware_sim.platform.feed_store import FeedStore
from firmware_sim.platform.people import (
    bookings,
    check_character,
    people,
    random_tokens,
)
from firmware_sim.platform.site import populate, read_site
from tests.firmware_sim.platform_stub import GATEWAY, NONCE, canonical, vector

if TYPE_CHECKING:
    from pathlib import Path

START = Cursor("0001-5eed5eed", 0)
NOW_MS = 1_767_600_000_000


def row(name: str, reason: str = "LOST") -> Row:
    return Row(kind="revocation", id=name, body={"token": "00" * 16, "reason": reason})


def residents(count: int) -> list[Row]:
    tokens = random_tokens(1)
    return [one.row([f"CARD:{next(tokens).hex()}"]) for one in people(1, count)]


def hashed(rows: list[dict[str, Any]]) -> str:
    """Return a snapshot's hash, counted anew from its rows."""
    digests = [sha256(canonical(one).encode()).digest() for one in rows]
    total = sum(int.from_bytes(digest, "big") for digest in digests)
    return f"{total % 2**256:064x}"


def snapshot(feed: Feed) -> list[dict[str, Any]]:
    parts = feed.parts(GATEWAY, NONCE, told_rev=feed.cursor.rev)
    return [json.loads(part) for part in parts]


def test_every_change_is_one_revision_and_versions_its_rows() -> None:
    feed = Feed(START)
    feed.change([row("r-1"), row("r-2")])
    feed.change([row("r-2", "LEFT")])
    (part,) = snapshot(feed)
    versions = {one["id"]: one["ver"] for one in part["rows"]}
    assert versions == {"r-1": 1, "r-2": 2}
    assert (part["epoch"], part["rev"], part["count"]) == (START.epoch, 2, 2)
    assert (part["gw"], part["re"], part["i"], part["n"]) == (GATEWAY, NONCE, 0, 1)


def test_the_golden_rows_make_the_golden_hash() -> None:
    golden = vector("feed")
    feed = Feed(START)
    one, two, three = (json.loads(each["text"]) for each in golden["rows"])
    feed.change([parse_row(one), parse_row(two)])
    feed.change([parse_row(three)])
    assert feed.hash == golden["hash"]


@pytest.mark.parametrize("seed", range(5))
def test_the_running_hash_is_the_hash_of_what_is_sent(seed: int) -> None:
    random = Random(seed)
    feed = Feed(START)
    for _ in range(60):
        put = [row(f"r-{random.randrange(20)}", f"L{random.random()}")]
        gone = [("revocation", f"r-{random.randrange(20)}")]
        feed.change(*random.choice([(put, []), ([], gone), (put, gone)]))
    rows = [one for part in snapshot(feed) for one in part["rows"]]
    assert feed.hash == hashed(rows)
    assert feed.count == len(rows) > 0


def test_a_removed_row_is_gone_and_an_empty_feed_has_one_part() -> None:
    feed = Feed(START)
    feed.change([row("r-1")])
    feed.change([], [("revocation", "r-1"), ("revocation", "never-there")])
    (part,) = snapshot(feed)
    assert (part["rows"], part["n"], part["hash"]) == ([], 1, "0" * 64)


def test_parts_fit_and_hold_every_row_once() -> None:
    feed = Feed(START)
    feed.change(residents(3000))
    texts = feed.parts(GATEWAY, NONCE, told_rev=1)
    assert max(len(text.encode()) for text in texts) <= MAXIMUM_PART_BYTES
    # All but the last are well filled: a snapshot is not cut finer than it must be.
    assert min(len(text.encode()) for text in texts[:-1]) > MAXIMUM_PART_BYTES * 0.95
    parts = [json.loads(text) for text in texts]
    assert [canonical(part) for part in parts] == texts
    assert [part["i"] for part in parts] == list(range(len(parts)))
    assert {part["n"] for part in parts} == {len(parts)}
    rows = [one for part in parts for one in part["rows"]]
    assert len({one["id"] for one in rows}) == len(rows) == parts[0]["count"] == 3000
    assert parts[0]["hash"] == hashed(rows)


def test_a_part_full_of_chinese_is_measured_in_bytes() -> None:
    feed = Feed(START)
    feed.change([row(f"r-{number}", "遗失" * 500) for number in range(100)])
    texts = feed.parts(GATEWAY, NONCE, told_rev=1)
    assert max(len(text.encode()) for text in texts) <= MAXIMUM_PART_BYTES


def test_a_row_over_its_limit_changes_nothing() -> None:
    feed = Feed(START)
    with pytest.raises(ValueError, match="r-2"):
        feed.change([row("r-1"), row("r-2", "x" * MAXIMUM_ROW_BYTES)])
    assert (feed.cursor, feed.count, feed.hash) == (START, 0, "0" * 64)


@pytest.mark.parametrize(
    ("epoch", "rev", "is_behind"),
    [
        ("", 0, False),
        ("0002-aaaaaaaa", 5, False),
        ("0002-aaaaaaaa", 6, True),
        ("0001-ffffffff", 99, False),
        ("0002-bbbbbbbb", 1, True),
        ("0003-00000000", 0, True),
    ],
)
def test_a_feed_knows_when_a_gateway_would_refuse_it(
    *, epoch: str, rev: int, is_behind: bool
) -> None:
    feed = Feed(Cursor("0002-aaaaaaaa", 5))
    assert feed.is_behind(Cursor(epoch, rev)) is is_behind


def test_outranking_opens_a_higher_epoch_with_the_same_rows() -> None:
    feed = Feed(START)
    feed.change([row("r-1")])
    before = feed.hash
    feed.outrank(Cursor("0041-00000000", 7), "12345678")
    assert (feed.cursor, feed.hash) == (Cursor("0042-12345678", 1), before)


def test_the_two_corruptions_are_what_they_say() -> None:
    feed = Feed(START)
    feed.change([row("r-1")])
    (text,) = feed.parts(GATEWAY, NONCE, told_rev=1)
    whole, other = json.loads(text), json.loads(altered(text))
    assert other["hash"] == whole["hash"] == hashed(whole["rows"])
    assert hashed(other["rows"]) != whole["hash"]
    wrong = json.loads(mishashed(text))
    assert wrong["rows"] == whole["rows"]
    assert wrong["hash"] != whole["hash"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"kind": "holder", "id": "h-1"},
        {"kind": "", "id": "h-1", "body": {}},
        {"kind": "holder", "id": 1, "body": {}},
        {"kind": "holder", "id": "h-1", "body": {"extended": True}},
        {"kind": "holder", "id": "h-1", "body": {"roles": [1.5]}},
        {"kind": "holder", "id": "h-1", "body": {"roles": {"a": 1}}},
        {"kind": "holder", "id": "h-1", "body": {"roles": None}},
    ],
)
def test_a_row_outside_the_contract_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"row|kind|integers"):
        parse_row(value)


def test_the_feed_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "feed.db"
    with closing(FeedStore(path)) as store:
        assert store.is_new
        store.change([row("r-1"), row("r-2")])
        store.change([], [("revocation", "r-1")])
        cursor, before = store.feed.cursor, store.feed.hash
    with closing(FeedStore(path)) as store:
        assert not store.is_new
        assert (store.feed.cursor, store.feed.hash) == (cursor, before)
        assert store.feed.count == 1
        assert store.outrank(Cursor("0004-00000000", 1)).counter == 5
    with closing(FeedStore(path)) as store:
        assert store.feed.cursor.counter == 5


def test_made_up_people_have_right_numbers_of_nowhere() -> None:
    everybody = people(5, 2000)
    numbers = {person.number for person in everybody}
    assert len(numbers) == 2000
    assert all(number.startswith("99") for number in numbers)
    assert any(number.endswith("X") for number in numbers)
    for number in numbers:
        assert ric.calc_check_digit(number) == number[-1]
    assert everybody[0].number not in repr(everybody[0])


def test_the_check_character_is_the_standards_own() -> None:
    # GB 11643-1999, the example of its annex.
    assert check_character("11010519491231002") == "X"


def test_a_seed_makes_the_same_neighbourhood_again() -> None:
    one, again, other = people(7, 50), people(7, 50), people(8, 50)
    assert one == again != other
    booked = bookings(7, one, ["kitchen"], count=30, around_ms=NOW_MS)
    assert booked == bookings(7, one, ["kitchen"], count=30, around_ms=NOW_MS)
    names = {person.holder for person in one}
    for each in booked:
        start, end = each.body["from"], each.body["to"]
        assert isinstance(start, int)
        assert isinstance(end, int)
        assert abs(start - NOW_MS) <= 49 * 3_600_000
        assert start < end
        assert each.body["holder"] in names


def test_a_hundred_thousand_residents_are_made_in_seconds() -> None:
    start_s = time.process_time()
    feed = Feed(START)
    feed.change(residents(100_000))
    parts = feed.parts(GATEWAY, NONCE, told_rev=1)
    assert feed.count == 100_000
    assert len(parts) < 1000
    # 2 s on a busy laptop; with scrypt for each it would be an hour and a half.
    assert time.process_time() - start_s < 10


def site_file(path: Path, **changes: Any) -> Path:
    tokens = vector("tokens")
    site = {
        "gateways": {GATEWAY: "00"},
        "site": tokens["site"],
        "site_key": tokens["site_key"],
        "epoch_salt": tokens["epoch_salt"],
        **changes,
    }
    path.write_text(json.dumps(site), encoding="utf-8")
    return path


def test_a_site_file_makes_its_population(tmp_path: Path) -> None:
    tokens = vector("tokens")
    (number, token), *_ = tokens["identity_cards"].items()
    (code, code_token), *_ = tokens["codes"].items()
    (written, tag_token), *_ = tokens["tags"].items()
    technology, bits, told = written.split(":")
    tag = {"technology": technology, "bits": int(bits), "number": told}
    population = {
        "seed": 3,
        "holders": 20,
        "bookings": 6,
        "cards": 1,
        "spaces": ["kitchen", "hall"],
        "named": [
            {"id": "h-mei", "number": number, "code": code, "extended": 1},
            {"id": "h-lan", "tags": [tag]},
        ],
        "rows": [{"kind": "revocation", "id": "r-9", "body": {"reason": "LEFT"}}],
    }
    site = read_site(site_file(tmp_path / "site.json", population=population))
    rows = populate(site, NOW_MS)
    kinds = [each.kind for each in rows]
    assert (kinds.count("holder"), kinds.count("booking")) == (22, 6)
    assert rows[-1].id == "r-9"
    bodies = {each.id: each.body for each in rows}
    both = [f"ID_CARD:{token}", f"QR:{code_token}"]
    assert bodies["h-mei"]["credentials"] == both
    assert bodies["h-mei"]["extended"] == 1
    assert bodies["h-lan"]["credentials"] == [f"CARD:{tag_token}"]
    card = site.pseudonyms.of_identity_card(people(3, 1)[0].number).hex()
    assert bodies["h-000001"]["credentials"] == [f"ID_CARD:{card}"]


def test_a_site_of_one_gateway_may_say_so_shortly(tmp_path: Path) -> None:
    path = site_file(tmp_path / "site.json")
    short = json.loads(path.read_text())
    del short["gateways"]
    path.write_text(json.dumps(short | {"gateway": "gw-attic", "shard": "07"}))
    assert read_site(path).registry == {"gw-attic": "07"}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"site_key": "zz"}, "hexadecimal"),
        ({"site_key": "00"}, "32 bytes"),
        ({"gateways": 3}, "object"),
        ({"gateways": {}}, "object"),
        ({"gateways": {"gw-hall": "16"}}, "shard '16'"),
        ({"gateways": {"GW": "00"}}, "'GW'"),
    ],
)
def test_a_wrong_site_file_is_refused_by_name(
    tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    path = site_file(tmp_path / "site.json", **changes)
    with pytest.raises(ValueError, match=rf"site\.json.*{why}"):
        read_site(path)


def test_a_site_file_without_a_field_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "site.json"
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"site\.json.*'gateway' is missing"):
        read_site(path)
