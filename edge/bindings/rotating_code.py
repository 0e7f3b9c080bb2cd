# SPDX-License-Identifier: Apache-2.0
"""The eight digits that change every half minute beside a ticket.

The law of the module: pure arithmetic over a secret; it is told which steps could be
now and never asks. Codes are compared in constant time.
Source: docs/tickets.md, "The changing code"; RFC 4226 section 5.3 over HMAC-SHA256.
"""

from __future__ import annotations

import hmac

LABEL = b"menshen-rot-v1"
SECRET_BYTES = 20
CODE_MODULUS = 10**8


def ticket_secret(rotation_key: bytes, ticket_id: bytes) -> bytes:
    """Derive a ticket's own secret, which its holder's phone gets with the ticket."""
    return hmac.digest(rotation_key, LABEL + ticket_id, "sha256")[:SECRET_BYTES]


def code_at(secret: bytes, step: int) -> bytes:
    """Return the eight digits of a step (seconds since 1970 through 30)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha256")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return b"%08d" % (number % CODE_MODULUS)


def step_of(
    code: bytes, ticket_id: bytes, rotation_keys: tuple[bytes, ...], steps: range
) -> int | None:
    """Return the newest of ``steps`` (none below 0) whose code this is, or None."""
    for rotation_key in rotation_keys:
        secret = ticket_secret(rotation_key, ticket_id)
        for step in reversed(steps):
            if hmac.compare_digest(code_at(secret, step), code):
                return step
    return None
