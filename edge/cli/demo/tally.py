# SPDX-License-Identifier: Apache-2.0
"""What came of a demonstration, counted at its ends: door, journal file, ledgers.

The law of the module: no figure comes from the gateway's own counters, and all are
taken after the processes have ended.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from edge.cli.demo.journal_file import journal_keys, read_journal, read_ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge.cli.demo.mishaps import Mishaps
    from edge.cli.demo.residents import Visit
    from edge.cli.demo.stage import Stage


def quantiles(values: Iterable[float]) -> dict[str, float]:
    """Return p50, p99 and max in the unit given; zeros for no values."""
    ordered = sorted(values)
    if not ordered:
        return {"p50": 0.0, "p99": 0.0, "max": 0.0}

    def at(share: float) -> float:
        index = min(len(ordered) - 1, int(share * len(ordered)))
        return round(ordered[index], 2)

    return {"p50": at(0.5), "p99": at(0.99), "max": round(ordered[-1], 2)}


def tally(
    stage: Stage,
    visits: Sequence[Visit],
    happenings: Sequence[dict[str, Any]],
    *,
    seed: int,
    mishaps: Mishaps,
    panel_url: str,
) -> dict[str, Any]:
    """Return the closing object of a demonstration."""
    events = [event.core for event in read_journal(stage.journal)]
    denied: Counter[str] = Counter()
    for core in events:
        if core["k"] == "ACCESS_DENIED":
            denied[core["reason"]] += core.get("count", 1)
    committed = journal_keys(stage.journal)
    ledger = read_ledger(stage.ledger)
    waits_ms = [
        (visit.released_s - visit.read_s) * 1000
        for visit in visits
        if visit.released_s is not None and visit.is_at_door
    ]
    seen = Counter(happening["what"] for happening in happenings)
    kinds = Counter(core["k"] for core in events)
    return {
        "seed": seed,
        "scans": len(visits),
        "granted": kinds["ACCESS_GRANTED"],
        "denied": dict(sorted(denied.items())),
        "doors_opened": seen["leaf_opened"],
        "lockers_opened": seen["compartment_opened"],
        "events_committed": len(committed),
        "events_acked": len(committed & ledger.keys),
        "events_lost": len(committed - ledger.keys),
        "events_duplicated": ledger.effects_doubled,
        "events_redelivered": ledger.redelivered,
        "broker_outages": mishaps.broker_outages,
        "reader_faults": mishaps.reader_faults,
        "gateway_restarts": kinds["STARTED"] - 1,
        "scan_to_unlock_ms": quantiles(waits_ms),
        "panel_url": panel_url,
    }


def is_good(result: dict[str, Any]) -> bool:
    """Say whether the main job was done: committed = acked, none lost or doubled."""
    return bool(
        result["events_committed"]
        and result["events_committed"] == result["events_acked"]
        and not result["events_lost"]
        and not result["events_duplicated"]
    )
