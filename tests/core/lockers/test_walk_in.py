# SPDX-License-Identifier: Apache-2.0
"""Walk-ins: any card takes a compartment for a while, where the bank allows it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.event import NOBODY, EventKind, Person
from edge.core.plan import DAY_MS, SitePlan
from edge.core.schedule import Schedule, read_hours
from tests.core.lockers.wall import HOUR_FEN, Wall, site
from tests.core.scene import HOUR_MS, MINUTE_MS, clock_ms, neighbours, token

OPEN_BANK = site(allows_walk_in=True, walk_in_ms=2 * HOUR_MS)
TAKEN_1 = ["RENTAL_STARTED", "ACCESS_GRANTED", "open hall 1"]
AGAIN_1 = ["ACCESS_GRANTED", "open hall 1"]
#: What a token looks like in a snapshot.
SECRET = token("stranger").hex()


def wall(*bookings: str, plan: SitePlan = OPEN_BANK) -> Wall:
    """Return a wall that takes walk-ins."""
    return Wall(neighbours(*bookings), plan)


def _open_at(hours: str) -> SitePlan:
    schedule = Schedule(week=read_hours(hours), utc_offset_ms=8 * HOUR_MS)
    lounge = replace(OPEN_BANK.spaces["lounge"], hours=schedule)
    return replace(OPEN_BANK, spaces={**OPEN_BANK.spaces, "lounge": lounge})


def test_a_stranger_s_card_takes_the_smallest_and_opens_it_again() -> None:
    place = wall()
    assert place.scan("stranger") == TAKEN_1
    started, granted = place.journal
    assert started.person == granted.person == NOBODY
    assert started.fact("what") == "WALK_IN"
    assert started.fact("end") == clock_ms("17:00")
    assert granted.fact("rule") == "walk_in"
    place.use(1)
    place.wait(61)
    assert place.scan("stranger") == AGAIN_1
    place.use(1)
    assert place.scan("stranger") == ["RENTAL_ENDED"], "within a minute: finished"
    assert place.journal[-1].fact("due_fen") is None
    assert place.locker(1) == "FREE -"


def test_another_stranger_s_card_does_not_open_it() -> None:
    place = wall()
    place.stored("stranger")
    assert place.scan("passer-by") == [
        "RENTAL_STARTED",
        "ACCESS_GRANTED",
        "open hall 2",
    ]


def test_the_token_stands_in_the_snapshot_alone_and_until_the_end_alone() -> None:
    place = wall()
    place.scan("stranger")
    assert place.last.is_kept, "no event tells it"
    assert SECRET in place.kept[-1][1]
    place.use(1)
    place.scan("stranger")
    assert place.locker(1) == "FREE -"
    assert place.last.is_kept, "the snapshot before still has it"
    assert SECRET not in place.kept[-1][1]
    for shown in (repr(place.journal), repr(place.last), repr(place.at(1))):
        assert SECRET not in shown
        assert repr(token("stranger"))[2:-1] not in shown


def test_after_a_power_cut_the_card_still_opens_it() -> None:
    place = wall()
    place.scan("stranger")
    place.use(1)
    place.restart(back=99)
    assert place.scan("stranger") == AGAIN_1


def test_a_holder_is_known_by_name_and_no_token_is_kept() -> None:
    place = wall()
    assert place.scan("wang") == TAKEN_1
    assert not place.last.is_kept
    assert place.journal[0].person == Person(holder="holder-wang")


def test_a_code_and_a_bank_of_bookings_take_no_walk_in() -> None:
    assert wall().scan("stranger", kind="QR") == ["ACCESS_DENIED"]
    place = wall(plan=site())
    assert place.scan("stranger") == ["ACCESS_DENIED"]
    assert place.said() == [("DENIED", "CREDENTIAL_NOT_FOUND")]


def test_one_s_booking_goes_before_walking_in() -> None:
    place = wall("c1 wang lounge 14:00-16:00 L")
    place.scan("wang")
    assert [wish.number for wish in place.openings()] == [4]
    place = wall("c1 wang lounge 17:00-18:00 L")
    assert place.scan("wang") == TAKEN_1, "too early for it: as anybody"


def test_none_free_is_said() -> None:
    place = wall()
    for who in "abcd":
        place.stored(who)
    assert place.scan("e") == ["ACCESS_DENIED"]
    assert place.said() == [("DENIED", "NO_FREE_COMPARTMENT")]


@pytest.mark.parametrize(
    ("spread_ms", "reason"),
    [
        (2 * HOUR_MS - 1, ""),
        (2 * HOUR_MS, "CLOCK_UNTRUSTED"),
        (-1, "CLOCK_UNTRUSTED"),
    ],
)
def test_an_unsure_clock_gives_none_but_opens_what_was_given(
    spread_ms: int, reason: str
) -> None:
    place = wall()
    place.stored("stranger")
    place.spread_ms = spread_ms
    place.scan("passer-by")
    assert place.said()[0][1] == reason
    assert place.scan("stranger") == AGAIN_1


@pytest.mark.parametrize(
    ("hours", "spread_ms", "reason"),
    [
        ("mon 15:00-20:00", 0, ""),
        ("mon 15:00-15:01", MINUTE_MS, "CLOCK_UNTRUSTED"),
        ("mon 16:00-20:00", 0, "CLOSED"),
        ("mon 09:00-15:00", 0, "CLOSED"),
    ],
)
def test_only_while_the_space_is_surely_open(
    hours: str, spread_ms: int, reason: str
) -> None:
    place = wall(plan=_open_at(hours))
    place.spread_ms = spread_ms
    place.scan("stranger")
    assert place.said()[0][1] == reason
    if hours == "mon 16:00-20:00":
        assert dict(place.shown()) == {"from_ms": clock_ms("16:00")}


# Beyond his time


@pytest.mark.parametrize(
    ("at", "is_over"), [("17:04:59.999", False), ("17:05", True), ("18:30", True)]
)
def test_overdue_it_opens_once_more_and_what_is_due_is_noted(
    at: str, *, is_over: bool
) -> None:
    place = wall()
    place.stored("stranger")
    told = place.until(at)
    assert told == (["COMPARTMENT_OVERDUE"] if is_over else [])
    assert place.scan("stranger") == AGAIN_1
    place.leaf(1, is_open=True)
    shut = place.leaf(1, is_open=False)
    if not is_over:
        assert shut == ["COMPARTMENT_CLOSED"]
        return
    assert shut == ["COMPARTMENT_CLOSED", "RENTAL_ENDED"]
    ended = place.journal[-1]
    minutes = (clock_ms(at) - clock_ms("17:00")) // MINUTE_MS
    assert ended.fact("over_min") == minutes
    assert ended.fact("due_fen") == -(-minutes // 60) * HOUR_FEN
    assert place.scan("stranger") == TAKEN_1, "a new one"


def test_one_claimed_and_jammed_is_moved_with_its_token() -> None:
    place = wall()
    place.scan("stranger")
    place.jam(1)
    moved = ["RENTAL_STARTED", "ACCESS_GRANTED", "open hall 2"]
    assert place.scan("stranger") == moved
    assert place.tell(EventKind.RENTAL_STARTED)[-1].fact("end") == clock_ms("17:00")
    assert place.last.is_kept
    assert (place.locker(1), place.locker(2)) == ("FAULT -", "HELD ?")
    place.use(2)
    place.wait(61)
    assert place.scan("stranger") == ["ACCESS_GRANTED", "open hall 2"]


def test_what_was_never_opened_is_free_again() -> None:
    place = wall()
    place.scan("stranger")
    place.refuse(*place.openings())
    place.wait(DAY_MS / 1000)
    assert place.scan("li")[0] == "RENTAL_ENDED"
    assert place.last.is_kept
    assert SECRET not in place.kept[-1][1]
