# SPDX-License-Identifier: Apache-2.0
"""Rows for a feed out of a file: JSON lines of any kind, or a CSV of bookings.

The law of the module: a file is taken whole or not at all, and every flaw is told with
its line. A row is held to the rules by which gateways put rows into quarantine, so
that whoever made the file learns of a flaw, and not a volunteer at a door.

A line of JSON is ``{"kind","id","body"}``; with ``"body": null`` the row is removed. A
CSV's first line names its columns; times in it are local ("2026-03-02 15:04", or
"2026/3/2 15:04" as spreadsheet programs write it) unless they carry an offset.
Source: docs/sync-contract.md, section 5; docs/platform.md.
"""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from cloud_sync.feed import read_row
from cloud_sync.platform.feeds import HEAD_BYTES, ROW_BYTES, Change
from cloud_sync.refusal import Refused
from edge.core.chain import canonical
from edge.core.people.roster_row import RevocationRow, parse_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_sync.platform.feeds import Key

#: A feed of a million rows of 200 bytes; beyond it somebody took the wrong file.
FILE_BYTES = 256 * 1024 * 1024
#: Flaws that are told singly.
MAX_TOLD = 20
BOOKING = "booking"
_NEEDED = ("id", "holder", "space", "from", "to")
_OPTIONAL = ("party", "state", "size", "due", "counts_all", "ticket")
_NUMBERS = ("party", "due", "counts_all")
_LOCAL = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[ T](\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII
)


class _Unread(NamedTuple):
    """A line that could not be read."""

    why: str


class RowsError(Exception):
    """A file that cannot be taken; the text has a line for each flaw."""


def read_rows(name: str, content: bytes, *, utc_offset_min: int) -> Change:
    """Return what a file's content asks for; its name tells CSV from JSON lines."""
    if len(content) > FILE_BYTES:
        raise RowsError(f"{name}: {len(content)} bytes, {FILE_BYTES} at most")
    is_csv = name.lower().endswith(".csv")
    text = decoded(name, content)
    rows = _csv_rows(text, utc_offset_min) if is_csv else _json_rows(text)
    put: dict[Key, str] = {}
    remove: list[Key] = []
    lines: dict[Key, int] = {}
    flaws: list[str] = []
    for line, raw in rows:
        try:
            kind, row_id, body = _fields(raw)
            before = lines.setdefault((kind, row_id), line)
            if before != line:
                flaws.append(f"{name}:{line}: {kind} {row_id}: also in line {before}")
            elif body is None:
                remove.append((kind, row_id))
            else:
                put[kind, row_id] = _checked(kind, row_id, body)
        except (ValueError, RecursionError) as flaw:
            flaws.append(f"{name}:{line}: {flaw}")
    if flaws:
        more = len(flaws) - MAX_TOLD
        beyond = [f"{name}: and {more} more"] if more > 0 else []
        raise RowsError("\n".join(flaws[:MAX_TOLD] + beyond))
    return Change(put=put, remove=remove)


def decoded(name: str, content: bytes) -> str:
    """Read UTF-8, with or without a mark, or what Chinese spreadsheets write."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RowsError(f"{name}: neither UTF-8 nor GB 18030; save it as UTF-8")


def _json_rows(text: str) -> Iterator[tuple[int, Any]]:
    for line, each in enumerate(text.split("\n"), 1):
        if each.strip():
            try:
                yield line, json.loads(each)
            except (ValueError, RecursionError):
                yield line, _Unread("no JSON")


def _csv_rows(text: str, utc_offset_min: int) -> Iterator[tuple[int, Any]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = [name.strip() for name in next(reader, [])]
        flaw = _column_flaw(columns)
        if flaw:
            yield 1, _Unread(flaw)
            return
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, _booking(columns, cells, utc_offset_min)
    except csv.Error as broken:
        yield reader.line_num, _Unread(f"no CSV: {broken}")


def _column_flaw(columns: list[str]) -> str:
    missing = [name for name in _NEEDED if name not in columns]
    unknown = [name for name in columns if name not in _NEEDED + _OPTIONAL]
    if missing:
        return f"the first line lacks the columns {', '.join(missing)}"
    if unknown:
        known = ", ".join(_NEEDED + _OPTIONAL)
        return f"there is no column {unknown[0]!a}, known: {known}"
    return "" if len(set(columns)) == len(columns) else "a column stands twice"


def _booking(columns: list[str], cells: list[str], utc_offset_min: int) -> Any:
    """Return a booking as a JSON line would have it."""
    if len(cells) != len(columns):
        return _Unread(f"{len(cells)} fields for {len(columns)} columns")
    given = {
        name: cell.strip() for name, cell in zip(columns, cells, strict=True) if cell
    }
    body: dict[str, int | str] = {"party": 1, "state": "CONFIRMED"}
    try:
        for name, cell in given.items():
            if name in ("from", "to"):
                body[name] = utc_ms(cell, utc_offset_min)
            elif name in _NUMBERS:
                body[name] = int(cell)
            elif name != "id":
                body[name] = cell
    except ValueError:
        return _Unread(f"{name}: cannot read {cell[:32]!a}")
    return {"kind": BOOKING, "id": given.get("id", ""), "body": body}


def utc_ms(text: str, utc_offset_min: int) -> int:
    """Return a moment that people wrote, local unless it has an offset; ValueError."""
    local = _LOCAL.fullmatch(text)
    if local is not None:
        numbers = [int(each or 0) for each in local.groups()]
        zone = timezone(timedelta(minutes=utc_offset_min))
        moment = datetime(*numbers, tzinfo=zone)  # type: ignore[arg-type, misc]
    else:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("a time of no day")
    return round(moment.timestamp() * 1000)


def _fields(raw: Any) -> tuple[str, str, Any]:
    if isinstance(raw, _Unread):
        raise ValueError(raw.why)
    if not isinstance(raw, dict) or not {"kind", "id", "body"} <= raw.keys():
        raise ValueError("expected an object with kind, id and body")
    kind, row_id, body = raw["kind"], raw["id"], raw["body"]
    row = {"kind": kind, "id": row_id, "ver": 0, "body": {} if body is None else body}
    read = read_row(row)
    if isinstance(read, Refused):
        raise ValueError(read.why)
    if not read.id.isprintable():
        raise ValueError(f"a {kind} whose id is not printable")
    return read.kind, read.id, body


def _checked(kind: str, row_id: str, body: Any) -> str:
    """Return a body's canonical JSON; ValueError if a gateway would not take it."""
    row = parse_row(kind, row_id, body)
    if isinstance(row, RevocationRow) and row.flaw:
        raise ValueError(row.flaw)
    text = canonical(body)
    if len(text.encode()) > ROW_BYTES - HEAD_BYTES:
        raise ValueError(f"{kind} {row_id}: over {ROW_BYTES - HEAD_BYTES} bytes")
    return text
