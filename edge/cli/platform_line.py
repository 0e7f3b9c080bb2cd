# SPDX-License-Identifier: Apache-2.0
"""The line to the platform put together: keys, brokers, session, client.

The law of the module: it costs no door. A file of keys that is damaged is told, and
nobody is believed until it is mended; a box that has never had an event is being set
up, and is told to get the file.
"""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_sync.client import PlatformClient
from cloud_sync.ports import Ports
from cloud_sync.session import SyncSession
from cloud_sync.signing import PlatformKeys
from cloud_sync.topics import Topics
from edge.cli.broker_ways import open_ways, tls_files
from edge.cli.key_files import KeyFileError, NotSetUpError, read_platform_keys
from edge.cli.keys.renewal import CertificateRenewal, Files, RenewingTls
from edge.cli.snapshot_fetch import SnapshotFetch
from edge.cli.sync_ports import ClockForSync, JournalForSync
from edge.core.event import EventKind
from edge.core.stimulus import Noted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cloud_sync.ports import FetchPort
    from cloud_sync.transport.mqtt import MqttTransport
    from cloud_sync.transport.tls import TlsWay
    from edge.cli.box_key import Box
    from edge.cli.day_book import DayBook
    from edge.cli.roster_feed import RosterFeed
    from edge.cli.system_clock import SystemClock
    from edge.core.event import Facts
    from edge.core.remote.command import RemoteCommand
    from edge.gateway.gateway import Gateway
    from edge.settings.site import Settings
    from edge.storage.journal import Journal

#: What hello says that this gateway takes, beyond the contract's beginnings.
CAPABILITIES = ("cmd", "delta", "wish")

FIRST_EPOCH = "0001-"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformLine:
    """What leads to the platform; ``fault`` says why no key of it is known."""

    client: PlatformClient
    ways: dict[str, MqttTransport]
    keys: PlatformKeys
    fault: str
    renewal: CertificateRenewal | None

    async def renew(self, _: dict[str, Any]) -> dict[str, Any]:
        """Ask for a new certificate now; ValueError where there is none to renew."""
        if self.renewal is None:
            raise ValueError("this gateway shows no certificate; menshen keys enrol")
        self.renewal.ask_now()
        self.client.wake()
        return {}

    def believe(self, path: Path) -> None:
        """Believe the platform's keys in that file from now on; KeyFileError."""
        self.keys.replace(PlatformKeys(read_platform_keys(path)))

    @property
    def notes(self) -> tuple[Noted, ...]:
        """What the journal should know."""
        if not self.fault:
            return ()
        facts: Facts = (("what", "keys"),)
        kind = EventKind.STORAGE_FAULT
        return (Noted(kind=kind, subject="platform", facts=facts),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """What the line borrows of a gateway."""

    journal: Journal
    gateway: Gateway
    feed: RosterFeed
    clock: SystemClock
    days: DayBook
    report: Callable[[EventKind, Facts], None]
    order: Callable[[RemoteCommand], None]
    stood_still: Callable[[], bool]
    box: Box


def open_platform_line(
    settings: Settings, state: Path, lent: Lent, *, version: str
) -> PlatformLine:
    """Build the line; nothing is connected yet. NotSetUpError on a new box."""
    identity = settings.gateway
    keys, fault = _keys(
        state / settings.platform.keys, is_new=_is_new(lent.journal, state)
    )
    renewal, files = _renewal(settings, state, lent)
    ways = open_ways(settings.platform, identity.id, files, now=lent.clock.now)
    client = PlatformClient(
        transports=ways,
        session=SyncSession(
            topics=Topics(gateway=identity.id, shard=identity.shard),
            keys=keys,
            firmware=version,
            new_nonce=lambda: secrets.token_hex(16),
            chance=random.random,
            capabilities=CAPABILITIES,
            fetches=bool(settings.platform.snapshots),
        ),
        ports=Ports(
            journal=JournalForSync(lent.journal, lent.gateway),
            feed=lent.feed,
            clock=ClockForSync(lent.clock, lent.gateway.note),
            report=lent.report,
            order=lent.order,
            stood_still=lent.stood_still,
            days=lent.days,
            renewal=renewal,
            fetch=_fetch(settings, state, lent),
        ),
        chance=random.random,
    )
    if renewal is not None:
        renewal.wake = client.wake
    return PlatformLine(
        client=client, ways=ways, keys=keys, fault=fault, renewal=renewal
    )


def _renewal(
    settings: Settings, state: Path, lent: Lent
) -> tuple[CertificateRenewal | None, TlsWay | None]:
    """Return who renews our certificate, if we have one, and the files of TLS."""
    platform = settings.platform
    current = tls_files(platform, state)
    if current is None or not platform.certificate:
        return None, current
    files = Files(state=state, certificate=platform.certificate, key=platform.key)
    tls = RenewingTls(current, files)
    renewal = CertificateRenewal(
        gateway=settings.gateway.id,
        files=files,
        tls=tls,
        box=lent.box,
        report=lent.report,
    )
    return renewal, tls


def _fetch(settings: Settings, state: Path, lent: Lent) -> FetchPort | None:
    address = settings.platform.snapshots
    if not address:
        return None
    files = tls_files(settings.platform, state)
    if files is not None:  # the brokers' name is not this server's
        files = replace(files, server_name="")
    return SnapshotFetch(address, files, now=lent.clock.now)


def nobodys_key() -> dict[str, str]:
    """Return a public key whose private half is thrown away, as a key file has it."""
    public = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    return {"nobody": public.hex()}


def _is_new(journal: Journal, state: Path) -> bool:
    """Say whether this box has never worked: no event, and no journal before."""
    is_first = journal.last_seq == 0 and journal.epoch.startswith(FIRST_EPOCH)
    return is_first and not any(state.glob("journal.db.damaged-*"))


def _keys(path: Path, *, is_new: bool) -> tuple[PlatformKeys, str]:
    try:
        return PlatformKeys(read_platform_keys(path)), ""
    except KeyFileError as fault:
        if is_new:
            raise NotSetUpError(str(fault)) from fault
        log.warning("the platform cannot be believed", why=str(fault))
        return PlatformKeys(nobodys_key()), str(fault)
