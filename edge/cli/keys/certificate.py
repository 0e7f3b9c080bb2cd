# SPDX-License-Identifier: Apache-2.0
"""What a certificate must be before a box keeps it: for our key, our name, in date.

The law of the module: it looks and keeps nothing; no key stands in an error.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key


class CertificateError(Exception):
    """What the platform gave cannot be used; the text says what to do."""


def check_certificate(
    certificate: str,
    authority: str,
    key: str,
    gateway: str,
    *,
    earliest_ms: int,
    latest_ms: int,
) -> None:
    """Hold a certificate against key, name, authority and time; CertificateError."""
    held, ours = loaded(certificate), loaded(authority)
    names = held.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    private = load_pem_private_key(key.encode(), None)
    if held.public_key() != private.public_key():
        raise CertificateError("the certificate is for another key than this box's")
    if [str(name.value) for name in names] != [gateway]:
        raise CertificateError("the certificate is for another gateway")
    try:
        held.verify_directly_issued_by(ours)
    except (ValueError, TypeError, InvalidSignature) as flaw:
        raise CertificateError("the certificate is not by its authority") from flaw
    start = int(held.not_valid_before_utc.timestamp() * 1000)
    end = int(held.not_valid_after_utc.timestamp() * 1000)
    if latest_ms < start or earliest_ms >= end:
        raise CertificateError("the certificate is surely out of its dates")


def loaded(pem: str) -> x509.Certificate:
    """Read a certificate in PEM; CertificateError."""
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError as flaw:
        raise CertificateError("what was given is no certificate in PEM") from flaw
