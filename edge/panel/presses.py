# SPDX-License-Identifier: Apache-2.0
"""One press of a button counts once.

The law of the module: a token belongs to one rendering of the page, for whoever it was
drawn, and is spent by its first use; a door that was just opened is not opened again
within ``PAUSE_S``, whoever presses on whatever page. Both tables are bounded; what
falls out asks for one more press, it never opens anything.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from enum import StrEnum

#: Open pages of a site, many times over; the oldest page must then be loaded anew.
MAX_TOKENS = 512
#: A second press within this is a trembling hand, not a wish.
PAUSE_S = 3.0


class Press(StrEnum):
    """What a press of 开门 means."""

    FIRST = "first"
    REPEATED = "repeated"
    STALE = "stale"


class Presses:
    """Tokens given out and used, and when each door was last opened."""

    def __init__(self) -> None:
        self._given: OrderedDict[str, str] = OrderedDict()
        self._spent: OrderedDict[str, str] = OrderedDict()
        self._opened_s: dict[str, float] = {}

    def give(self, owner: str = "") -> str:
        """Return a token for one rendering; ``owner`` marks for whom it is drawn."""
        token = secrets.token_urlsafe(16)
        self._keep(self._given, token, owner)
        return token

    def spend(self, token: str, owner: str = "") -> Press:
        """Judge a press of a form and spend its token."""
        if self._spent.get(token) == owner:
            return Press.REPEATED
        if self._given.get(token) != owner:
            return Press.STALE
        del self._given[token]
        self._keep(self._spent, token, owner)
        return Press.FIRST

    def press(self, token: str, door: str, now_s: float, owner: str = "") -> Press:
        """Judge a press and spend its token; ``door`` must be one that exists."""
        judged = self.spend(token, owner)
        if judged is not Press.FIRST:
            return judged
        opened_s = self._opened_s.get(door)
        if opened_s is not None and now_s - opened_s < PAUSE_S:
            return Press.REPEATED
        self._opened_s[door] = now_s
        return Press.FIRST

    def forget(self, door: str) -> None:
        """Let a door be tried again at once, because the order came to nothing."""
        self._opened_s.pop(door, None)

    @staticmethod
    def _keep(table: OrderedDict[str, str], token: str, owner: str) -> None:
        table[token] = owner
        while len(table) > MAX_TOKENS:
            table.popitem(last=False)
