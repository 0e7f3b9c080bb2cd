# SPDX-License-Identifier: Apache-2.0
"""The feed of bookings and holders: rows, their sum, snapshots and changes in parts.

The law of the module: rows are handed on as they come, so that storage can stage
them, and nothing is called complete before every part is there and count and hash
agree. The assembler keeps no row: its memory is one bit a part. Changes are counted
here; whether they add up only storage can say, which holds what they change.
Source: docs/sync-contract.md, sections 4 and 5.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from cloud_sync.refusal import RefusalKind, Refused
from edge.core.chain import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable

#: 4096 parts of 45 KiB are 184 MB: far more than the rows below need.
MAX_PARTS = 4096
#: A neighbourhood of 100,000 people with ten rows each.
MAX_ROWS = 1_000_000
#: Identifiers are platform keys; longer ones are a mistake.
ID_CHARACTERS = 128
_EPOCH = re.compile(r"[0-9]{4}-[0-9a-f]{8}")
_KIND = re.compile(r"[a-z][a-z_]{0,30}")
_MODULUS = 1 << 256
#: body, id, kind, ver.
_FIELDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCursor:
    """How far a feed is held: ``epoch`` is ``{counter:4 digits}-{8 hex}`` or empty.

    ValueError for an epoch that is neither.
    """

    epoch: str
    rev: int

    def __post_init__(self) -> None:
        if self.epoch and not _EPOCH.fullmatch(self.epoch):
            raise ValueError(f"feed epoch {self.epoch!r} is not 4 digits, '-', 8 hex")

    @property
    def age(self) -> tuple[int, int]:
        """What cursors are ordered by: the epoch's random half orders nothing."""
        return (int(self.epoch[:4]) if self.epoch else -1, self.rev)


#: The cursor of a gateway that holds nothing yet.
NO_FEED = FeedCursor(epoch="", rev=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    """One row: ``body`` is canonical JSON, ``digest`` SHA256 of the whole row.

    Of a row that is gone both are empty.
    """

    kind: str
    id: str
    ver: int
    body: str
    digest: bytes


def read_row(raw: object, *, may_be_gone: bool = False) -> FeedRow | Refused:
    """Read a row off the wire; integers, strings and lists of them are all it has.

    Among changes the body may be null: the row is gone.
    """
    if not isinstance(raw, dict):
        return _shape("a row is not an object")
    kind, identity, ver, body = (raw.get(key) for key in ("kind", "id", "ver", "body"))
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        return _shape("a row without a kind")
    if not isinstance(identity, str) or not 0 < len(identity) <= ID_CHARACTERS:
        return _shape(f"a {kind} without an id")
    if not _is_integer(ver) or not isinstance(ver, int):
        return _shape(f"a {kind} without a version")
    if may_be_gone and body is None and "body" in raw:
        return FeedRow(kind=kind, id=identity, ver=ver, body="", digest=b"")
    if not isinstance(body, dict) or not all(map(_is_hashable, body.values())):
        return _shape(f"a {kind} whose body is not of integers, strings and lists")
    if not all(_is_hashable(entry) for key, entry in raw.items() if key != "body"):
        return _shape(f"a {kind} with a field that cannot be hashed")
    text = canonical(body)
    if len(raw) == _FIELDS:  # as canonical(raw), whose fields stand in this order
        name = json.dumps(identity, ensure_ascii=False)
        whole = f'{{"body":{text},"id":{name},"kind":"{kind}","ver":{ver}}}'
    else:
        whole = canonical(raw)
    digest = sha256(whole.encode()).digest()
    return FeedRow(kind=kind, id=identity, ver=ver, body=text, digest=digest)


def add(total: int, digests: Iterable[bytes]) -> int:
    """Return the running sum of row digests, mod 2^256."""
    return (total + sum(int.from_bytes(digest) for digest in digests)) % _MODULUS


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPart:
    """Part ``index`` of ``parts`` of the snapshot at ``cursor`` that ``pull`` asked.

    ``count`` and ``hash`` describe the whole snapshot. ``parts`` 0: nothing newer, and
    ``hash`` is that of what is held, where the platform says it.
    ``since``: these are changes alone, since that revision; then ``count`` is how many
    they are, ``total`` and ``hash`` describe the feed with them (``hash`` empty: there
    is more to come, and nobody has added it up).
    """

    pull: str
    cursor: FeedCursor
    index: int
    parts: int
    count: int
    hash: bytes
    rows: tuple[object, ...]
    since: int | None = None
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedOffer:
    """The snapshot of ``parts`` parts that ``pull`` asked waits at ``path`` (HTTPS)."""

    pull: str
    path: str
    parts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """Rows that are new, and whether all is complete now (a snapshot: verified)."""

    rows: tuple[FeedRow, ...]
    is_complete: bool


class SnapshotAssembler:
    """Collects the parts of one pull, in any order, duplicates included.

    ``held``: nothing older is taken. ``asked`` is what the pull named, if not that:
    changes have to begin there. ``receive`` answers each part with :class:`Staged` or
    :class:`Refused`. A refusal other than ``FEED_PULL`` spoils the snapshot: it
    answers the same from then on.
    """

    __slots__ = (
        *("_asked", "_count", "_header", "_held", "_pull", "_seen", "_spoilt", "_sum"),
        "is_of_changes",
    )

    def __init__(
        self, pull: str, held: FeedCursor, asked: FeedCursor | None = None
    ) -> None:
        self._pull = pull
        self._held = held
        self._asked = held if asked is None else asked
        #: Whether the answer turned out to be changes, not a snapshot.
        self.is_of_changes = False
        self._header: tuple[object, ...] | None = None
        self._seen: set[int] = set()
        self._count = 0
        self._sum = 0
        self._spoilt: Refused | None = None

    def receive(self, part: FeedPart) -> Staged | Refused:
        """Take one part; its rows come back once, however often it comes."""
        if part.pull != self._pull:
            return Refused(kind=RefusalKind.FEED_PULL, why="a part of another pull")
        if self._spoilt is not None:
            return self._spoilt
        answer = self._header_refusal(part) or self._take(part)
        if isinstance(answer, Refused):
            self._spoilt = answer
        return answer

    def _header_refusal(self, part: FeedPart) -> Refused | None:
        if self._held.age > part.cursor.age:
            why = f"{part.cursor.epoch}/{part.cursor.rev} is older than what is held"
            return Refused(kind=RefusalKind.FEED_CURSOR, why=why)
        if part.since is not None:
            self.is_of_changes = True
            asked, place = self._asked, part.cursor
            is_next = (place.epoch, part.since) == (asked.epoch, asked.rev)
            if not is_next or place.rev <= part.since:
                why = (
                    f"changes from {part.since} to {place.rev}, which nobody asked for"
                )
                return Refused(kind=RefusalKind.FEED_CURSOR, why=why)
        if part.parts > MAX_PARTS or max(part.count, part.total) > MAX_ROWS:
            why = f"{part.parts} parts with {part.count} rows"
            return Refused(kind=RefusalKind.FEED_LIMIT, why=why)
        if not 0 <= part.index < part.parts:
            return _shape(f"part {part.index} of {part.parts}")
        header = (
            *(part.cursor, part.parts, part.count, part.hash),
            *(part.since, part.total),
        )
        if self._header is None:
            self._header = header
        elif self._header != header:
            return _shape("the parts disagree about their snapshot")
        return None

    def _take(self, part: FeedPart) -> Staged | Refused:
        if part.index in self._seen:
            return Staged(rows=(), is_complete=len(self._seen) == part.parts)
        if self._count + len(part.rows) > part.count:
            return _shape(f"more than the {part.count} rows announced")
        rows: list[FeedRow] = []
        for raw in part.rows:
            row = read_row(raw, may_be_gone=part.since is not None)
            if isinstance(row, Refused):
                return row
            rows.append(row)
        self._seen.add(part.index)
        self._count += len(rows)
        self._sum = add(self._sum, (row.digest for row in rows))
        is_last = len(self._seen) == part.parts
        return (self._disagreement(part) if is_last else None) or Staged(
            rows=tuple(rows), is_complete=is_last
        )

    def _disagreement(self, part: FeedPart) -> Refused | None:
        if self._count != part.count:
            return _shape(f"{self._count} rows where {part.count} were announced")
        if part.since is None and self._sum.to_bytes(32) != part.hash:
            why = "the rows do not add up to the hash"
            return Refused(kind=RefusalKind.FEED_HASH, why=why)
        return None


def _shape(why: str) -> Refused:
    return Refused(kind=RefusalKind.FEED_SHAPE, why=why)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_hashable(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(entry, str) or _is_integer(entry) for entry in value)
    return isinstance(value, str) or _is_integer(value)
