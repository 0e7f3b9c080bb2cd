# SPDX-License-Identifier: Apache-2.0
"""From the keys that a scanner presses to the text that it means.

The law of the module: a scanner types on a US keyboard, presses each key once and has
no other keys than those of characters, shift and Enter. Lamps (caps lock) and repeats
mean nothing. A line with a key that could mean something else, above all characters
typed as ALT and a number, is spoiled as a whole: better no code than a wrong one.

Source: Linux ``include/uapi/linux/input-event-codes.h`` (codes and values of EV_KEY);
HID Usage Tables 1.4, section 10 (US layout).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from drivers.scanners.qr_codes import MAX_LINE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UP, DOWN = 0, 1
_ENTERS = frozenset({28, 96})
_SHIFTS = frozenset({42, 54})
#: Left and right: control, alt, meta.
_CHORDS = frozenset({29, 97, 56, 100, 125, 126})
_ALTS = frozenset({56, 100})
#: Caps lock, num lock, scroll lock: lamps. Tab: a tail that some scanners add.
_MEANINGLESS = frozenset({58, 69, 70, 15})
#: Where a row of keys begins, its characters plain, and with shift.
_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (57, " ", " "),
    # The number pad means digits, whatever the lamp of num lock says.
    (55, "*", "*"),
    (71, "789-456+1230.", "789-456+1230."),
    (98, "/", "/"),
)


def _characters() -> Iterator[tuple[int, tuple[str, str]]]:
    for first, plain, shifted in _ROWS:
        yield from enumerate(zip(plain, shifted, strict=True), first)


_CHARACTERS: Mapping[int, tuple[str, str]] = MappingProxyType(dict(_characters()))


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedLine:
    """A line as typed; ``fault`` says why it is none, and is empty otherwise."""

    content: bytes = field(repr=False)
    is_cut: bool
    fault: str


class KeyText:
    """Collects the characters of one line, key by key."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._held: set[int] = set()
        self._fault = ""
        self._is_cut = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed since the last line."""
        return not self._text and not self._fault

    def reset(self) -> None:
        """Forget the line and which keys are held."""
        self._held.clear()
        self._clear()

    def press(self, code: int, value: int) -> TypedLine | None:
        """Take one event of a key; the line that it ended, if it did."""
        if code in _SHIFTS or code in _CHORDS:
            if value == UP:
                self._held.discard(code)
            else:
                self._held.add(code)
            return None
        if value != DOWN or code in _MEANINGLESS:
            return None
        if code in _ENTERS and not self._held & _CHORDS:
            return self.end()
        self._type(code)
        return None

    def spoil(self, why: str) -> None:
        """Make the line one that is no code; the first reason stays."""
        self._fault = self._fault or why

    def lost(self) -> None:
        """Take note that events are missing: nobody knows which keys are held."""
        self._held.clear()
        self.spoil("keys were lost")

    def end(self) -> TypedLine | None:
        """Return what was typed, as Enter or a pause ends it."""
        if self.is_empty:
            return None
        line = TypedLine(
            content=bytes(self._text), is_cut=self._is_cut, fault=self._fault
        )
        self._clear()
        return line

    def _type(self, code: int) -> None:
        pair = _CHARACTERS.get(code)
        if self._held & _ALTS:
            self.spoil("typed with ALT")
        elif self._held & _CHORDS:
            self.spoil("typed with CTRL")
        elif pair is None:
            self.spoil("a key that is no character")
        elif len(self._text) >= MAX_LINE_BYTES:
            self._is_cut = True
        else:
            self._text += pair[bool(self._held & _SHIFTS)].encode("ascii")

    def _clear(self) -> None:
        self._text[:] = bytes(len(self._text))
        self._text.clear()
        self._fault = ""
        self._is_cut = False
