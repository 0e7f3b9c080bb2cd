# SPDX-License-Identifier: Apache-2.0
"""The packed roster against plain dictionaries, collisions forced."""

from __future__ import annotations

import random
import sys
from array import array
from dataclasses import dataclass, field, replace

import pytest

from edge.core.credential import CredentialKind
from edge.core.people.entries import Booking, Cardholder
from edge.core.people.roster import (
    EMPTY,
    NOWHERE,
    Cursor,
    Roster,
    RosterBuilder,
)
from edge.core.people.roster_columns import Texts
from edge.core.people.roster_row import (
    BookingRow,
    HolderRow,
    RevocationRow,
    RosterRow,
)
from edge.core.plan import DAY_MS, SIZES
from tests.core.scene import booking, clock_ms, holder, neighbours, roster, token

SPAN_MS = 60 * DAY_MS
#: Eight first bytes that many tokens share, so that look-ups must go on.
HEADS = (bytes(8), bytes.fromhex("00000000ffffffff"), b"\xff" * 8)


@dataclass
class Reference:
    """What a roster should say, in dictionaries."""

    holders: dict[bytes, Cardholder] = field(default_factory=dict)
    named: dict[str, Cardholder] = field(default_factory=dict)
    bookings: dict[str, list[Booking]] = field(default_factory=dict)
    tickets: set[str] = field(default_factory=set)
    revoked: dict[bytes, str] = field(default_factory=dict)


def _random_rows(chance: random.Random, reference: Reference) -> list[RosterRow]:
    rows: list[RosterRow] = []
    tokens = {chance.choice(HEADS) + chance.randbytes(8) for _ in range(300)}
    fresh = sorted(tokens | {chance.randbytes(16) for _ in range(300)})
    chance.shuffle(fresh)
    for number in range(200):
        rows.append(_random_holder(chance, number, fresh, reference))
        rows += _random_bookings(chance, number, reference)
    for _ in range(20):
        lost = chance.choice((chance.randbytes(16), chance.choice(fresh)))
        reference.revoked[lost] = "LOST"
        rows.append(RevocationRow(token=lost, reason="LOST"))
    chance.shuffle(rows)
    return rows


def _random_holder(
    chance: random.Random, number: int, fresh: list[bytes], reference: Reference
) -> HolderRow:
    person = Cardholder(
        holder_id=f"住户-{number}",
        roles=tuple(chance.sample(("resident", "volunteer", "cook"), number % 4)),
        language=chance.choice(("zh-CN", "en")),
        is_enabled=chance.random() < 0.8,
        needs_extended_time=chance.random() < 0.2,
        valid_from_ms=chance.choice((0, 5)),
        valid_to_ms=chance.choice((9, 1 << 52)),
        care_days=chance.choice((0, 3)),
    )
    reference.named[person.holder_id] = person
    own = [fresh.pop() for _ in range(chance.randrange(3))]
    for each in own:
        reference.holders[each] = person
    return HolderRow(
        holder_id=person.holder_id,
        roles=person.roles,
        language=person.language,
        is_enabled=person.is_enabled,
        needs_extended_time=person.needs_extended_time,
        valid_from_ms=person.valid_from_ms,
        valid_to_ms=person.valid_to_ms,
        care_days=person.care_days,
        credentials=tuple((CredentialKind.CARD, each) for each in own),
    )


def _random_bookings(
    chance: random.Random, number: int, reference: Reference
) -> list[BookingRow]:
    holder_id = f"住户-{number}" if chance.random() < 0.9 else "nobody"
    rows = []
    for each in range(chance.randrange(4)):
        start = chance.randrange(SPAN_MS)
        row = BookingRow(
            booking_id=f"b-{number}-{each}",
            holder_id=holder_id,
            space_id=chance.choice(("kitchen", "lounge", "gone")),
            from_ms=start,
            to_ms=start + chance.choice((DAY_MS // 24, DAY_MS, 20 * DAY_MS, SPAN_MS)),
            party=chance.randrange(1, 500),
            is_confirmed=chance.random() < 0.8,
            size=chance.choice((None, None, *SIZES)),
            due_fen=chance.choice((0, 1500)),
            counts_all=chance.random() < 0.2,
            ticket=chance.choice(("", f"{number:04x}{each:04x}")),
        )
        rows.append(row)
        if not row.is_confirmed:
            reference.tickets |= {row.ticket} - {""}
        else:
            reference.bookings.setdefault(holder_id, []).append(_as_kept(row))
    return rows


def _as_kept(row: BookingRow) -> Booking:
    return Booking(
        booking_id=row.booking_id,
        space_id=row.space_id,
        from_ms=row.from_ms,
        to_ms=row.to_ms,
        party=row.party,
        size=row.size,
        due_fen=row.due_fen,
        counts_all=row.counts_all,
        ticket=row.ticket,
    )


def _neighbours_of(known: bytes) -> list[bytes]:
    """Tokens that differ in one bit of each half."""
    number = int.from_bytes(known, "big")
    return [(number ^ (1 << bit)).to_bytes(16, "big") for bit in (0, 63, 64, 127)]


@pytest.mark.parametrize("seed", range(5))
def test_look_ups_agree_with_dictionaries(seed: int) -> None:
    chance = random.Random(seed)
    reference = Reference()
    packed = roster(*_random_rows(chance, reference))
    assert packed.credentials == len(reference.holders)
    assert len({known[:8] for known in reference.holders}) < len(reference.holders)
    asked = [*reference.holders, *reference.revoked, *(chance.randbytes(16),) * 99]
    asked += [near for known in reference.holders for near in _neighbours_of(known)]
    for each in asked:
        assert packed.find(each) == reference.holders.get(each), (seed, each.hex())
        assert packed.revocation(each) == reference.revoked.get(each), seed
        assert packed.lists(each) is (each in reference.holders), seed
    assert packed.tables.revoked_tickets.keys() == reference.tickets, seed
    for number in range(200):
        expected = reference.bookings.get(f"住户-{number}", [])
        expected = sorted(expected, key=lambda kept: kept.from_ms)
        assert packed.bookings(f"住户-{number}") == expected, seed
        assert packed.holder(f"住户-{number}") == reference.named[f"住户-{number}"]
        for kept in expected:
            assert packed.booking(kept.booking_id) == (f"住户-{number}", kept), seed
    assert packed.holder("nobody") is None
    assert packed.booking("b-") is None


@pytest.mark.parametrize("seed", range(5))
def test_who_booked_a_room_agrees_with_a_plain_search(seed: int) -> None:
    chance = random.Random(seed)
    reference = Reference()
    packed = roster(*_random_rows(chance, reference))
    every = [
        (owner, kept)
        for owner, of_one in reference.bookings.items()
        for kept in of_one
        if owner in reference.named and kept.size is None
    ]
    edges = [edge for _, kept in every for edge in (kept.from_ms, kept.to_ms)]
    touched = 0
    for _ in range(300):
        space = chance.choice(("kitchen", "lounge", "gone", "never heard of"))
        start = chance.choice(edges) + chance.choice((-1, 0, 1))
        end = start + chance.choice((0, 1, DAY_MS))
        expected = [
            (owner, kept)
            for owner, kept in every
            if kept.space_id == space and kept.from_ms < end and kept.to_ms > start
        ]
        found = list(packed.booked(space, start, end))
        assert sorted(found, key=str) == sorted(expected, key=str), (seed, start)
        touched += len(found)
    assert touched > 1000, "hardly any window was touched: nothing was tried"


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_and_the_size_of_slices_change_nothing(seed: int) -> None:
    chance = random.Random(seed)
    rows = _random_rows(chance, Reference())
    whole = roster(*rows)
    builder = RosterBuilder()
    shuffled = chance.sample(rows, len(rows))
    for start in range(0, len(shuffled), 7):
        builder.add(shuffled[start : start + 7])
    sliced = builder.build(whole.cursor)
    for row in rows:
        if isinstance(row, HolderRow):
            for _, known in row.credentials:
                assert sliced.find(known) == whole.find(known), seed
            of_one = sliced.bookings(row.holder_id)
            assert of_one == whole.bookings(row.holder_id), seed


def _with_forced_keys(*told: str) -> Roster:
    """Build a roster in which the 64-bit keys of all holders collide with wang's."""
    builder = RosterBuilder()
    builder.add([holder("wang"), holder("li"), booking("b0 wang kitchen 00:00-01:00")])
    wang = builder.columns.booking_keys[0]
    builder.add(booking(each) for each in told)
    builder.columns.booking_keys = array(
        "Q", [wang] * len(builder.columns.booking_keys)
    )
    return builder.build(NOWHERE)


def test_holders_whose_64_bit_keys_collide_keep_their_own_bookings() -> None:
    packed = _with_forced_keys(
        "b1 li kitchen 09:00-10:00",
        "b2 wang kitchen 08:00-09:00",
        "b3 li lounge 07:00-08:00",
    )
    of_wang = packed.bookings("holder-wang")
    assert [kept.booking_id for kept in of_wang] == ["b0", "b2"]
    assert packed.bookings("holder-li") == []  # asked under a key of its own


def test_a_stranger_under_a_colliding_key_gets_nobodys_booking() -> None:
    builder = RosterBuilder()
    builder.add([holder("wang"), holder("li")])
    builder.add([booking("b0 wang kitchen 00:00-01:00")])
    stranger = RosterBuilder()
    stranger.add([booking("b9 li kitchen 00:00-01:00")])
    builder.columns.booking_keys = stranger.columns.booking_keys
    assert builder.build(NOWHERE).bookings("holder-li") == []


def test_holders_whose_64_bit_keys_collide_are_told_apart_by_name() -> None:
    builder = RosterBuilder()
    builder.add([holder("wang"), holder("li"), holder("zhao")])
    builder.columns.holder_keys = array("Q", [builder.columns.holder_keys[0]] * 3)
    packed = builder.build(NOWHERE)
    found = packed.holder("holder-wang")
    assert found is not None
    assert found.holder_id == "holder-wang"
    assert packed.holder("holder-qian") is None


def test_bookings_come_earliest_first_and_cancelled_ones_not_at_all() -> None:
    packed = neighbours(
        "late wang kitchen 20:00-21:00",
        "tomorrow wang lounge 08:00-09:00 +1d",
        "gone wang kitchen 10:00-11:00 cancelled",
        "early wang lounge 08:00-09:00 x3",
        "other li kitchen 07:00-08:00",
    )
    found = packed.bookings("holder-wang")
    assert [each.booking_id for each in found] == ["early", "late", "tomorrow"]
    assert found[0] == Booking(
        booking_id="early",
        space_id="lounge",
        from_ms=clock_ms("08:00"),
        to_ms=clock_ms("09:00"),
        party=3,
    )
    assert packed.bookings("holder-nobody") == []


def test_a_revocation_needs_no_holder_and_hides_none() -> None:
    packed = neighbours(lost=("wang", "stranger"))
    assert packed.revocation(token("wang")) == "LOST"
    assert packed.revocation(token("stranger")) == "LOST"
    assert packed.revocation(token("li")) is None
    found = packed.find(token("wang"))
    assert found is not None
    assert found.holder_id == "holder-wang"


def test_the_empty_roster_knows_nobody_and_stands_nowhere() -> None:
    assert EMPTY.credentials == 0
    assert EMPTY.find(bytes(16)) is None
    assert EMPTY.revocation(bytes(16)) is None
    assert EMPTY.bookings("") == []
    assert (str(EMPTY.cursor), str(Cursor("0001-0a", 9))) == ("none", "0001-0a@9")


def test_each_flag_and_role_comes_back_as_it_went_in() -> None:
    for number in range(8):
        is_enabled, is_slow, has_role = (bool(number & bit) for bit in (1, 2, 4))
        row = HolderRow(
            holder_id="h",
            roles=("resident", "cook") if has_role else (),
            language="yue",
            is_enabled=is_enabled,
            needs_extended_time=is_slow,
            credentials=((CredentialKind.QR, token("h")),),
        )
        assert roster(row).find(token("h")) == Cardholder(
            holder_id="h",
            roles=row.roles,
            language="yue",
            is_enabled=is_enabled,
            needs_extended_time=is_slow,
        )


def _bytes_held(packed: Roster) -> int:
    """Sum what the packed parts hold; the few shared words are left out."""
    parts: list[object] = []
    for part in vars(packed.columns).values():
        if isinstance(part, Texts):
            parts += [part.buffer, part.ends]
        elif isinstance(part, array):
            parts.append(part)
    return sum(sys.getsizeof(part) for part in parts)


def test_a_person_of_a_big_roster_takes_few_bytes() -> None:
    people = 5_000
    chance = random.Random(1)
    builder = RosterBuilder()
    for number in range(people):
        card = (CredentialKind.CARD, chance.randbytes(16))
        qr = (CredentialKind.QR, chance.randbytes(16))
        row = HolderRow(
            holder_id=f"{number:08x}-0000-4000-8000-000000000000",
            roles=("resident",),
            language="zh-CN",
            is_enabled=True,
            needs_extended_time=False,
            credentials=(card, qr),
        )
        kept = booking(f"b{number} {number} kitchen 08:00-09:00")
        builder.add([row, replace(kept, holder_id=row.holder_id)])
    packed = builder.build(NOWHERE)
    each = _bytes_held(packed) / people
    print(f"roster: {each:.0f} bytes a person with two credentials and a booking")
    assert packed.credentials == 2 * people
    # 36 characters of name twice, two tokens, and 105 bytes of numbers.
    assert each < 300


def test_a_token_listed_for_two_holders_is_nobodys() -> None:
    shared = (CredentialKind.CARD, bytes(range(16)))
    builder = RosterBuilder()
    builder.add(
        HolderRow(
            holder_id=name,
            roles=(),
            language="zh",
            is_enabled=True,
            needs_extended_time=False,
            credentials=(shared,),
        )
        for name in ("wang", "li")
    )
    assert builder.build(Cursor("0001-00000000", 1)).find(shared[1]) is None
