# SPDX-License-Identifier: Apache-2.0
"""A clock in the test's hand, whose box may be restarted and lose the hour."""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.moment import UNBOUNDED_MS, Moment

#: 2026-11-22 14:32 at UTC+8.
NOON_MS = 1_795_329_120_000


@dataclass(slots=True)
class Hand:
    """Seconds of one boot; ``is_sure`` False: the box has no idea of the hour."""

    s: float = 1_000.0
    utc_ms: int = NOON_MS
    boot: str = "boot-1"
    is_sure: bool = True

    def now(self) -> Moment:
        latest = self.utc_ms + 40 if self.is_sure else UNBOUNDED_MS
        return Moment(
            monotonic_s=self.s,
            earliest_ms=self.utc_ms,
            latest_ms=latest,
            boot=self.boot,
        )

    def wait(self, seconds: float) -> None:
        self.s += seconds
        self.utc_ms += round(seconds * 1000)

    def restart(self, *, off_s: float = 0.0) -> None:
        """Come back after a power cut; seconds begin anew."""
        self.utc_ms += round(off_s * 1000)
        self.s, self.boot = 5.0, f"{self.boot}+"
