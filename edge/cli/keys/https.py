# SPDX-License-Identifier: Apache-2.0
"""The box's HTTPS to a platform whose authority it knows, whatever its clock says.

The law of the module: nobody is believed but the pinned authority, by its file or by
its fingerprint. A box may wake in 1970, so dates alone keep nobody out at first; the
platform's own time, which came through that very connection, then judges them.
Source: docs/enrolment.md; RFC 5280, 4.1.2.5.
"""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cloud_sync.transport.tls import DatesError, TlsFileError, TlsFiles
from edge.core.moment import UNBOUNDED_MS, Moment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WITHIN_S = 10.0
#: Eight sealed rows and four certificates are 80 KiB at most.
ANSWER_BYTES = 256 * 1024


class HttpsError(Exception):
    """The platform could not be asked; the text says what to do."""


class PlatformRefusal(Exception):  # noqa: N818  an answer, no fault
    """The platform said no: ``name`` is its word for it."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name}: {what}")
        self.name, self.what = name, what


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the platform is: ``https://host[:port]``."""

    host: str
    port: int

    @classmethod
    def read(cls, url: str) -> Address:
        """Read a URL; HttpsError if it is none of ours."""
        try:
            parts = urlsplit(url)
            port = parts.port or 443
        except ValueError as flaw:
            raise HttpsError(f"--url: {flaw}") from flaw
        if parts.scheme != "https" or not parts.hostname or parts.path not in ("", "/"):
            raise HttpsError("--url: write it as https://platform.example.org:8443")
        return cls(host=parts.hostname, port=port)


class PlatformHttps:
    """Asks the platform; ``monotonic_s`` is a clock that only goes on."""

    def __init__(
        self, address: Address, ca: Path, monotonic_s: Callable[[], float]
    ) -> None:
        self._address = address
        self._ca = ca
        self._monotonic_s = monotonic_s
        #: The platform's time as of its last answer (UTC ms).
        self.time_ms = 0

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send and return an object; PlatformRefusal and HttpsError say what failed."""
        try:
            context = TlsFiles(ca=self._ca).context(lambda: _moment(0, UNBOUNDED_MS))
        except TlsFileError as fault:
            raise HttpsError(str(fault)) from fault
        begun_s = self._monotonic_s()
        answer = _asked(self._address, context, "POST", path, json.dumps(body))
        took_ms = int((self._monotonic_s() - begun_s) * 1000) + 1
        told = _object(answer)
        time_ms = told.get("time")
        if not isinstance(time_ms, int) or not 0 < time_ms < UNBOUNDED_MS:
            raise HttpsError("the platform's answer has no time; is it up to date?")
        context.now = lambda: _moment(time_ms, time_ms + took_ms)
        try:
            context.check_dates()
        except DatesError as fault:
            raise HttpsError(
                f"{fault} by the platform's own time: have its operator renew it"
            ) from fault
        self.time_ms = time_ms
        return told


def fetch_authority(address: Address, fingerprint: str) -> str:
    """Return the authority (PEM) that has this SHA-256; HttpsError if it has not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the fingerprint is what is believed
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    text = _asked(address, context, "GET", "/v1/authority", None)
    try:
        shown = x509.load_pem_x509_certificate(text)
    except ValueError as flaw:
        raise HttpsError(f"{address.host}: shows no authority; is it ours?") from flaw
    found = sha256(shown.public_bytes(Encoding.DER)).hexdigest()
    if found != fingerprint.replace(":", "").replace(" ", "").lower():
        raise HttpsError(
            "the platform's authority has another fingerprint than the one given: "
            "mistyped, or somebody stands between. Do not go on before that is clear"
        )
    return shown.public_bytes(Encoding.PEM).decode()


def _asked(
    address: Address, context: ssl.SSLContext, verb: str, path: str, body: str | None
) -> bytes:
    line = http.client.HTTPSConnection(
        address.host, address.port, timeout=WITHIN_S, context=context
    )
    try:
        headers = {"content-type": "application/json"} if body is not None else {}
        line.request(verb, path, body, headers)
        answer = line.getresponse()
        content = answer.read(ANSWER_BYTES + 1)
    except ssl.SSLCertVerificationError as fault:
        raise HttpsError(
            f"{address.host} is not the platform we know ({fault.verify_message}): "
            "check --url, and --ca with the platform's operator"
        ) from fault
    except (OSError, http.client.HTTPException) as fault:
        why = str(fault) or type(fault).__name__
        raise HttpsError(
            f"{address.host}:{address.port} cannot be reached ({why}): check the box's "
            "network and --url; nothing is lost, the same command goes on"
        ) from fault
    finally:
        line.close()
    if answer.status != http.HTTPStatus.OK:
        raise _refusal(answer.status, content)
    if len(content) > ANSWER_BYTES:
        raise HttpsError("the platform's answer is far too long; is it ours?")
    return content


def _refusal(status: int, content: bytes) -> Exception:
    try:
        told = _object(content)
        name, what = str(told["error"]), str(told["what"])
    except (HttpsError, KeyError):
        return HttpsError(f"the platform answers {status}; look into its log")
    shown = "".join(each for each in what[:200] if each.isprintable())
    return PlatformRefusal(name[:40] if name.isidentifier() else "REFUSED", shown)


def _object(content: bytes) -> dict[str, Any]:
    try:
        told = json.loads(content)
    except (ValueError, RecursionError) as flaw:
        raise HttpsError("the platform's answer is no JSON; is it ours?") from flaw
    if not isinstance(told, dict):
        raise HttpsError("the platform's answer is no object; is it ours?")
    return told


def _moment(earliest_ms: int, latest_ms: int) -> Moment:
    return Moment(
        monotonic_s=0.0, earliest_ms=earliest_ms, latest_ms=latest_ms, boot="enrol"
    )
