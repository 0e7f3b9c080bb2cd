# SPDX-License-Identifier: Apache-2.0
"""``menshen keys enrol``: from a claim to a box that the platform knows.

The law of the module: each step can be taken again, by the same command, after a power
cut or a lost line; keys and files change at the very end and all at once. What the
platform gives is checked against what was asked for before anything is kept: our key,
our name, the authority that was pinned, keys that open with this box's own.
Source: docs/enrolment.md.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from cryptography import x509

from cloud_sync import enrolling
from cloud_sync.key_shapes import fault_of
from edge.cli.box_key import Box
from edge.cli.exits import GOOD, TROUBLE, WRONG_USE
from edge.cli.key_files import KeyFileError
from edge.cli.keys import pending as under_way
from edge.cli.keys import site_keys, site_lines
from edge.cli.keys.certificate import CertificateError, check_certificate, loaded
from edge.cli.keys.https import (
    Address,
    HttpsError,
    PlatformHttps,
    PlatformRefusal,
    fetch_authority,
)
from edge.cli.keys.install import ANYBODY, KeyFile, finish, install, write
from edge.cli.keys.renewal import ASKED, NEXT
from edge.cli.keys.sealed import Lock, open_rows
from edge.cli.keys.words import REFUSED, Told
from edge.cli.system_clock import wall_ms

if TYPE_CHECKING:
    from pathlib import Path

    from edge.cli.keys.pending import Pending
    from edge.settings.site import Settings

POLL_EVERY_S = 2.0
#: Where the files go if the site file names none.
CERTIFICATE, KEY, BROKER_CA = (
    "keys/gateway.pem",
    "keys/gateway.key",
    "keys/broker-ca.pem",
)
#: What the site file was told, and by which claim (its hash).
GIVEN = "keys/enrolled.json"
CLOCK_MS = 120_000
_DAY_MS = 86_400_000
#: After these a new claim is needed: what is under way cannot come to an end.
_OVER = frozenset(
    (
        *("CLAIM_USED", "CLAIM_EXPIRED", "CLAIM_UNKNOWN", "WRONG_SITE"),
        *("WRONG_GATEWAY", "FINGERPRINT_REFUSED", "REQUEST"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolOptions:
    """What was typed; ``ca`` is a file, ``fingerprint`` a SHA-256 in hex."""

    site: Path
    state: Path
    claim: str
    url: str = ""
    ca: Path | None = None
    fingerprint: str = ""
    wait_s: float = 1800.0
    replaces: bool = False


def enrol(options: EnrolOptions, settings: Settings, told: Told) -> int:
    """Enrol, or go on with what is under way; return the exit code."""
    try:
        finish(options.state)
        return _enrol(_read_claim(options), settings, told)
    except PlatformRefusal as refused:
        if refused.name in _OVER:
            _forget(options.state)
        told.trouble(refused.name, refused.what, REFUSED.get(refused.name, ""))
        return TROUBLE
    except HttpsError as fault:
        told.trouble("UNREACHABLE", str(fault))
        return TROUBLE
    except CertificateError as fault:
        told.trouble("NOT_INSTALLED", str(fault))
        return TROUBLE
    except _WrongUseError as fault:
        told.trouble("WRONG_USE", str(fault))
        return WRONG_USE


class _WrongUseError(Exception):
    """Something that was typed; never leaves this module."""


def _read_claim(options: EnrolOptions) -> EnrolOptions:
    """Read a claim as it is printed, or the whole text of its picture."""
    claim = options.claim.strip()
    if claim.startswith("menshen:enrol?"):
        words = parse_qs(claim.partition("?")[2])
        first = {name: values[0] for name, values in words.items()}
        options = replace(
            options,
            claim=first.get("claim", ""),
            url=options.url or first.get("url", ""),
            fingerprint=options.fingerprint or first.get("ca", ""),
        )
    normal = enrolling.normal_claim(options.claim)
    if normal is None:
        raise _WrongUseError("the claim has four groups of five letters and digits")
    if not options.url:
        raise _WrongUseError("say --url, where the platform is")
    return replace(options, claim=normal)


def _enrol(options: EnrolOptions, settings: Settings, told: Told) -> int:
    state, address = options.state, Address.read(options.url)
    box = Box(state)
    done = _done_before(options, settings)
    if done is not None:  # all but the site file, perhaps
        return _settle(options.site, settings, done, told)
    pending = under_way.read(state)
    wanted = (settings.gateway.id, settings.site.id, options.claim)
    if pending is None or (pending.gateway, pending.site, pending.claim) != wanted:
        _refuse_live(options, settings)
        pending = under_way.begin(
            gateway=settings.gateway.id,
            site=settings.site.id,
            url=options.url,
            claim=options.claim,
        )
        _pin(options, address)
        under_way.keep(state, pending)
    https = PlatformHttps(address, state / under_way.AUTHORITY, time.monotonic)
    request = pending.request(box.key())
    nonce = str(https.post("/v1/enrol", request).get("nonce"))
    _tell_clock(https, told)
    digits = enrolling.digits_of(enrolling.transcript(request), pending.nonce, nonce)
    https.post("/v1/enrol/reveal", {"ticket": pending.ticket, "nonce": pending.nonce})
    pending = replace(pending, digits=digits)
    under_way.keep(state, pending)
    told.compare(enrolling.shown_digits(digits), pending.gateway)
    given = _wait(https, pending, options.wait_s)
    if given is None:
        told.later(enrolling.shown_digits(digits))
        return TROUBLE
    _install(options, settings, pending, given, https.time_ms)
    return _settle(options.site, settings, given, told)


def _settle(path: Path, settings: Settings, given: dict[str, Any], told: Told) -> int:
    is_whole = _settle_site(path, settings, given, told)
    told.done(settings.gateway.id)
    return GOOD if is_whole else TROUBLE


def _done_before(options: EnrolOptions, settings: Settings) -> dict[str, Any] | None:
    """Return what was given under this very claim, if all of it is in place."""
    try:
        given = json.loads((options.state / GIVEN).read_text(encoding="utf-8"))
        is_this = given["claim"] == enrolling.claim_hash(options.claim)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return given if is_this and given["gateway"] == settings.gateway.id else None


def _refuse_live(options: EnrolOptions, settings: Settings) -> None:
    """Refuse to replace a certificate that is good, unless that is what is wanted."""
    shown = options.state / (settings.platform.certificate or CERTIFICATE)
    if options.replaces:
        return
    try:
        held = x509.load_pem_x509_certificate(shown.read_bytes())
    except (OSError, ValueError):
        return
    left_days = (
        int(held.not_valid_after_utc.timestamp() * 1000) - wall_ms()
    ) // _DAY_MS
    if left_days > 0:
        raise _WrongUseError(
            f"{shown}: this box has a certificate, good for {left_days} days more. To "
            "enrol all the same say --replace; the platform's claim needs it, too"
        )


def _pin(options: EnrolOptions, address: Address) -> None:
    path = options.state / under_way.AUTHORITY
    if options.ca is not None:
        try:
            write(path, options.ca.read_text(encoding="ascii"), ANYBODY)
        except (OSError, ValueError) as fault:
            raise _WrongUseError(f"--ca {options.ca}: cannot be read") from fault
    elif options.fingerprint:
        write(path, fetch_authority(address, options.fingerprint), ANYBODY)
    else:
        raise _WrongUseError(
            "say whom to believe: --ca FILE of the platform's authority, or its "
            "--fingerprint; both come with the claim"
        )


def _tell_clock(https: PlatformHttps, told: Told) -> None:
    off_ms = wall_ms() - https.time_ms
    if abs(off_ms) > CLOCK_MS:
        told.clock(off_ms // 1000)


def _wait(
    https: PlatformHttps, pending: Pending, wait_s: float
) -> dict[str, Any] | None:
    """Ask until somebody has confirmed; None when the patience is over."""
    until_s = time.monotonic() + wait_s
    while True:
        is_last = time.monotonic() >= until_s
        try:
            given = https.post("/v1/enrol/collect", {"ticket": pending.ticket})
        except HttpsError:
            if is_last:
                raise
            given = {}  # a line that comes back is as good as one that stood
        if given.get("state") == "CONFIRMED":
            return given
        if is_last:
            return None
        time.sleep(min(POLL_EVERY_S, max(0.05, wait_s)))


def _install(
    options: EnrolOptions,
    settings: Settings,
    pending: Pending,
    given: dict[str, Any],
    time_ms: int,
) -> None:
    """Check all that was given, then put it in place at once."""
    state, platform = options.state, settings.platform
    pinned = (state / under_way.AUTHORITY).read_text(encoding="ascii")
    certificate, authority = str(given.get("certificate")), str(given.get("authority"))
    check_certificate(
        certificate,
        authority,
        pending.key,
        pending.gateway,
        earliest_ms=time_ms,
        latest_ms=time_ms,
    )
    if loaded(pinned) != loaded(authority):
        raise CertificateError(
            "the certificate is of another authority than the pinned one"
        )
    keys = given.get("platform_keys")
    fault = fault_of("command", keys)
    if fault:
        raise CertificateError(f"the platform's signing keys cannot be used: {fault}")
    lock = Lock(
        state=state,
        box=Box(state).key(),
        gateway=pending.gateway,
        site=pending.site,
        site_file=settings.keys.site,
        platform_file=platform.keys,
    )
    rows = given.get("keys")
    opened = open_rows(lock, rows if isinstance(rows, list) else [], enrols=True)
    if opened.refused:
        why = "; ".join(f"{one.kind.value}: {one.why}" for one in opened.refused)
        raise CertificateError(f"a sealed key was not taken ({why}); ask the operator")
    _refuse_other_site_key(state / settings.keys.site, opened.files)
    files = {
        platform.keys: KeyFile(text=json.dumps(keys), mode=ANYBODY),
        platform.ca or BROKER_CA: KeyFile(text=authority, mode=ANYBODY),
        platform.certificate or CERTIFICATE: KeyFile(text=certificate, mode=ANYBODY),
        platform.key or KEY: KeyFile(text=pending.key),
    }
    kept = {name: given.get(name) for name in ("shard", "brokers", "server_name")}
    about = {
        "claim": enrolling.claim_hash(pending.claim),
        "gateway": pending.gateway,
    }
    files[GIVEN] = KeyFile(text=json.dumps(about | kept))
    gone = [under_way.NAME, under_way.AUTHORITY, ASKED, NEXT]
    install(state, files | opened.files, removed=gone)


def _refuse_other_site_key(path: Path, files: dict[str, KeyFile]) -> None:
    """Keep a site's key that is not the platform's: its tokens would all be dead."""
    new = next((f for name, f in files.items() if path.match(name)), None)
    if new is None or not path.exists():
        return
    try:
        held, given = json.loads(path.read_text("utf-8")), json.loads(new.text)
    except (OSError, ValueError) as fault:
        raise KeyFileError(f"{path}: cannot be read; mend or move it away") from fault
    if not site_keys.knows(given, held):
        raise CertificateError(
            f"{path} holds another site key than the platform. If this box's is right "
            "(cards and codes work here), have the platform take it: menshen platform "
            "secret put --use site; else move the file away, and enrol again"
        )


def _settle_site(
    path: Path, settings: Settings, given: dict[str, Any], told: Told
) -> bool:
    """Have the site file name what was installed; say whether it does now."""
    platform = settings.platform
    wanted: site_lines.Wanted = {
        "gateway": {"shard": str(given.get("shard"))},
        "platform": {
            "ca": platform.ca or BROKER_CA,
            "certificate": platform.certificate or CERTIFICATE,
            "key": platform.key or KEY,
            "plain_tcp": None,
        },
    }
    brokers = [str(name) for name in given.get("brokers") or ()]
    if brokers:
        wanted["platform"] |= {"brokers": brokers, "host": None, "port": None}
    if given.get("server_name"):
        wanted["platform"]["server_name"] = str(given["server_name"])
    text = path.read_text(encoding="utf-8")
    differs = site_lines.changes(text, wanted)
    if not differs:
        return True
    new = site_lines.changed(text, differs)
    try:
        if new is not None:
            site_lines.replace(path, new)
            told.site(str(path), site_lines.told(differs), is_written=True)
            return True
    except OSError as fault:  # it is somebody else's, or on a card that is read-only
        why = f"cannot be written ({fault.strerror})"
        told.trouble(str(path), why, "enrolling goes on; the lines follow")
    told.site(str(path), site_lines.told(differs), is_written=False)
    return False


def _forget(state: Path) -> None:
    for name in (under_way.NAME, under_way.AUTHORITY):
        (state / name).unlink(missing_ok=True)
