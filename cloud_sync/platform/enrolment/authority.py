# SPDX-License-Identifier: Apache-2.0
"""The platform's own certificate authority: two files, made once.

The law of the module: the key is P-256 in a file that its owner alone may read, and
stands in no error and no log; it signs names that its caller has checked, never one
out of a request. Gateways get what lets a client in, servers what names a host.
Source: RFC 5280, 4.2.1 and 5; docs/enrolment.md.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import stat
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

#: Ten years for the authority, two for what it signs (sync.md: a box that was in a
#: cupboard for a year still gets in, and renews at two thirds).
AUTHORITY_DAYS, LEAF_DAYS = 3652, 730
#: A certificate begins so long before it is signed: clocks differ.
BACKDATED = dt.timedelta(days=1)
DAY_MS = 86_400_000
#: A request of P-256 has some 500 bytes.
CSR_BYTES = 4096


class AuthorityError(Exception):
    """The authority cannot be used or made; the text says what to do."""


class CsrError(Exception):
    """A request that cannot be signed; the text says why, never what stood there."""


class Authority:
    """Signs; ``certificate`` is its own."""

    def __init__(
        self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
    ) -> None:
        self.certificate = certificate
        self._key = key

    @property
    def pem(self) -> str:
        """The authority's certificate."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of its certificate (hex), which a box can pin."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def gateway(
        self, csr: x509.CertificateSigningRequest, name: str, now_ms: int
    ) -> x509.Certificate:
        """Sign a checked request's key for the gateway ``name``."""
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
        return self._leaf(csr.public_key(), name, usages, now_ms)

    def server(
        self, name: str, hosts: Sequence[str], now_ms: int
    ) -> tuple[x509.Certificate, str]:
        """Make a server's certificate and key (PEM) for these names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([_host(host) for host in hosts])
        # The platform is the broker's client, too.
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        return self._leaf(key.public_key(), name, usages, now_ms, names), _pem(key)

    def crl(self, revoked: Iterable[tuple[str, int]], now_ms: int) -> str:
        """Return the list (PEM) of revoked serials (hex) and since when (ms).

        It is good for as long as the authority: a broker that meets a list out of
        date lets nobody in.
        """
        builder = x509.CertificateRevocationListBuilder(
            issuer_name=self.certificate.subject,
            last_update=_date(now_ms) - BACKDATED,
            next_update=self.certificate.not_valid_after_utc,
        )
        for serial, since_ms in sorted(revoked):
            entry = x509.RevokedCertificateBuilder(int(serial, 16), _date(since_ms))
            builder = builder.add_revoked_certificate(entry.build())
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
            critical=False,
        ).add_extension(x509.CRLNumber(now_ms), critical=False)
        signed = builder.sign(self._key, hashes.SHA256())
        return signed.public_bytes(Encoding.PEM).decode()

    def _leaf(
        self,
        public: object,
        name: str,
        usages: list[x509.ObjectIdentifier],
        now_ms: int,
        names: x509.SubjectAlternativeName | None = None,
    ) -> x509.Certificate:
        if not isinstance(public, ec.EllipticCurvePublicKey):
            raise CsrError("its key is not of P-256")
        end = min(
            _date(now_ms) + dt.timedelta(days=LEAF_DAYS),
            self.certificate.not_valid_after_utc,
        )
        own = self._key.public_key()
        builder = (
            x509.CertificateBuilder(
                subject_name=_name(name), issuer_name=self.certificate.subject
            )
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(_date(now_ms) - BACKDATED)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)  # noqa: FBT003
            .add_extension(_usage(is_authority=False), True)  # noqa: FBT003
            .add_extension(x509.ExtendedKeyUsage(usages), False)  # noqa: FBT003
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)  # noqa: FBT003
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(own),
                critical=False,
            )
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def read_csr(pem: str) -> x509.CertificateSigningRequest:
    """Return a request whose key is P-256 and whose signature holds; CsrError."""
    if len(pem) > CSR_BYTES or not pem.isascii():
        raise CsrError("it is too long")
    try:
        csr = x509.load_pem_x509_csr(pem.encode())
        key, is_signed = csr.public_key(), csr.is_signature_valid
    except (ValueError, InvalidSignature, TypeError) as flaw:
        raise CsrError("it is no certificate request in PEM") from flaw
    except Exception as flaw:  # the parser's own kinds, which it does not name
        raise CsrError("it is no certificate request that can be read") from flaw
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise CsrError("its key is not of P-256")
    if not is_signed:
        raise CsrError("its signature does not hold")
    return csr


def names_of(thing: x509.CertificateSigningRequest | x509.Certificate) -> list[str]:
    """Return every common name of a request or a certificate."""
    found = thing.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return [str(each.value) for each in found]


def make(certificate: Path, key: Path, name: str, now_ms: int) -> Authority:
    """Make an authority in two new files; AuthorityError if one is there."""
    for path in (certificate, key):
        if path.exists():
            raise AuthorityError(
                f"{path}: there is an authority already, and gateways know it; to "
                "begin anew, move it away first: every gateway then has to enrol again"
            )
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key()
    signed = (
        x509.CertificateBuilder(subject_name=_name(name), issuer_name=_name(name))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_date(now_ms) - BACKDATED)
        .not_valid_after(_date(now_ms) + dt.timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)  # noqa: FBT003
        .add_extension(_usage(is_authority=True), True)  # noqa: FBT003
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)  # noqa: FBT003
        .sign(private, hashes.SHA256())
    )
    # The key first: a certificate without one would look like an authority.
    write_new(key, _pem(private))
    write_new(certificate, signed.public_bytes(Encoding.PEM).decode(), 0o644)
    return Authority(signed, private)


def load(certificate: Path, key: Path) -> Authority:
    """Read what :func:`make` wrote; AuthorityError says what is wrong."""
    try:
        if key.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            what = f"{key}: others may read this secret; run: chmod 600 {key}"
            raise AuthorityError(what)
        shown = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = load_pem_private_key(key.read_bytes(), None)
    except OSError as fault:
        raise AuthorityError(
            f"{fault.filename}: {fault.strerror}; `menshen platform authority` makes it"
        ) from fault
    except (ValueError, TypeError) as flaw:
        what = f"{key} or {certificate}: no authority; restore both from the backup"
        raise AuthorityError(what) from flaw
    if (
        not isinstance(private, ec.EllipticCurvePrivateKey)
        or private.public_key() != shown.public_key()
    ):
        what = f"{key} does not belong to {certificate}; restore both from the backup"
        raise AuthorityError(what)
    return Authority(shown, private)


def write_new(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a new file, kept on the disk; AuthorityError if it cannot be."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as fault:
        raise AuthorityError(f"{path}: {fault.strerror}") from fault


def write_over(path: Path, text: str) -> None:
    """Put a file that anybody may read in the place of the one before, at once."""
    hidden = path.with_name(f".{path.name}.{os.getpid()}")
    hidden.unlink(missing_ok=True)
    write_new(hidden, text, 0o644)
    hidden.replace(path)


def until_ms(certificate: x509.Certificate) -> int:
    """Return when a certificate ends (UTC ms)."""
    return int(certificate.not_valid_after_utc.timestamp() * 1000)


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    lock = NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock).decode()


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _date(at_ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(at_ms // 1000, dt.UTC)
