# SPDX-License-Identifier: Apache-2.0
"""TLS to a broker that is known by one private authority, as its files say.

The law of the module: nothing is trusted but the authority in the site's own file, by
name and by chain; never an older protocol than TLS 1.2. Dates are held against the
gateway's clock, which knows what it does not know, and not against the machine's: what
is surely out of its dates is refused, what cannot be told passes until the platform's
signed time has told it. A file is read anew for each connection, so that a renewed
one counts from the next. No key and no part of one stands in an error.
Source: RFC 5280, 4.1.2.5 and 6.1; OpenSSL, X509_VERIFY_PARAM_set_flags.
"""

from __future__ import annotations

import ssl
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cryptography import x509

from edge.core.moment import ClockVerdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.core.moment import Moment

#: X509_V_FLAG_NO_CHECK_TIME: the dates are ours to check.
_NO_CHECK_TIME = ssl.VerifyFlags(0x200000)
#: X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED.
NOT_YET_VALID, HAS_EXPIRED = 9, 10


class TlsFileError(Exception):
    """A file of the connection cannot be used; ``name`` is its key in the settings."""

    def __init__(self, name: str, path: Path, what: str) -> None:
        super().__init__(f"{name} {path}: {what}")
        self.name, self.path, self.what = name, path, what


class DatesError(ssl.SSLCertVerificationError):
    """A certificate of the broker's chain is surely outside its dates."""

    def __init__(self, what: str, verify_code: int) -> None:
        super().__init__(what)
        self.verify_code = verify_code
        self.verify_message = what

    def __str__(self) -> str:
        """Say it without OpenSSL's ornaments."""
        return self.verify_message


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """Between which milliseconds (UTC) the certificate of ``subject`` is good."""

    subject: str
    start_ms: int
    end_ms: int

    def check(self, now: Moment) -> None:
        """Raise DatesError if ``now`` is surely outside."""
        match now.against(self.start_ms, self.end_ms):
            case ClockVerdict.BEFORE:
                what = f"the certificate of {self.subject} is not valid yet"
                raise DatesError(what, NOT_YET_VALID)
            case ClockVerdict.AFTER:
                raise DatesError(
                    f"the certificate of {self.subject} has expired", HAS_EXPIRED
                )
            case _:
                pass


class PinnedContext(ssl.SSLContext):
    """Trusts one authority, asks for one name, and keeps the dates that it saw."""

    server_name = ""
    #: Until when our own certificate is good; None without one.
    own_until_ms: int | None = None
    now: Callable[[], Moment]
    seen: tuple[Validity, ...] = ()

    def wrap_socket(self, *words: Any, **named: Any) -> ssl.SSLSocket:
        """Wrap as usual, for the name in the settings where there is one."""
        if self.server_name:
            named["server_hostname"] = self.server_name
        return super().wrap_socket(*words, **named)

    def check_dates(self) -> None:
        """Hold what was seen against the clock as it is now; DatesError."""
        now = self.now()
        for validity in self.seen:
            validity.check(now)


class _DatedSocket(ssl.SSLSocket):
    """A socket whose handshake ends with the dates of the whole chain checked."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002
        """Shake hands; SSLCertVerificationError as for any bad certificate."""
        try:
            super().do_handshake(block)
            self._look_at_dates()
        except BaseException:
            self.close()  # paho leaves that to the collector
            raise

    def _look_at_dates(self) -> None:
        context = self.context
        if isinstance(context, PinnedContext):
            # The chain that OpenSSL went; public since Python 3.13, and then in DER.
            chain = self._sslobj.get_verified_chain()  # type: ignore[attr-defined]
            context.seen = tuple(_validity(link.get_info()) for link in chain)
            context.check_dates()


def _validity(info: dict[str, Any]) -> Validity:
    names = [value for part in info["subject"] for _, value in part]
    return Validity(
        subject=repr(names[-1] if names else "?"),
        start_ms=int(ssl.cert_time_to_seconds(info["notBefore"])) * 1000,
        end_ms=(int(ssl.cert_time_to_seconds(info["notAfter"])) + 1) * 1000,
    )


class TlsWay(Protocol):
    """What makes the context of each connection, and hears of those that failed."""

    def context(self, now: Callable[[], Moment]) -> PinnedContext:
        """Read the files; TlsFileError says which cannot be used, and why."""

    def failed(self, kind: str) -> None:
        """Hear that the connection just tried came to nothing (a ``Trouble``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Whom we trust (``ca``, ``crl``) and who we are (``certificate``, ``key``), PEM.

    ``server_name``: what the broker's certificate must say, if not its host.
    """

    ca: Path
    crl: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    server_name: str = ""

    def failed(self, kind: str) -> None:
        """Hear that a connection came to nothing; there is nothing else to try."""

    def context(self, now: Callable[[], Moment]) -> PinnedContext:
        """Read the files; TlsFileError says which cannot be used, and why."""
        context = PinnedContext(ssl.PROTOCOL_TLS_CLIENT)
        context.sslsocket_class = _DatedSocket
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.server_name = self.server_name
        context.now = now
        context.verify_flags |= _NO_CHECK_TIME
        _trust(context, "ca", self.ca, "no certificate in PEM, fetch the file again")
        if self.crl is not None:
            _trust(context, "crl", self.crl, "no revocation list, fetch it again")
            context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
        if self.certificate is not None and self.key is not None:
            _introduce(context, self.certificate, self.key)
            with suppress(ValueError):  # OpenSSL has read it, and that is what counts
                shown = x509.load_pem_x509_certificate(self.certificate.read_bytes())
                end_s = shown.not_valid_after_utc.timestamp()
                context.own_until_ms = int(end_s * 1000)
        return context


def _trust(context: ssl.SSLContext, name: str, path: Path, otherwise: str) -> None:
    _refuse_unreadable(name, path)
    before = context.cert_store_stats()
    try:
        context.load_verify_locations(cafile=path)
    except (ssl.SSLError, ValueError):
        raise TlsFileError(name, path, otherwise) from None
    after, kind = context.cert_store_stats(), "crl" if name == "crl" else "x509"
    if after[kind] == before[kind]:
        raise TlsFileError(name, path, otherwise)


def _introduce(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    _refuse_unreadable("certificate", certificate)
    _refuse_unreadable("key", key)
    if key.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        what = f"others may read this secret; run: chmod 600 {key}"
        raise TlsFileError("key", key, what)
    try:
        # Without a password OpenSSL would ask for one at the terminal.
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except (ssl.SSLError, ValueError) as error:
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            what = f"does not belong to the certificate {certificate}; pair them again"
            raise TlsFileError("key", key, what) from None
        if not _holds_certificate(certificate):
            what = "no certificate in PEM, fetch the file again"
            raise TlsFileError("certificate", certificate, what) from None
        what = "no private key in PEM without a password; make the key again"
        raise TlsFileError("key", key, what) from None


def _holds_certificate(path: Path) -> bool:
    probe = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        probe.load_verify_locations(cafile=path)
    except (ssl.SSLError, ValueError):
        return False
    return True


def _refuse_unreadable(name: str, path: Path) -> None:
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        what = f"cannot be read ({error.strerror}); is the state folder the right one?"
        raise TlsFileError(name, path, what) from None
