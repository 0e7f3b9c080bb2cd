# SPDX-License-Identifier: Apache-2.0
"""Broken rows are told, counted, and never let a whole site go blind."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from edge.core.event import Event, EventKind, encode_core
from edge.core.people.quarantine import MAX_TOLD, Quarantine, row_sign
from edge.core.people.roster_row import HolderRow, RevocationRow
from tests.core.scene import moment

GOOD = {"enabled": 1, "extended": 0, "language": "zh", "roles": [], "credentials": []}
#: A number that somebody wrote into a wrong field.
NUMBER = "11010519491231002X"


def parsed(quarantine: Quarantine, count: int, *, broken: int) -> None:
    for number in range(count):
        body = GOOD | ({"enabled": NUMBER} if number < broken else {})
        quarantine.parse("holder", f"h-{number}", json.dumps(body))


def test_a_good_row_comes_through_and_nothing_is_told() -> None:
    quarantine = Quarantine()
    row = quarantine.parse("holder", "h-1", json.dumps(GOOD))
    assert isinstance(row, HolderRow)
    assert list(quarantine.notes()) == []
    assert not quarantine.is_hopeless
    assert quarantine.summary() == "no row is broken"


def test_a_broken_row_is_told_without_its_name_or_what_stood_in_it() -> None:
    quarantine = Quarantine()
    parsed(quarantine, 3, broken=1)
    [note] = quarantine.notes()
    assert note.kind is EventKind.ROW_QUARANTINED
    assert dict(note.facts) == {
        "id": sha256(b"h-0").hexdigest()[:16],
        "kind": "holder",
        "why": "enabled: expected an integer from 0 to 1",
    }
    assert NUMBER not in quarantine.summary()
    assert quarantine.summary().startswith("1 of 3 rows broken, first a holder: ena")


def test_a_row_is_called_by_a_sign_whatever_its_id() -> None:
    assert row_sign("wang") == sha256(b"wang").hexdigest()[:16]
    assert row_sign("wang") != row_sign("wang ")
    assert len(row_sign("\ud800" * 99)) == 16


def test_the_first_are_told_and_the_others_counted() -> None:
    quarantine = Quarantine()
    parsed(quarantine, 3 * MAX_TOLD, broken=MAX_TOLD + 7)
    notes = list(quarantine.notes())
    assert len(notes) == MAX_TOLD + 1
    assert notes[-1].facts == (("count", 7),)


def test_what_is_told_can_be_stored() -> None:
    quarantine = Quarantine()
    quarantine.parse("holder", "x" * 500, "[" * 5000)
    quarantine.parse("policy", "p", json.dumps({"places": "*", "hours": "x" * 400}))
    for note in quarantine.notes():
        event = Event(
            seq=1,
            kind=note.kind,
            moment=moment(1),
            subject=note.subject,
            facts=tuple(sorted(note.facts)),
        )
        assert len(encode_core(event)) < 400


@pytest.mark.parametrize(
    ("rows", "broken", "is_hopeless"),
    [(1, 1, True), (2, 1, False), (3, 2, True), (4, 2, False), (100, 51, True)],
)
def test_more_than_half_is_a_mistake_of_the_sender(
    rows: int, broken: int, *, is_hopeless: bool
) -> None:
    quarantine = Quarantine()
    parsed(quarantine, rows, broken=broken)
    assert quarantine.is_hopeless is is_hopeless


def test_kinds_of_a_later_version_make_no_snapshot_better() -> None:
    quarantine = Quarantine()
    parsed(quarantine, 1, broken=1)
    for number in range(10):
        assert quarantine.parse("grid", f"g-{number}", "{}") is None
    assert quarantine.is_hopeless


def test_a_revocation_with_a_flaw_is_used_and_told() -> None:
    quarantine = Quarantine()
    body = {"token": "ab" * 16, "reason": 7}
    row = quarantine.parse("revocation", "r-1", json.dumps(body))
    assert isinstance(row, RevocationRow)
    [note] = quarantine.notes()
    assert str(dict(note.facts)["why"]).startswith("reason: expected")


def test_a_stray_counts_as_broken() -> None:
    quarantine = Quarantine()
    parsed(quarantine, 2, broken=0)
    quarantine.add("booking", "b-1", "holder: there is no such holder")
    assert not quarantine.is_hopeless
    quarantine.add("booking", "b-2", "holder: there is no such holder")
    assert quarantine.is_hopeless
