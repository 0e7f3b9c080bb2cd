# SPDX-License-Identifier: Apache-2.0
"""Typed access to the body of one row of the feed.

The law of the module: whatever a body holds, what comes out has the type and stands
within the bounds asked for, or a ValueError names the row and the field. What may be
secret is named by its type, never by its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from edge.core.credential import TOKEN_BYTES
from edge.core.plan import SIZES

if TYPE_CHECKING:
    from edge.core.plan import Size

#: Entries of a list, and characters of a text: more is a mistake of the sender.
MAX_ENTRIES = 16
MAX_TEXT = 64
MAX_LONG_TEXT = 512
#: Fields of which an error names the type, never what stood in them.
_SECRET = frozenset(
    {"credentials", "name", "needs", "phone", "place", "ticket", "token"}
)
_TEXT = f"1 to {MAX_TEXT} printable characters"


def is_text(value: str, longest: int = MAX_TEXT) -> bool:
    """Say whether a text is short enough and free of control characters."""
    return 0 < len(value) <= longest and value.isprintable()


class Body:
    """The fields of one row; ``where`` names the row in errors."""

    def __init__(self, kind: str, row_id: str, body: object) -> None:
        if not is_text(row_id):
            raise ValueError(f"{kind} {row_id[:MAX_TEXT]!a}: id: expected {_TEXT}")
        self._where = f"{kind} {row_id}"
        if not isinstance(body, Mapping):
            raise ValueError(f"{self._where}: body: expected an object")
        self._body = body

    def __contains__(self, field: str) -> bool:
        return field in self._body

    def wrong(self, field: str, expected: str) -> ValueError:
        """Return the error that says what was expected, and got."""
        value = self._body.get(field)
        got = type(value).__name__ if field in _SECRET else repr(value)[:MAX_TEXT]
        return ValueError(f"{self._where}: {field}: expected {expected}, got {got}")

    def text(self, field: str, default: str | None = None) -> str:
        """Return a short text; ``default`` where there is no such field."""
        if default is not None and field not in self._body:
            return default
        value = self._body.get(field)
        if not isinstance(value, str) or not is_text(value):
            raise self.wrong(field, _TEXT)
        return value

    def is_word(self, field: str, word: str) -> bool:
        """Say whether a field is exactly this text."""
        return self._body.get(field) == word

    def long_text(self, field: str) -> str:
        """Return a text that people write at some length, such as hours."""
        value = self._body.get(field)
        if not isinstance(value, str) or not is_text(value, MAX_LONG_TEXT):
            raise self.wrong(field, f"1 to {MAX_LONG_TEXT} printable characters")
        return value

    def number(
        self, field: str, low: int, high: int, default: int | None = None
    ) -> int:
        """Return an integer within bounds; ``default`` where there is no such field."""
        if default is not None and field not in self._body:
            return default
        value = self._body.get(field)
        # To Python True is 1; to the contract it is no integer.
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(field, f"an integer from {low} to {high}")
        if not low <= value <= high:
            raise self.wrong(field, f"an integer from {low} to {high}")
        return value

    def flag(self, field: str, default: int | None = None) -> bool:
        """Return whether a field is 1, not 0."""
        return self.number(field, 0, 1, default) == 1

    def texts(self, field: str, most: int = MAX_ENTRIES) -> tuple[str, ...]:
        """Return a list of short texts."""
        value = self._body.get(field)
        if not isinstance(value, list) or len(value) > most:
            raise self.wrong(field, f"a list of at most {most}")
        if not all(isinstance(entry, str) and is_text(entry) for entry in value):
            raise self.wrong(field, f"a list of texts of {_TEXT}")
        return tuple(value)

    def roles(self, field: str) -> tuple[str, ...]:
        """Return a list of role names."""
        roles = self.texts(field)
        if any(" " in role for role in roles):  # a roster joins roles with spaces
            raise self.wrong(field, "roles without a space")
        return roles

    def size(self, field: str) -> Size | None:
        """Return a compartment's size; None where there is no such field."""
        if field not in self._body:
            return None
        value = self._body.get(field)
        for size in SIZES:
            if value == size:
                return size
        raise self.wrong(field, f"one of {', '.join(SIZES)}, or no such field")

    def hexadecimal(self, field: str, least: int, most: int) -> bytes:
        """Return from ``least`` to ``most`` bytes, written in hexadecimal."""
        value = self._body.get(field)
        found = _bytes(value) if isinstance(value, str) else b""
        if not least <= len(found) <= most:
            bounds = f"{least}" if least == most else f"{least} to {most}"
            raise self.wrong(field, f"{bounds} hex bytes")
        return found

    def token(self, field: str, text: str) -> bytes:
        """Return the token that ``text`` writes; the error shows nothing of it."""
        token = _bytes(text)
        if len(token) != TOKEN_BYTES:
            raise ValueError(
                f"{self._where}: {field}: expected {TOKEN_BYTES} hex bytes"
            )
        return token


def _bytes(text: str) -> bytes:
    """Return the bytes of a hexadecimal text, none where it is not one."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
