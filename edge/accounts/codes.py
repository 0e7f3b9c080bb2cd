# SPDX-License-Identifier: Apache-2.0
"""One-time codes that people read from one screen and type into another.

The law of the module: a code is used once. One that pairs a tablet lives for ten
minutes, in memory alone; the first-run code lives until there is a manager, and only
its hash is kept. No letter of a code is taken for a digit.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from hashlib import sha256

#: Crockford's 32 signs without I, L, O, U: 50 bits, used once within ten minutes …
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PAIRING_SIGNS = 10
PAIRING_LIFE_S = 600.0
#: … and 80 bits for the one that stands on a label until somebody sets the box up.
FIRST_SIGNS = 16
#: Codes that may be open at once.
MAX_CODES = 8
_READ_AS = str.maketrans("ILO", "110")


def new_code(length: int) -> str:
    """Return a fresh code."""
    return "".join(secrets.choice(SIGNS) for _ in range(length))


def shown(code: str, group: int = 5) -> str:
    """Return a code in groups, as it is read out: ``AB3D5-7XK2M``."""
    size = 4 if len(code) == FIRST_SIGNS else group
    return "-".join(code[at : at + size] for at in range(0, len(code), size))


def typed(text: object) -> str:
    """Return the code that somebody meant; "" for what can be none."""
    if not isinstance(text, str) or len(text) > 40:
        return ""
    code = text.upper().translate(_READ_AS)
    code = "".join(sign for sign in code if sign not in "- ")
    is_code = len(code) in (PAIRING_SIGNS, FIRST_SIGNS) and set(code) <= set(SIGNS)
    return code if is_code else ""


def hash_of(secret: str) -> str:
    """Return what is kept of a secret of full strength."""
    return sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Code:
    code: str = field(repr=False)
    by: str
    until_s: float


class PairingCodes:
    """The codes that pair a tablet now."""

    def __init__(self) -> None:
        self._codes: list[_Code] = []

    def begin(self, by: str, now_s: float) -> str:
        """Return a code for one tablet; an earlier one of the same person ends."""
        self._forget(now_s)
        self._codes = [code for code in self._codes if code.by != by]
        if len(self._codes) >= MAX_CODES:
            raise ValueError("so many codes are open already, wait ten minutes")
        until_s = now_s + PAIRING_LIFE_S
        made = _Code(code=new_code(PAIRING_SIGNS), by=by, until_s=until_s)
        self._codes.append(made)
        return made.code

    def open_of(self, by: str, now_s: float) -> tuple[str, int] | None:
        """Return somebody's open code and its seconds left."""
        self._forget(now_s)
        mine = ((c.code, int(c.until_s - now_s)) for c in self._codes if c.by == by)
        return next(mine, None)

    def use(self, code: str, now_s: float) -> str:
        """Return who showed the code and spend it; "" for none of ours."""
        self._forget(now_s)
        for each in self._codes:
            if hmac.compare_digest(each.code, code):
                self._codes.remove(each)
                return each.by
        return ""

    def _forget(self, now_s: float) -> None:
        self._codes = [code for code in self._codes if now_s < code.until_s]
