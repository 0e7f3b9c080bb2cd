# SPDX-License-Identifier: Apache-2.0
"""Rows out of files: what people write, and every flaw with its line."""

from __future__ import annotations

import json

import pytest

from cloud_sync.platform.rows_file import RowsError, read_rows

HEAD = "id,holder,space,from,to"
HOLDER = {
    "enabled": 1,
    "extended": 0,
    "language": "zh",
    "roles": ["RESIDENT"],
    "credentials": [],
}


def csv(*lines: str, encoding: str = "utf-8") -> dict[tuple[str, str], str]:
    content = "\r\n".join(lines).encode(encoding)
    return read_rows("b.csv", content, utc_offset_min=480).put


def flaws(name: str, text: str) -> list[str]:
    with pytest.raises(RowsError) as caught:
        read_rows(name, text.encode(), utc_offset_min=480)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-02 09:00",
        "2026/3/2 9:00",
        "2026-03-02T09:00:00",
        "2026-03-02T01:00:00Z",
        "2026-03-02 01:00+00:00",
    ],
)
def test_a_bookings_time_is_local_unless_it_says_otherwise(written: str) -> None:
    put = csv(HEAD, f"b-1,h-1,kitchen,{written},2026-03-02 11:00")
    body = json.loads(put["booking", "b-1"])
    assert body == {
        "holder": "h-1",
        "space": "kitchen",
        "from": 1_772_413_200_000,
        "to": 1_772_420_400_000,
        "party": 1,
        "state": "CONFIRMED",
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_read_as_spreadsheet_programs_save_it(encoding: str) -> None:
    put = csv(
        f"{HEAD},party,due,size",
        "b-1,周奶奶,厨房,2026-03-02 09:00,2026-03-02 11:00,4,500,",
        ",,,,,,,",
        "b-2,周奶奶,柜,2026-03-02 09:00,2026-03-02 11:00,,,M",
        encoding=encoding,
    )
    first, second = (json.loads(body) for body in put.values())
    assert (first["holder"], first["party"], first["due"]) == ("周奶奶", 4, 500)
    assert "size" not in first
    assert (second["party"], second["size"]) == (1, "M")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "b.csv:1: the first line lacks the columns id, holder, space, from, to"),
        ("id,holder,space,from", "b.csv:1: the first line lacks the columns to"),
        (f"{HEAD},colour", "b.csv:1: there is no column 'colour', known: id, holder"),
        (f"{HEAD}\nb-1,h,k", "b.csv:2: 3 fields for 5 columns"),
        (f"{HEAD}\nb-1,h,k,soon,2026-03-02 11:00", "b.csv:2: from: cannot read 'soon'"),
        (f"{HEAD}\nb-1,h,k,2026-03-02,2026-03-03", "b.csv:2: from: cannot read"),
        (
            f"{HEAD}\nb-1,h,k,2026-03-02 11:00,2026-03-02 09:00",
            "b.csv:2: booking b-1: to: expected an integer from",
        ),
        (f'{HEAD}\n"b-1', "b.csv:2: no CSV: unexpected end of data"),
        (f"{HEAD}\n,h,k,2026-03-02 9:00,2026-03-02 11:00", "b.csv:2: a booking with"),
    ],
)
def test_a_flaw_of_a_csv_is_told_with_its_line(text: str, told: str) -> None:
    [flaw] = flaws("b.csv", text)
    assert flaw.startswith(told)


def test_json_lines_hold_any_kind_and_null_removes() -> None:
    lines = [
        {"kind": "holder", "id": "h-1", "body": HOLDER},
        {"kind": "cell", "id": "n-1", "body": {"text": "later"}, "ver": 7},
        {"kind": "booking", "id": "b-9", "body": None},
    ]
    text = "\n".join(json.dumps(line) for line in lines) + "\n\n"
    change = read_rows("rows.jsonl", text.encode(), utc_offset_min=0)
    assert set(change.put) == {("holder", "h-1"), ("cell", "n-1")}
    assert change.put["cell", "n-1"] == '{"text":"later"}'
    assert list(change.remove) == [("booking", "b-9")]


def line(kind: str, row_id: str, body: object) -> str:
    return json.dumps({"kind": kind, "id": row_id, "body": body})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "no JSON"),
        ("[1]", "expected an object with kind, id and body"),
        ('{"kind":"holder","id":"h"}', "expected an object with kind, id and body"),
        (line("Holder", "h-1", {}), "a row without a kind"),
        (line("holder", "", {}), "a holder without an id"),
        (line("notice", "n\n", {}), "a notice whose id is not printable"),
        (line("grid", "g-1", {}), "grid g-1: name: expected 1 to 64 printable"),
        (
            line("contact", "c-1", {"name": "x", "phone": "ask", "role": "DOCTOR"}),
            "contact c-1: phone: expected 3 to 32 of",
        ),
        (
            line("schedule", "s-1", {"space": "k", "hours": "always"}),
            "schedule s-1: hours: expected hours such as",
        ),
        (line("holder", "h-1", {"x": 1.5}), "a holder whose body is not of integers"),
        (line("holder", "h-1", {}), "holder h-1: credentials: expected a list"),
        (
            line("revocation", "r-1", {"token": "zz", "holder": "h", "reason": "LOST"}),
            "revocation r-1: token: expected 16 hex bytes",
        ),
        (line("cell", "n-1", {"text": "x" * 9000}), "cell n-1: over 7680 bytes"),
    ],
)
def test_a_row_that_a_gateway_would_not_take_is_not_taken_here(
    text: str, told: str
) -> None:
    good = line("holder", "h-0", HOLDER)
    [flaw] = flaws("r.jsonl", f"{good}\n{text}\n")
    assert flaw.startswith(f"r.jsonl:2: {told}"), flaw


def test_one_row_twice_is_a_flaw_and_of_many_the_first_are_told() -> None:
    good = line("holder", "h-0", HOLDER)
    assert flaws("r.jsonl", f"{good}\n{good}") == [
        "r.jsonl:2: holder h-0: also in line 1"
    ]
    many = flaws("r.jsonl", "{\n" * 50)
    assert len(many) == 21
    assert many[-1] == "r.jsonl: and 30 more"


def test_what_is_no_text_is_no_file_of_rows() -> None:
    with pytest.raises(RowsError, match="neither UTF-8 nor GB 18030"):
        read_rows("b.csv", b"\xff\xff\xff", utc_offset_min=0)
