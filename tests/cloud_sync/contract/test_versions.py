# SPDX-License-Identifier: Apache-2.0
"""This version reads what earlier ones sent, and lets pass what later ones will."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge.core.moment import UNBOUNDED_MS
from edge.core.people.roster_row import BookingRow, HolderRow, RevocationRow, parse_row
from edge.core.people.shift_row import PLANNED, PlannedShift, ShiftRow
from tests.cloud_sync.contract.readers import verdict
from tests.cloud_sync.contract.samples import SAMPLES
from tests.cloud_sync.contract.schemas import SCHEMAS, flaws
from tests.cloud_sync.contract.written import FOLDER

VERSIONS = json.loads((FOLDER / "earlier.json").read_text(encoding="utf-8"))["versions"]
EARLIER = [
    pytest.param(value["schema"], value["value"], id=f"{each['version']}-{number}")
    for each in VERSIONS
    for number, value in enumerate(each["values"])
]
#: Rows of before there were fields that a row may do without.
BARE = [
    value["value"]
    for each in VERSIONS[:2]
    for value in each["values"]
    if value["schema"].startswith("row_")
]


@pytest.mark.parametrize(("name", "value"), EARLIER)
def test_what_an_earlier_version_sent_stays_good(name: str, value: Any) -> None:
    assert flaws(name, value) == []
    assert verdict(name, value) == ""


@pytest.mark.parametrize("row", BARE, ids=lambda row: row["id"])
def test_what_an_earlier_row_lacks_is_as_if_nobody_had_asked(row: Any) -> None:
    match parse_row(row["kind"], row["id"], row["body"]):
        case HolderRow() as holder:
            assert (holder.valid_from_ms, holder.valid_to_ms) == (0, UNBOUNDED_MS)
            assert holder.care_days == 0
        case BookingRow() as booking:
            assert (booking.due_fen, booking.ticket) == (0, "")
            assert not booking.counts_all
        case RevocationRow() as revocation:
            assert (revocation.holder_id, revocation.ticket) == ("", "")
            assert not revocation.flaw
        case other:
            raise AssertionError(other)


def test_a_gateway_that_knows_no_plans_takes_one_for_a_shift_it_never_had() -> None:
    earlier = VERSIONS[-1]["values"][0]["value"]["body"].keys() | {"reason"}
    planned = [
        row for row in SAMPLES["row_shift.json"].values() if "from" in row["body"]
    ]
    assert planned
    for row in planned:
        seen = {key: value for key, value in row["body"].items() if key in earlier}
        assert isinstance(parse_row("shift", row["id"], row["body"]), PlannedShift)
        was = parse_row("shift", row["id"], seen)
        assert isinstance(was, ShiftRow), "it fits, so that no roster is refused"
        assert (was.boot, was.began_m) == (PLANNED, 0)


#: Closed, since a parameter that is not understood changes what a signature means.
CLOSED = {"jws_header.json"}


def test_no_message_is_closed_to_the_fields_of_a_later_version() -> None:
    assert {name for name, schema in SCHEMAS.items() if is_closed(schema)} == CLOSED


def test_no_fact_is_closed_to_the_words_of_a_later_version() -> None:
    for fact, schema in SCHEMAS["event_kinds.json"]["$defs"].items():
        words = [*schema.get("enum", ()), schema.get("const", 0)]
        assert all(isinstance(word, int) for word in words), fact


def is_closed(value: object) -> bool:
    if isinstance(value, dict):
        return value.get("additionalProperties") is False or any(
            map(is_closed, value.values())
        )
    return isinstance(value, list) and any(map(is_closed, value))
