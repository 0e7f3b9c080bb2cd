# SPDX-License-Identifier: Apache-2.0
"""A row that does not fit names its row and its field, and never shows a token."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge.core.credential import CredentialKind
from edge.core.people.roster import NOWHERE, RosterBuilder
from edge.core.people.roster_row import BookingRow, HolderRow, RevocationRow, parse_row

HEX = "0123456789abcdef0123456789abcdef"
LONGEST, TOO_LONG = "x" * 64, "x" * 65
ABSENT = object()

GOOD: dict[str, dict[str, Any]] = {
    "holder": {
        "enabled": 1,
        "extended": 0,
        "language": "zh-CN",
        "roles": ["resident", "cook"],
        "credentials": [f"ID_CARD:{HEX}", f"QR:{HEX[::-1]}"],
    },
    "booking": {
        "holder": "h-1",
        "space": "kitchen",
        "from": 1000,
        "to": 2000,
        "party": 4,
        "state": "CONFIRMED",
    },
    "revocation": {"token": HEX, "reason": "LOST"},
}
#: Fields that may be left out.
OPTIONAL = {("booking", "size")}

NOT_TEXT: tuple[Any, ...] = (
    ABSENT,
    None,
    7,
    True,
    "",
    TOO_LONG,
    ["zh"],
    {},
    "a\0b",
    "a\nb",
    "\ud800",
)
NOT_FLAG: tuple[Any, ...] = (ABSENT, None, -1, 2, "1", 1.0, True, False, [1])
NOT_LIST: tuple[Any, ...] = (
    ABSENT,
    None,
    "resident",
    {"a": 1},
    ["x"] * 17,
    [1],
    [None],
    [[]],
)

BAD: dict[tuple[str, str], tuple[Any, ...]] = {
    ("holder", "enabled"): NOT_FLAG,
    ("holder", "extended"): NOT_FLAG,
    ("holder", "language"): NOT_TEXT,
    ("holder", "roles"): (*NOT_LIST, [""], [TOO_LONG], ["a\0"], ["\ud800"], ["a b"]),
    ("holder", "credentials"): (
        *NOT_LIST,
        [HEX],
        [f"FACE:{HEX}"],
        [f"card:{HEX}"],
        ["CARD:"],
        [f"CARD:{HEX[:-1]}"],
        [f"CARD:{HEX}00"],
        [f"CARD:{'g' * 32}"],
        [f"CARD:{HEX}", "CARD"],
    ),
    ("booking", "holder"): NOT_TEXT,
    ("booking", "space"): NOT_TEXT,
    ("booking", "from"): (ABSENT, None, -1, "1000", 1e3, True, (1 << 52) + 1),
    ("booking", "to"): (ABSENT, None, 1000, 999, -1, "2000", True, (1 << 52) + 1),
    ("booking", "party"): (ABSENT, None, 0, -1, 501, "4", 4.0, True, [4]),
    ("booking", "state"): (*NOT_TEXT, "PENDING", "confirmed", "CONFIRMED "),
    ("booking", "size"): (None, "", "s", "XL", "S ", 1, True, ["S"], {}),
    ("revocation", "token"): (*NOT_TEXT, HEX[:-2], f"{HEX}00", "g" * 32),
    ("revocation", "reason"): NOT_TEXT,
}


def test_every_field_of_every_kind_has_its_bad_values() -> None:
    fields = {(kind, field) for kind, body in GOOD.items() for field in body}
    assert fields | OPTIONAL == BAD.keys()


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [(*where, value) for where, values in BAD.items() for value in values],
    ids=lambda value: "absent" if value is ABSENT else ascii(value)[:24],
)
def test_a_bad_field_is_named(kind: str, field: str, value: Any) -> None:
    body = GOOD[kind] | {field: value}
    if value is ABSENT:
        del body[field]
    with pytest.raises(
        ValueError, match=f"^{kind} row-1: {field}: expected "
    ) as caught:
        parse_row(kind, "row-1", body)
    assert len(str(caught.value)) < 250
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("row_id", ["", TOO_LONG, "a\0b", "a\nb", "\ud800"], ids=ascii)
def test_a_bad_identifier_is_named(kind: str, row_id: str) -> None:
    with pytest.raises(ValueError, match=f"^{kind} .*: id: expected ") as caught:
        parse_row(kind, row_id, GOOD[kind])
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "credentials",
    [
        [f"CARD:{HEX}", f"FACE:{HEX}"],
        [f"CARD:{HEX}", f"CARD:{HEX}00"],
        [f"CARD:{HEX}"] * 17,
        [f"CARD:{HEX}", 5],
        f"CARD:{HEX}",
    ],
)
def test_an_error_about_credentials_shows_no_token(credentials: Any) -> None:
    with pytest.raises(ValueError, match="credentials") as caught:
        parse_row("holder", "row-1", GOOD["holder"] | {"credentials": credentials})
    assert HEX not in str(caught.value)


def test_an_error_about_a_revoked_token_does_not_show_it() -> None:
    for value in (HEX * 3, f"{HEX}00", [HEX]):
        with pytest.raises(ValueError, match="token") as caught:
            parse_row("revocation", "row-1", {"token": value, "reason": "LOST"})
        assert HEX not in str(caught.value)


def test_good_rows_come_back_typed() -> None:
    assert parse_row("holder", "h-1", GOOD["holder"]) == HolderRow(
        holder_id="h-1",
        roles=("resident", "cook"),
        language="zh-CN",
        is_enabled=True,
        needs_extended_time=False,
        credentials=(
            (CredentialKind.ID_CARD, bytes.fromhex(HEX)),
            (CredentialKind.QR, bytes.fromhex(HEX[::-1])),
        ),
    )
    assert parse_row("booking", "b-1", GOOD["booking"]) == BookingRow(
        booking_id="b-1",
        holder_id="h-1",
        space_id="kitchen",
        from_ms=1000,
        to_ms=2000,
        party=4,
        is_confirmed=True,
        size=None,
    )
    for size in ("S", "M", "L"):
        row = parse_row("booking", "b-1", GOOD["booking"] | {"size": size})
        assert isinstance(row, BookingRow)
        assert row.size == size
    assert parse_row("revocation", "r-1", GOOD["revocation"]) == RevocationRow(
        token=bytes.fromhex(HEX), reason="LOST"
    )


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("holder", {"roles": [], "credentials": []}),
        ("holder", {"roles": ["x"] * 16, "language": LONGEST}),
        ("holder", {"credentials": [f"CARD:{HEX}"] * 16}),
        ("booking", {"from": 0, "to": 1, "party": 1}),
        ("booking", {"to": 1 << 52, "party": 500, "state": "CANCELLED"}),
        ("booking", {"holder": LONGEST, "space": "共享厨房"}),
        ("revocation", {"token": HEX.upper(), "reason": LONGEST}),
    ],
)
def test_the_extremes_that_are_allowed(kind: str, change: dict[str, Any]) -> None:
    row = parse_row(kind, LONGEST, GOOD[kind] | change)
    assert row is not None
    builder = RosterBuilder()
    builder.add([row])
    builder.build(NOWHERE)


def test_an_unknown_kind_is_ignored_whatever_it_holds() -> None:
    for body in ({}, {"token": 5}, GOOD["holder"]):
        assert parse_row("policy", "", body) is None
        assert parse_row("HOLDER", "\0", body) is None
        assert parse_row("", "x" * 999, body) is None


def test_an_unknown_field_is_ignored() -> None:
    for kind, body in GOOD.items():
        more = json.loads(json.dumps(body | {"colour": ["red"]}))
        assert parse_row(kind, "row-1", more) == parse_row(kind, "row-1", body)
