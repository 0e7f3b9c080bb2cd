# SPDX-License-Identifier: Apache-2.0
"""Keys sealed to one box: opened by a peer of the test's own, and by nobody else.

The peer is written from RFC 7518, 4.6, over ``cryptography`` alone, and is held to the
numbers of that RFC's Appendix C before it judges.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash

from cloud_sync.refusal import RefusalKind, Refused
from cloud_sync.sealing import SealedKeys, seal, unseal

BOX, OTHER = bytes(range(32)), bytes(range(32, 64))
GATEWAY, SITE = "gw-kitchen-01", "kitchen"
SECRET = "5e" * 32
PLAIN = {"alg": "ECDH-ES", "enc": "A256GCM", "typ": "mn.key.v1"}


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def kdf(
    z: bytes, algorithm: str, bits: int, apu: bytes = b"", apv: bytes = b""
) -> bytes:
    """Derive a key as RFC 7518, 4.6.2 says."""
    parts = (algorithm.encode(), apu, apv)
    info = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    info += bits.to_bytes(4, "big")
    return ConcatKDFHash(SHA256(), bits // 8, info).derive(z)


def public_of(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def sealed_by_peer(
    body: object, header: dict[str, Any] | None = None, *, to: bytes = BOX
) -> str:
    """Seal as another implementation would; ``header`` changes what it says."""
    own = X25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
    epk = {"crv": "X25519", "kty": "OKP", "x": b64(own.public_key().public_bytes_raw())}
    said = {**PLAIN, "epk": epk, **(header or {})}
    z = own.exchange(X25519PublicKey.from_public_bytes(public_of(to)))
    key, nonce = kdf(z, "A256GCM", 256), bytes(12)
    first = b64(json.dumps(said).encode())
    text = AESGCM(key).encrypt(nonce, json.dumps(body).encode(), first.encode())
    return ".".join((first, "", b64(nonce), b64(text[:-16]), b64(text[-16:])))


def body(**changes: Any) -> dict[str, Any]:
    keys = {"rotation": [SECRET]}
    good = {"gw": GATEWAY, "site": SITE, "use": "rotation", "n": 3, "keys": keys}
    return good | changes


def opened(sealed: object, private: bytes = BOX) -> SealedKeys | Refused:
    return unseal(sealed, private, gateway=GATEWAY, site=SITE)


def test_the_peer_derives_what_the_standard_prints() -> None:
    """RFC 7518, Appendix C."""
    alice = ec.derive_private_key(
        int.from_bytes(unb64("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo"), "big"),
        ec.SECP256R1(),
    )
    x = int.from_bytes(unb64("weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ"), "big")
    y = int.from_bytes(unb64("e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"), "big")
    bob = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    z = alice.exchange(ec.ECDH(), bob)
    assert b64(kdf(z, "A128GCM", 128, b"Alice", b"Bob")) == "VqqN6vgjbSBcIijNcacQGg"


def test_what_we_seal_a_peer_opens() -> None:
    content = SealedKeys(
        gateway=GATEWAY,
        site=SITE,
        use="rotation",
        number=3,
        keys={"rotation": [SECRET]},
    )
    first, empty, nonce, text, tag = seal(content, public_of(BOX).hex()).split(".")
    header = json.loads(unb64(first))
    assert {k: v for k, v in header.items() if k != "epk"} == PLAIN
    assert empty == ""
    epk = X25519PublicKey.from_public_bytes(unb64(header["epk"]["x"]))
    z = X25519PrivateKey.from_private_bytes(BOX).exchange(epk)
    cipher = AESGCM(kdf(z, "A256GCM", 256))
    plain = cipher.decrypt(unb64(nonce), unb64(text) + unb64(tag), first.encode())
    assert json.loads(plain) == body()
    assert seal(content, public_of(BOX).hex()).split(".")[3] != text


def test_what_a_peer_seals_we_open() -> None:
    found = opened(sealed_by_peer(body()))
    assert isinstance(found, SealedKeys)
    assert (found.use, found.number, found.keys) == ("rotation", 3, body()["keys"])
    assert SECRET not in repr(found)


P256 = {"kty": "EC", "crv": "P-256", "x": b64(bytes(32)), "y": b64(bytes(32))}
GOOD = sealed_by_peer(body())


@pytest.mark.parametrize(
    ("sealed", "kind"),
    [
        (sealed_by_peer(body(), to=OTHER), RefusalKind.UNSEALING),
        (
            GOOD[:-4] + ("AAAA" if GOOD[-4:] != "AAAA" else "BBBB"),
            RefusalKind.UNSEALING,
        ),
        (sealed_by_peer(body(gw="gw-other-01")), RefusalKind.GATEWAY),
        (sealed_by_peer(body(site="hall")), RefusalKind.SITE),
        (sealed_by_peer(body(use="root")), RefusalKind.BODY),
        (sealed_by_peer(body(n=0)), RefusalKind.BODY),
        (sealed_by_peer(body(n=True)), RefusalKind.BODY),
        (sealed_by_peer(body(keys=[])), RefusalKind.BODY),
        (sealed_by_peer(["no", "object"]), RefusalKind.BODY),
        (sealed_by_peer(body(), {"alg": "RSA-OAEP"}), RefusalKind.ALGORITHM),
        (sealed_by_peer(body(), {"alg": "dir"}), RefusalKind.ALGORITHM),
        (sealed_by_peer(body(), {"alg": "none"}), RefusalKind.ALGORITHM),
        (sealed_by_peer(body(), {"alg": "ECDH-ES+A256KW"}), RefusalKind.ALGORITHM),
        (sealed_by_peer(body(), {"enc": "A128GCM"}), RefusalKind.ALGORITHM),
        (sealed_by_peer(body(), {"typ": "mn.cmd.v1"}), RefusalKind.PURPOSE),
        (sealed_by_peer(body(), {"epk": P256}), RefusalKind.CURVE),
        (sealed_by_peer(body(), {"epk": "text"}), RefusalKind.CURVE),
        (
            sealed_by_peer(
                body(), {"epk": {"kty": "OKP", "crv": "X25519", "x": b64(bytes(32))}}
            ),
            RefusalKind.UNSEALING,
        ),
        (sealed_by_peer(body(), {"epk": {"kty": "OKP", "crv": "X25519"}}), "any"),
        (sealed_by_peer(body(), {"zip": "DEF"}), RefusalKind.NOT_SEALED),
        (sealed_by_peer(body(), {"crit": ["x"], "x": 1}), RefusalKind.NOT_SEALED),
        ("a.b.c.d.e", RefusalKind.NOT_SEALED),
        ("", RefusalKind.NOT_SEALED),
        ("....", RefusalKind.NOT_SEALED),
        (GOOD.rpartition(".")[0], RefusalKind.NOT_SEALED),
        ("A" * 9000, RefusalKind.NOT_SEALED),
        (None, RefusalKind.NOT_SEALED),
        (["x"], RefusalKind.NOT_SEALED),
        ("W10" + GOOD[GOOD.index(".") :], RefusalKind.NOT_SEALED),
    ],
)
def test_what_is_not_ours_has_a_name_and_no_secret(sealed: object, kind: str) -> None:
    found = opened(sealed)
    assert isinstance(found, Refused)
    assert kind in ("any", found.kind)
    assert SECRET not in found.why


def test_every_bit_counts() -> None:
    for place in range(0, len(GOOD), 7):
        other = "A" if GOOD[place] != "A" else "B"
        found = opened(GOOD[:place] + other + GOOD[place + 1 :])
        # The last bits of a text in base64 may stand for nothing.
        assert isinstance(found, Refused) or found.keys == body()["keys"]
