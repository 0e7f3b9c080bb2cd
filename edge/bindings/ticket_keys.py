# SPDX-License-Identifier: Apache-2.0
"""The keys by which this site believes tickets.

The law of the module: made once from the key file and never changed; a set that could
make a stranger's ticket hold is refused when it is made, so that no later check has to
wonder. Secrets are never printed.
Source: docs/tickets.md, "Keys"; the small-order points are libsodium's
``ge25519_has_small_order``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.core.moment import UNBOUNDED_MS

#: Two platforms with an old and a new key each, twice over.
MAX_KEYS = 8
#: The group's secret and the one that replaces it.
MAX_ROTATION_KEYS = 2
MAX_KEY_ID_BYTES = 4
MAX_ISSUER_LENGTH = 8
PUBLIC_KEY_BYTES = 32
ROTATION_KEY_BYTES = 32
#: Keys whose private half everybody knows: the published vectors use them.
TEST_PATTERNS = frozenset(
    bytes.fromhex(public)
    for public in (
        "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
        "29acbae141bccaf0b22e1a94d34d0bc7361e526d0bfe12c89794bc9322966dd7",
    )
)
TEST_ROTATION_KEYS = frozenset({bytes(range(0x40, 0x60))})
#: "Keys" for which anybody can sign, the sign bit cleared.
_SMALL_ORDER = frozenset(
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketKey:
    """One public key: its id, whose it is ("" for anybody's), and its life.

    ``doors``: what alone its tickets may open, by name or number; none: everything.
    """

    key_id: bytes
    public: bytes
    issuer: str = ""
    from_ms: int = 0
    to_ms: int = UNBOUNDED_MS
    doors: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        name = f"ticket key {self.key_id.hex()!r}"
        if not 1 <= len(self.key_id) <= MAX_KEY_ID_BYTES:
            raise ValueError(f"{name}: an id has 1 to {MAX_KEY_ID_BYTES} bytes")
        if len(self.issuer) > MAX_ISSUER_LENGTH or not self.issuer.isascii():
            raise ValueError(f"{name}: an issuer has at most 8 ASCII characters")
        if len(self.public) != PUBLIC_KEY_BYTES:
            raise ValueError(f"{name} has {len(self.public)} bytes, not 32")
        if self.public[:-1] + bytes([self.public[-1] & 0x7F]) in _SMALL_ORDER:
            raise ValueError(f"{name} is a point anybody can sign for")
        if not 0 <= self.from_ms < self.to_ms:
            raise ValueError(f"{name} ends before it begins")

    def limited(self, doors: tuple[str | int, ...]) -> tuple[str | int, ...]:
        """Return those of the doors that this key may speak for."""
        if not self.doors:
            return doors
        return tuple(door for door in doors if str(door) in self.doors)

    def verifier(self) -> Ed25519PublicKey:
        """Return the key, ready to verify."""
        return Ed25519PublicKey.from_public_bytes(self.public)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketKeys:
    """All keys of a site; ``rotation`` holds the secrets of rotating codes.

    ``accepts_test_patterns`` is for tests and for looking at vectors, never for a door.
    """

    keys: tuple[TicketKey, ...]
    rotation: tuple[bytes, ...] = field(default=(), repr=False)
    accepts_test_patterns: bool = False

    def __post_init__(self) -> None:
        if len(self.keys) > MAX_KEYS:
            raise ValueError(f"{len(self.keys)} ticket keys; a site has at most 8")
        if len(self.rotation) > MAX_ROTATION_KEYS:
            raise ValueError("more than two rotation keys: the old and the new will do")
        if any(len(secret) != ROTATION_KEY_BYTES for secret in self.rotation):
            raise ValueError(f"a rotation key has {ROTATION_KEY_BYTES} bytes")
        known = TEST_PATTERNS.intersection(key.public for key in self.keys)
        known |= TEST_ROTATION_KEYS.intersection(self.rotation)
        if known and not self.accepts_test_patterns:
            raise ValueError("a key of the published test vectors: anybody can sign")

    def named(self, key_id: bytes) -> tuple[TicketKey, ...]:
        """Return every key of that id: ids are short and may collide."""
        return tuple(key for key in self.keys if key.key_id == key_id)
