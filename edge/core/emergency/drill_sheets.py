# SPDX-License-Identifier: Apache-2.0
"""What is kept of the last drills, so that the next can be laid beside them.

The law of the module: made from a drill's own events, and kept with the standing, so
that a journal which was trimmed since costs no comparison. Whatever the outcome, a
drill has a sheet; only those that were done count as a rehearsal.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.event import Event

#: Sheets that are kept: one a quarter of each kind, for a year.
MAX_SHEETS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillSheet:
    """A drill that is over; ``seq`` of its start, seconds to each stage reached.

    ``began_ms`` is UTC, a lower bound; ``action`` and ``owner``: what is to be mended.
    """

    seq: int
    drill: str
    began_ms: int
    with_doors: bool
    duration_s: int
    outcome: str
    reached: Mapping[str, int]
    missing: tuple[str, ...]
    actor: str
    action: str
    owner: str

    @classmethod
    def load(cls, kept: dict[str, Any]) -> DrillSheet:
        """Return what :meth:`dump` kept."""
        return cls(**{**kept, "missing": tuple(kept["missing"])})

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def sheet_of(
    event: Event,
    *,
    seq: int,
    began_ms: int,
    with_doors: bool,
    reached: Mapping[str, int],
) -> DrillSheet:
    """Return the sheet of a drill that ends with this event."""
    missing = str(event.fact("missing") or "")
    return DrillSheet(
        seq=seq,
        drill=str(event.fact("drill")),
        began_ms=began_ms,
        with_doors=with_doors,
        duration_s=int(event.fact("duration_s") or 0),
        outcome=str(event.fact("outcome")),
        reached=dict(reached),
        missing=tuple(missing.split(",")) if missing else (),
        actor=str(event.fact("actor") or ""),
        action=str(event.fact("action") or ""),
        owner=str(event.fact("owner") or ""),
    )
