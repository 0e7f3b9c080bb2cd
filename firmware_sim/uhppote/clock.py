# SPDX-License-Identifier: Apache-2.0
"""The clock of a UHPPOTE controller: no time zone, and it drifts.

The law of the module: it is told monotonic seconds and shows a date and a time in
whole seconds; it outlives a power cut, as with the board's battery.

Source: uhppoted/uhppote-core, set_time; users' reports of drift.
"""

from __future__ import annotations

from datetime import datetime, timedelta


class ControllerClock:
    """Shows ``starts_at`` when it is first asked."""

    def __init__(self, starts_at: datetime, *, drift_ppm: float = 0.0) -> None:
        self._shown = starts_at
        self._shown_at: float | None = None
        self._pace = 1.0 + drift_ppm / 1e6

    def set(self, shown: datetime, now: float) -> None:
        """Put the clock right, or wrong."""
        self._shown, self._shown_at = shown, now

    def read(self, now: float) -> datetime:
        """Return what the clock shows."""
        if self._shown_at is None:
            self._shown_at = now
        gone_s = (now - self._shown_at) * self._pace
        return (self._shown + timedelta(seconds=gone_s)).replace(microsecond=0)
