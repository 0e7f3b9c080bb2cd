# SPDX-License-Identifier: Apache-2.0
"""A running gateway's certificate: asked for anew in time, tried, kept or let go.

The law of the module: the old key stays until the new one has led to the platform
once. A new certificate that a broker refuses is dropped and told, and the old one goes
on; no certificate, whatever becomes of it, stops a door. A request that is under way
survives a restart. Files are read and written in threads, never in the loop.
Source: docs/enrolment.md, "Renewal".
"""

from __future__ import annotations

import asyncio
import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import structlog
from cryptography import x509

from cloud_sync.refusal import RefusalKind
from cloud_sync.renewing import CertificateWish, signed_part
from cloud_sync.transport.port import Trouble
from cloud_sync.transport.tls import TlsFileError
from edge.cli.key_files import KeyFileError
from edge.cli.keys.certificate import CertificateError, check_certificate
from edge.cli.keys.install import ANYBODY, KeyFile, install, write
from edge.cli.keys.pending import new_key
from edge.core.event import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cloud_sync.renewing import CertificateAnswer
    from cloud_sync.transport.tls import PinnedContext, TlsFiles
    from edge.cli.box_key import Box
    from edge.core.event import Facts
    from edge.core.moment import Moment

ASKED, NEXT = "keys/renewal.json", "keys/next.pem"
#: An answer may be lost; asking again is the same request.
ASK_EVERY_S = 3600.0
#: How often the dates are looked at.
LOOK_EVERY_S = 600.0
#: After a refusal by platform or broker.
REST_S = 86_400.0
#: Failures that may be the network's before the next one is given up.
TRIES = 3
_REFUSED = frozenset(
    {Trouble.CERTIFICATE_REFUSED, Trouble.TLS_FILES, Trouble.NOT_ADMITTED}
)
log = structlog.get_logger()


class Stage(StrEnum):
    """How a renewal stands."""

    NONE = "NONE"
    ASKED = "ASKED"
    TRYING = "TRYING"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Names as the settings have them, below ``state``."""

    state: Path
    certificate: str
    key: str


class RenewingTls:
    """TLS with the new certificate while there is one to try, else with the old."""

    def __init__(self, current: TlsFiles, files: Files) -> None:
        self._current = current
        self._next = replace(
            current, certificate=files.state / NEXT, key=files.state / NEXT
        )
        self._failures = 0
        #: Whether the connection in use, or just tried, shows the new one.
        self.is_next = False
        #: Why the new one is of no use; the renewal takes it away.
        self.refusal = ""

    def context(self, now: Callable[[], Moment]) -> PinnedContext:
        """Read the files of the certificate whose turn it is; TlsFileError."""
        path = self._next.certificate
        wants_next = path is not None and path.exists() and not self.refusal
        # Every other time, so that a failure of the line does not look like a refusal.
        self.is_next = wants_next and (self._failures == 0 or not self.is_next)
        if self.is_next:
            try:
                return self._next.context(now)
            except TlsFileError as fault:
                self.refusal, self.is_next = fault.what, False
        return self._current.context(now)

    def failed(self, kind: str) -> None:
        """Hear why a connection came to nothing."""
        if not self.is_next:
            return
        self._failures += 1
        if kind in _REFUSED:
            self.refusal = kind

    def worked(self) -> None:
        """Hear that this connection led to the platform."""
        if not self.is_next and self._failures >= TRIES:
            self.refusal = "the old one works and the new one does not"

    def begin(self) -> None:
        """Have something new to try."""
        self._failures, self.refusal = 0, ""


class CertificateRenewal:
    """The renewal port of the platform's client."""

    def __init__(
        self,
        *,
        gateway: str,
        files: Files,
        tls: RenewingTls,
        box: Box,
        report: Callable[[EventKind, Facts], None],
    ) -> None:
        self._gateway = gateway
        self._files = files
        self._tls = tls
        self._box = box
        self._report = report
        self._dates: tuple[int, int] | None = None
        self._is_wanted = False
        self._look_s = self._asked_s = float("-inf")
        self._rest_until_s = float("-inf")
        self._work: asyncio.Task[None] | None = None
        self._wish: CertificateWish | None = None
        self.stage, self.why = Stage.NONE, ""
        #: Told when there is something to ask for.
        self.wake: Callable[[], None] = lambda: None

    def shown(self) -> dict[str, str]:
        """Return how it stands, for a status."""
        return {"stage": self.stage.value, "why": self.why}

    def ask_now(self) -> None:
        """Ask at the next opportunity, whatever the dates say."""
        self._is_wanted = True
        self._rest_until_s = self._asked_s = float("-inf")

    def wish(self, now: Moment) -> CertificateWish | None:
        """Return what to ask for, once it is made and it is time."""
        now_s = now.monotonic_s
        if self._tls.is_next or now_s < self._rest_until_s:
            return None
        if now_s - self._asked_s < ASK_EVERY_S:
            return None
        if self._wish is None:
            if self._is_wanted or now_s >= self._look_s:
                self._look_s = now_s + LOOK_EVERY_S
                self._start(self._prepare(now))
            return None
        self._asked_s, self.stage = now_s, Stage.ASKED
        return self._wish

    async def take(self, answer: CertificateAnswer, now: Moment) -> bool:
        """Keep the certificate aside; True if another connection should try it."""
        wish = self._wish
        if wish is None or answer.nonce != wish.nonce:
            return False
        if answer.refusal:
            self._give_up(f"the platform refuses: {answer.refusal}", now)
            return False
        try:
            await asyncio.to_thread(self._keep, answer, now)
        except (CertificateError, KeyFileError, OSError, ValueError) as fault:
            self._give_up(str(fault), now)
            return False
        self._tls.begin()
        self._wish, self._is_wanted = None, False
        self.stage, self.why = Stage.TRYING, ""
        return True

    def worked(self) -> None:
        """Settle what the connection has shown: the new one is good, or is not."""
        self._tls.worked()
        if self._tls.is_next:
            self._start(self._promote())
        elif self._tls.refusal and self.stage is not Stage.REFUSED:
            self.stage, self.why = Stage.REFUSED, self._tls.refusal
            kind = RefusalKind.CERTIFICATE.value
            facts = (("refusal", kind), ("why", self.why[:80]))
            self._report(EventKind.PLATFORM_REFUSED, (("count", 1), *facts))
            self._start(self._drop())

    def _start(self, work: Any) -> None:
        if self._work is not None and not self._work.done():
            work.close()
            return
        self._work = asyncio.get_running_loop().create_task(self._guarded(work))

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except (KeyFileError, OSError, ValueError) as fault:
            self.why = str(fault)
            log.warning("no certificate renewed", why=str(fault))

    async def _prepare(self, now: Moment) -> None:
        """Make the request when two thirds of the certificate's life are over."""
        if self._dates is None:
            self._dates = await asyncio.to_thread(self._read_dates)
        start_ms, end_ms = self._dates
        due_ms = start_ms + (end_ms - start_ms) * 2 // 3
        if self._is_wanted or now.earliest_ms >= due_ms:
            self._wish = await asyncio.to_thread(self._request)
            self.wake()

    def _read_dates(self) -> tuple[int, int]:
        path = self._files.state / self._files.certificate
        held = x509.load_pem_x509_certificate(path.read_bytes())
        start, end = held.not_valid_before_utc, held.not_valid_after_utc
        return int(start.timestamp() * 1000), int(end.timestamp() * 1000)

    def _request(self) -> CertificateWish:
        """Return the request that is under way, or a new one, kept first."""
        path = self._files.state / ASKED
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            nonce, csr = str(kept["nonce"]), str(kept["csr"])
        except (OSError, ValueError, KeyError, TypeError):
            key, csr = new_key(self._gateway)
            nonce = secrets.token_hex(16)
            write(path, json.dumps({"nonce": nonce, "csr": csr, "key": key}))
        signed = self._box.key().sign(signed_part(self._gateway, nonce, csr))
        return CertificateWish(nonce=nonce, csr=csr, signature=signed.hex())

    def _keep(self, answer: CertificateAnswer, now: Moment) -> None:
        """Check what came, and put it beside what is in use; the old one stays."""
        state = self._files.state
        key = json.loads((state / ASKED).read_text(encoding="utf-8"))["key"]
        check_certificate(
            answer.certificate,
            answer.authority,
            key,
            self._gateway,
            earliest_ms=now.earliest_ms,
            latest_ms=now.latest_ms,
        )
        install(state, {NEXT: KeyFile(text=answer.certificate + key)}, removed=[ASKED])

    async def _promote(self) -> None:
        await asyncio.to_thread(self._promote_now)
        self._tls.is_next = False
        self._dates, self.stage, self.why = None, Stage.NONE, ""
        log.info("the new certificate is in use")

    def _promote_now(self) -> None:
        state, files = self._files.state, self._files
        certificate, _, key = (
            (state / NEXT).read_text(encoding="utf-8").partition("-----BEGIN PRIVATE")
        )
        put = {
            files.certificate: KeyFile(text=certificate, mode=ANYBODY),
            files.key: KeyFile(text=f"-----BEGIN PRIVATE{key}"),
        }
        install(state, put, removed=[NEXT, ASKED])

    async def _drop(self) -> None:
        self._rest_until_s = asyncio.get_running_loop().time() + REST_S
        await asyncio.to_thread(self._drop_now)

    def _drop_now(self) -> None:
        with suppress(OSError):
            (self._files.state / NEXT).unlink(missing_ok=True)

    def _give_up(self, why: str, now: Moment) -> None:
        """Let this request go, and rest a day."""
        self.stage, self.why, self._wish = Stage.REFUSED, why, None
        self._is_wanted = False
        self._rest_until_s = now.monotonic_s + REST_S
        with suppress(OSError):
            (self._files.state / ASKED).unlink(missing_ok=True)
        log.warning("no certificate renewed", why=why)
