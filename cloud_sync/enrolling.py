# SPDX-License-Identifier: Apache-2.0
"""What box and platform compute alike when a gateway enrols: claim, promise, digits.

The law of the module: pure functions over bytes that both sides saw. Six digits are
19.9 bits, enough only because nobody can try twice: each side's nonce is fixed before
it knows the other's (the box promises its own by a hash, and the platform's comes
after that), so that whoever stands between them, or holds a stolen claim, meets the
right digits once in a million, and a comparison that fails uses the claim up.
Source: docs/enrolment.md; RFC 6189, section 4.4.1.1 (a commitment before the nonce).
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

from edge.core.chain import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Crockford's letters: none is read as another. 20 of them are 100 bits.
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CLAIM_LETTERS = 20
DIGITS = 6
NONCE_BYTES = 16
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_CLAIM = re.compile(f"[{LETTERS}]{{{CLAIM_LETTERS}}}")
#: A request: the claim, who asks, a PEM request, the box's two public keys (hex), the
#: hash of its nonce, and the secret with which it will collect the answer.
REQUEST_FIELDS = (
    *("claim", "gateway", "site", "csr", "box", "seal", "promise", "ticket"),
)


def normal_claim(text: str) -> str | None:
    """Return a claim as it is hashed, however it was typed; None if it is none."""
    bare = re.sub(r"[\s-]", "", text).upper().translate(_READ_AS)
    return bare if _CLAIM.fullmatch(bare) else None


def shown_claim(claim: str) -> str:
    """Return a claim as it is printed: four groups of five."""
    return "-".join(claim[at : at + 5] for at in range(0, CLAIM_LETTERS, 5))


def claim_hash(claim: str) -> str:
    """Return under what a platform keeps a claim: 100 bits need no slow hash."""
    return sha256(b"menshen claim v1|" + claim.encode()).hexdigest()


def ticket_hash(ticket: str) -> str:
    """Return under what a platform keeps the secret with which a box collects."""
    return sha256(b"menshen ticket v1|" + ticket.encode()).hexdigest()


def promise_of(nonce: str) -> str:
    """Return the hash by which a box is bound to its nonce (hex)."""
    return sha256(b"menshen promise v1|" + nonce.encode()).hexdigest()


def transcript(request: Mapping[str, str]) -> str:
    """Return what both sides saw of a request, its two secrets by their hashes."""
    fields = {name: request[name] for name in REQUEST_FIELDS}
    hashes = {
        "claim": claim_hash(request["claim"]),
        "ticket": ticket_hash(request["ticket"]),
    }
    return canonical(fields | hashes)


def signed_part(seen: str) -> bytes:
    """Return the bytes of a :func:`transcript` that the box's key signs."""
    return f"menshen enrol v1|{seen}".encode()


def digits_of(seen: str, box_nonce: str, platform_nonce: str) -> str:
    """Return the six digits that both sides show."""
    text = f"menshen digits v1|{seen}|{box_nonce}|{platform_nonce}"
    number = int.from_bytes(sha256(text.encode()).digest()[:16], "big")
    return f"{number % 10**DIGITS:0{DIGITS}}"


def shown_digits(digits: str) -> str:
    """Return the digits as people read them to each other."""
    return f"{digits[:3]} {digits[3:]}"
