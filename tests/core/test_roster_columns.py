# SPDX-License-Identifier: Apache-2.0
"""A roster's image comes back whole, or not at all."""

from __future__ import annotations

import random

import pytest

from edge.core.people import roster_image
from edge.core.people.entries import Elder
from edge.core.people.roster import NOWHERE, Roster, RosterBuilder
from edge.core.people.roster_columns import Columns
from edge.core.people.roster_image import Unpacking, pack
from edge.core.people.roster_row import HolderRow, PolicyRow, RevocationRow, TicketKey
from edge.core.people.shift_row import ShiftRow
from edge.core.schedule import read_hours
from tests.core.scene import booking, clock_ms, holder

FEED = "0001-0a1b2c3d@7 5f"


SMALL = (
    PolicyRow(policy_id="p-1", role="R", places=frozenset({"b", "a"}), week=None),
    PolicyRow(
        policy_id="p-2",
        role="R",
        places=frozenset("*"),
        week=read_hours("mon 8:00-9:00"),
    ),
    TicketKey(
        key_id=b"\1\2",
        public=bytes(range(32)),
        from_ms=1,
        to_ms=2,
        issuer="menshen",
        doors=("厨房", "lounge"),
    ),
    Elder(holder_id="李", order=2, route="东巷"),
    Elder(
        holder_id="b",
        order=3,
        route="西巷",
        label="陈*",
        place="3 号",
        needs=("BLIND", "带上拐杖"),
    ),
    ShiftRow(
        row_id="0001-00c0ffee:9",
        holder_id="李",
        boot="b",
        began_m=48_123,
        minutes=90,
        by="he",
        at_ms=5,
        number=2,
        reason="他提早离开",
    ),
)


def filled() -> Columns:
    builder = RosterBuilder()
    builder.add([holder("wang"), holder("李"), booking("b1 wang kitchen 09:00-10:00")])
    builder.add([RevocationRow(token=bytes(range(16)), reason="LOST")])
    builder.add([RevocationRow(holder_id="李", reason="LEFT")])
    builder.add([RevocationRow(ticket="0a0b", reason="MISUSE")])
    builder.add(SMALL)
    return builder.build(NOWHERE).columns


def unpacked(parts: list[bytes], feed: str = FEED) -> Columns | None:
    unpacking = Unpacking(feed)
    for part in parts:
        unpacking.take(part)
    return unpacking.columns()


def test_an_image_gives_the_same_answers() -> None:
    before = Roster(filled(), NOWHERE)
    columns = unpacked(list(pack(before.columns, FEED)))
    assert columns is not None
    after = Roster(columns, NOWHERE)
    for row in (holder("wang"), holder("李")):
        assert isinstance(row, HolderRow)
        for _, token in row.credentials:
            assert after.find(token) == before.find(token)
    assert after.bookings("holder-wang") == before.bookings("holder-wang") != []
    assert after.revocation(bytes(range(16))) == "LOST"
    assert after.credentials == before.credentials
    assert after.tables == before.tables
    assert after.holder("holder-李") == before.holder("holder-李") is not None
    window = (clock_ms("09:30"), clock_ms("09:31"))
    [found] = after.booked("kitchen", *window)
    assert found == next(before.booked("kitchen", *window))


def test_an_empty_roster_has_an_image() -> None:
    columns = unpacked(list(pack(Columns(), FEED)))
    assert columns is not None
    assert Roster(columns, NOWHERE).credentials == 0


@pytest.mark.parametrize("seed", range(3))
def test_each_flipped_bit_is_noticed(seed: int) -> None:
    chance = random.Random(seed)
    parts = list(pack(filled(), FEED))
    for number, part in enumerate(parts):
        if not part:
            continue
        spoilt = bytearray(part)
        spoilt[chance.randrange(len(part))] ^= 1 << chance.randrange(8)
        assert unpacked([*parts[:number], bytes(spoilt), *parts[number + 1 :]]) is None


def test_each_part_is_needed_and_none_may_be_added() -> None:
    parts = list(pack(filled(), FEED))
    for number in range(len(parts)):
        assert unpacked([*parts[:number], *parts[number + 1 :]]) is None
        assert unpacked(parts[:number]) is None
        assert unpacked([*parts[:number], b"\0" * 8, *parts[number:]]) is None
    assert unpacked([*parts, parts[-1]]) is None


def test_bytes_that_change_places_are_noticed() -> None:
    parts = list(pack(filled(), FEED))
    sizes = [len(part) for part in parts]
    assert sizes[7] >= 8
    parts[6], parts[7] = parts[6] + parts[7][:8], parts[7][8:]
    assert unpacked(parts) is None


def test_another_feeds_image_counts_as_none() -> None:
    parts = list(pack(filled(), FEED))
    assert unpacked(parts, "0001-0a1b2c3d@8 5f") is None


def test_another_formats_image_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = list(pack(filled(), FEED))
    monkeypatch.setattr(roster_image, "IMAGE_FORMAT", roster_image.IMAGE_FORMAT + 1)
    assert unpacked(parts) is None
