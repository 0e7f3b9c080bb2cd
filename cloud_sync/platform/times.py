# SPDX-License-Identifier: Apache-2.0
"""When things happened that a gateway told before it knew the time.

The law of the module: what a gateway wrote stays as it wrote it (``core``, and the
hashes over it); only ``lo``, by which reports ask for a day, follows what the same
boot's clock turned out to be. It is raised, never lowered: it stays a lower bound.
Source: docs/platform.md, "Events from before the clock was known".
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from edge.core.chain import parse
from edge.core.clock import DRIFT
from edge.core.event import EventKind
from edge.core.moment import UNBOUNDED_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_sync.platform.database import Work
    from cloud_sync.platform.items import Entry

#: What a core without an upper bound of its time has in it, as canonical JSON.
_UNSURE = f'"hi":{UNBOUNDED_MS},'
_LEARNT = frozenset({EventKind.CLOCK_FIXED.value, EventKind.CLOCK_STEPPED.value})
#: Rows that are fetched at once on the way back to the boot's beginning.
_PAGE = 1_000
_BEFORE = """
SELECT seq, lo, core FROM event WHERE journal = ?1 AND seq < ?2
ORDER BY seq DESC LIMIT ?3
"""
_RAISE = "UPDATE event SET lo = ?3 WHERE journal = ?1 AND seq = ?2 AND lo < ?3"


async def correct(work: Work, journal: int, fresh: Sequence[Entry]) -> None:
    """Raise ``lo`` of stored events from before one of ``fresh`` knew the time.

    ``fresh`` are stored already, in this transaction.
    """
    for entry in _learnt(fresh):
        await _back_from(work, journal, entry)


def _learnt(fresh: Sequence[Entry]) -> list[Entry]:
    """Return those at which a clock began to have an upper bound."""
    found = [
        after
        for before, after in pairwise(fresh)
        if _UNSURE in before.core and not after.why and _UNSURE not in after.core
    ]
    if fresh and fresh[0].kind in _LEARNT and _UNSURE not in fresh[0].core:
        found.insert(0, fresh[0])
    return found


async def _back_from(work: Work, journal: int, entry: Entry) -> None:
    fixed = _fields(entry.core)
    if fixed is None:
        return
    boot, at_ms, since_ms = fixed
    seq, raised = entry.seq, list[tuple[int, int, int]]()
    while True:
        rows = await work.fetch(_BEFORE, journal, seq, _PAGE)
        for seq, lo, core in rows:
            told = _fields(core)
            if told is None:
                continue
            if told[0] != boot or _UNSURE not in core:
                rows = []
                break
            age_ms = since_ms - told[2]
            better = at_ms - age_ms - int(age_ms * DRIFT) - 1
            if better > lo:
                raised.append((journal, seq, better))
        if len(rows) < _PAGE:
            break
    if raised:
        await work.executemany(_RAISE, raised)


def _fields(core: str) -> tuple[str, int, int] | None:
    """Return boot, lower bound and milliseconds since the boot; None if unusable."""
    try:
        value: dict[str, Any] = parse(core)
    except ValueError:
        return None
    boot, lo, since = value.get("b"), value.get("lo"), value.get("m")
    if not isinstance(boot, str) or type(lo) is not int or type(since) is not int:
        return None
    return boot, lo, since
