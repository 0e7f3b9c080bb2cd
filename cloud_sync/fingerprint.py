# SPDX-License-Identifier: Apache-2.0
"""What people compare of a box's key, at the box and at the platform.

The law of the module: pure; one way to write it, so that two screens show the same.
"""

from __future__ import annotations

from hashlib import sha256

#: 128 bits of the public half's hash, which people compare in groups of four digits.
_DIGITS = 32
_GROUP = 4


def fingerprint_of(public: bytes) -> str:
    """Return the fingerprint of a public key as it is shown everywhere."""
    digits = sha256(public).hexdigest()[:_DIGITS]
    return "-".join(digits[at : at + _GROUP] for at in range(0, len(digits), _GROUP))
