# SPDX-License-Identifier: Apache-2.0
"""When something began, so that it can be measured later, after a restart too.

The law of the module: within one boot the monotonic clock measures; across boots UTC
does, as surely as its bounds allow, and says where they do not. Milliseconds are whole,
as the journal keeps them, or a replay would differ from the day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.core.event import Facts
    from edge.core.moment import Moment

#: UTC known to the minute is good enough for what is measured here.
SURE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """An instant: monotonic milliseconds of its boot, and the bounds of its UTC."""

    monotonic_ms: int
    earliest_ms: int
    latest_ms: int
    boot: str

    @classmethod
    def at(cls, moment: Moment) -> Began:
        """Return the instant of a moment, live or as the journal gave it back."""
        return cls(
            monotonic_ms=_whole_ms(moment.monotonic_s),
            earliest_ms=moment.earliest_ms,
            latest_ms=moment.latest_ms,
            boot=moment.boot,
        )

    @classmethod
    def load(cls, kept: list[int | str]) -> Began:
        """Return what :meth:`dump` kept."""
        monotonic_ms, earliest_ms, latest_ms, boot = kept
        return cls(
            monotonic_ms=int(monotonic_ms),
            earliest_ms=int(earliest_ms),
            latest_ms=int(latest_ms),
            boot=str(boot),
        )

    def dump(self) -> list[int | str]:
        """Return it as JSON values."""
        return [self.monotonic_ms, self.earliest_ms, self.latest_ms, self.boot]

    def elapsed_ms(self, now: Moment) -> int:
        """Return what has passed since, never negative; a guess across boots."""
        if now.boot == self.boot:
            return max(0, _whole_ms(now.monotonic_s) - self.monotonic_ms)
        return max(0, now.earliest_ms - self.earliest_ms)

    def surely_elapsed_ms(self, now: Moment) -> int:
        """Return what has passed at the least."""
        if now.boot == self.boot:
            return self.elapsed_ms(now)
        return max(0, now.earliest_ms - self.latest_ms)

    def measured(self, name: str, now: Moment) -> Facts:
        """Return whole seconds since as a fact, flagged where UTC was unsure."""
        after: Facts = ((name, self.elapsed_ms(now) // 1000),)
        widest_ms = max(
            self.latest_ms - self.earliest_ms, now.latest_ms - now.earliest_ms
        )
        is_sure = now.boot == self.boot or widest_ms < SURE_MS
        return after if is_sure else (*after, ("time_unverified", 1))


def _whole_ms(monotonic_s: float) -> int:
    # Rounded first: 1000.123 s came from 1000123 ms, whatever its float says.
    return int(round(monotonic_s * 1000, 6))
