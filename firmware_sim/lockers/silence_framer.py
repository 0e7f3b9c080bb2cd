# SPDX-License-Identifier: Apache-2.0
"""Cuts a stream into frames as small boards do: what does not hold costs a silence.

The law of the module: it never raises on bytes and keeps less than one frame. A frame
that does not hold loses everything up to the next silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class SilenceFramer:
    """``size_of`` tells the whole frame's size: 0 if none begins so, None if unknown.

    ``is_sound`` checks a whole frame; ``silence_s`` ends a frame that did not hold.
    """

    def __init__(
        self,
        silence_s: float,
        *,
        size_of: Callable[[bytearray], int | None],
        is_sound: Callable[[bytes], bool],
    ) -> None:
        self._silence_s = silence_s
        self._size_of = size_of
        self._is_sound = is_sound
        self._buffer = bytearray()
        self._is_lost = False
        self._heard_at = float("-inf")

    def cut(self, data: bytes, now: float) -> list[bytes]:
        """Return the frames that are complete with ``data``, in order."""
        if now - self._heard_at > self._silence_s:
            self.forget()
        self._heard_at = now
        found: list[bytes] = []
        if not self._is_lost:
            self._buffer += data
            while (frame := self._next()) is not None:
                found.append(frame)
        return found

    def forget(self) -> None:
        """Drop what was heard: the line fell silent or the power was cut."""
        self._buffer.clear()
        self._is_lost = False

    def _next(self) -> bytes | None:
        """Return the next sound frame; None if it is not whole, or nonsense."""
        if not self._buffer:
            return None
        size = self._size_of(self._buffer)
        if size is None or size > len(self._buffer):
            return None
        frame = bytes(self._buffer[:size])
        if not size or not self._is_sound(frame):
            self._is_lost = True
            self._buffer.clear()
            return None
        del self._buffer[:size]
        return frame
