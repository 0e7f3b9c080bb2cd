# SPDX-License-Identifier: Apache-2.0
"""What a card tells a reader: its number in the formats of the trade.

The law of the module: a number and a format in, bits out, most significant first, the
last byte padded with zeros.
Source: the 26-bit format of the SIA AC-01 Wiegand standard (even parity over the first
half, odd over the second), its 34-bit sibling, and bare 64-bit serial numbers.
"""

from __future__ import annotations

from enum import StrEnum

from firmware_sim.errors import SimulationError


class CardFormat(StrEnum):
    """The formats by their name."""

    WIEGAND_26 = "wiegand_26"
    WIEGAND_34 = "wiegand_34"
    RAW_64 = "raw_64"


_NUMBER_BITS = {
    CardFormat.WIEGAND_26: 24,
    CardFormat.WIEGAND_34: 32,
    CardFormat.RAW_64: 64,
}


def encoded(card: CardFormat, number: int) -> tuple[int, bytes]:
    """Return how many bits a card with ``number`` tells, and the bits."""
    size = _NUMBER_BITS[card]
    if not 0 <= number < 1 << size:
        raise SimulationError(f"{number} does not fit the {size} bits of {card}")
    if card is CardFormat.RAW_64:
        return size, number.to_bytes(8, "big")
    half = size // 2
    even = (number >> half).bit_count() % 2
    odd = 1 - (number & (1 << half) - 1).bit_count() % 2
    bits = size + 2
    framed = even << size + 1 | number << 1 | odd
    byte_count = (bits + 7) // 8
    return bits, (framed << byte_count * 8 - bits).to_bytes(byte_count, "big")
