# SPDX-License-Identifier: Apache-2.0
"""From the bits that a reader sends to a card's number, or to a refusal.

The law of the module: nothing is guessed, padded or cut. Bits that were lost on the
way inside a reader must not make another person's number. Most readers call their
cards "raw" whatever they are; so the parity is checked by the size, not by the name.

Source: SIA AC-01 (Wiegand, 26 bits) and the 34-bit format of the same make: even
parity over the first half, odd parity over the second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.device import Garbled, TagRead, Technology

if TYPE_CHECKING:
    from drivers.osdp.messages import CardData

#: The shortest format in use; shorter ones are remains of a longer one.
LEAST_CARD_BITS = 26
#: Far beyond every format; more is no number.
MOST_CARD_BITS = 512
_FORMATS_WITH_PARITY = frozenset({26, 34})


def read_tag(unit: int, card: CardData, *, check_parity: bool) -> TagRead | Garbled:
    """Return the card's number as it is, or why it is none."""
    why = _fault_of(card, check_parity=check_parity)
    if why:
        return Garbled(unit=unit, raw=card.number, why=why)
    return TagRead(
        unit=unit, technology=Technology.WIEGAND, bits=card.bits, number=card.number
    )


def _fault_of(card: CardData, *, check_parity: bool) -> str:
    """Say what is wrong with a card's bits; empty if nothing is."""
    if not LEAST_CARD_BITS <= card.bits <= MOST_CARD_BITS:
        return f"a card of {card.bits} bits"
    value = int.from_bytes(card.number, "big")
    spare = -card.bits % 8
    if value & ((1 << spare) - 1):
        return "bits behind the end of a card's number"
    if not value:
        return "a card's number of zeros"
    has_parity = card.bits in _FORMATS_WITH_PARITY
    if check_parity and has_parity and not _is_even_odd(value >> spare, card.bits // 2):
        return "wrong parity of a card's number"
    return ""


def _is_even_odd(value: int, half_bits: int) -> bool:
    first, second = value >> half_bits, value & ((1 << half_bits) - 1)
    return first.bit_count() % 2 == 0 and second.bit_count() % 2 == 1
