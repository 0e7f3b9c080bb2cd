# SPDX-License-Identifier: Apache-2.0
"""The platform of a simulated site: the real simulation of it, with seeded names.

The law of the module: its ledgers and its feed are in memory and belong to one run;
its key and the name of its feed come from the seed, so that a run can be repeated to
the bit.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_sync.signing import PlatformKeys
from edge.cli.simulate.checking import LedgerItem
from firmware_sim.platform.feed import Cursor, Feed
from firmware_sim.platform.feed_store import FeedStore
from firmware_sim.platform.keys import Signer
from firmware_sim.platform.ledger import Ledger
from firmware_sim.platform.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from firmware_sim.platform.feed import Change, Row

IN_MEMORY = Path(":memory:")


class HeardStore(FeedStore):
    """A feed that tells of each revision as it is written."""

    heard: Callable[[Change], None] | None = None

    def _keep(self, change: Change) -> Cursor:
        cursor = super()._keep(change)
        if self.heard is not None:
            self.heard(change)
        return cursor


class Platform:
    """Ledger, feed and session of one run."""

    def __init__(self, gateway: str, shard: str, chance: Random) -> None:
        self._gateway = gateway
        signer = Signer(Ed25519PrivateKey.from_private_bytes(chance.randbytes(32)))
        self.keys = PlatformKeys(signer.public_keys)
        self.store = HeardStore(IN_MEMORY)
        self.store.feed = Feed(Cursor(f"0001-{chance.randbytes(4).hex()}", 0))
        self.ledger = Ledger(IN_MEMORY)
        self.session = Session(
            registry={gateway: shard},
            ledger=self.ledger,
            store=self.store,
            signer=signer,
        )

    def begin(self, rows: list[Row]) -> None:
        """Write the feed's first revision."""
        self.store.change(rows)

    def high(self, epoch: str) -> int:
        """Return up to where the platform holds an epoch."""
        return self.ledger.high(self._gateway, epoch).hi

    def lose(self, epoch: str, count: int) -> None:
        """Go back to a backup that lacks the last ``count`` events."""
        held = max(0, self.high(epoch) - count)
        self.ledger.rewind(self._gateway, epoch, held)

    def items(self) -> list[LedgerItem]:
        """Return all it holds, by epoch and number."""
        rows = self._select("SELECT epoch, seq, core, pii FROM event ORDER BY 1, 2")
        return [LedgerItem(epoch=e, seq=s, core=c, pii=p) for e, s, c, p in rows]

    def effects(self) -> dict[tuple[str, int], int]:
        """Return how often each item's effect was run."""
        rows = self._select(
            "SELECT epoch, seq, sum(was_new) FROM arrival GROUP BY epoch, seq"
        )
        return {(epoch, seq): count for epoch, seq, count in rows}

    def alarms(self) -> int:
        """Return how often an event's number came with another hash."""
        [(count,)] = self._select("SELECT count(*) FROM alarm")
        return int(count)

    def close(self) -> None:
        """Give the memory back."""
        self.ledger.close()
        self.store.close()

    def _select(self, sql: str) -> list[tuple[Any, ...]]:
        return self.ledger._connection.execute(sql).fetchall()  # noqa: SLF001
