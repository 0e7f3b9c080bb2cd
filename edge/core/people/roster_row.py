# SPDX-License-Identifier: Apache-2.0
"""One row of the platform's feed as the rules understand it.

The law of the module: a row is checked here, once, before it can open anything; a
body that does not fit is a ValueError that says which row and which field.
Source: docs/sync-contract.md section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.credential import TOKEN_BYTES, CredentialKind
from edge.core.plan import SIZES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.plan import Size

#: Bounds of one row: more is a mistake of the sender, not a bigger family.
MAX_CREDENTIALS = 16
MAX_PARTY = 500
MAX_TEXT = 64
#: Fields that hold tokens: an error names their type, never what stood in them.
_SECRET = frozenset({"credentials", "token"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderRow:
    """A person with roles and credentials ``(kind, token)``."""

    holder_id: str
    roles: tuple[str, ...]
    language: str
    is_enabled: bool
    needs_extended_time: bool
    credentials: tuple[tuple[CredentialKind, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRow:
    """A booking: UTC ms, half-open; of a compartment if it names a size."""

    booking_id: str
    holder_id: str
    space_id: str
    from_ms: int
    to_ms: int
    party: int
    is_confirmed: bool
    size: Size | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationRow:
    """A token that must open nothing any more."""

    token: bytes
    reason: str


RosterRow = HolderRow | BookingRow | RevocationRow


_TEXT = f"1 to {MAX_TEXT} printable characters"


def _is_text(value: str) -> bool:
    return 0 < len(value) <= MAX_TEXT and value.isprintable()


class _Body:
    """Typed access to a row's body, with errors that name the row and the field."""

    def __init__(self, where: str, body: Mapping[str, object]) -> None:
        self._where = where
        self._body = body

    def wrong(self, field: str, expected: str) -> ValueError:
        value = self._body.get(field)
        got = type(value).__name__ if field in _SECRET else repr(value)[:MAX_TEXT]
        return ValueError(f"{self._where}: {field}: expected {expected}, got {got}")

    def text(self, field: str) -> str:
        value = self._body.get(field)
        if not isinstance(value, str) or not _is_text(value):
            raise self.wrong(field, _TEXT)
        return value

    def number(self, field: str, low: int, high: int) -> int:
        value = self._body.get(field)
        # To Python True is 1; to the contract it is no integer.
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(field, f"an integer from {low} to {high}")
        if not low <= value <= high:
            raise self.wrong(field, f"an integer from {low} to {high}")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        value = self._body.get(field)
        if not isinstance(value, list) or len(value) > MAX_CREDENTIALS:
            raise self.wrong(field, f"a list of at most {MAX_CREDENTIALS}")
        if not all(isinstance(entry, str) and _is_text(entry) for entry in value):
            raise self.wrong(field, f"a list of texts of {_TEXT}")
        return tuple(value)

    def roles(self, field: str) -> tuple[str, ...]:
        roles = self.texts(field)
        if any(" " in role for role in roles):  # a roster joins roles with spaces
            raise self.wrong(field, "roles without a space")
        return roles

    def size(self, field: str) -> Size | None:
        value = self._body.get(field)
        if value is None and field not in self._body:
            return None
        for size in SIZES:
            if value == size:
                return size
        raise self.wrong(field, f"one of {', '.join(SIZES)}, or no such field")

    def token(self, field: str, text: str) -> bytes:
        try:
            token = bytes.fromhex(text)
        except ValueError:
            token = b""
        if len(token) != TOKEN_BYTES:
            raise ValueError(
                f"{self._where}: {field}: expected {TOKEN_BYTES} hex bytes"
            )
        return token


def parse_row(kind: str, row_id: str, body: Mapping[str, object]) -> RosterRow | None:
    """Check a row; None for a kind that this version does not know (ignored)."""
    if kind not in ("holder", "booking", "revocation"):
        return None
    if not _is_text(row_id):
        raise ValueError(f"{kind} {row_id[:MAX_TEXT]!a}: id: expected {_TEXT}")
    fields = _Body(f"{kind} {row_id}", body)
    match kind:
        case "holder":
            return _holder(row_id, fields)
        case "booking":
            return _booking(row_id, fields)
        case _:
            token = fields.token("token", fields.text("token"))
            return RevocationRow(token=token, reason=fields.text("reason"))


def _holder(row_id: str, fields: _Body) -> HolderRow:
    credentials = []
    for entry in fields.texts("credentials"):
        kind, _, token = entry.partition(":")
        if kind not in CredentialKind.__members__:
            raise fields.wrong("credentials", "KIND:TOKEN with a known kind")
        pair = (CredentialKind(kind), fields.token("credentials", token))
        credentials.append(pair)
    return HolderRow(
        holder_id=row_id,
        roles=fields.roles("roles"),
        language=fields.text("language"),
        is_enabled=fields.number("enabled", 0, 1) == 1,
        needs_extended_time=fields.number("extended", 0, 1) == 1,
        credentials=tuple(credentials),
    )


def _booking(row_id: str, fields: _Body) -> BookingRow:
    state = fields.text("state")
    if state not in ("CONFIRMED", "CANCELLED"):
        raise fields.wrong("state", "CONFIRMED or CANCELLED")
    from_ms = fields.number("from", 0, 1 << 52)
    return BookingRow(
        booking_id=row_id,
        holder_id=fields.text("holder"),
        space_id=fields.text("space"),
        from_ms=from_ms,
        to_ms=fields.number("to", from_ms + 1, 1 << 52),
        party=fields.number("party", 1, MAX_PARTY),
        is_confirmed=state == "CONFIRMED",
        size=fields.size("size"),
    )
