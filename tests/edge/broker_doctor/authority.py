# SPDX-License-Identifier: Apache-2.0
"""A certificate authority of a test: certificates that live in the test's folder.

The law of the module: a key is made for each name, and nothing outlives the folder.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

if TYPE_CHECKING:
    from pathlib import Path

_FROM = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_TO = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
_LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))


class Authority:
    """Signs certificates for a broker and its clients, into one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("test authority")
        builder = self._builder(self._name, self._key)
        rights = x509.BasicConstraints(ca=True, path_length=None)
        builder = builder.add_extension(rights, critical=True)
        own = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        builder = builder.add_extension(own, critical=False)
        self._write("ca", builder, self._key)

    @property
    def ca(self) -> Path:
        """The authority's own certificate."""
        return self._folder / "ca.crt"

    def issue(self, name: str) -> str:
        """Make a certificate; return the account as the command line writes it."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(_named(name), key)
        public = self._key.public_key()
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
        builder = builder.add_extension(issuer, critical=False)
        names = x509.SubjectAlternativeName([_LOOPBACK])
        if name == "broker":
            builder = builder.add_extension(names, critical=False)
        self._write(name, builder, key)
        return f"{name}={self._folder / name}.crt,{self._folder / name}.key"

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder(subject_name=subject, issuer_name=self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_FROM)
            .not_valid_after(_TO)
        )

    def _write(
        self,
        name: str,
        builder: x509.CertificateBuilder,
        key: ec.EllipticCurvePrivateKey,
    ) -> None:
        certificate = builder.sign(self._key, hashes.SHA256())
        shown, hidden = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        shown.write_bytes(certificate.public_bytes(Encoding.PEM))
        hidden.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
