# SPDX-License-Identifier: Apache-2.0
"""The shape of one case of the decision's table: a scan, its scene and its answer.

The law of the module: it tells cases and judges none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.core.moment import UNBOUNDED_MS
from tests.core.scene import RELEASE_S, clock_ms

if TYPE_CHECKING:
    from edge.core.event import Facts

B1 = "b1 wang kitchen 14:00-16:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A scan and its answer; ``reason`` is None for a grant."""

    name: str
    # the scene
    who: str = "wang"
    at: str = "15:00"
    days: int = 0
    until: str | None = None  # the clock's other bound, or "?" for none at all
    door: str = "kitchen-door"
    mode: str = "LOCKED"
    bookings: tuple[str, ...] = (B1,)
    used: tuple[tuple[str, int, int], ...] = ()  # booking, persons, unverified
    lost: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    slow: tuple[str, ...] = ()
    # the answer
    rule: str = "booking"
    reason: str | None = None
    next_step: str | None = None
    params: Facts = ()
    booking: str | None = None
    is_anonymous: bool = False
    release_s: float = RELEASE_S

    @property
    def earliest_ms(self) -> int:
        """The first instant that it could be."""
        return clock_ms(self.at, days=self.days)

    @property
    def latest_ms(self) -> int:
        """The last instant that it could be."""
        if self.until == "?":
            return UNBOUNDED_MS
        return clock_ms(self.until or self.at, days=self.days)


def granted(name: str, **fields: Any) -> Case:
    """Tell a grant under ``b1`` until 16:00, unless told otherwise."""
    booking = fields.pop("booking", "b1")
    params = fields.pop("params", (("end", clock_ms("16:00")),))
    return Case(name=name, booking=booking, params=params, **fields)


def free(name: str, **fields: Any) -> Case:
    """Tell an entry through a door that is free."""
    return Case(name=name, rule="mode", release_s=0.0, **fields)


def refused(name: str, reason: str, next_step: str, **fields: Any) -> Case:
    """Tell a refusal, its reason and its next step."""
    return Case(name=name, reason=reason, next_step=next_step, **fields)
