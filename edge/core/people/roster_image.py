# SPDX-License-Identifier: Apache-2.0
"""The image of a roster's columns on a disk, so that a start need not parse rows.

The law of the module: an image is a cache. It is taken only whole, of this format, of
this machine's byte order and of the very feed that is asked for; everything else
counts as none.
"""

from __future__ import annotations

import json
import sys
from array import array
from dataclasses import asdict
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from edge.core.people.community_rows import (
    Contact,
    Grid,
    Notice,
    Office,
    ScheduleRow,
    SpaceRow,
)
from edge.core.people.entries import Elder
from edge.core.people.roster_columns import Columns, Tables, Texts
from edge.core.people.roster_row import PolicyRow, TicketKey
from edge.core.people.shift_row import PlannedShift, ShiftRow

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Raised whenever a column is added, dropped, or means something else.
IMAGE_FORMAT = 6

#: The sections of an image that are columns, in their order; texts take two each.
_TEXTS = ("holders", "bookings")
_ARRAYS = (
    *("holder_flags", "holder_words", "holder_times", "holder_care"),
    *("holder_keys", "holder_order", "token_heads", "token_tails", "token_owners"),
    *("booking_keys", "booking_order", "booking_times", "booking_words"),
    *("booking_flags", "booking_dues", "room_order", "room_groups", "strays"),
)
#: What stands in small tables for people to read, or to narrow a space's terms.
_READ: dict[str, type[Any]] = {
    "elders": Elder,
    "grids": Grid,
    "contacts": Contact,
    "offices": Office,
    "notices": Notice,
    "shifts": ShiftRow,
    "plans": PlannedShift,
    "spaces": SpaceRow,
    "schedules": ScheduleRow,
}
_SECTIONS = 1 + 2 * len(_TEXTS) + len(_ARRAYS)


def pack(columns: Columns, feed: str) -> Iterator[bytes]:
    """Yield the image's parts: its sections, then the seal with ``feed``'s name."""
    digest = blake2b(digest_size=16)
    for section in _sections(columns):
        digest.update(b"%d " % len(section))
        digest.update(section)
        yield section
    yield _seal(feed, digest.hexdigest())


def _sections(columns: Columns) -> Iterator[bytes]:
    yield json.dumps(_dump_tables(columns.tables)).encode()
    for name in _TEXTS:
        texts: Texts = getattr(columns, name)
        yield bytes(texts.buffer)
        yield texts.ends.tobytes()
    for name in _ARRAYS:
        column: array[int] = getattr(columns, name)
        yield column.tobytes()


def _seal(feed: str, digest: str) -> bytes:
    return f"{IMAGE_FORMAT} {sys.byteorder} {digest} {feed}".encode()


class Unpacking:
    """Takes an image part by part, so that no second copy of it stands in memory."""

    def __init__(self, feed: str) -> None:
        self._feed = feed
        self._columns = Columns()
        self._digest = blake2b(digest_size=16)
        self._taken = 0
        self._buffer = b""
        self._is_whole = False
        self._is_spoilt = False

    def take(self, part: bytes) -> None:
        """Take the next part; one that does not fit spoils the image."""
        try:
            if self._taken >= _SECTIONS:
                seal = _seal(self._feed, self._digest.hexdigest())
                self._is_whole = part == seal
            else:
                self._digest.update(b"%d " % len(part))
                self._digest.update(part)
                self._fill(self._taken, part)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self._is_spoilt = True  # of the arrays and of JSON
        self._taken += 1

    def columns(self) -> Columns | None:
        """Return the columns; None unless every part came and fits the seal."""
        is_good = self._is_whole and not self._is_spoilt
        return self._columns if is_good and self._taken == _SECTIONS + 1 else None

    def _fill(self, number: int, part: bytes) -> None:
        if number == 0:
            self._columns.tables = _load_tables(json.loads(part))
            return
        text, half = divmod(number - 1, 2)
        if text >= len(_TEXTS):
            getattr(self._columns, _ARRAYS[number - 1 - 2 * len(_TEXTS)]).frombytes(
                part
            )
        elif half == 0:
            self._buffer = part
        else:
            ends = array("I")
            ends.frombytes(part)
            setattr(self._columns, _TEXTS[text], Texts(self._buffer, ends))
            self._buffer = b""


def _dump_tables(tables: Tables) -> dict[str, Any]:
    return {
        "words": tables.words,
        "revoked": {token.hex(): why for token, why in tables.revoked.items()},
        "revoked_holders": tables.revoked_holders,
        "revoked_tickets": tables.revoked_tickets,
        "policies": [
            [each.policy_id, each.role, sorted(each.places), each.week]
            for each in tables.policies
        ],
        "ticket_keys": [
            [
                *(key.key_id.hex(), key.public.hex(), key.from_ms, key.to_ms),
                *(key.issuer, *key.doors),
            ]
            for key in tables.ticket_keys
        ],
        **{name: [asdict(each) for each in getattr(tables, name)] for name in _READ},
    }


def _load_tables(told: dict[str, Any]) -> Tables:
    revoked = {bytes.fromhex(token): why for token, why in told["revoked"].items()}
    return Tables(
        words=told["words"],
        revoked=revoked,
        revoked_holders=told["revoked_holders"],
        revoked_tickets=told["revoked_tickets"],
        policies=[_load_policy(*each) for each in told["policies"]],
        ticket_keys=[_load_key(*each) for each in told["ticket_keys"]],
        **{
            name: [kind(**_tupled(each)) for each in told[name]]
            for name, kind in _READ.items()
        },
    )


def _tupled(value: Any) -> Any:
    """Return JSON's lists as the tuples that they were."""
    if isinstance(value, dict):
        return {key: _tupled(entry) for key, entry in value.items()}
    return tuple(map(_tupled, value)) if isinstance(value, list) else value


def _load_policy(
    policy_id: str, role: str, places: list[str], week: list[list[list[int]]] | None
) -> PolicyRow:
    days = None
    if week is not None:
        days = tuple(tuple((start, end) for start, end in day) for day in week)
    return PolicyRow(
        policy_id=policy_id, role=role, places=frozenset(places), week=days
    )


def _load_key(
    key_id: str, public: str, from_ms: int, to_ms: int, issuer: str, *doors: str
) -> TicketKey:
    return TicketKey(
        key_id=bytes.fromhex(key_id),
        public=bytes.fromhex(public),
        from_ms=from_ms,
        to_ms=to_ms,
        issuer=issuer,
        doors=doors,
    )
