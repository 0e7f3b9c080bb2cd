# SPDX-License-Identifier: Apache-2.0
"""Digits of one keypad, gathered until somebody ends them.

The law of the module: at most one number is kept, never printed, and wiped when it is
cleared, when it grows too long, or when nobody goes on for 5 s. The rest of a number
of which the beginning was lost is no number.

Source: OSDP v2.2, KEYPAD (0D ends, 7F clears); readers that send the printed ``#``
and ``*`` as ASCII are common (libosdp hands bytes through as they are).
"""

from __future__ import annotations

from drivers.secret import wipe

MAX_DIGITS = 12
IDLE_S = 5.0
_ENDS = frozenset(b"\x0d#")
_CLEARS = frozenset(b"\x7f*")
_DIGITS = frozenset(b"0123456789")


class Keypad:
    """One person's number in the making."""

    def __init__(self) -> None:
        self._digits = bytearray()
        self._is_spoilt = False
        self._last_at = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed yet."""
        return not self._digits and not self._is_spoilt

    def clear(self) -> None:
        """Forget what was typed."""
        wipe(self._digits)
        self._digits = bytearray()
        self._is_spoilt = False

    def spoil(self) -> None:
        """Forget what was typed, and whatever follows up to the number's end."""
        is_begun = not self.is_empty
        self.clear()
        self._is_spoilt = is_begun

    def expire(self, now: float) -> None:
        """Forget what nobody goes on with."""
        if now - self._last_at >= IDLE_S:
            self.clear()

    def drop(self, keys: bytes, now: float) -> None:
        """Take keys that must not count, nor a number that they begin."""
        for digits in self.pressed(keys, now):
            wipe(digits)
        self.spoil()

    def pressed(self, keys: bytes, now: float) -> list[bytearray]:
        """Take keys in their order; return the numbers that were ended.

        One number more than 12 digits long, or with another key in it, is dropped
        whole: its last digits could be somebody's number.
        """
        self.expire(now)
        self._last_at = now
        ended = []
        for key in keys:
            if key in _CLEARS:
                self.clear()
            elif key in _ENDS:
                if self._digits and not self._is_spoilt:
                    ended.append(self._digits)
                    self._digits = bytearray()
                self.clear()
            elif key in _DIGITS and len(self._digits) < MAX_DIGITS:
                self._digits.append(key)
            else:
                self._is_spoilt = True
        return ended
