# SPDX-License-Identifier: Apache-2.0
"""The roster's rows and image as they lie on the disk: sealed, every one.

The law of the module: in the file stand a row's kind and version, and whether it is
one of few; its id, its body and the digest of both stand in a sealed cell, and a keyed
name takes the id's place where rows are sought. All kinds are treated alike, so that a
kind of tomorrow is not forgotten. A cell is bound to its kind, name and version; what
does not open is damaged, and nothing is guessed of it.
Source: NIST SP 800-38D (AES-256-GCM, nonces of 96 bits drawn by chance), RFC 5869.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from struct import Struct
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from edge.storage.errors import DamagedError
from edge.storage.roster_row import RosterRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

KEY_BYTES = 32
NONCE_BYTES = 12
NAME_BYTES = 16
#: So much is sealed at once: a millisecond where no instruction knows AES.
PIECE_BYTES = 64 * 1024
_TAG_BYTES = 16
_SEALED_PIECE = NONCE_BYTES + PIECE_BYTES + _TAG_BYTES
#: Lengths of the id and of the digest, before both and the body.
_HEAD = Struct(">HB")
#: Kinds of which there are many; the others are read anew with each change.
MANY = ("holder", "booking")


#: Place, kind, name, version, whether it is gone, whether apart, and the cell.
Entry = tuple[int, str, bytes, int, int, int, bytes]


class RosterSeal:
    """Seals and opens under one key of 32 bytes; ``nonce`` draws 12 bytes by chance."""

    def __init__(self, key: bytes, nonce: Callable[[], bytes]) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
        self._cipher = AESGCM(_derived(key, b"menshen roster cells v1", KEY_BYTES))
        self._names = _derived(key, b"menshen roster names v1", KEY_BYTES)
        #: By which a file says whose key sealed it; it tells nothing of the key.
        self.key_id = _derived(key, b"menshen roster key id v1", 8).hex()
        self._nonce = nonce

    def __repr__(self) -> str:
        return f"RosterSeal({self.key_id})"

    def name(self, kind: str, row_id: str) -> bytes:
        """Return what stands for a row's key in the file."""
        told = f"{kind}\0{row_id}".encode()
        return blake2b(told, key=self._names, digest_size=NAME_BYTES).digest()

    def entries(self, rows: Iterable[RosterRow], first: int) -> Iterator[Entry]:
        """Seal rows for the places from ``first`` on, each when it is asked for."""
        # In this loop a microsecond counts: a site has 100,000 rows.
        for place, (kind, row_id, ver, body, digest) in enumerate(rows, first):
            name, id_bytes = self.name(kind, row_id), row_id.encode()
            head = _HEAD.pack(len(id_bytes), len(digest or b""))
            told = b"%b%b%b%b" % (head, id_bytes, digest or b"", body.encode())
            cell = self._seal(told, _bound(kind, name, ver))
            yield place, kind, name, ver, not body, _is_apart(kind, body), cell

    def row(self, kind: str, name: bytes, ver: int, cell: bytes) -> RosterRow:
        """Open a cell; DamagedError if it is not what was sealed."""
        told = self._open(cell, _bound(kind, name, ver))
        id_bytes, digest_bytes = _HEAD.unpack_from(told)
        start = _HEAD.size + id_bytes
        end = start + digest_bytes
        return RosterRow(
            kind=kind,
            id=told[_HEAD.size : start].decode(),
            ver=ver,
            body=told[end:].decode(),
            digest=told[start:end] or None,
        )

    def part(self, number: int, body: bytes) -> bytes:
        """Seal a part of the image, piece by piece."""
        return b"".join(
            self._seal(body[at : at + PIECE_BYTES], _piece(number, at))
            for at in range(0, max(len(body), 1), PIECE_BYTES)
        )

    def opened_part(self, number: int, body: bytes) -> bytes:
        """Open what :meth:`part` returned; DamagedError if it is not that."""
        pieces = range(0, max(len(body), 1), _SEALED_PIECE)
        return b"".join(
            self._open(body[at : at + _SEALED_PIECE], _piece(number, n * PIECE_BYTES))
            for n, at in enumerate(pieces)
        )

    def _seal(self, told: bytes, bound: bytes) -> bytes:
        nonce = self._nonce()
        return nonce + self._cipher.encrypt(nonce, told, bound)

    def _open(self, cell: bytes, bound: bytes) -> bytes:
        try:
            return self._cipher.decrypt(cell[:NONCE_BYTES], cell[NONCE_BYTES:], bound)
        except (InvalidTag, ValueError) as error:
            raise DamagedError("a cell of the roster does not open") from error


def _derived(key: bytes, purpose: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, None, purpose).derive(key)


def _bound(kind: str, name: bytes, ver: int) -> bytes:
    return b"entry|%b|%d|%b" % (kind.encode(), ver, name)


def _piece(number: int, at: int) -> bytes:
    return b"image|%d|%d" % (number, at)


def _is_apart(kind: str, body: str) -> bool:
    """Say whether a row is read with each change: a small kind, or a cancelled booking.

    The ticket of a cancelled booking stands in a small table.
    """
    if kind not in MANY:
        return True
    if kind != "booking" or '"CANCELLED"' not in body:
        return False
    try:
        told = json.loads(body)
    except ValueError:
        return False
    return isinstance(told, dict) and told.get("state") == "CANCELLED"
