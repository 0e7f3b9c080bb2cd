# SPDX-License-Identifier: Apache-2.0
"""A volunteer's shift and a social worker's word on it, as values.

The law of the module: values alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.duty.shift import ShiftState

#: Whoever was erased keeps no name, and his hours stay hours of the place.
ERASED = "(erased)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """One word on one shift; ``number`` counts them from 1."""

    gateway: str
    shift: str
    number: int
    holder: str
    boot: str
    began_m: int
    minutes: int
    was: int
    by: str
    reason: str
    at_ms: int


@dataclass(slots=True, kw_only=True)
class Shift:
    """One shift; ``boot`` and ``began_m`` name it to its gateway.

    ``measured``: the minutes before anybody confirmed them. ``taken``: the number of
    the last confirmation that the gateway has told to have taken. ``plan``: the
    planned shift that its volunteer took up by it, "" for none.
    """

    gateway: str
    epoch: str
    seq: int
    holder: str
    month: str
    began_ms: int
    boot: str
    began_m: int
    minutes: int = 0
    measured: int = 0
    state: ShiftState = ShiftState.RUNNING
    taken: int = 0
    word: Confirmation | None = None
    plan: str = ""

    @property
    def name(self) -> str:
        """What social workers, and rows of the feed, call it."""
        return f"{self.epoch}:{self.seq}"
