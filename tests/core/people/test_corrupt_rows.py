# SPDX-License-Identifier: Apache-2.0
"""No row, however broken, raises or opens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.access.answers import Denied, Granted
from edge.core.access.decision import decide
from edge.core.people.quarantine import Quarantine
from edge.core.people.roster import NOWHERE, Roster, RosterBuilder
from edge.core.people.roster_image import Unpacking, pack
from tests.core.decision_case import question
from tests.core.scene import card, clock_ms, holder, moment, token
from tests.core.test_roster_row import ABSENT, BAD, GOOD, KIND

if TYPE_CHECKING:
    from edge.core.people.roster_row import RosterRow

#: A number that stands where it must not, and must come out nowhere.
NUMBER = "11010519491231002X"
NOON = clock_ms("12:00")
#: Rows that together let wang into the kitchen at noon.
OPENS: dict[str, dict[str, Any]] = {
    "holder": GOOD["holder"] | {"credentials": [f"CARD:{token('wang').hex()}"]},
    "booking": GOOD["booking"]
    | {"holder": "row-1", "from": NOON, "to": NOON + 1000, "state": "CONFIRMED"},
}
TEXT = st.text(alphabet="a*:{[ \0\n\ud800床0", max_size=6) | st.just("x" * 70)
LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-2, 3000)
    | st.floats()
    | TEXT
    | st.sampled_from((NUMBER, "CONFIRMED", "CANCELLED", 10**30, token("x").hex()))
)
JSON = LEAF | st.lists(LEAF, max_size=3) | st.dictionaries(TEXT, LEAF, max_size=2)
KINDS = st.sampled_from((*GOOD, "grid", "HOLDER", ""))
FIELDS = st.sampled_from(sorted({field for _, field in BAD}))
#: Kind, id, and what is put into a good body and taken out of it.
ROWS = st.lists(
    st.tuples(
        KINDS,
        TEXT | st.sampled_from(("row-1", NUMBER)),
        st.dictionaries(FIELDS, JSON, max_size=3),
        st.none() | FIELDS,
    ),
    max_size=8,
)


def _text(kind: str, more: dict[str, Any], missing: str | None) -> str:
    body = GOOD.get(kind, {}) | more
    body.pop(missing or "", None)
    return json.dumps(body)


def built(rows: list[RosterRow], quarantine: Quarantine) -> Roster:
    builder = RosterBuilder({"kitchen"})
    builder.add(rows)
    roster = builder.build(NOWHERE)
    for stray in builder.strays():
        quarantine.add(*stray)
    return roster


@settings(max_examples=300, deadline=None, print_blob=True)
@given(ROWS)
def test_no_row_raises_lets_a_stranger_in_or_shows_what_stood_in_it(
    rows: list[tuple[str, str, dict[str, Any], str | None]],
) -> None:
    quarantine = Quarantine()
    parsed = [
        quarantine.parse(kind, row_id, _text(kind, more, missing))
        for kind, row_id, more, missing in rows
    ]
    kept = [row for row in parsed if row is not None]
    roster = built([holder("wang"), *kept], quarantine)
    for who in ("stranger", "li", ""):
        asked = question(roster, card(who), moment(NOON))
        assert isinstance(decide(asked), Denied)
    assert all(NUMBER not in str(note.facts) for note in quarantine.notes())
    assert NUMBER not in quarantine.summary()
    unpacking = Unpacking("feed")
    for part in pack(roster.columns, "feed"):
        unpacking.take(part)
    columns = unpacking.columns()
    assert columns is not None
    assert columns.tables == roster.tables
    assert Roster(columns, NOWHERE).find(token("wang")) == roster.find(token("wang"))


@settings(max_examples=300, deadline=None, print_blob=True)
@given(KINDS, TEXT, TEXT | JSON.map(json.dumps) | st.just("[" * 99_999))
def test_no_text_makes_the_parser_raise(kind: str, row_id: str, text: str) -> None:
    quarantine = Quarantine()
    assert quarantine.parse(kind, row_id, text) is None
    assert kind not in GOOD or quarantine.is_hopeless


def _answer(spoilt: dict[str, dict[str, Any]]) -> Denied | Granted:
    quarantine = Quarantine()
    rows = [quarantine.parse(k, "row-1", json.dumps(b)) for k, b in spoilt.items()]
    roster = built([row for row in rows if row is not None], quarantine)
    return decide(question(roster, card("wang"), moment(NOON)))


def test_the_rows_open_as_long_as_they_are_whole() -> None:
    assert isinstance(_answer(OPENS), Granted)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (kind, field, value)
        for (kind, field), values in BAD.items()
        for value in values
        if kind in OPENS and (kind, field) not in KIND and value != 1000
    ],
    ids=lambda value: "absent" if value is ABSENT else ascii(value)[:24],
)
def test_one_broken_field_and_the_rows_open_nothing(
    kind: str, field: str, value: Any
) -> None:
    body = OPENS[kind] | {field: value}
    if value is ABSENT:
        del body[field]
    assert isinstance(_answer(OPENS | {kind: body}), Denied)


@pytest.mark.parametrize("change", [{}, {"reason": None}, {"ticket": 5}, {"holder": 5}])
def test_a_revocation_beats_them_however_broken_beside(change: dict[str, Any]) -> None:
    body = {"token": token("wang").hex(), "reason": "LOST"} | change
    assert isinstance(_answer(OPENS | {"revocation": body}), Denied)
    named = {"holder": "row-1", "reason": "LEFT", "token": 7} | change
    if named["holder"] == "row-1":
        assert isinstance(_answer(OPENS | {"revocation": named}), Denied)
