# SPDX-License-Identifier: Apache-2.0
"""What a driver signals, in words for whoever stands before the device.

The law of the module: numbers, codes and digits that people show stay unsaid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.device import (
    AddressConflict,
    CardFound,
    CardRead,
    CardUnreadable,
    CodeRead,
    Garbled,
    InputChanged,
    OrderFailed,
    OutputChanged,
    PinEntered,
    Reachable,
    TagRead,
    TamperChanged,
    Unreachable,
)

if TYPE_CHECKING:
    from drivers.device import Signal

_Shown = CardFound | CardRead | CardUnreadable | CodeRead | TagRead | PinEntered
#: A reading that succeeded.
READ = (CardRead, CodeRead, TagRead, PinEntered)


def in_words(signal: Signal) -> str:
    """Tell a signal in a sentence."""
    match signal:
        case (
            CardFound()
            | CardRead()
            | CardUnreadable()
            | CodeRead()
            | TagRead()
            | PinEntered()
        ):
            return _shown(signal)
        case Reachable(detail=detail):
            return f"It answers{f' ({detail})' if detail else ''}."
        case Unreachable(why=why):
            return f"It does not answer: {why}."
        case InputChanged(channel=channel, is_active=is_active):
            return f"Input {channel} is {'closed' if is_active else 'open'}."
        case OutputChanged(channel=channel, is_on=is_on):
            return f"Output {channel} is {'on' if is_on else 'off'}."
        case OrderFailed(why=why):
            return f"It did not do it: {why}."
        case TamperChanged(is_tampered=is_tampered, why=why):
            return f"TAMPERED: {why}." if is_tampered else "No longer tampered with."
        case AddressConflict(why=why):
            return f"Two devices have one address: {why}."
        case Garbled(why=why):
            return f"Bytes that mean nothing: {why}."


def _shown(signal: _Shown) -> str:
    match signal:
        case CardFound():
            return "A card lies there; reading …"
        case CardRead():
            return "An identity card was read (its number is not shown)."
        case CardUnreadable(why=why):
            return f"The card could not be read: {why.lower().replace('_', ' ')}."
        case CodeRead(payload=payload):
            return f"A code of {len(payload)} characters was read."
        case TagRead(technology=technology, bits=bits):
            return f"A card was read ({technology}, {bits} bits)."
        case PinEntered():
            return "Digits were typed."
