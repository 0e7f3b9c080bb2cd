# SPDX-License-Identifier: Apache-2.0
"""Keys sealed to one box: JWE, compact, ECDH-ES over X25519, AES-256-GCM.

The law of the module: one algorithm, one curve, one header, and whatever else comes is
a refusal with its reason; what is opened names the gateway, the site, the use and the
number that it was sealed for, and counts for nothing else. No key stands in a reason.
That it is the platform's is not said by the seal, which anybody could make, but by the
signature over the message that brought it.
Source: RFC 7516, RFC 7518 section 4.6, RFC 8037 section 3.2; docs/enrolment.md.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from cloud_sync.refusal import RefusalKind, Refused
from edge.core.chain import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

ALGORITHM, ENCRYPTION, PURPOSE = "ECDH-ES", "A256GCM", "mn.key.v1"
#: What the keys of a row are for.
USES = ("site", "rotation", "issuer", "command")
#: Eight ticket keys are 2 KiB; a row of the feed has 8.
SEALED_BYTES = 8 * 1024
_HEADER = frozenset({"alg", "enc", "epk", "typ"})
_COMPACT = re.compile(r"[\w-]+\.\.[\w-]{16}\.[\w-]+\.[\w-]{22}", re.ASCII)
_PUBLIC = re.compile(r"[0-9a-f]{64}")
_REGISTRY = jwe.JWERegistry(algorithms=[ALGORITHM, ENCRYPTION])


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedKeys:
    """What was sealed: ``number`` grows with each change of that use at that site."""

    gateway: str
    site: str
    use: str
    number: int
    keys: Mapping[str, Any] = field(repr=False)


def is_row(body: Mapping[str, Any]) -> bool:
    """Say whether a row's body is of the contract's shape; it may open all the same."""
    number, sealed = body.get("n"), body.get("jwe")
    is_number = isinstance(number, int) and not isinstance(number, bool)
    is_sealed = isinstance(sealed, str) and len(sealed) <= SEALED_BYTES
    return (
        body.get("use") in USES
        and is_number
        and 1 <= int(number or 0) < 2**53
        and is_sealed
        and _COMPACT.fullmatch(str(sealed)) is not None
    )


def seal(content: SealedKeys, public: str) -> str:
    """Seal to a box's public key (hex of X25519); ValueError if it is none."""
    if not _PUBLIC.fullmatch(public):
        raise ValueError("a box's sealing key has 32 bytes in hex")
    header = {"alg": ALGORITHM, "enc": ENCRYPTION, "typ": PURPOSE}
    body = {
        "gw": content.gateway,
        "site": content.site,
        "use": content.use,
        "n": content.number,
        "keys": content.keys,
    }
    key = OKPKey.import_key({"kty": "OKP", "crv": "X25519", "x": _b64(public)})
    return jwe.encrypt_compact(header, canonical(body), key, registry=_REGISTRY)


def unseal(
    sealed: object, private: bytes, *, gateway: str, site: str
) -> SealedKeys | Refused:
    """Open what was sealed to ``private`` (X25519, 32 bytes) for this box here."""
    if not isinstance(sealed, str) or len(sealed) > SEALED_BYTES:
        return _refused(RefusalKind.NOT_SEALED, "no sealed key, or one too long")
    header = _header(sealed)
    if isinstance(header, Refused):
        return header
    public = X25519PrivateKey.from_private_bytes(private).public_key()
    own: dict[str, str | list[str]] = {
        "kty": "OKP",
        "crv": "X25519",
        "x": _b64(public.public_bytes_raw().hex()),
        "d": _b64(private.hex()),
    }
    try:
        opened = jwe.decrypt_compact(sealed, OKPKey.import_key(own), registry=_REGISTRY)
    except (JoseError, ValueError, TypeError, AttributeError, KeyError):
        return _refused(RefusalKind.UNSEALING, "not sealed to this box, or altered")
    except Exception as fault:  # noqa: BLE001  cryptography's own kinds among them
        return _refused(
            RefusalKind.UNSEALING, f"cannot be opened: {type(fault).__name__}"
        )
    return _content(opened.plaintext or b"", gateway, site)


def _header(sealed: str) -> dict[str, Any] | Refused:
    try:
        first, *rest = sealed.split(".")
        padded = first + "=" * (-len(first) % 4)
        header = json.loads(urlsafe_b64decode(padded))
    except (ValueError, RecursionError):
        return _refused(RefusalKind.NOT_SEALED, "not a compact JWE")
    if len(rest) != 4 or not isinstance(header, dict):
        return _refused(RefusalKind.NOT_SEALED, "not a compact JWE")
    if not header.keys() <= _HEADER:
        return _refused(RefusalKind.NOT_SEALED, "unknown header parameter")
    if header.get("alg") != ALGORITHM or header.get("enc") != ENCRYPTION:
        return _refused(RefusalKind.ALGORITHM, f"not {ALGORITHM} with {ENCRYPTION}")
    if header.get("typ") != PURPOSE:
        return _refused(RefusalKind.PURPOSE, f"not sealed as {PURPOSE}")
    epk = header.get("epk")
    if not isinstance(epk, dict) or (epk.get("kty"), epk.get("crv")) != (
        "OKP",
        "X25519",
    ):
        return _refused(RefusalKind.CURVE, "not of X25519")
    return header


def _content(text: bytes, gateway: str, site: str) -> SealedKeys | Refused:
    try:
        body = json.loads(text)
        gw, where, use, number, keys = (
            body[name] for name in ("gw", "site", "use", "n", "keys")
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return _refused(RefusalKind.BODY, "a sealed body without its fields")
    if gw != gateway:
        return _refused(RefusalKind.GATEWAY, "sealed for another gateway")
    if where != site:
        return _refused(RefusalKind.SITE, "sealed for another site")
    if use not in USES:
        return _refused(RefusalKind.BODY, "keys of an unknown use")
    is_number = isinstance(number, int) and not isinstance(number, bool)
    if not is_number or not 1 <= number < 2**53 or not isinstance(keys, dict):
        return _refused(RefusalKind.BODY, "a sealed body that is not as agreed")
    return SealedKeys(gateway=gw, site=where, use=use, number=number, keys=keys)


def _b64(raw: str) -> str:
    return urlsafe_b64encode(bytes.fromhex(raw)).rstrip(b"=").decode()


def _refused(kind: RefusalKind, why: str) -> Refused:
    return Refused(kind=kind, why=why)
