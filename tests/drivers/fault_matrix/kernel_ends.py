# SPDX-License-Identifier: Apache-2.0
"""The far ends that are the kernel's: lines of a chip in memory, and a keyboard.

Source: linux/gpio.h (sequence numbers a line, from 1 on at each request).
"""

from __future__ import annotations

from drivers.gpio.wire import Wish, edge, level_read, wishes


class ChipEnd:
    """Lines of a chip; ``levels`` are those of the inputs, ``outputs`` what is set.

    Outputs keep their level when nobody holds the lines: the worst that a chip does.
    """

    def __init__(self, *, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> None:
        self.levels = dict.fromkeys(inputs, False)
        self.outputs = dict.fromkeys(outputs, False)
        self._sequences: dict[int, int] = {}
        self._said: list[bytes] = []

    def requested(self) -> None:
        """Begin as at a new request of the lines."""
        self._sequences.clear()
        self._said.clear()

    def move(self, offset: int, *, is_active: bool, is_lost: bool = False) -> None:
        """Let an input change; the event may be lost, the level and number are not."""
        self.levels[offset] = is_active
        self._sequences[offset] = self._sequences.get(offset, 0) + 1
        if not is_lost:
            sequence = self._sequences[offset]
            self._said.append(edge(offset, sequence, is_active=is_active))

    def receive(self, data: bytes, now: float) -> None:
        del now
        for kind, offset in wishes(data):
            if kind is Wish.READ:
                is_active = self.levels[offset]
                self._said.append(level_read(offset, is_active=is_active))
            else:
                self.outputs[offset] = kind is Wish.SET_ACTIVE

    def take_pieces(self, now: float) -> list[bytes]:
        del now
        said, self._said = self._said, []
        return said

    def deadline(self) -> float | None:
        return None

    def tick(self, now: float) -> None:
        """Nothing happens by itself."""


class KeyboardEnd:
    """An input device; what it is to say goes out in the pieces that it is given."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def say(self, *pieces: bytes) -> None:
        """Hand over records, however they are cut."""
        self._pieces += pieces

    def receive(self, data: bytes, now: float) -> None:
        raise AssertionError(f"a keyboard was written to at {now}: {data.hex()}")

    def take_pieces(self, now: float) -> list[bytes]:
        del now
        pieces, self._pieces = self._pieces, []
        return pieces

    def deadline(self) -> float | None:
        return None

    def tick(self, now: float) -> None:
        """Nothing happens by itself."""
