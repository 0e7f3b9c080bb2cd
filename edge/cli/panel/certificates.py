# SPDX-License-Identifier: Apache-2.0
"""The panel's own authority and certificate, made on the box and known to its tablets.

The law of the module: the authority's key never leaves the gateway's folder of keys,
and signs for this box's own names in private networks alone, so that a tablet which
trusts it trusts nothing else. What the panel's process reads stands in a folder of its
own. A certificate is renewed when half its life is over, or its names change.
Source: RFC 5280 4.2.1.10 (name constraints); CA/Browser Forum baseline 6.3.2.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import os
from typing import TYPE_CHECKING, TypeAlias

from cryptography import x509
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
    from collections.abc import Sequence
    from pathlib import Path

NAME = "menshen.local"
AUTHORITY_LIFE = dt.timedelta(days=3_652)
LIFE = dt.timedelta(days=365)
#: Clocks of tablets lag; and a box whose clock never ran is no older than this.
EARLIER = dt.timedelta(days=2)
OLDEST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
PRIVATE = (
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    *("169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10"),
)
FOLDER, CERTIFICATE, KEY, AUTHORITY = "panel", "panel.pem", "panel.key", "ca.pem"
AUTHORITY_KEY = "panel-ca.key"


Signing: TypeAlias = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


class AbroadError(ValueError):
    """An address or a name that is no private network's; the text says so."""


def prepare(
    state: Path, names: Sequence[str], now_ms: int, *, may_begin: bool = True
) -> str:
    """Make or renew what is missing; return the authority's fingerprint.

    ``names`` are host names and addresses of this box. Where the authority does not
    reach to them a new one takes its place, if it ``may_begin``: tablets then have to
    learn it. Raises OSError, ValueError.
    """
    now = max(dt.datetime.fromtimestamp(now_ms / 1000, dt.UTC), OLDEST)
    folder = state / FOLDER
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    spoken = _spoken(names)
    known = _known(state, spoken)
    if known is None and not may_begin:
        raise AbroadError("its authority is gone or too narrow, run: menshen init")
    authority, signing = known or _authority(state, spoken, now)
    certificate = folder / CERTIFICATE
    if not _is_good(certificate, folder / KEY, authority, names, now):
        key = ec.generate_private_key(ec.SECP256R1())
        signed = _signed(key, authority, signing, names, now)
        _keep(folder / KEY, _private(key), 0o640)
        _keep(certificate, signed.public_bytes(Encoding.PEM), 0o644)
    return fingerprint(authority)


def renew(state: Path, names: Sequence[str], now_ms: int) -> None:
    """Renew at a start where ``menshen init`` has been; OSError, ValueError."""
    if (state / "keys" / AUTHORITY_KEY).exists():
        prepare(state, names, now_ms, may_begin=False)


def fingerprint(authority: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate, as browsers show it, without its colons."""
    encoded = authority.public_bytes(Encoding.DER)
    return hashlib.sha256(encoded).hexdigest().upper()


def _known(state: Path, spoken: Sequence[x509.GeneralName]) -> Signing | None:
    """Return the authority that is there, if it may sign for these names."""
    path, key_path = state / FOLDER / AUTHORITY, state / "keys" / AUTHORITY_KEY
    if not (path.exists() and key_path.exists()):
        return None
    known = x509.load_pem_x509_certificate(path.read_bytes())
    signing = load_pem_private_key(key_path.read_bytes(), None)
    kind = x509.NameConstraints
    reach = known.extensions.get_extension_for_class(kind).value.permitted_subtrees
    hosts = [name for name in spoken if isinstance(name, x509.DNSName)]
    is_wide = all(name in (reach or ()) for name in hosts)
    if not is_wide or not isinstance(signing, ec.EllipticCurvePrivateKey):
        return None
    return known, signing


def _authority(
    state: Path, spoken: Sequence[x509.GeneralName], now: dt.datetime
) -> Signing:
    """Make an authority for these names."""
    path, key_path = state / FOLDER / AUTHORITY, state / "keys" / AUTHORITY_KEY
    signing = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Menshen panel")])
    made = (
        _dated(subject, subject, signing.public_key(), now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(_constraints(spoken), critical=True)
        .sign(signing, hashes.SHA256())
    )
    key_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _keep(key_path, _private(signing), 0o600)
    _keep(path, made.public_bytes(Encoding.PEM), 0o644)
    return made, signing


def _constraints(spoken: Sequence[x509.GeneralName]) -> x509.NameConstraints:
    hosts = [name for name in spoken if isinstance(name, x509.DNSName)]
    nets = [x509.IPAddress(ipaddress.ip_network(net)) for net in PRIVATE]
    return x509.NameConstraints([*hosts, *nets], None)


def _signed(
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    signing: ec.EllipticCurvePrivateKey,
    names: Sequence[str],
    now: dt.datetime,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return (
        _dated(subject, authority.subject, key.public_key(), now, LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(server, critical=False)
        .add_extension(x509.SubjectAlternativeName(_spoken(names)), critical=False)
        .sign(signing, hashes.SHA256())
    )


def _dated(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: dt.datetime,
    life: dt.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + life)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _spoken(names: Sequence[str]) -> list[x509.GeneralName]:
    """Return how tablets may call this box; AbroadError for a public address."""
    spoken: list[x509.GeneralName] = []
    for name in sorted({NAME, *names}):
        address = _address(name)
        if address is None:
            spoken.append(x509.DNSName(name))
        elif any(address in ipaddress.ip_network(net) for net in PRIVATE):
            spoken.append(x509.IPAddress(address))
        else:
            raise AbroadError(f"{name}: a panel answers in a private network alone")
    return spoken


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _is_good(
    certificate: Path,
    key: Path,
    authority: x509.Certificate,
    names: Sequence[str],
    now: dt.datetime,
) -> bool:
    if not (certificate.exists() and key.exists()):
        return False
    known = x509.load_pem_x509_certificate(certificate.read_bytes())
    kind = x509.SubjectAlternativeName
    is_ours = list(known.extensions.get_extension_for_class(kind).value)
    half = known.not_valid_after_utc - LIFE / 2
    return (
        known.issuer == authority.subject
        and is_ours == _spoken(names)
        and known.not_valid_before_utc <= now < half
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _keep(path: Path, content: bytes, mode: int) -> None:
    hidden = path.with_name(f"{path.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(hidden, flags, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    hidden.chmod(mode)
    hidden.replace(path)
