# SPDX-License-Identifier: Apache-2.0
"""Six digits, kept as a hash that a stolen card does not give away.

The law of the module: a PIN exists in the call that hashes it; what is kept is scrypt
over the PIN keyed with this box's pepper, which stands in a file of its own. Hashing
takes tens of milliseconds and 16 MiB: in a worker thread, one at a time.
Source: RFC 7914; OWASP ASVS 5.0 6.2 (PINs behind a paired device).
"""

from __future__ import annotations

import asyncio
import hmac
import os
import secrets
from hashlib import scrypt
from typing import TYPE_CHECKING, NamedTuple

from edge.storage.quarantine import set_aside

if TYPE_CHECKING:
    from pathlib import Path

PIN_DIGITS = 6
#: 16 MiB and tens of milliseconds a guess, as for identity numbers.
SCRYPT_N, SCRYPT_R = 1 << 14, 8
PEPPER_BYTES = SALT_BYTES = 32
_RUN = "01234567890"


def flaw_of(pin: object) -> str:
    """Return why a PIN cannot be one's PIN: "form", "easy", or nothing."""
    if not isinstance(pin, str) or not pin.isascii() or not pin.isdecimal():
        return "form"
    if len(pin) != PIN_DIGITS:
        return "form"
    is_run = pin in _RUN or pin in _RUN[::-1]
    is_pattern = pin[:3] == pin[3:] or pin[:2] * 3 == pin
    return "easy" if is_run or is_pattern or len(set(pin)) < 3 else ""


class Pins:
    """Hashes and compares with one box's pepper."""

    def __init__(self, pepper: bytes) -> None:
        self._pepper = pepper
        self._one_at_a_time = asyncio.Semaphore(1)

    @property
    def mark(self) -> str:
        """By which one pepper is told from another; it tells nothing of it."""
        return hmac.digest(self._pepper, b"which pepper", "sha256")[:8].hex()

    async def hashed(self, pin: str) -> str:
        """Return what may be kept of a PIN."""
        salt = secrets.token_bytes(SALT_BYTES)
        return f"{salt.hex()}:{(await self._hash(pin, salt)).hex()}"

    async def is_right(self, pin: str, kept: str) -> bool:
        """Say whether a PIN is the one of which ``kept`` was made."""
        salt, _, wanted = kept.partition(":")
        found = await self._hash(pin, bytes.fromhex(salt))
        return hmac.compare_digest(found, bytes.fromhex(wanted))

    async def _hash(self, pin: str, salt: bytes) -> bytes:
        keyed = hmac.digest(self._pepper, pin.encode(), "sha256")
        async with self._one_at_a_time:
            return await asyncio.to_thread(
                scrypt, keyed, salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=1, dklen=32
            )


class Pepper(NamedTuple):
    """The box's pepper, and whether it was made just now."""

    secret: bytes
    is_new: bool


def read_pepper(path: Path) -> Pepper:
    """Return the box's pepper, made where there is none; OSError if it cannot be kept.

    One that is damaged is set aside: cards log in without it, and PINs can be given
    anew. Whoever keeps PINs finds out that they were of another one.
    """
    try:
        pepper = path.read_bytes()
    except FileNotFoundError:
        pepper = b""
    is_new = len(pepper) != PEPPER_BYTES
    if is_new:
        if path.exists():
            set_aside(path)
        pepper = secrets.token_bytes(PEPPER_BYTES)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        hidden = path.with_name(f"{path.name}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(hidden, flags, 0o600), "wb") as file:
            file.write(pepper)
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(path)
    return Pepper(pepper, is_new)
