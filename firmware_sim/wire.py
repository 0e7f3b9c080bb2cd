# SPDX-License-Identifier: Apache-2.0
"""What a serial line does to bytes: it takes its time, and garbles at a wrong rate.

The law of the module: ten bits a byte (8N1); a byte exists for the other end when its
last bit has arrived. Bytes arrive in bunches of ``BUNCH_BYTES``, as from a UART's FIFO.
"""

from __future__ import annotations

from collections import deque

from firmware_sim.errors import SimulationError

BITS_PER_BYTE = 10
#: The FIFO of a 16550 UART: what its driver hands over at a time.
BUNCH_BYTES = 16
#: The rates between which serial devices of our kind live.
SLOWEST_BAUD, FASTEST_BAUD = 300, 4_000_000


class WireTime:
    """One direction of a line: what was sent arrives later, in order."""

    def __init__(self) -> None:
        self._bunches: deque[tuple[float, bytes]] = deque()
        self._idle_at = 0.0

    def put(self, data: bytes, now: float, baud: int) -> None:
        """Send ``data`` at ``now``, behind what is still on its way."""
        at = max(now, self._idle_at)
        for start in range(0, len(data), BUNCH_BYTES):
            bunch = data[start : start + BUNCH_BYTES]
            at += len(bunch) * BITS_PER_BYTE / baud
            self._bunches.append((at, bunch))
        self._idle_at = at

    def take(self, now: float) -> bytes:
        """Return what has arrived by ``now``."""
        arrived = b""
        while self._bunches and self._bunches[0][0] <= now:
            arrived += self._bunches.popleft()[1]
        return arrived

    def deadline(self) -> float | None:
        """Return when the next bunch arrives."""
        return self._bunches[0][0] if self._bunches else None

    def clear(self) -> None:
        """Forget what is on its way: the cable was pulled."""
        self._bunches.clear()


def check_baud(baud: int) -> None:
    """Refuse a rate that no device has."""
    if not SLOWEST_BAUD <= baud <= FASTEST_BAUD:
        raise SimulationError(f"{baud} baud is no rate; write 9600 or 115200")


def garbled(data: bytes, *, sent_at: int, heard_at: int) -> bytes:
    """Return what a receiver at another rate makes of ``data``; the same if equal.

    The bits are sampled at the receiver's pace over the sender's start, data and stop
    bits; a wrong stop bit is taken for granted, as by a driver that ignores framing.
    At a rate of 0 (a line that was hung up) nothing is heard.
    """
    if not (sent_at and heard_at):
        return b""
    if sent_at == heard_at or not data:
        return data
    bits = [bit for byte in data for bit in _line_bits(byte)]
    ratio = sent_at / heard_at
    heard = bytearray()
    at = 0.0
    while (start := _next_start(bits, at)) is not None:
        centres = (start + (place + 1.5) * ratio for place in range(8))
        samples = [bits[int(c)] if c < len(bits) else 1 for c in centres]
        heard.append(sum(bit << place for place, bit in enumerate(samples)))
        at = max(start + 1, start + 9.5 * ratio)
    return bytes(heard)


def _line_bits(byte: int) -> tuple[int, ...]:
    return (0, *(byte >> place & 1 for place in range(8)), 1)


def _next_start(bits: list[int], at: float) -> int | None:
    """Return the index of the next level 0, the start bit of the receiver."""
    for index in range(int(at + 0.999), len(bits)):
        if bits[index] == 0:
            return index
    return None
