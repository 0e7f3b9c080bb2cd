# SPDX-License-Identifier: Apache-2.0
"""Checkers of the ledgers, apart from the code that fills them.

The law of the module: it reads, through a connection of its own, and believes no
watermark: what was lost, doubled or broken is counted from the rows themselves.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_sim.platform.chain import first_break

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalCounts:
    """One journal epoch of a gateway.

    ``stored`` distinct keys; ``deliveries`` items that arrived and were accepted;
    ``redelivered`` those of them that were known already; ``duplicated`` effects run
    more than once for a key; ``lost`` keys at or below ``hi`` that are not there;
    ``refused`` items of batches that left a gap or continued another chain.
    """

    gateway: str
    epoch: str
    hi: int
    hash: bytes
    stored: int
    deliveries: int
    redelivered: int
    duplicated: int
    lost: int
    refused: int
    alarms: int
    quarantined: int


_COUNTS = """
WITH seen AS (
  SELECT b.stream, count(*) AS deliveries, sum(was_new) AS effects,
    count(DISTINCT CASE WHEN was_new THEN seq END) AS keys
  FROM applied JOIN batch b ON b.id = batch GROUP BY b.stream)
SELECT gateway, epoch, hi, hash,
  (SELECT count(*) FROM keyed WHERE stream = s.id),
  coalesce(deliveries, 0), coalesce(effects, 0), coalesce(keys, 0),
  (SELECT count(*) FROM keyed WHERE stream = s.id AND seq BETWEEN 1 AND hi),
  refused,
  (SELECT count(*) FROM alarm WHERE stream = s.id),
  (SELECT count(*) FROM quarantine WHERE stream = s.id)
FROM stream s LEFT JOIN seen ON seen.stream = s.id ORDER BY gateway, epoch
"""


def count_journals(path: Path) -> list[JournalCounts]:
    """Count every journal of the ledger at ``path``, by gateway and epoch."""
    with closing(_reading(path)) as connection:
        return [_counted(row) for row in connection.execute(_COUNTS)]


def count_garbled(path: Path) -> int:
    """Count the payloads outside the contract that are kept."""
    with closing(_reading(path)) as connection:
        row = connection.execute("SELECT count(*) FROM garbled").fetchone()
    return int(row[0])


def find_breaks(path: Path) -> dict[tuple[str, str], int]:
    """Verify every stored chain again; return the first bad seq of each broken one."""
    breaks = {}
    with closing(_reading(path)) as connection:
        streams = connection.execute("SELECT id, gateway, epoch FROM stream")
        for stream, gateway, epoch in streams.fetchall():
            rows = connection.execute(
                "SELECT * FROM keyed WHERE stream = ? ORDER BY seq", (stream,)
            )
            broken = first_break(epoch, rows)
            if broken is not None:
                breaks[gateway, epoch] = broken
    return breaks


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def _counted(
    row: tuple[str, str, int, bytes, int, int, int, int, int, int, int, int],
) -> JournalCounts:
    gateway, epoch, hi, at, stored, deliveries, effects, keys, held, *rest = row
    refused, alarms, quarantined = rest
    return JournalCounts(
        gateway=gateway,
        epoch=epoch,
        hi=hi,
        hash=at,
        stored=stored,
        deliveries=deliveries,
        redelivered=deliveries - effects,
        duplicated=effects - keys,
        lost=hi - held,
        refused=refused,
        alarms=alarms,
        quarantined=quarantined,
    )
