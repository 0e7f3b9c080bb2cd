# SPDX-License-Identifier: Apache-2.0
"""Renewal: a gateway that is known asks for its next certificate over the line.

The law of the module: the broker is not believed: a request counts that is signed by
the key of the box that enrolled, for its own name. A gateway whose certificates were
all revoked gets none. The same request gets the same certificate again; another one
within a day is refused, whoever asks.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from cloud_sync.platform.enrolment import certificates
from cloud_sync.platform.enrolment.authority import CsrError, names_of, read_csr
from cloud_sync.renewing import CertificateAnswer, CertificateWish, signed_part

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work
    from cloud_sync.platform.enrolment.authority import Authority

#: Of one gateway; certificates last two years.
AT_MOST_EVERY_MS = 86_400_000


async def renew(
    work: Work,
    gateway: str,
    wish: CertificateWish,
    authority: Authority | None,
    now_ms: int,
) -> CertificateAnswer:
    """Return the next certificate, or the name of what is against it."""
    name = sha256(wish.csr.encode()).hexdigest()
    refusal = await _refusal(work, gateway, wish)
    if refusal or authority is None:
        return CertificateAnswer(nonce=wish.nonce, refusal=refusal or "NO_AUTHORITY")
    pem = await certificates.issued_for(work, gateway, name)
    if not pem:
        # A broker may bring an old wish again; what it got stays revoked.
        if await certificates.was_revoked(work, gateway, name):
            return CertificateAnswer(nonce=wish.nonce, refusal="REVOKED")
        if not await certificates.good_until_ms(work, gateway, now_ms):
            return CertificateAnswer(nonce=wish.nonce, refusal="REVOKED")
        last_ms = await certificates.last_renewed_ms(work, gateway)
        if now_ms - last_ms < AT_MOST_EVERY_MS:
            return CertificateAnswer(nonce=wish.nonce, refusal="TOO_OFTEN")
        made = authority.gateway(read_csr(wish.csr), gateway, now_ms)
        pem = made.public_bytes(Encoding.PEM).decode()
        await certificates.note(work, gateway, made, now_ms, csr=name, pem=pem)
        await work.execute(
            "UPDATE box SET renewed_ms = ?2 WHERE gateway = ?1", gateway, now_ms
        )
    return CertificateAnswer(nonce=wish.nonce, certificate=pem, authority=authority.pem)


async def _refusal(work: Work, gateway: str, wish: CertificateWish) -> str:
    found = await work.fetch("SELECT box FROM box WHERE gateway = ?1", gateway)
    if not found:
        return "NOT_ENROLLED"
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(found[0][0]))
        message = signed_part(gateway, wish.nonce, wish.csr)
        key.verify(bytes.fromhex(wish.signature), message)
        names = names_of(read_csr(wish.csr))
    except (InvalidSignature, ValueError):
        return "SIGNATURE"
    except CsrError:
        return "REQUEST"
    return "" if names == [gateway] else "OTHER_NAME"
