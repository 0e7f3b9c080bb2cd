# SPDX-License-Identifier: Apache-2.0
"""Authorities, certificates and revocations, made for a test and good for nothing else.

The law of the module: a key is made here, lives in the test's folder and is nobody's;
dates are far from today on either side, so that no test grows old.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PAST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
SHORTLY_AFTER = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
SHORTLY_BEFORE = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
FUTURE = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
ALWAYS = (PAST, FUTURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path
    serial: int


class Authority:
    """Signs certificates; its own lies in ``ca``."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        self.ca = folder / f"{name}.pem"
        signed = self._builder(self._name, self._key, ALWAYS).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        certificate = signed.sign(self._key, hashes.SHA256())
        self.ca.write_bytes(certificate.public_bytes(Encoding.PEM))

    def issue(
        self,
        name: str,
        *,
        hosts: Sequence[str] = ("127.0.0.1",),
        dates: tuple[dt.datetime, dt.datetime] = ALWAYS,
        password: bytes = b"",
    ) -> Pair:
        """Make a key and its certificate; ``name`` is its common name and its file."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([_general(host) for host in hosts])
        builder = self._builder(_named(name), key, dates).add_extension(names, False)  # noqa: FBT003
        certificate = builder.sign(self._key, hashes.SHA256())
        shown, hidden = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        shown.write_bytes(certificate.public_bytes(Encoding.PEM))
        lock: KeySerializationEncryption = NoEncryption()
        if password:
            lock = BestAvailableEncryption(password)
        hidden.touch(mode=0o600)
        hidden.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
        return Pair(certificate=shown, key=hidden, serial=certificate.serial_number)

    def revoke(self, *pairs: Pair) -> Path:
        """Return the file of a list that revokes them."""
        builder = x509.CertificateRevocationListBuilder(
            issuer_name=self._name, last_update=PAST, next_update=FUTURE
        )
        for pair in pairs:
            revoked = x509.RevokedCertificateBuilder(pair.serial, PAST)
            builder = builder.add_revoked_certificate(revoked.build())
        path = self.ca.with_suffix(".crl")
        signed = builder.sign(self._key, hashes.SHA256())
        path.write_bytes(signed.public_bytes(Encoding.PEM))
        return path

    def _builder(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        dates: tuple[dt.datetime, dt.datetime],
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder(subject_name=subject, issuer_name=self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(dates[0])
            .not_valid_after(dates[1])
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
