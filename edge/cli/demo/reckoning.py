# SPDX-License-Identifier: Apache-2.0
"""What came of several sites, gateway by gateway: journal against platform.

The law of the module: the gateway's side is read from its journal's file, the other
from the platform's database, by its own report; all after the processes have ended.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from cloud_sync.platform.application import open_database
from cloud_sync.platform.reports.reconciliation import reconciliation
from cloud_sync.platform.reports.stored import Span
from cloud_sync.platform.settings import read_settings
from edge.cli.demo.journal_file import journal_heads, journal_keys, read_journal
from edge.cli.demo.platform_file import held
from edge.cli.demo.tally import quantiles
from edge.core.moment import UNBOUNDED_MS

if TYPE_CHECKING:
    from edge.cli.demo.neighbours import Neighbours
    from edge.cli.demo.play import Play


async def reckoning(sites: Neighbours) -> dict[str, dict[str, Any]]:
    """Return what was recorded and stored of each gateway, and whether it agrees."""
    settings = read_settings(sites.settings)
    span = Span(from_ms=-UNBOUNDED_MS, to_ms=UNBOUNDED_MS, utc_offset_ms=0)
    async with (
        open_database(settings, sites.settings.parent) as base,
        base.reading() as work,
    ):
        table = await reconciliation(work, span)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    return {
        name: _of(house, [row for row in rows if row["gateway"] == name], sites)
        for name, house in sites.houses.items()
    }


def _of(
    house: Play, report: list[dict[str, int | str]], sites: Neighbours
) -> dict[str, Any]:
    """Hold one journal against the platform's report of it, epoch by epoch."""
    journal = house.stage.journal
    keys = journal_keys(journal)
    there = held(sites.database, house.settings.gateway.id)
    here = journal_heads(journal)
    heads = {
        row["epoch"]: (row["count"], row["hash"]) for row in report if row["count"]
    }
    is_good = bool(report) and all(row["good"] == "yes" for row in report)
    kinds = Counter(event.core["k"] for event in read_journal(journal))
    waits_ms = [
        (visit.released_s - visit.read_s) * 1000
        for visit in house.visits
        if visit.released_s is not None and visit.is_at_door
    ]
    return {
        "site": house.settings.site.id,
        "scans": len(house.visits),
        "granted": kinds["ACCESS_GRANTED"],
        "committed": len(keys),
        "acked": len(keys & there.keys),
        "lost": len(keys - there.keys),
        "doubled": there.doubled + len(there.keys - keys),
        "redelivered": there.redelivered,
        "hash": _last(here),
        "platform_count": sum(int(row["count"]) for row in report),
        "platform_hash": _last(heads),
        "reconciled": is_good and heads == here,
        "scan_to_unlock_ms": quantiles(waits_ms),
    }


def is_reconciled(gateways: dict[str, dict[str, Any]]) -> bool:
    """Say whether each gateway recorded something and the platform has just that."""
    return bool(gateways) and all(
        each["committed"]
        and each["committed"] == each["acked"] == each["platform_count"]
        and not each["lost"]
        and not each["doubled"]
        and each["reconciled"]
        for each in gateways.values()
    )


def _last(heads: dict[Any, tuple[Any, Any]]) -> str:
    """Return the hash at the end of the newest epoch; '' where there is none."""
    return str(heads[max(heads)][1]) if heads else ""
