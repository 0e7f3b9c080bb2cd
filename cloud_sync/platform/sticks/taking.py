# SPDX-License-Identifier: Apache-2.0
"""An export into the journals, by the very code that takes events from the line.

The law of the module: nothing is stored before the whole file was checked, from its
seal to the signed head; then handfuls are committed as those of the line are, so that
nobody on the line waits for a stick. A handful that fails leaves those before it: they
are a good beginning of the same journal, and reading the file again goes on there.
Source: docs/sneakernet.md, "Up"; docs/sync-contract.md, section 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from cloud_sync.fingerprint import fingerprint_of
from cloud_sync.platform import boxes, feeds, ledger, registry
from cloud_sync.platform.uplink import RefusalKind
from cloud_sync.stick_file import StickError
from cloud_sync.topics import Topics

if TYPE_CHECKING:
    from cloud_sync.platform.database import Database
    from cloud_sync.platform.ledger import Standing
    from cloud_sync.platform.reception import Outcome, Reception
    from cloud_sync.platform.sticks.export_file import ExportFile, Header

#: As many batches as the line brings in one transaction.
HANDFUL = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was on a stick, where the journal stood before, and where it stands now."""

    header: Header
    before: int
    at: Standing

    @property
    def new(self) -> int:
        """How many events of the journal are stored that were not before."""
        return self.at.hi - self.before


async def take(
    database: Database, reception: Reception, export: ExportFile, now_ms: int
) -> Taken:
    """Store an export's events; StickError says why nothing of it was taken."""
    header = export.header
    gateway, epoch = header.gateway, header.epoch
    shard = await _shard(database, header)
    async with database.reading() as work:
        before = await ledger.standing(work, gateway, epoch)
    topic = Topics(gateway=gateway, shard=shard).events
    export.check(topic)
    lines = export.batches()
    while handful := [(topic, line) for line in islice(lines, HANDFUL)]:
        outcome = await reception.receive(handful, now_ms, is_live=False)
        _check(header, outcome, before)
    async with database.writing() as work:
        reported = await feeds.hold(work, gateway)
        if header.feed.age > reported.age:  # an old stick tells nothing new of that
            await feeds.heed(work, gateway, header.feed, now_ms)
        at = await ledger.standing(work, gateway, epoch)
    return Taken(header=header, before=before.hi, at=at)


async def _shard(database: Database, header: Header) -> str:
    """Return the shard of a gateway whose box signed the header, with a known key."""
    gateway = header.gateway
    async with database.reading() as work:
        try:
            shard = await registry.shard_of(work, gateway)
        except registry.RegistryError as unknown:
            raise StickError("GATEWAY_UNKNOWN", str(unknown)) from unknown
        public = await boxes.key_of(work, gateway)
    if public is None or header.key != public.hex():
        shown = fingerprint_of(bytes.fromhex(header.key))
        raise StickError(
            "BOX_UNKNOWN",
            f"signed as {shown}. If `menshen status` shows that at the box of "
            f"{gateway} itself, say: menshen platform box trust {gateway} {shown} "
            "--stick FILE",
        )
    if not header.is_signed_by(public):
        raise StickError("FORGED", f"the box of {gateway} did not sign this; keep it")
    return shard


def _check(header: Header, outcome: Outcome, before: Standing) -> None:
    """Return if the journals took a handful; StickError if they did not."""
    for (_, kind), whys in outcome.refused.items():
        if kind is RefusalKind.GAP:
            raise StickError(
                "GAP",
                f"events {before.hi + 1} to {header.first - 1} are on another stick; "
                f"export again there with --from-seq {before.hi + 1}",
            )
        raise StickError(
            kind.value,
            f"{whys[-1]}; `menshen platform trouble` has the alarm: a card was "
            "restored or exchanged there, or somebody tells another story",
        )
