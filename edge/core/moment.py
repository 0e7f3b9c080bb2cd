# SPDX-License-Identifier: Apache-2.0
"""Time as an interval, never a guess.

The law of the module: UTC is known only as ``[earliest_ms, latest_ms]``; whoever
compares an interval with a window gets one of four verdicts and must answer each.
Durations and time-outs use ``monotonic_s`` alone; order is by ``seq`` alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: "No upper bound is known": the last millisecond of the year 9999.
UNBOUNDED_MS = 253_402_300_799_999


class ClockVerdict(StrEnum):
    """How a moment lies to a half-open window ``[start, end)``."""

    INSIDE = "inside"
    BEFORE = "before"
    AFTER = "after"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One instant as this box knows it.

    ``monotonic_s`` counts seconds within ``boot``; ``earliest_ms`` and ``latest_ms``
    are UTC milliseconds since 1970 that surely enclose the true time.
    """

    monotonic_s: float
    earliest_ms: int
    latest_ms: int
    boot: str

    @property
    def monotonic_ms(self) -> int:
        """The monotonic milliseconds, as a journal keeps them."""
        # Rounded first: 1.001 s came from 1,001 ms, whatever its float says.
        return int(round(self.monotonic_s * 1000, 6))

    def as_kept(self) -> Moment:
        """Return the moment as a journal gives it back: so a replay is the same."""
        return replace(self, monotonic_s=self.monotonic_ms / 1000)

    def dump(self) -> list[int | str]:
        """Return it as JSON values."""
        return [self.monotonic_ms, self.earliest_ms, self.latest_ms, self.boot]

    @classmethod
    def load(cls, told: Sequence[int | str]) -> Moment:
        """Take what :meth:`dump` returned."""
        monotonic_ms, earliest_ms, latest_ms, boot = told
        return cls(
            monotonic_s=int(monotonic_ms) / 1000,
            earliest_ms=int(earliest_ms),
            latest_ms=int(latest_ms),
            boot=str(boot),
        )

    def against(self, start_ms: int, end_ms: int) -> ClockVerdict:
        """Compare with ``[start_ms, end_ms)``; sure only if the whole interval is."""
        if self.latest_ms < start_ms:
            return ClockVerdict.BEFORE
        if self.earliest_ms >= end_ms:
            return ClockVerdict.AFTER
        if start_ms <= self.earliest_ms and self.latest_ms < end_ms:
            return ClockVerdict.INSIDE
        return ClockVerdict.UNSURE
