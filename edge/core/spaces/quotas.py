# SPDX-License-Identifier: Apache-2.0
"""How many of a month's free minutes each holder has used in each space.

The law of the module: it learns from closed visits alone. Two months are kept, since
a visit belongs to the month in which it began; an older one is forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.core.event import EventKind

if TYPE_CHECKING:
    from edge.core.event import Event

#: Holders and spaces of two months: a few hundred kilobytes of snapshot. Beyond it
#: the least used is forgotten, and that holder has the month's minutes anew.
MAX_QUOTAS = 8_192
MONTHS_KEPT = 2


class Quotas:
    """Free minutes used, by month, space and holder."""

    def __init__(self) -> None:
        self._used_min: dict[tuple[int, str, str], int] = {}

    def used_min(self, month: int, space_id: str, holder_id: str) -> int:
        """Return how many free minutes were used."""
        return self._used_min.get((month, space_id, holder_id), 0)

    def follow(self, event: Event) -> None:
        """Take an event into account, live or replayed."""
        holder = event.person.holder
        if event.kind is not EventKind.VISIT_CLOSED or holder is None:
            return
        month, free_min = event.fact("month"), event.fact("free_min")
        if not isinstance(month, int) or not isinstance(free_min, int):
            return
        key = (month, event.subject, holder)
        if key not in self._used_min:
            self._make_room(key[0])
        self._used_min[key] = self._used_min.get(key, 0) + free_min

    def forget(self, holder: str) -> None:
        """Forget what a holder used."""
        self._used_min = {k: u for k, u in self._used_min.items() if k[2] != holder}

    def dump(self) -> dict[str, list[list[int | str]]]:
        """Return the state as JSON values."""
        return {"quotas": [[*key, used] for key, used in self._used_min.items()]}

    def load(self, state: dict[str, Any]) -> None:
        """Take the state that :meth:`dump` returned; what is not there is nothing."""
        self._used_min = {
            (month, space_id, holder): used
            for month, space_id, holder, used in state.get("quotas", ())
        }

    def _make_room(self, month: int) -> None:
        months = sorted({month, *(key[0] for key in self._used_min)})[-MONTHS_KEPT:]
        self._used_min = {k: u for k, u in self._used_min.items() if k[0] in months}
        if len(self._used_min) >= MAX_QUOTAS:
            del self._used_min[min(self._used_min, key=self._used_min.__getitem__)]
