# SPDX-License-Identifier: Apache-2.0
"""The files of ticket keys: a site's, and an issuer's own.

The law of the module: a file that holds a secret is readable by its owner alone, or it
is not used; no value of it appears in an error.
Source: docs/tickets.md, "Keys".
"""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.bindings.ticket_keys import TicketKey, TicketKeys
from edge.cli.key_files import KeyFileError
from edge.cli.ticket.times import ms_of
from edge.core.moment import UNBOUNDED_MS

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerKey:
    """What an issuer signs with; ``rotation`` is the group's secret, or empty."""

    key_id: bytes
    issuer: str
    private: bytes = field(repr=False)
    rotation: bytes = field(default=b"", repr=False)

    def public(self) -> TicketKeys:
        """Return what believes this key's tickets; good for looking, not for doors."""
        private = Ed25519PrivateKey.from_private_bytes(self.private)
        public = private.public_key().public_bytes_raw()
        key = TicketKey(key_id=self.key_id, public=public, issuer=self.issuer)
        rotation = (self.rotation,) if self.rotation else ()
        return TicketKeys(keys=(key,), rotation=rotation, accepts_test_patterns=True)


def ticket_keys_of(state: Path) -> TicketKeys:
    """Return the keys of a site that had some before its first feed, or none."""
    path = state / "keys" / "tickets.json"
    return read_ticket_keys(path) if path.exists() else TicketKeys(keys=())


def read_ticket_keys(path: Path, *, accepts_test_patterns: bool = False) -> TicketKeys:
    """Read ``{"keys": [{"kid", "public", "issuer", "from", "to"}], "rotation": []}``.

    Raises KeyFileError. With rotation keys the file is a secret.
    """
    content = _read(path)
    try:
        keys = ticket_keys(content, accepts_test_patterns=accepts_test_patterns)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise KeyFileError(
            f"{path}: {_why(error)}; fetch the file from the platform again"
        ) from error
    if keys.rotation:
        _refuse_open(path)
    return keys


def ticket_keys(
    content: dict[str, Any], *, accepts_test_patterns: bool = False
) -> TicketKeys:
    """Read the object of such a file; AttributeError, KeyError, Type- or ValueError."""
    return TicketKeys(
        keys=tuple(_ticket_key(entry) for entry in content["keys"]),
        rotation=tuple(bytes.fromhex(key) for key in content.get("rotation", [])),
        accepts_test_patterns=accepts_test_patterns,
    )


def read_issuer_key(path: Path) -> IssuerKey:
    """Read ``{"kid", "issuer", "private", "rotation"}``; raises KeyFileError."""
    content = _read(path)
    _refuse_open(path)
    try:
        key = IssuerKey(
            key_id=bytes.fromhex(content["kid"]),
            issuer=content["issuer"],
            private=bytes.fromhex(content["private"]),
            rotation=bytes.fromhex(content.get("rotation", "")),
        )
        key.public()  # raises where one of them is not as it must be
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise KeyFileError(
            f"{path}: {_why(error)}; `menshen ticket new-key` writes a good one"
        ) from error
    return key


def _ticket_key(entry: dict[str, Any]) -> TicketKey:
    start, end = entry.get("from"), entry.get("to")
    return TicketKey(
        key_id=bytes.fromhex(entry["kid"]),
        public=bytes.fromhex(entry["public"]),
        issuer=entry.get("issuer", ""),
        from_ms=0 if start is None else ms_of(start),
        to_ms=UNBOUNDED_MS if end is None else ms_of(end),
    )


def _why(error: Exception) -> str:
    match error:
        case KeyError():
            return f"{error} is missing"
        case ValueError() if "fromhex" not in str(error):
            return str(error)
        case _:
            return "a key is not hex, or a value is not of its kind"


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise KeyFileError(f"{path}: not JSON; restore it from the backup") from error
    if not isinstance(content, dict):
        raise KeyFileError(f"{path}: expected a JSON object")
    return content


def _refuse_open(path: Path) -> None:
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileError(
            f"{path}: others may read this secret; run: chmod 600 {path}"
        )
