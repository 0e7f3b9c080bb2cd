# SPDX-License-Identifier: Apache-2.0
"""``config check`` for the files of ``[platform]``: there, readable, paired, in date.

The law of the module: a fault names its line, its file and its mend; what still works
and will not for long is a warning. No key and no part of one is told. The gateway
itself starts with any of them missing: no door waits for a broker.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from cryptography import x509

from cloud_sync.transport.tls import TlsFileError
from edge.cli.broker_ways import tls_files
from edge.cli.status_view import WARN_BEFORE_DAYS
from edge.core.moment import Moment
from edge.settings.errors import SettingsError
from edge.settings.lines import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud_sync.transport.tls import TlsFiles
    from edge.settings.site import Settings

_DAY_MS = 86_400_000


def check_files(site: Path, settings: Settings, state: Path, now_ms: int) -> list[str]:
    """Return warnings; SettingsError if a file cannot be used at ``now_ms``."""
    platform = settings.platform
    files = tls_files(platform, state)
    warnings = list(_plain(settings))
    if files is None:
        return warnings
    if not state.is_dir():
        what = f"no folder {state}: the files of [platform] are not looked at; --state"
        return [*warnings, f"{what} says where they are"]
    try:
        files.context(lambda: _moment(now_ms))
    except TlsFileError as fault:
        what = f"{fault.path}: {fault.what}"
        raise SettingsError([_at(site, fault.name, what)]) from fault
    faults: list[str] = []
    for name, what, is_fault in _dates(files, now_ms):
        (faults if is_fault else warnings).append(_at(site, name, what))
    if faults:
        raise SettingsError(faults)
    warnings += [_at(site, "certificate", w) for w in _name(files, settings.gateway.id)]
    return warnings


def _plain(settings: Settings) -> Iterator[str]:
    if settings.platform.exposed:
        names = ", ".join(settings.platform.exposed)
        yield f"plain TCP to {names}: what goes up can be read on the way (plain_tcp)"


def _at(site: Path, name: str, what: str) -> str:
    line = line_of(site.read_text(encoding="utf-8"), ("platform", name))
    return f"{site}:{line} platform.{name}: {what}"


def _moment(now_ms: int) -> Moment:
    return Moment(monotonic_s=0.0, earliest_ms=now_ms, latest_ms=now_ms, boot="check")


def _dates(files: TlsFiles, now_ms: int) -> Iterator[tuple[str, str, bool]]:
    """Yield the settings' key, what is wrong, and whether it is so already."""
    for name, path in (("ca", files.ca), ("certificate", files.certificate)):
        if path is None:
            continue
        for certificate in _read(path):
            start = certificate.not_valid_before_utc
            end = certificate.not_valid_after_utc
            left_days = (int(end.timestamp() * 1000) - now_ms) // _DAY_MS
            if int(start.timestamp() * 1000) > now_ms:
                what = f"is valid only from {start:%Y-%m-%d}; is the clock right?"
                yield name, f"{path} {what}", True
            elif left_days < 0:
                what = f"has expired on {end:%Y-%m-%d}, fetch a new one"
                yield name, f"{path} {what}", True
            elif left_days < WARN_BEFORE_DAYS:
                what = f"expires on {end:%Y-%m-%d}, fetch a new one before"
                yield name, f"{path} {what}", False


def _read(path: Path) -> list[x509.Certificate]:
    """Return the certificates of a file that OpenSSL has read already."""
    with suppress(ValueError):  # it reads some that are not quite as they should be
        return x509.load_pem_x509_certificates(path.read_bytes())
    return []


def _name(files: TlsFiles, gateway: str) -> Iterator[str]:
    if files.certificate is None:
        return
    said = [
        str(name.value)
        for certificate in _read(files.certificate)[:1]
        for name in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    ]
    if said != [gateway]:
        yield (
            f"{files.certificate} is for {', '.join(said) or 'nobody'}, not for "
            f"gateway {gateway!r}: a broker that goes by the name lets in somebody else"
        )
