# SPDX-License-Identifier: Apache-2.0
"""A row that does not fit names its row and its field, and never shows a token."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from edge.core.credential import CredentialKind
from edge.core.people.entries import EVERYWHERE, Elder
from edge.core.people.roster import NOWHERE, RosterBuilder
from edge.core.people.roster_row import (
    LATEST_MS,
    MAX_BOOKING_MS,
    MAX_FEN,
    UNSTATED,
    BookingRow,
    HolderRow,
    PolicyRow,
    RevocationRow,
    TicketKey,
    parse_row,
)

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
    "policy": {"role": "VOLUNTEER", "places": ["kitchen"], "hours": "mon 08:00-22:00"},
    "ticket_key": {
        "kid": "0a0b",
        "key": HEX * 2,
        "from": 1000,
        "to": 2000,
        "issuer": "menshen",
        "doors": ["kitchen"],
    },
    "elder": {"holder": "h-1", "order": 3, "route": "东巷 2 号"},
}
#: Fields that may be left out.
OPTIONAL = {
    *(("elder", name) for name in ("name", "place", "needs")),
    *(("holder", name) for name in ("valid_from", "valid_to", "care_days")),
    *(("booking", name) for name in ("size", "due", "counts_all", "ticket")),
    *(("revocation", name) for name in ("holder", "ticket")),
}
#: Fields whose flaw is told beside a revocation that holds.
KIND = {("revocation", "reason"), ("revocation", "holder"), ("revocation", "ticket")}

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
NOT_HEX: tuple[Any, ...] = (None, 7, True, "", "0", "zz", "00" * 17, ["00"], {})

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
    ("booking", "from"): (ABSENT, None, -1, "1000", 1e3, True, LATEST_MS),
    ("booking", "to"): (
        *(ABSENT, None, 1000, 999, -1, "2000", True, LATEST_MS + 1),
        1001 + MAX_BOOKING_MS,
    ),
    ("booking", "party"): (ABSENT, None, 0, -1, 501, "4", 4.0, True, [4]),
    ("booking", "state"): (*NOT_TEXT, "PENDING", "confirmed", "CONFIRMED "),
    ("booking", "size"): (None, "", "s", "XL", "S ", 1, True, ["S"], {}),
    ("booking", "due"): (None, -1, MAX_FEN + 1, "5", 5.0, True, [5]),
    ("booking", "counts_all"): NOT_FLAG[1:],
    ("booking", "ticket"): NOT_HEX,
    ("holder", "valid_from"): (None, -1, "0", True, LATEST_MS + 1),
    ("holder", "valid_to"): (None, 0, -1, "9", True, LATEST_MS + 1),
    ("holder", "care_days"): (None, -1, 367, "3", True),
    ("revocation", "token"): (*NOT_TEXT, HEX[:-2], f"{HEX}00", "g" * 32),
    ("revocation", "holder"): NOT_TEXT[1:],
    ("revocation", "ticket"): NOT_HEX,
    ("revocation", "reason"): NOT_TEXT,
    ("policy", "role"): NOT_TEXT,
    ("policy", "places"): (
        *(ABSENT, None, "kitchen", {"a": 1}, [1], [None], [[]]),
        *([""], [TOO_LONG], ["x"] * 65),
    ),
    ("policy", "hours"): (
        *(ABSENT, None, 7, True, ["mon 08:00-22:00"], {}, "always", "mon"),
        *("mon 8-22", "mon 25:00-26:00", "noday 08:00-09:00", "mon 08:00-" + "9" * 99),
        *("x" * 513, "mon 08:00-09:00\n"),
    ),
    ("ticket_key", "kid"): (ABSENT, None, 7, "", "0", "0a0b0c0d0e", "zz"),
    ("ticket_key", "key"): (ABSENT, None, 7, "", HEX, f"{HEX * 2}00", "z" * 64),
    ("ticket_key", "from"): (ABSENT, None, -1, "1", True, LATEST_MS),
    ("ticket_key", "to"): (ABSENT, None, 1000, 999, "2", True, LATEST_MS + 1),
    ("ticket_key", "issuer"): (ABSENT, None, 7, "menshen-2", "门神", "a\0b"),
    ("ticket_key", "doors"): (ABSENT, None, "*", [1], [""], ["x"] * 65),
    ("elder", "holder"): NOT_TEXT,
    ("elder", "order"): (ABSENT, None, -1, "1", 1.0, True, 10_001),
    ("elder", "route"): NOT_TEXT,
    ("elder", "name"): NOT_TEXT[1:],
    ("elder", "place"): NOT_TEXT[1:],
    ("elder", "needs"): (*NOT_LIST[1:], [""], [TOO_LONG], [1], ["x"] * 5),
}


def test_every_field_of_every_kind_has_its_bad_values() -> None:
    fields = {(kind, field) for kind, body in GOOD.items() for field in body}
    assert fields | OPTIONAL == BAD.keys()


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (*where, value)
        for where, values in BAD.items()
        for value in values
        if where not in KIND
    ],
    ids=lambda value: "absent" if value is ABSENT else ascii(value)[:24],
)
def test_a_bad_field_is_named(kind: str, field: str, value: Any) -> None:
    body = _with(kind, field, value)
    with pytest.raises(
        ValueError, match=f"^{kind} row-1: {field}: expected "
    ) as caught:
        parse_row(kind, "row-1", body)
    assert len(str(caught.value)) < 250
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("field", "value"),
    [(field, value) for kind, field in sorted(KIND) for value in BAD[kind, field]],
    ids=lambda value: "absent" if value is ABSENT else ascii(value)[:24],
)
def test_a_revocation_holds_whatever_else_is_broken(field: str, value: Any) -> None:
    row = parse_row("revocation", "row-1", _with("revocation", field, value))
    assert isinstance(row, RevocationRow)
    assert row.token == bytes.fromhex(HEX)
    assert row.reason == (UNSTATED if field == "reason" else "LOST")
    assert row.flaw.startswith(f"revocation row-1: {field}: expected ")
    assert (row.holder_id, row.ticket) == ("", "")


def test_a_revocation_whose_token_is_broken_holds_for_whom_else_it_names() -> None:
    body = {"token": "g", "holder": "h-1", "ticket": "0A0b", "reason": "LEFT"}
    row = parse_row("revocation", "row-1", body)
    assert isinstance(row, RevocationRow)
    assert (row.token, row.holder_id, row.ticket) == (b"", "h-1", "0a0b")
    assert row.flaw == "revocation row-1: token: expected 16 hex bytes"


@pytest.mark.parametrize("field", ["holder", "space", "from", "to", "party", "due"])
def test_a_cancelled_booking_takes_its_ticket_along_however_broken(field: str) -> None:
    change: dict[str, Any] = {"state": "CANCELLED", "ticket": "0A0B", field: None}
    row = parse_row("booking", "row-1", GOOD["booking"] | change)
    assert isinstance(row, RevocationRow)
    assert (row.ticket, row.reason) == ("0a0b", "CANCELLED")
    assert row.flaw.startswith(f"booking row-1: {field}: expected ")
    with pytest.raises(ValueError, match=f"row-1: {field}"):
        parse_row("booking", "row-1", GOOD["booking"] | change | {"state": "CONFIRMED"})


def _with(kind: str, field: str, value: Any) -> dict[str, Any]:
    body = GOOD[kind] | {field: value}
    if value is ABSENT:
        del body[field]
    return body


@pytest.mark.parametrize("body", [None, [], "", 7, [["a", 1]]])
@pytest.mark.parametrize("kind", GOOD)
def test_a_body_that_is_no_object_is_named(kind: str, body: Any) -> None:
    with pytest.raises(ValueError, match=f"^{kind} row-1: body: expected an object"):
        parse_row(kind, "row-1", body)


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
    assert parse_row("elder", "e-1", GOOD["elder"]) == Elder(
        holder_id="h-1", order=3, route="东巷 2 号"
    )
    assert parse_row("ticket_key", "k-1", GOOD["ticket_key"]) == TicketKey(
        key_id=b"\x0a\x0b",
        public=bytes.fromhex(HEX * 2),
        from_ms=1000,
        to_ms=2000,
        issuer="menshen",
        doors=("kitchen",),
    )


def test_a_policys_hours_and_places() -> None:
    monday = ((8 * 60, 22 * 60),)
    policy = PolicyRow(
        policy_id="p-1",
        role="VOLUNTEER",
        places=frozenset({"kitchen"}),
        week=(monday, *((),) * 6),
    )
    assert parse_row("policy", "p-1", GOOD["policy"]) == policy
    everywhere = parse_row("policy", "p-1", GOOD["policy"] | {"places": "*"})
    assert everywhere == replace(policy, places=frozenset({EVERYWHERE}))
    always = parse_row("policy", "p-1", GOOD["policy"] | {"hours": ""})
    assert always == replace(policy, week=None)


def test_the_later_fields_of_holders_and_bookings() -> None:
    until = {"valid_from": 5, "valid_to": 6, "care_days": 3}
    row = parse_row("holder", "h-1", GOOD["holder"] | until)
    assert isinstance(row, HolderRow)
    assert (row.valid_from_ms, row.valid_to_ms, row.care_days) == (5, 6, 3)
    paid = {"due": 1500, "counts_all": 1, "ticket": "0A0B0C0D0E0F0A0B"}
    kept = parse_row("booking", "b-1", GOOD["booking"] | paid)
    assert isinstance(kept, BookingRow)
    assert (kept.due_fen, kept.counts_all, kept.ticket) == (
        1500,
        True,
        "0a0b0c0d0e0f0a0b",
    )


def test_no_secret_shows_in_a_rows_own_words() -> None:
    for kind in ("holder", "revocation"):
        row = parse_row(kind, "row-1", GOOD[kind])
        assert str(bytes.fromhex(HEX)) not in repr(row)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("holder", {"roles": [], "credentials": []}),
        ("holder", {"roles": ["x"] * 16, "language": LONGEST}),
        ("holder", {"credentials": [f"CARD:{HEX}"] * 16}),
        ("booking", {"from": 0, "to": 1, "party": 1}),
        ("booking", {"to": 1000 + MAX_BOOKING_MS, "party": 500}),
        ("booking", {"due": MAX_FEN, "counts_all": 1, "ticket": "00" * 16}),
        ("holder", {"valid_from": LATEST_MS - 1, "valid_to": LATEST_MS}),
        ("policy", {"places": ["x"] * 64, "hours": "daily 00:00-24:00"}),
        ("policy", {"places": [], "hours": ";"}),
        ("ticket_key", {"doors": [], "issuer": "", "to": LATEST_MS}),
        ("elder", {"order": 10_000, "route": LONGEST}),
        ("elder", {"name": LONGEST, "place": LONGEST, "needs": [LONGEST] * 4}),
        ("elder", {"name": " ", "needs": []}),
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
        assert parse_row("cell", "", body) is None
        assert parse_row("HOLDER", "\0", body) is None
        assert parse_row("", "x" * 999, body) is None


def test_an_unknown_field_is_ignored() -> None:
    for kind, body in GOOD.items():
        more = json.loads(json.dumps(body | {"colour": ["red"]}))
        assert parse_row(kind, "row-1", more) == parse_row(kind, "row-1", body)
