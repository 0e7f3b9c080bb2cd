# SPDX-License-Identifier: Apache-2.0
"""The numbered feed of holders, bookings and revocations, and its snapshots.

The law of the module: no IO; a change moves ``rev`` by one and the hash by what
changed; a snapshot's parts are cut once a revision and fit the contract's limit.
Source: docs/sync-contract.md sections 4 and 5.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from firmware_sim.platform.chain import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: JSON of one part (contract section 4): base64 adds a third, and 64 KiB must hold it.
MAXIMUM_PART_BYTES = 45 * 1024
#: Of a part, what its fields other than the rows may take: they are 400 at most.
_HEAD_BYTES = 512
#: One row; the longest in use has 1 KiB, and a part must hold several.
MAXIMUM_ROW_BYTES = 8 * 1024
#: Rows of one site: a quarter of a million people keep it below 1000 parts.
MAXIMUM_ROWS = 250_000
#: Revisions whose changes are remembered; older ones get a snapshot.
MAXIMUM_RECENT = 50
#: A feed epoch's counter has four digits.
MAXIMUM_COUNTER = 9999
_MODULUS = 1 << 256

Key = tuple[str, str]
Body = dict[str, int | str | list[int | str]]


class Cursor(NamedTuple):
    """A place in the feed; ``("", 0)`` before everything."""

    epoch: str
    rev: int

    @property
    def counter(self) -> int:
        """The ordered half of the epoch; 0 for none."""
        return int(self.epoch[:4] or "0")


class Change(NamedTuple):
    """What one revision wrote: the new texts by key, None for what went away."""

    cursor: Cursor
    texts: dict[Key, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row as the platform's owner writes it; its version is the feed's affair."""

    kind: str
    id: str
    body: Body

    @property
    def key(self) -> Key:
        """What a row replaces or removes."""
        return (self.kind, self.id)

    def text(self, version: int) -> str:
        """Return the canonical row of that version."""
        return canonical(
            {"kind": self.kind, "id": self.id, "ver": version, "body": self.body}
        )


def parse_row(value: Any) -> Row:
    """Read ``{"kind","id","body"}`` written by hand; ValueError says what is wrong."""
    if not isinstance(value, dict) or not isinstance(value.get("body"), dict):
        raise ValueError(f"a row is an object with kind, id and body, not {value!r}")
    kind, name, body = value.get("kind"), value.get("id"), value["body"]
    if not (isinstance(kind, str) and kind and isinstance(name, str) and name):
        raise ValueError(f"kind and id are texts: {value!r}")
    if not all(_is_allowed(entry) for entry in body.values()):
        raise ValueError(f"{kind} {name}: integers, texts and lists of them alone")
    return Row(kind=kind, id=name, body=body)


def _is_allowed(entry: Any) -> bool:
    if isinstance(entry, list):
        return all(type(each) in (int, str) for each in entry)
    return type(entry) in (int, str)


class Feed:
    """The rows of now, where they stand, and their hash."""

    def __init__(self, cursor: Cursor, texts: Mapping[Key, str] | None = None) -> None:
        """Take up a feed at ``cursor`` with the canonical texts of its rows."""
        self.cursor = cursor
        self._texts = dict(texts or {})
        self._sum = sum(map(_weight, self._texts.values())) % _MODULUS
        self._slices: list[str] | None = None
        #: What each of the last revisions changed; the first follows ``floor``.
        self._recent: deque[frozenset[Key]] = deque(maxlen=MAXIMUM_RECENT)

    @property
    def count(self) -> int:
        """Rows in all."""
        return len(self._texts)

    @property
    def hash(self) -> str:
        """The snapshot's hash, 64 hex digits."""
        return f"{self._sum:064x}"

    def change(self, put: Iterable[Row], remove: Iterable[Key] = ()) -> Change:
        """Write and remove rows in one new revision; a bad row changes nothing."""
        rev = self.cursor.rev + 1
        texts: dict[Key, str | None] = {row.key: row.text(rev) for row in put}
        texts.update(dict.fromkeys(key for key in remove if key in self._texts))
        for key, text in texts.items():
            if text is not None and len(text.encode()) > MAXIMUM_ROW_BYTES:
                raise ValueError(f"{key} is over {MAXIMUM_ROW_BYTES} bytes")
        added = sum(key not in self._texts for key in texts)
        if self.count + added > MAXIMUM_ROWS:
            raise ValueError(f"a feed has at most {MAXIMUM_ROWS} rows")
        for key, text in texts.items():
            self._replace(key, text)
        return self._moved(Cursor(self.cursor.epoch, rev), texts)

    def is_behind(self, other: Cursor) -> bool:
        """Tell whether a gateway at ``other`` would refuse what stands here."""
        if other.epoch == self.cursor.epoch:
            return other.rev > self.cursor.rev
        return other.counter >= self.cursor.counter

    def outrank(self, other: Cursor, random_hex: str) -> Change:
        """Open an epoch above ``other``, as a platform restored from a backup must."""
        counter = min(other.counter + 1, MAXIMUM_COUNTER)
        return self._moved(Cursor(f"{counter:04}-{random_hex}", 1), {})

    def parts(self, gateway: str, nonce: str, *, told_rev: int) -> list[str]:
        """Return the bodies of a whole snapshot for that pull, as JSON."""
        slices = self._cut()
        head = self._head(gateway, nonce, told_rev) | {"n": len(slices)}
        return [
            canonical(head | {"i": number})[:-1] + f',"rows":[{rows}]}}'
            for number, rows in enumerate(slices)
        ]

    def changes(self, gateway: str, nonce: str, *, since: int) -> list[str] | None:
        """Return the bodies of what changed since a revision, None if that is gone."""
        rev = self.cursor.rev
        if not 0 < rev - since <= len(self._recent):
            return None
        keys = sorted(set().union(*list(self._recent)[since - rev :]))
        gone = {"body": None, "ver": rev}
        texts = [
            self._texts.get(key) or canonical({"kind": key[0], "id": key[1], **gone})
            for key in keys
        ]
        slices = _sliced(texts)
        place = {"from": since, "head": rev, "total": self.count, "count": len(texts)}
        head = self._head(gateway, nonce, rev) | place | {"n": len(slices)}
        return [
            canonical(head | {"i": number})[:-1] + f',"rows":[{rows}]}}'
            for number, rows in enumerate(slices)
        ]

    def current(self, gateway: str, nonce: str) -> str:
        """Return the body that says: your cursor is current."""
        head = self._head(gateway, nonce, self.cursor.rev)
        return canonical(head | {"i": 0, "n": 0, "rows": []})

    def _head(self, gateway: str, nonce: str, rev: int) -> dict[str, int | str]:
        return {
            "gw": gateway,
            "re": nonce,
            "epoch": self.cursor.epoch,
            "rev": rev,
            "count": self.count,
            "hash": self.hash,
        }

    def _cut(self) -> list[str]:
        """Join rows into texts that a part can hold; an empty feed has one part."""
        if self._slices is None:
            self._slices = _sliced(self._texts.values())
        return self._slices

    def _replace(self, key: Key, text: str | None) -> None:
        gone = self._texts.pop(key, None)
        self._sum -= _weight(gone) if gone is not None else 0
        if text is not None:
            self._texts[key] = text
            self._sum += _weight(text)
        self._sum %= _MODULUS

    def _moved(self, cursor: Cursor, texts: dict[Key, str | None]) -> Change:
        if cursor.epoch != self.cursor.epoch:
            self._recent.clear()
        else:
            self._recent.append(frozenset(texts))
        self.cursor = cursor
        self._slices = None
        return Change(cursor, texts)


def _sliced(texts: Iterable[str]) -> list[str]:
    room, used = MAXIMUM_PART_BYTES - _HEAD_BYTES, 0
    slices: list[list[str]] = [[]]
    for text in texts:
        size = len(text.encode()) + 1
        if used + size > room:
            slices.append([])
            used = 0
        slices[-1].append(text)
        used += size
    return [",".join(each) for each in slices]


def altered(part: str) -> str:
    """Return a part whose first row says something else than what was hashed."""
    body = json.loads(part)
    if body["rows"]:
        body["rows"][0]["ver"] += 1
    return canonical(body)


def mishashed(part: str) -> str:
    """Return a part that announces another hash than its snapshot has."""
    body = json.loads(part)
    body["hash"] = f"{(int(body['hash'], 16) + 1) % _MODULUS:064x}"
    return canonical(body)


def _weight(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest(), "big")
