# SPDX-License-Identifier: Apache-2.0
"""A gateway that does nothing but let things happen, to be killed at any moment.

The law of the module: journal, client and transport are the product's own, and each
event is one commit, as a scan's is. Doors and devices are left out: their own events
would come at every start, and a bench that kills it fifty times wants to know in
advance which numbers the platform must end with. What was promised (its commit
returned) is written down beside the journal, by a write that a kill cannot take back;
a start that finds less than was promised says so and ends with 3. Where a file says how
far it may go it waits there, so that every kill finds something under way.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloud_sync.client import PlatformClient
from cloud_sync.connection import Broker
from cloud_sync.feed import NO_FEED, FeedCursor
from cloud_sync.ports import Ports
from cloud_sync.session import SyncSession
from cloud_sync.signing import PlatformKeys
from cloud_sync.topics import Topics
from cloud_sync.transport.mqtt import MqttTransport
from edge.cli.bench.drain import event
from edge.cli.sync_ports import READ_BYTES
from edge.cli.system_clock import SystemClock, wall_ms
from edge.core.chain import SALT_BYTES
from edge.storage.journal_file import open_journal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_sync.feed import FeedRow
    from cloud_sync.outputs import (
        ChangesComplete,
        ClockBounds,
        EpochReason,
        SnapshotComplete,
    )
    from edge.core.moment import Moment
    from edge.core.record import Record
    from edge.storage.journal import Journal

LOST = 3
NUMBER_BYTES = 8
PROMISED, ALLOWED = "promised", "allowed"
REST_S = 0.005


class _Journal:
    """The journal as the client knows it; it never has a reason for a new epoch."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    @property
    def epoch(self) -> str:
        return self._journal.epoch

    @property
    def last_seq(self) -> int:
        return self._journal.last_seq

    @property
    def acked(self) -> int:
        return self._journal.acked

    async def read(self, after: int, limit: int) -> Sequence[Record]:
        return await self._journal.read(after, max_rows=limit, max_bytes=READ_BYTES)

    async def hash_at(self, seq: int) -> bytes | None:
        return await self._journal.hash_at(seq)

    async def acknowledge(self, hi: int) -> None:
        await self._journal.acknowledge(hi)

    async def new_epoch(self, why: EpochReason) -> None:
        sys.exit(f"the platform contradicts this journal: {why.value}")


class _NoFeed:
    """A feed that is counted and not kept."""

    def __init__(self) -> None:
        self.cursor: FeedCursor = NO_FEED
        self.hash = b""

    async def stage(self, snapshot: str, rows: Sequence[FeedRow]) -> None:
        """Let go."""

    async def complete(self, snapshot: SnapshotComplete) -> None:
        self.cursor = snapshot.cursor

    async def change(self, changes: ChangesComplete) -> None:
        self.cursor = changes.cursor

    async def confirm(self) -> None:
        """Nothing to note."""

    async def drop(self, snapshot: str) -> None:
        """Nothing was kept."""


class _Clock:
    """The machine's clock; nobody here needs to be told the time."""

    def __init__(self) -> None:
        self._clock = SystemClock(floor_ms=0, system_error_s=1.0)

    def now(self) -> Moment:
        return self._clock.now()

    def bound(self, bounds: ClockBounds) -> None:
        """It is the platform's own machine."""


def client_of(journal: Journal, words: argparse.Namespace) -> PlatformClient:
    """Return the product's client for this journal."""
    keys = json.loads((words.state / "platform.json").read_text(encoding="ascii"))
    return PlatformClient(
        transports={
            port: MqttTransport(Broker(host="127.0.0.1", port=int(port)), words.gateway)
            for port in words.ports.split(",")
        },
        session=SyncSession(
            topics=Topics(gateway=words.gateway, shard="00"),
            keys=PlatformKeys(keys),
            firmware="bench",
            new_nonce=lambda: secrets.token_hex(16),
            chance=random.random,
        ),
        ports=Ports(
            journal=_Journal(journal),
            feed=_NoFeed(),
            clock=_Clock(),
            report=_said,
            order=lambda _: None,
            stood_still=lambda: False,
        ),
        chance=random.random,
    )


def _said(kind: object, facts: object) -> None:
    print(kind, facts, file=sys.stderr, flush=True)


def number_in(path: Path, otherwise: int = 0) -> int:
    """Return the number that a file holds."""
    try:
        return int.from_bytes(path.read_bytes(), "big")
    except FileNotFoundError:
        return otherwise


def promised(folder: Path) -> int:
    """Return the last number whose commit was seen to return; 0 for none."""
    return number_in(folder / PROMISED)


def allow(folder: Path, seq: int) -> None:
    """Let the gateway of this folder go as far as ``seq``."""
    new = folder / "allowed.new"
    new.write_bytes(seq.to_bytes(NUMBER_BYTES, "big"))
    new.replace(folder / ALLOWED)


async def _run(words: argparse.Namespace) -> int:
    opening = open_journal(
        words.state / "journal.db",
        new_epoch=lambda: secrets.token_hex(4),
        salt=lambda: secrets.token_bytes(SALT_BYTES),
    )
    async with opening as opened:
        journal = opened.journal
        if opened.set_aside or journal.last_seq < promised(words.state):
            return LOST
        client = client_of(journal, words)
        running = asyncio.create_task(client.run())
        notes = os.open(words.state / PROMISED, os.O_RDWR | os.O_CREAT, 0o600)
        while journal.last_seq < words.events:
            if journal.last_seq >= number_in(words.state / ALLOWED, words.events):
                await asyncio.sleep(REST_S)
                continue
            await journal.append([event(journal.next_seq, wall_ms())], None)
            mark = journal.last_seq.to_bytes(NUMBER_BYTES, "big")
            os.pwrite(notes, mark, 0)
            client.wake()
            await asyncio.sleep(words.pace_ms / 1000)
        await running
    return 0


def main() -> int:
    """Let events happen until there are as many as asked for, and keep in step."""
    parser = argparse.ArgumentParser(prog="edge.cli.bench.sync.writer")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--ports", required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--pace-ms", type=float, default=0.0)
    words: Any = parser.parse_args()
    return asyncio.run(_run(words))


if __name__ == "__main__":
    sys.exit(main())
