# SPDX-License-Identifier: Apache-2.0
"""aiomqtt's errors, told apart by what they wrap.

The law of the module: whatever came, a kind and a line come out; where nothing tells
them apart the kind is the broader one.
Source: aiomqtt 2.5.1; OpenSSL's reasons and X509_V_ERR codes; MQTT 3.1.1, table 3.1.
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import aiomqtt

from cloud_sync.transport.port import TransportError, Trouble
from cloud_sync.transport.tls import HAS_EXPIRED, NOT_YET_VALID

if TYPE_CHECKING:
    from collections.abc import Iterator

_BY_VERIFY_CODE = {
    NOT_YET_VALID: Trouble.BROKER_DATES,
    HAS_EXPIRED: Trouble.BROKER_DATES,
    23: Trouble.BROKER_REVOKED,
    62: Trouble.BROKER_NAME,
    63: Trouble.BROKER_NAME,
    64: Trouble.BROKER_NAME,
}
#: Alerts by which a broker says that it does not like our certificate, or misses it.
_OURS_REFUSED = (
    "ALERT_ACCESS_DENIED",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_CERTIFICATE",
    "ALERT_DECRYPT_ERROR",
    "ALERT_NO_CERTIFICATE",
    "ALERT_UNKNOWN_CA",
    "ALERT_UNSUPPORTED_CERTIFICATE",
)


def trouble_of(error: BaseException) -> TransportError:
    """Return what ``error`` means, with its text."""
    told = str(error) or type(error).__name__
    for cause in _causes(error):
        kind = _kind(cause)
        if kind is not None:
            is_tls = isinstance(cause, ssl.SSLError)
            return TransportError(kind, _text(cause) if is_tls else told)
    is_late = told == "Operation timed out"  # aiomqtt's own words
    return TransportError(Trouble.TIMED_OUT if is_late else Trouble.LOST, told)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield what was wrapped, the innermost first."""
    chain: list[BaseException] = []
    step: BaseException | None = error
    while step is not None and step not in chain:
        chain.append(step)
        step = step.__cause__ or step.__context__
    yield from reversed(chain)


def _kind(cause: BaseException) -> Trouble | None:
    match cause:
        case ssl.SSLCertVerificationError():
            return _BY_VERIFY_CODE.get(cause.verify_code, Trouble.BROKER_UNTRUSTED)
        case ssl.SSLError():
            reason = cause.reason or ""
            is_ours = any(word in reason for word in _OURS_REFUSED)
            return Trouble.CERTIFICATE_REFUSED if is_ours else Trouble.TLS_FAILED
        case socket.gaierror():
            return Trouble.NAME_UNKNOWN
        case TimeoutError():
            return Trouble.TIMED_OUT
        case aiomqtt.exceptions.MqttConnectError():
            return Trouble.NOT_ADMITTED
        case ConnectionResetError() | ConnectionAbortedError() | BrokenPipeError():
            return Trouble.LOST
        case OSError():
            return Trouble.UNREACHABLE
        case _:
            return None


def _text(cause: BaseException) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return cause.verify_message or str(cause)
    return str(cause) or type(cause).__name__
