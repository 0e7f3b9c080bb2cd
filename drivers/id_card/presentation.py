# SPDX-License-Identifier: Apache-2.0
"""One card's stay on an identity-card reader, from the first 9F to the next 80.

The law of the module: one verdict a stay. A card is tried in up to three rounds of
find, select and read, begun within 3 s. Afterwards the stay goes on silently until
the reader reports "no card" (80): then the next 9F is a new stay and is read at once,
so that whoever taps again is served again. Readers that answer 9F for as long as the
card lies there have it read again each 3 s: another number is another person, who
gets his own verdict; the same number says nothing, or a forgotten card would hold the
door open.

Source: SAM_V serial protocol text, section on statuses; behaviour after a read as
found in hev-dbus-object-idcard-reader.c (80 until removal) and rc531 notes (9F
again and again).
"""

from __future__ import annotations

from hashlib import blake2b

from drivers.device import UnreadableCause

#: The first round and up to two more.
ROUNDS = 3
#: A round begins at most this long after the card was found.
ROUNDS_WITHIN_S = 3.0
#: How often a card that keeps lying there is looked at again.
LOOK_AGAIN_S = 3.0
#: Python keys its own ``hash`` of bytes anew in each process. With that key a mark
#: tells whether two numbers are the same and nothing to anybody outside.
_MARK_KEY = hash(b"the card on the reader").to_bytes(8, "big", signed=True)


class Presentation:
    """Counts the rounds of one stay and remembers whether a verdict was given."""

    def __init__(self, now: float) -> None:
        self._found_at = now
        self._failed_rounds = 0
        self._mark = b""
        self._look_again_at = 0.0
        self.is_settled = False

    def wants_round(self, now: float) -> bool:
        """Whether a card that answers 9F is to be selected and read now."""
        return not self.is_settled or now >= self._look_again_at

    def failed(self, now: float, cause: UnreadableCause) -> UnreadableCause | None:
        """Count a failed round; return the verdict if there will be no other round."""
        if self.is_settled:
            # Whatever lay there may be gone: the next number read is news.
            self._mark = b""
            self._settle(now)
            return None
        self._failed_rounds += 1
        is_final = cause is UnreadableCause.CARD_TYPE_UNKNOWN
        is_late = now - self._found_at >= ROUNDS_WITHIN_S
        if not (is_final or is_late or self._failed_rounds >= ROUNDS):
            return None
        self._settle(now)
        return cause

    def succeeded(self, now: float, number: bytearray) -> bool:
        """Take a number that was read; True if it is news during this stay."""
        mark = blake2b(number, key=_MARK_KEY, digest_size=16).digest()
        is_news = mark != self._mark
        self._mark = mark
        self._settle(now)
        return is_news

    def _settle(self, now: float) -> None:
        self.is_settled = True
        self._look_again_at = now + LOOK_AGAIN_S
