# SPDX-License-Identifier: Apache-2.0
"""A responder's card on a reader: the first tap asks, the second means it.

The law of the module: no single tap begins an emergency, and a card that rests on a
reader is one tap, however often it is read.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Within so long after the first tap the second has to come.
SECOND_TAP_S = 10.0
#: Reads closer together than this are one tap: readers repeat a card that rests.
BOUNCE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    holder: str
    asked_s: float
    read_s: float


class Taps:
    """The taps that wait for their second; at most one at each access point."""

    def __init__(self) -> None:
        self._asked: dict[str, _Asked] = {}

    def is_second(self, access_point: str, holder: str, now_s: float) -> bool:
        """Take a read; say whether it is the same person's second tap in time."""
        asked = self._asked.get(access_point)
        is_known = asked is not None and asked.holder == holder
        if asked is None or not is_known or now_s - asked.asked_s >= SECOND_TAP_S:
            self._asked[access_point] = _Asked(
                holder=holder, asked_s=now_s, read_s=now_s
            )
            return False
        if now_s - asked.read_s < BOUNCE_S:
            self._asked[access_point] = _Asked(
                holder=holder, asked_s=asked.asked_s, read_s=now_s
            )
            return False
        del self._asked[access_point]
        return True
