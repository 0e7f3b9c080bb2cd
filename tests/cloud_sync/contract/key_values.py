# SPDX-License-Identifier: Apache-2.0
"""What the contract says of keys and certificates: good values, and spoilt ones.

The law of the module: as in samples.py and spoiling.py. The key of the request was
thrown away; the box signs with Ed25519 of 32 bytes 42, and X25519 of the bytes 0 to 31
opens the sealed row.
"""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_sync import envelope
from cloud_sync.renewing import CertificateWish, signed_part
from tests.cloud_sync.contract.readers import NONCE
from tests.cloud_sync.contract.spoiling import Spoilt, bad, without
from tests.cloud_sync.scripted_platform import GATEWAY

AT_MS = 1_760_000_000_000
CSR = """\
-----BEGIN CERTIFICATE REQUEST-----
MIHTMHoCAQAwGDEWMBQGA1UEAwwNZ3cta2l0Y2hlbi0wMTBZMBMGByqGSM49AgEG
CCqGSM49AwEHA0IABGKLIE+kqOU3TiQ3euBXJqB3p25aLtjJxiSW5SDVuRPw106a
uXslQ8JOHLQYGuc2nz51Ha5Ym1pR8GHSvynQ3aCgADAKBggqhkjOPQQDAgNJADBG
AiEAgNw+TTB412kw9gfbGpmd0OUANAotl5gmn2qSdKZa9GQCIQC5fUY8V9c0PNQx
C0wdyk1YmCtEdMvACuDoS3i6HvYNPQ==
-----END CERTIFICATE REQUEST-----
"""
AUTHORITY = """\
-----BEGIN CERTIFICATE-----
MIIBezCCASGgAwIBAgIULxL1QXe9gTcKffRVyGsQ/9HelywwCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPTWVuc2hlbiB2ZWN0b3JzMB4XDTI1MTAwODA4NTMyMFoXDTM1
MTAwOTA4NTMyMFowGjEYMBYGA1UEAwwPTWVuc2hlbiB2ZWN0b3JzMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAE4Y8UyNxReKVDQqI4gzOfbBOm8RBYvz4XtkjR2eyy
BFsQqkYyoZs6pVfCkqGVBimUwuzO5j2ow5SAFzAXZPKUPqNFMEMwEgYDVR0TAQH/
BAgwBgEB/wIBADAOBgNVHQ8BAf8EBAMCAQYwHQYDVR0OBBYEFM3jVhARBVbXZywE
Owrb74nKB65zMAoGCCqGSM49BAMCA0gAMEUCIQDE3W0HnjVmkgYqsA3Mruksu5YK
R9oyeHPhdShcnZjpSgIgCGx0ZvDrPMx17+7d/hjgfgMSsM8w2Rv9GWhwNZQ3Wk4=
-----END CERTIFICATE-----
"""
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBqDCCAU+gAwIBAgIUZwLqNTyJYBNe9aCcveD1LCmTR6swCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPTWVuc2hlbiB2ZWN0b3JzMB4XDTI1MTAwODA4NTMyMFoXDTI3
MTAwOTA4NTMyMFowGDEWMBQGA1UEAwwNZ3cta2l0Y2hlbi0wMTBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABGKLIE+kqOU3TiQ3euBXJqB3p25aLtjJxiSW5SDVuRPw
106auXslQ8JOHLQYGuc2nz51Ha5Ym1pR8GHSvynQ3aCjdTBzMAwGA1UdEwEB/wQC
MAAwDgYDVR0PAQH/BAQDAgeAMBMGA1UdJQQMMAoGCCsGAQUFBwMCMB0GA1UdDgQW
BBSuzH5W6q1CuauB7XXyr9O/UBDmyTAfBgNVHSMEGDAWgBTN41YQEQVW12csBDsK
2++JygeuczAKBggqhkjOPQQDAgNHADBEAiBEGVSwC2o7Ksv0idDAMXPJxrjb1HQK
DZqMa/zGTztdgAIgbs4CnCbTOjPBOt5gouSWZol8EcjwQA9BinQHpzLBuYQ=
-----END CERTIFICATE-----
"""
JWE = (
    "eyJhbGciOiAiRUNESC1FUyIsICJlbmMiOiAiQTI1NkdDTSIsICJ0eXAiOiAibW4ua2V5LnYxIiwg"
    "ImVwayI6IHsiY3J2IjogIlgyNTUxOSIsICJrdHkiOiAiT0tQIiwgIngiOiAiZWFZeDd0NGItY21Q"
    "RWdNczNxM1E1NkI1T1lfSGhyaU15RWJzaWEtRnBSbyJ9fQ..AAAAAAAAAAAAAAAA.f_Y3zAT8Wfy"
    "2_Bxmxpr5ddFqtTWJXwmtwXun4drqW1O91Zp6GX9gve91RFt4VFrF188IFf65p1BdF2ELkv6tBYw"
    "Z7WP0ehOFK_r_y1wVEi3GBjHlZGW2gjB-C89QUYTebHmXrouJXH8xo6AM9IMP78BuVDV2ocOXY9F"
    "p0VCsd0zXZG5kFo2vqpLZiD4Jd5FeD8zIBUiXR6JQ21WOiF7x_fA.JqzjAfA3wwQXZW3UnDe3Yw"
)


def _wish() -> Any:
    box = Ed25519PrivateKey.from_private_bytes(b"*" * 32)
    signed = box.sign(signed_part(GATEWAY, NONCE, CSR)).hex()
    wish = CertificateWish(nonce=NONCE, csr=CSR, signature=signed)
    return json.loads(envelope.certificate_wish(GATEWAY, wish, AT_MS))


_GIVEN = {
    "gw": GATEWAY,
    "re": NONCE,
    "certificate": CERTIFICATE,
    "authority": AUTHORITY,
}
_ROW = {
    "kind": "key",
    "id": "rotation",
    "ver": 7,
    "body": {"use": "rotation", "n": 3, "jwe": JWE},
}
NEWER: dict[str, Any] = {"newer": {"fields": ["are passed over", 1.5, None, True]}}
SAMPLES: dict[str, dict[str, Any]] = {
    "certificate_wish.json": {
        "plain": _wish(),
        "newer fields are passed over": {**_wish(), **NEWER},
    },
    "certificate_answer.json": {
        "plain": _GIVEN,
        "refused": {"gw": GATEWAY, "re": NONCE, "refused": "TOO_OFTEN"},
        "newer fields are passed over": _GIVEN | NEWER,
    },
    "row_key.json": {
        "plain": _ROW,
        "another use": _ROW | {"id": "c", "body": _ROW["body"] | {"use": "command"}},  # type: ignore[operator]
    },
}
SPOILT: dict[str, tuple[Spoilt, ...]] = {
    "certificate_wish.json": (
        *without("GARBLED", "specversion", "type", "source", "id", "data"),
        *without("GARBLED", "data/csr", "data/signature"),
        *bad(
            "GARBLED",
            ("an id that is no nonce", "id", "1"),
            ("a request that is none", "data/csr", "MIIB"),
            ("a certificate for a request", "data/csr", CERTIFICATE),
            ("a request that is too long", "data/csr", CSR[:40] + "A" * 4096),
            ("half a signature", "data/signature", "ab" * 32),
        ),
    ),
    "certificate_answer.json": (
        *without("GATEWAY", "gw"),
        *without("BODY", "re", "certificate", "authority"),
        *bad(
            "BODY",
            ("an answer to nothing", "re", "1"),
            ("a certificate that is none", "certificate", "MIIB"),
            ("an authority that is a request", "authority", CSR),
            ("a refusal that is no word", "refused", "too often"),
        ),
    ),
    "row_key.json": (
        *without("FEED_SHAPE", "kind", "id", "ver", "body"),
        *without("NOT_SEALED", "body/use", "body/n", "body/jwe"),
        *bad(
            "NOT_SEALED",
            ("a use that nobody knows", "body/use", "root"),
            ("a number of nothing", "body/n", 0),
            ("a number that is text", "body/n", "3"),
            ("a seal of four parts", "body/jwe", JWE.rpartition(".")[0]),
            ("a key of its own inside", "body/jwe", JWE.replace("..", ".AAAA.")),
        ),
        *bad("PASSED_OVER", ("of another kind", "kind", "keys")),
    ),
}
