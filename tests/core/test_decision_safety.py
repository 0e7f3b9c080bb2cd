# SPDX-License-Identifier: Apache-2.0
"""What no roster, however odd or damaged, may bring about."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from edge.core.access.admissions import Admission
from edge.core.access.answers import Decision, Denied, Granted
from edge.core.access.decision import decide
from edge.core.credential import Credential, CredentialKind
from edge.core.doors.door import DoorMode
from edge.core.moment import UNBOUNDED_MS, Moment
from edge.core.people.roster_row import BookingRow, RosterRow, parse_row
from tests.core.decision_case import question
from tests.core.scene import (
    DAY_MS,
    MINUTE_MS,
    PEOPLE,
    card,
    clock_ms,
    holder,
    moment,
    neighbours,
    revocation,
    roster,
    token,
)

if TYPE_CHECKING:
    from edge.core.people.roster import Roster

FREE = (DoorMode.UNLOCKED, DoorMode.LOCKED_OPEN)
CLOSED = (DoorMode.BLOCKED, DoorMode.LOCKED_DOWN)
NOON = clock_ms("12:00")
LEAD_MS, GRACE_MS = 10 * MINUTE_MS, 5 * MINUTE_MS
Used = dict[str, Admission]


def _ask(
    known: Roster,
    credential: Credential,
    now: Moment,
    *,
    door: str = "kitchen-door",
    mode: DoorMode = DoorMode.LOCKED,
    used: Used | None = None,
) -> Decision:
    asked = question(
        known, credential, now, door=door, mode=mode, admissions=used or {}
    )
    return decide(asked)


def _may_enter(rows: list[RosterRow], who: str, now: Moment, used: Used) -> bool:
    """Judge over the plain rows, without roster or rules, the way into the kitchen."""
    if revocation(who) in rows or holder(who) not in rows:  # lost, or disabled
        return False
    sure, unsure = [], []
    for row in rows:
        if not isinstance(row, BookingRow) or not row.is_confirmed:
            continue
        if (row.holder_id, row.space_id) != (f"holder-{who}", "kitchen"):
            continue
        first, last = row.from_ms - LEAD_MS, row.to_ms + GRACE_MS - 1
        count = used.get(row.booking_id, Admission())
        if first <= now.earliest_ms and now.latest_ms <= last:
            sure.append(count.persons < row.party)
        elif now.earliest_ms <= last and first <= now.latest_ms:
            unsure.append(count.persons < row.party and count.unverified < 2)
    return any(sure) if sure else any(unsure)


def _random_scene(chance: random.Random) -> tuple[list[RosterRow], Moment, Used]:
    rows: list[RosterRow] = [
        holder(name, is_enabled=chance.random() < 0.9) for name in PEOPLE
    ]
    rows += [revocation(name) for name in PEOPLE if chance.random() < 0.1]
    for number in range(chance.randrange(5)):
        start = NOON + chance.randrange(-6, 6) * 30 * MINUTE_MS
        row = BookingRow(
            booking_id=f"b{number}",
            holder_id=f"holder-{chance.choice((*PEOPLE, 'gone'))}",
            space_id=chance.choice(("kitchen", "kitchen", "lounge", "sauna")),
            from_ms=start,
            to_ms=start + chance.choice((1, 60 * MINUTE_MS, DAY_MS)),
            party=chance.choice((1, 1, 4)),
            is_confirmed=chance.random() < 0.9,
        )
        rows.append(row)
    used = {
        f"b{number}": Admission(
            persons=chance.randrange(5), unverified=chance.randrange(4)
        )
        for number in range(5)
        if chance.random() < 0.4
    }
    chance.shuffle(rows)
    edge = NOON + chance.randrange(-6, 6) * 30 * MINUTE_MS
    earliest = edge + chance.choice((-LEAD_MS, GRACE_MS, 0)) + chance.randrange(-1, 2)
    width = chance.choice((0, 0, 0, 1, 20 * MINUTE_MS, UNBOUNDED_MS - earliest))
    return rows, moment(earliest, earliest + width), used


@pytest.mark.parametrize("seed", range(4))
def test_a_grant_is_what_the_plain_rows_allow_and_nothing_else(seed: int) -> None:
    chance = random.Random(seed)
    granted = denied = 0
    for number in range(1500):
        rows, now, used = _random_scene(chance)
        known = roster(*rows)
        for who in PEOPLE:
            answer = _ask(known, card(who), now, used=used)
            expected = _may_enter(rows, who, now, used)
            assert isinstance(answer, Granted) is expected, (seed, number, who, answer)
            granted += expected
            denied += not expected
    assert granted > 100
    assert denied > 100


@pytest.mark.parametrize("seed", range(2))
def test_a_closed_mode_admits_nobody_and_a_free_one_everybody(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(300):
        rows, now, used = _random_scene(chance)
        known = roster(*rows)
        for who in (*PEOPLE, "stranger"):
            for mode in CLOSED:
                answer = _ask(known, card(who), now, mode=mode, used=used)
                assert isinstance(answer, Denied), (seed, who, mode)
            for mode in FREE:
                answer = _ask(known, card(who), now, mode=mode, used=used)
                assert isinstance(answer, Granted), (seed, who, mode)
                assert answer.person.booking is None


TEXTS = (
    "",
    "*",
    "kitchen",
    "holder-wang",
    "\0",
    "holder-wang\0",
    "b\0holder-wang",
    "gone",
    "CONFIRMED",
    "CANCELLED",
    "confirmed",
    "' OR 1=1 --",
    "x" * 65,
    "\ud800",
    "holder-%",
)
NUMBERS = (True, 0, -1, 1, 2, 500, 501, NOON, NOON + 1, 1 << 52, 1 << 60)
OTHERS: tuple[Any, ...] = (None, 1.5, [], ["*"], {})


def _hostile_rows(chance: random.Random) -> list[RosterRow]:
    """Return rows that passed the check although not all of them is meant well."""
    good: dict[str, Any] = {
        "holder": "holder-wang",
        "space": "kitchen",
        "from": NOON - DAY_MS,
        "to": NOON + DAY_MS,
        "party": 4,
        "state": "CONFIRMED",
    }
    rows = []
    for _ in range(40):
        body = dict(good)
        for name in chance.sample(sorted(body), chance.randrange(1, 3)):
            alike: tuple[Any, ...] = TEXTS if isinstance(body[name], str) else NUMBERS
            body[name] = chance.choice((*alike, *OTHERS))
        row_id = chance.choice(("b1", "b2", "b3", "b1\0holder-li", "", "\ud800"))
        with suppress(ValueError):
            row = parse_row("booking", row_id, body)
            assert row is not None
            rows.append(row)
    return rows


@pytest.mark.parametrize("seed", range(3))
def test_hostile_rows_open_nothing_for_others(seed: int) -> None:
    chance = random.Random(seed)
    kept = 0
    for _ in range(200):
        rows = _hostile_rows(chance)
        kept += len(rows)
        known = roster(holder("wang"), holder("li"), *rows)
        for who in ("li", "stranger", "*", ""):
            answer = _ask(known, card(who), moment(NOON))
            assert isinstance(answer, Denied), (seed, who, rows)
    assert kept > 500, "the check refused nearly everything: nothing was tried"


def test_a_booking_does_not_open_for_another_kind_of_the_same_token() -> None:
    """One token, one holder: the kind is told apart where the token is made."""
    known = neighbours("b1 wang kitchen 11:00-13:00")
    as_qr = Credential(kind=CredentialKind.QR, token=token("wang"))
    answer = _ask(known, as_qr, moment(NOON))
    assert answer.person.holder == "holder-wang"


def test_no_flipped_bit_in_the_index_of_bookings_lets_in_who_has_none() -> None:
    told = ("b1 wang kitchen 11:00-13:00", "b2 zhao kitchen 11:00-13:00")
    words = len(neighbours(*told).columns.booking_keys)
    flips = [
        (part, at, bit) for part in (0, 1) for at in range(words) for bit in range(32)
    ]
    text = len(neighbours(*told).columns.bookings.buffer)
    flips += [(2, at, bit) for at in range(text) for bit in range(8)]
    for part, at, bit in flips:
        known = neighbours(*told)
        columns = known.columns
        texts = columns.bookings.buffer
        target = (columns.booking_keys, columns.booking_order, texts)
        target[part][at] ^= 1 << bit
        for who in ("li", "qian", "stranger"):
            # A refusal or an error; an error releases nothing either.
            with suppress(IndexError, UnicodeDecodeError):
                answer = _ask(known, card(who), moment(NOON))
                assert isinstance(answer, Denied), (part, at, bit, who)
