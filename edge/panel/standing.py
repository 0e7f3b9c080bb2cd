# SPDX-License-Identifier: Apache-2.0
"""What the panel knows at one moment, and how news changes it.

The law of the module: pure values; time is an argument, in monotonic seconds of the
panel's own loop. The last verdict changes only by a new event, never by time, because
nobody may be hurried while reading it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.panel.report import EventReport, StatusReport

#: The events that the verdict card shows.
VERDICTS = frozenset(
    {
        "ACCESS_GRANTED",
        "ACCESS_DENIED",
        "MANUAL_ENTRY",
        "EMERGENCY_STARTED",
        "EMERGENCY_ENDED",
    }
)
_OPEN_PHASES = frozenset({"OPEN", "OPEN_RELEASED", "OPEN_TOO_LONG", "FORCED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The last report and verdict; ``is_live`` is False while the gateway is gone.

    ``open_since_s`` says since when the panel has seen a door stand open, and
    ``cut_since_s`` since when it has seen the platform away.
    """

    is_live: bool = False
    report: StatusReport | None = None
    reported_s: float = 0.0
    verdict: EventReport | None = None
    open_since_s: Mapping[str, float] = field(default_factory=dict)
    cut_since_s: float | None = None

    def clock_ms(self, now_s: float) -> int | None:
        """Return the gateway's UTC time, carried on since its last report."""
        if self.report is None or self.report.clock_ms is None:
            return None
        return self.report.clock_ms + int((now_s - self.reported_s) * 1000)


def reported(standing: Standing, report: StatusReport, now_s: float) -> Standing:
    """Take a status in."""
    since = standing.open_since_s
    before = standing.cut_since_s
    return replace(
        standing,
        is_live=True,
        report=report,
        reported_s=now_s,
        open_since_s={
            door.id: since.get(door.id, now_s)
            for door in report.doors
            if door.phase in _OPEN_PHASES
        },
        cut_since_s=None if report.is_connected else (before or now_s),
    )


def happened(standing: Standing, event: EventReport) -> Standing:
    """Take an event in; only a verdict changes anything.

    A counted refusal tells of the past minute: it adds to the card of its own kind
    and never takes the place of a newer verdict.
    """
    if event.kind not in VERDICTS:
        return standing
    shown = standing.verdict
    is_tally = event.kind == "ACCESS_DENIED" and event.count is not None
    if is_tally and shown is not None:
        if (shown.kind, shown.at, shown.reason) != (event.kind, event.at, event.reason):
            return standing
        return replace(standing, verdict=replace(shown, count=event.count))
    return replace(standing, verdict=event)


def gone(standing: Standing) -> Standing:
    """The gateway does not answer: what was known of doors and devices is void."""
    return replace(standing, is_live=False, open_since_s={}, cut_since_s=None)
