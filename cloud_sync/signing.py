# SPDX-License-Identifier: Apache-2.0
"""Opening what the platform signed: the broker in between is not trusted.

The law of the module: no field of a message is looked at before its signature holds,
except the header that names the key. A signature binds a body to one purpose
(``typ``) and one gateway (``gw``). Bytes from the wire never raise, and a body that
is handed out has bounded depth, 64-bit integers and encodable text.
Source: docs/sync-contract.md, section 4; RFC 7515 (compact JWS), RFC 8037 (EdDSA).
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, NoReturn

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from cloud_sync.refusal import RefusalKind, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from joserfc.jws import CompactSignature

#: The contract's payload limit; whatever is longer is not even decoded.
MESSAGE_BYTES = 64 * 1024
#: A body nests a list in a row's body in a row in the rows: 5. Three to spare.
DEPTH = 8
KEY_BYTES = 32
ALGORITHM = "EdDSA"
_HEADER = {"alg", "kid", "typ"}
_INTEGERS = range(-(2**63), 2**63)
#: Points of small order, the sign bit cleared: a signature by such a "key" can be
#: made by anybody. The list is libsodium's ``ge25519_has_small_order``.
_SMALL_ORDER = {
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
}


class EdDSAOnly(jws.JWSRegistry):
    """A registry of one algorithm.

    joserfc's own warns at each use that RFC 9864 renamed EdDSA; version 1 of the
    contract keeps the old name.
    """

    def get_alg(self, name: str) -> Any:
        """Return the one algorithm, or refuse."""
        if name != ALGORITHM:
            raise JoseError(f"algorithm {name!r} is not {ALGORITHM}")
        return self.algorithms[name]


class PlatformKeys:
    """The platform's public keys by ``kid``, each 32 raw bytes or 64 hex digits."""

    __slots__ = ("_keys", "_registry")

    def __init__(self, keys: Mapping[str, bytes | str]) -> None:
        if not keys:
            raise ValueError("no platform key given: nothing could ever be believed")
        self._keys = {kid: _imported(kid, key) for kid, key in keys.items()}
        self._registry = EdDSAOnly(algorithms=[ALGORITHM])

    def replace(self, others: PlatformKeys) -> None:
        """Believe these keys from now on, and no others."""
        self._keys = others._keys

    def open(
        self, message: bytes, purpose: str, gateway: str
    ) -> dict[str, Any] | Refused:
        """Return the body of a message signed for this purpose and this gateway."""
        if len(message) > MESSAGE_BYTES:
            return _refused(RefusalKind.TOO_LARGE, f"{len(message)} bytes")
        opened = self._verified(message, purpose)
        if isinstance(opened, Refused):
            return opened
        body = _body(opened)
        if body is None:
            return _refused(RefusalKind.BODY, "not a tame JSON object")
        if body.get("gw") != gateway:
            return _refused(RefusalKind.GATEWAY, "signed for another gateway")
        return body

    def signer(self, message: bytes) -> str:
        """Return who is said to have signed a message that :meth:`open` has opened."""
        envelope = jws.extract_compact(message, registry=self._registry)
        return str(envelope.headers()["kid"])

    def _verified(self, message: bytes, purpose: str) -> bytes | Refused:
        try:
            envelope = jws.extract_compact(message, registry=self._registry)
            refusal = self._header_refusal(envelope, purpose)
            if refusal is not None:
                return refusal
            key = self._keys[envelope.headers()["kid"]]
            is_good = jws.validate_compact(envelope, key, registry=self._registry)
        except (JoseError, ValueError, TypeError, AttributeError, RecursionError):
            # joserfc raises AttributeError for a header that is a JSON array.
            return _refused(RefusalKind.NOT_SIGNED, "not a compact JWS")
        if not is_good:
            return _refused(RefusalKind.SIGNATURE, "the signature does not hold")
        return envelope.payload

    def _header_refusal(
        self, envelope: CompactSignature, purpose: str
    ) -> Refused | None:
        header = envelope.headers()
        if not header.keys() <= _HEADER:
            # Among them "crit" and "b64", which change what the signature means.
            return _refused(RefusalKind.NOT_SIGNED, "unknown header parameter")
        if header.get("alg") != ALGORITHM:
            return _refused(RefusalKind.ALGORITHM, f"not {ALGORITHM}")
        if header.get("kid") not in self._keys:
            return _refused(RefusalKind.KEY_UNKNOWN, "no such platform key")
        if header.get("typ") != purpose:
            return _refused(RefusalKind.PURPOSE, f"not signed as {purpose}")
        return None


def _imported(kid: str, key: bytes | str) -> OKPKey:
    raw = bytes.fromhex(key) if isinstance(key, str) else key
    if len(raw) != KEY_BYTES:
        raise ValueError(f"platform key {kid!r} has {len(raw)} bytes, not {KEY_BYTES}")
    if raw[:-1] + bytes([raw[-1] & 0x7F]) in _SMALL_ORDER:
        raise ValueError(f"platform key {kid!r} is a point anybody can sign for")
    x = urlsafe_b64encode(raw).rstrip(b"=").decode()
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})


def _refused(kind: RefusalKind, why: str) -> Refused:
    return Refused(kind=kind, why=why)


def _body(payload: bytes) -> dict[str, Any] | None:
    try:
        body = _DECODER.decode(payload.decode())
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and _is_tame(body, DEPTH) else None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _is_tame(value: object, depth: int) -> bool:
    match value:
        case str():
            return value.isascii() or _is_encodable(value)
        case int():
            return value in _INTEGERS
        case dict():
            return depth > 0 and all(
                _is_tame(key, 1) and _is_tame(entry, depth - 1)
                for key, entry in value.items()
            )
        case list():
            return depth > 0 and all(_is_tame(entry, depth - 1) for entry in value)
        case _:
            return True


def _is_encodable(text: str) -> bool:
    """Say whether ``text`` is free of lone surrogates, which JSON can smuggle in."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
