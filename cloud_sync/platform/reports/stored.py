# SPDX-License-Identifier: Apache-2.0
"""Events read back for a question.

The law of the module: the personal part of an event is read only for a question that
is about people. ``place`` counts a gateway's events over its journals: a new epoch
numbers from 1 what was not stored in the one before, and causes below 1 name that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.chain import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_sync.platform.database import Work
    from edge.core.event import EventKind

_SELECT = """
SELECT j.gateway, j.id, j.epoch, e.seq, e.kind, e.at, e.lo, e.core, {pii}
FROM event AS e JOIN journal AS j ON j.id = e.journal
WHERE e.kind IN ({kinds}) AND e.lo >= ?1 AND e.lo < ?2 {gateway}
ORDER BY j.gateway, j.id, e.seq
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which days are asked for (UTC ms, half-open), and of which gateway; '': all."""

    from_ms: int
    to_ms: int
    utc_offset_ms: int
    gateway: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One event; ``base`` is the place before its journal's first."""

    gateway: str
    epoch: str
    base: int
    seq: int
    kind: str
    at: str
    lo: int
    facts: dict[str, int | str]
    person: dict[str, int | str]

    @property
    def place(self) -> int:
        """Where it stands among all of its gateway's events."""
        return self.base + self.seq

    def cause(self, name: str = "cause") -> int:
        """Return the place of the event that a fact names."""
        return self.base + self.number(name)

    def number(self, name: str) -> int:
        """Return a fact that is a number; 0 where there is none."""
        value = self.facts.get(name)
        return value if isinstance(value, int) else 0

    def text(self, name: str) -> str:
        """Return a fact as text; '' where there is none."""
        return str(self.facts.get(name, ""))

    @property
    def holder(self) -> str:
        """The holder's id; '' if there is none, he was erased, or nobody asked."""
        return str(self.person.get("holder", ""))


async def events(
    work: Work,
    span: Span,
    kinds: Sequence[EventKind],
    *,
    to_ms: int | None = None,
    with_people: bool = False,
) -> list[Stored]:
    """Return the span's events of these kinds in their order; ``to_ms`` extends it."""
    until_ms = span.to_ms if to_ms is None else to_ms
    values: list[int | str] = [span.from_ms, until_ms, *(str(kind) for kind in kinds)]
    named = ", ".join(f"?{number}" for number in range(3, 3 + len(kinds)))
    of_gateway = ""
    if span.gateway:
        values.append(span.gateway)
        of_gateway = f"AND j.gateway = ?{len(values)}"
    sql = _SELECT.format(
        pii="e.pii" if with_people else "NULL", kinds=named, gateway=of_gateway
    )
    bases = await _bases(work)
    return [
        Stored(
            gateway=gateway,
            epoch=epoch,
            base=bases[journal],
            seq=seq,
            kind=kind,
            at=at,
            lo=lo,
            facts=parse(core),
            person=parse(pii) if pii else {},
        )
        for gateway, journal, epoch, seq, kind, at, lo, core, pii in await work.fetch(
            sql, *values
        )
    ]


async def _bases(work: Work) -> dict[int, int]:
    """Return for each journal how many events its gateway had stored before it."""
    rows = await work.fetch("SELECT id, gateway, hi FROM journal ORDER BY id")
    bases, stored = {}, dict[str, int]()
    for number, gateway, hi in rows:
        bases[number] = stored.get(gateway, 0)
        stored[gateway] = bases[number] + hi
    return bases
