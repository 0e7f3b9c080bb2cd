# SPDX-License-Identifier: Apache-2.0
"""Alarms, who was called for them, who answered, and after how long.

The law of the module: no personal part of an event is read: whom a care signal is
about stands in the report of care. Seconds count from when it began at the site.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cloud_sync.platform.alarms.kinds import OPEN, State
from cloud_sync.platform.reports.table import Cell, Table, local_time

if TYPE_CHECKING:
    from cloud_sync.platform.database import Row, Work
    from cloud_sync.platform.reports.stored import Span

_ALARMS = """
SELECT id, gateway, kind, subject, detail, began_ms, heard_ms, state, times, ended_ms,
    ended_by, ended_at
FROM incident
WHERE began_ms >= ?1 AND began_ms < ?2 AND (?3 = '' OR gateway = ?3)
ORDER BY began_ms, id
"""
_CALLS = """
SELECT c.incident, c.round, c.who, c.state, c.made_ms, c.done_ms, c.tries, c.why
FROM incident_call AS c JOIN incident AS i ON i.id = c.incident
WHERE c.what = 'CALL' AND i.began_ms >= ?1 AND i.began_ms < ?2
ORDER BY c.incident, c.number
"""
_NOTES = """
SELECT a.incident, a.at_ms, a.by_whom, a.note
FROM incident_answer AS a JOIN incident AS i ON i.id = a.incident
WHERE i.began_ms >= ?1 AND i.began_ms < ?2 ORDER BY a.at_ms, a.by_whom
"""
_CLOSED = frozenset({State.ANSWERED, State.OVER, State.MISSED})


async def alarms(work: Work, span: Span, *, only_open: bool = False) -> Table:
    """Return the alarms that began in the span."""
    offset_ms = span.utc_offset_ms
    calls: dict[str, list[str]] = defaultdict(list)
    for incident, *call in await work.fetch(_CALLS, span.from_ms, span.to_ms):
        calls[incident].append(_call(call, offset_ms))
    notes: dict[str, list[str]] = defaultdict(list)
    for incident, at_ms, by, note in await work.fetch(_NOTES, span.from_ms, span.to_ms):
        at = local_time(at_ms, offset_ms)[11:]
        notes[incident].append(f"{at} {by}{': ' if note else ''}{note}")
    rows: list[tuple[Cell, ...]] = [
        (
            *(row[0], row[1], row[2], f"{row[3]} {row[4]}".strip()),
            *(local_time(row[5], offset_ms), _seconds(row[5], row[6])),
            *(row[7], row[8]),
            local_time(row[9], offset_ms) if row[9] else "",
            _seconds(row[5], row[9]) if row[9] else "",
            *(row[10], row[11]),
            "; ".join(calls[row[0]]),
            "; ".join(notes[row[0]]),
        )
        for row in await _found(work, span)
        if not only_open or State(row[7]) in OPEN
    ]
    return Table(
        columns=(
            *("alarm", "gateway", "kind", "where", "began", "heard_after_s"),
            *("state", "times", "ended", "after_s", "by", "at", "calls", "answers"),
        ),
        rows=rows,
        note="UNANSWERED: everybody on the list was called; somebody has to go.",
    )


async def responses(work: Work, span: Span) -> Table:
    """Return how soon alarms were answered, by gateway and kind."""
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in await _found(work, span):
        found[row[1], row[2]].append(row)
    return Table(
        columns=(
            *("gateway", "kind", "alarms", "answered", "over", "missed", "open"),
            *("median_s", "p90_s", "longest_s"),
        ),
        rows=[(*key, *_summary(rows)) for key, rows in sorted(found.items())],
        note="Seconds until somebody answered, from when it began at the site.",
    )


async def _found(work: Work, span: Span) -> list[Row]:
    values = (span.from_ms, span.to_ms, span.gateway)
    return list(await work.fetch(_ALARMS, *values))


def _summary(rows: list[Row]) -> tuple[Cell, ...]:
    states = [State(row[7]) for row in rows]
    waits = sorted(_seconds(row[5], row[9]) for row in rows if row[7] == State.ANSWERED)
    counts = (
        len(rows),
        *(states.count(state) for state in (State.ANSWERED, State.OVER, State.MISSED)),
        sum(state not in _CLOSED for state in states),
    )
    if not waits:
        return (*counts, "", "", "")
    # The nearest rank: the value that so many of them do not exceed.
    ranks = (-(-len(waits) * share // 100) - 1 for share in (50, 90, 100))
    return (*counts, *(waits[rank] for rank in ranks))


def _call(call: list[int | str], offset_ms: int) -> str:
    round_number, who, state, made_ms, done_ms, tries, why = call
    at_ms = int(done_ms) or int(made_ms)
    at = local_time(at_ms, offset_ms)[11:]
    more = f" ({tries} tries: {why})" if why else ""
    return f"{at} round {round_number} {who} {state}{more}"


def _seconds(from_ms: int, to_ms: int) -> int:
    return max(0, to_ms - from_ms) // 1000
