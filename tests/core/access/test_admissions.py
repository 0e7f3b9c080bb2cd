# SPDX-License-Identifier: Apache-2.0
"""What is counted of a grant: its persons, its pair, and unsure entries by policy."""

from __future__ import annotations

import json

import pytest

from edge.core.access.admissions import UNUSED, Admissions, policy_key
from edge.core.event import Event, EventKind, Facts, Person
from edge.core.plan import DAY_MS
from tests.core.scene import clock_ms, moment

T0 = clock_ms("08:00")
B1 = Person(holder="holder-wang", booking="b1")
WANG = Person(holder="holder-wang")
UNSURE: Facts = (("policy", "p1"), ("time_unverified", 1))


def _granted(
    seq: int, person: Person, facts: Facts = (), earliest_ms: int = T0
) -> Event:
    return Event(
        seq=seq,
        kind=EventKind.ACCESS_GRANTED,
        moment=moment(earliest_ms),
        subject="in",
        facts=tuple(sorted(facts)),
        person=person,
    )


def _ended(seq: int, kind: EventKind, cause: int) -> Event:
    return Event(
        seq=seq,
        kind=kind,
        moment=moment(T0),
        subject="in",
        facts=(("cause", cause),),
    )


def _after(*events: Event) -> Admissions:
    admissions = Admissions()
    for event in events:
        admissions.follow(event)
    return admissions


def _reloaded(admissions: Admissions) -> Admissions:
    again = Admissions()
    again.load(json.loads(json.dumps(admissions.dump())))
    return again


def test_a_grant_counts_its_persons_and_gives_them_back() -> None:
    admissions = _after(_granted(1, B1, (("end", T0), ("persons", 4))))
    assert admissions.by_booking["b1"].persons == 4
    admissions.follow(_ended(2, EventKind.ACCESS_NOT_TAKEN, 1))
    assert admissions.by_booking["b1"].persons == 0


def test_the_first_of_two_is_not_counted_under_the_second_ones_booking() -> None:
    admissions = _after(_granted(1, B1, (("pair", 1), ("persons", 2))))
    assert admissions.by_booking["b1"].persons == 1


def test_persons_of_an_open_grant_outlive_a_snapshot() -> None:
    before = _after(_granted(1, B1, (("persons", 4),)))
    after = _reloaded(before)
    assert after.dump() == before.dump()
    after.follow(_ended(2, EventKind.ACCESS_NOT_TAKEN, 1))
    assert after.by_booking["b1"].persons == 0


def test_a_snapshot_of_the_version_before_is_read() -> None:
    admissions = Admissions()
    admissions.load(
        {"bookings": [["b1", 1, 0, T0]], "open": [[7, "in", "holder-wang", "b1", 0]]}
    )
    admissions.follow(_ended(8, EventKind.ACCESS_NOT_TAKEN, 7))
    assert admissions.by_booking["b1"].persons == 0


def test_unsure_entries_by_policy_count_by_holder_and_day() -> None:
    key = policy_key("holder-wang")
    admissions = _after(_granted(1, WANG, UNSURE), _granted(2, WANG, UNSURE, T0 + 1))
    assert admissions.by_booking[key].unverified == 2
    assert admissions.by_booking[key].end_ms == T0 + DAY_MS
    admissions.follow(_granted(3, WANG, UNSURE, T0 + DAY_MS - 1))
    assert admissions.by_booking[key].unverified == 3
    admissions.follow(_granted(4, WANG, UNSURE, T0 + DAY_MS))
    assert admissions.by_booking[key].unverified == 1
    assert admissions.by_booking[key].end_ms == T0 + 2 * DAY_MS


def test_an_unused_unsure_entry_by_policy_does_not_count() -> None:
    key = policy_key("holder-wang")
    before = _after(_granted(1, WANG, UNSURE))
    for admissions in (before, _reloaded(before)):
        admissions.follow(_ended(2, EventKind.ACCESS_NOT_TAKEN, 1))
        assert admissions.by_booking[key].unverified == 0


def test_a_used_one_stays_counted() -> None:
    admissions = _after(_granted(1, WANG, UNSURE))
    admissions.follow(_ended(2, EventKind.ACCESS_TAKEN, 1))
    admissions.follow(_ended(3, EventKind.ACCESS_NOT_TAKEN, 1))
    assert admissions.by_booking[policy_key("holder-wang")].unverified == 1


@pytest.mark.parametrize(
    ("person", "facts"),
    [
        (WANG, (("policy", "p1"),)),
        (WANG, (("walk_in", 1),)),
        (Person(holder="holder-wang", ticket="t1"), (("time_unverified", 1),)),
        (Person(), (("time_unverified", 1),)),
    ],
)
def test_what_is_counted_elsewhere_or_nowhere(person: Person, facts: Facts) -> None:
    admissions = _after(_granted(1, person, facts))
    assert admissions.by_booking.get(policy_key("holder-wang"), UNUSED) is UNUSED
    assert admissions.open_grants.keys() == {1}


def test_a_ticket_outlives_a_snapshot_with_its_open_grant() -> None:
    person = Person(ticket="t1")
    reloaded = _reloaded(_after(_granted(1, person)))
    assert reloaded.open_grants[1].person == person


def test_a_day_by_policy_is_forgotten_a_day_after_it() -> None:
    admissions = _after(_granted(1, WANG, UNSURE))
    admissions.prune(T0 + 2 * DAY_MS)
    assert admissions.by_booking
    admissions.prune(T0 + 2 * DAY_MS + 1)
    assert not admissions.by_booking
