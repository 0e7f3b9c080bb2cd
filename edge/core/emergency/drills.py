# SPDX-License-Identifier: Apache-2.0
"""Drills: one at a time, its stages timed, compared with those before.

The law of the module: state changes in ``follow`` alone. A drill ends by hand, by the
real thing, or forgotten; only the first is compared with others, and only one in which
no stage was missing can be the best.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from edge.core.emergency.began import Began
from edge.core.emergency.drill_plan import (
    DRILLS_OF_DOORS,
    FORGOTTEN_S,
    STAGES,
    DrillKind,
    stage_of,
)
from edge.core.emergency.drill_sheets import MAX_SHEETS, DrillSheet, sheet_of
from edge.core.emergency.told import told, unknown
from edge.core.event import Event, EventKind, Facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.moment import Moment
    from edge.core.order import DrillEndOrdered, DrillMarked, DrillOrdered
    from edge.core.outcome import OutcomeBuilder


class DrillOutcome(StrEnum):
    """How a drill ended: the fact ``outcome`` of its last event."""

    DONE = "done"
    #: An emergency began meanwhile.
    REAL = "real"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningDrill:
    """The drill that runs: ``seq`` of its start, seconds to each stage reached."""

    kind: DrillKind
    seq: int
    began: Began
    with_doors: bool
    reached: Mapping[str, int] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[str, ...]:
        """The stages not reached yet, in the order in which they are expected."""
        names = (stage.name for stage in STAGES[self.kind])
        return tuple(name for name in names if name not in self.reached)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillRecord:
    """What is known of earlier drills of a kind; ``ended_ms`` is UTC, its lower bound.

    ``best_s`` None: none had all its stages.
    """

    previous_s: int
    best_s: int | None
    ended_ms: int


class Drills:
    """The drill that runs, and what to compare it with; a record a kind."""

    def __init__(self, out: OutcomeBuilder) -> None:
        self._out = out
        self._running: RunningDrill | None = None
        self._records: dict[DrillKind, DrillRecord] = {}
        self._sheets: tuple[DrillSheet, ...] = ()
        # When the drill will be forgotten, by this boot's clock; None: to be found.
        self._due_s: float | None = None

    @property
    def running(self) -> RunningDrill | None:
        """The drill that runs."""
        return self._running

    @property
    def records(self) -> Mapping[DrillKind, DrillRecord]:
        """The record of each kind that was ever rehearsed."""
        return self._records

    @property
    def sheets(self) -> tuple[DrillSheet, ...]:
        """The last drills that are over, the newest at the end."""
        return self._sheets

    @property
    def last_done_ms(self) -> int | None:
        """When the last drill of any kind was done (UTC, a lower bound)."""
        done = (record.ended_ms for record in self._records.values())
        return max(done, default=None)

    @property
    def holds_doors(self) -> bool:
        """Whether the running drill holds the escape doors open."""
        return self._running is not None and self._running.with_doors

    def begin(self, order: DrillOrdered, now: Moment) -> str:
        """Begin a drill, or return why not."""
        if order.drill not in list(DrillKind):
            return unknown("drill", order.drill, DrillKind)
        if self._running is not None:
            return f"a {self._running.kind.value} drill is running"
        if order.with_doors and order.drill not in DRILLS_OF_DOORS:
            return f"a {order.drill} drill moves no doors"
        facts: Facts = (
            ("drill", order.drill),
            ("with_doors", int(order.with_doors)),
            *told(actor=order.actor),
        )
        self._out.event(EventKind.DRILL_STARTED, "site", now, facts=facts)
        return ""

    def mark(self, order: DrillMarked, now: Moment) -> str:
        """Note that a stage is reached, or return why not."""
        drill = self._running
        if drill is None:
            return "no drill is running"
        stage = stage_of(drill.kind, order.stage)
        if stage is None:
            names = (each.name for each in STAGES[drill.kind])
            return unknown(f"stage of a {drill.kind.value} drill", order.stage, names)
        if stage.name in drill.reached:
            return f"{stage.name} is marked already"
        facts: Facts = (
            ("cause", drill.seq),
            ("stage", stage.name),
            *drill.began.measured("after_s", now),
            *told(actor=order.actor),
        )
        if stage.within_s:
            is_late = drill.began.elapsed_ms(now) > stage.within_s * 1000
            facts += (("is_late", int(is_late)), ("within_s", stage.within_s))
        self._out.event(EventKind.DRILL_MARKED, "site", now, facts=facts)
        return ""

    def end(self, order: DrillEndOrdered, now: Moment) -> str:
        """End the drill by hand, or return why not."""
        if self._running is None:
            return "no drill is running"
        facts = told(actor=order.actor, action=order.action, owner=order.owner)
        self._end(self._running, DrillOutcome.DONE, now, facts)
        return ""

    def overtake(self, now: Moment) -> None:
        """End the drill because the real thing has begun."""
        if self._running is not None:
            self._end(self._running, DrillOutcome.REAL, now)

    def deadline(self) -> float | None:
        """Return when :meth:`expire` has something to do; at once after a restart."""
        if self._running is None:
            return None
        return 0.0 if self._due_s is None else self._due_s

    def expire(self, now: Moment) -> None:
        """Close a drill that was forgotten."""
        drill = self._running
        if drill is None:
            return
        if self._due_s is None:
            left_s = FORGOTTEN_S - drill.began.surely_elapsed_ms(now) / 1000
            self._due_s = now.monotonic_s + max(0.0, left_s)
        if now.monotonic_s >= self._due_s:
            self._end(drill, DrillOutcome.FORGOTTEN, now, (("forgotten", 1),))

    def follow(self, event: Event) -> None:
        """Take an event into account, live or replayed."""
        match event.kind:
            case EventKind.DRILL_STARTED:
                self._started(event)
            case EventKind.DRILL_MARKED if self._running is not None:
                after_s = int(event.fact("after_s") or 0)
                stage = str(event.fact("stage"))
                reached = {**self._running.reached, stage: after_s}
                self._running = replace(self._running, reached=reached)
            case EventKind.DRILL_ENDED if self._running is not None:
                self._ended(event, self._running)
            case _:
                pass

    def recovered(self) -> None:
        """Measure anew when a drill is due: the clock of its events was another."""
        self._due_s = None

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        if self._running is not None:
            self._running = replace(self._running, seq=self._running.seq + shift)
        sheets = self._sheets
        self._sheets = tuple(replace(each, seq=each.seq + shift) for each in sheets)

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        drill = self._running
        running = drill and {
            "kind": drill.kind.value,
            "seq": drill.seq,
            "began": drill.began.dump(),
            "with_doors": int(drill.with_doors),
            "reached": dict(drill.reached),
        }
        records = {
            kind.value: [record.previous_s, record.best_s, record.ended_ms]
            for kind, record in self._records.items()
        }
        sheets = [sheet.dump() for sheet in self._sheets]
        return {"drill": running, "drill_records": records, "drill_sheets": sheets}

    def load(self, state: dict[str, Any]) -> None:
        """Take a snapshot; an older one knows of no drill."""
        running = state.get("drill")
        self._running = running and RunningDrill(
            kind=DrillKind(running["kind"]),
            seq=running["seq"],
            began=Began.load(running["began"]),
            with_doors=bool(running["with_doors"]),
            reached=dict(running["reached"]),
        )
        self._records = {
            DrillKind(kind): DrillRecord(
                previous_s=previous_s, best_s=best_s, ended_ms=ended_ms
            )
            for kind, (previous_s, best_s, ended_ms) in state.get(
                "drill_records", {}
            ).items()
        }
        sheets = state.get("drill_sheets", ())
        self._sheets = tuple(DrillSheet.load(each) for each in sheets)

    def _end(
        self, drill: RunningDrill, outcome: DrillOutcome, now: Moment, more: Facts = ()
    ) -> None:
        facts: Facts = (
            ("cause", drill.seq),
            ("drill", drill.kind.value),
            ("missing", ",".join(drill.missing)),
            ("outcome", outcome.value),
            ("reached", len(drill.reached)),
            *drill.began.measured("duration_s", now),
            *more,
        )
        record = self._records.get(drill.kind)
        if record is not None:
            facts += (("previous_s", record.previous_s),)
            if record.best_s is not None:
                facts += (("best_s", record.best_s),)
        self._out.event(EventKind.DRILL_ENDED, "site", now, facts=facts)

    def _started(self, event: Event) -> None:
        kind = event.fact("drill")
        if kind not in list(DrillKind):
            return  # of a version that rehearsed something else
        self._running = RunningDrill(
            kind=DrillKind(str(kind)),
            seq=event.seq,
            began=Began.at(event.moment),
            with_doors=bool(event.fact("with_doors")),
        )
        self._due_s = event.moment.monotonic_s + FORGOTTEN_S

    def _ended(self, event: Event, drill: RunningDrill) -> None:
        self._running, self._due_s = None, None
        sheet = sheet_of(
            event,
            seq=drill.seq,
            began_ms=drill.began.earliest_ms,
            with_doors=drill.with_doors,
            reached=drill.reached,
        )
        self._sheets = (*self._sheets, sheet)[-MAX_SHEETS:]
        if event.fact("outcome") != DrillOutcome.DONE:
            return
        duration_s = int(event.fact("duration_s") or 0)
        record = self._records.get(drill.kind)
        best_s = record.best_s if record is not None else None
        if not drill.missing:
            best_s = duration_s if best_s is None else min(best_s, duration_s)
        self._records[drill.kind] = DrillRecord(
            previous_s=duration_s, best_s=best_s, ended_ms=event.moment.earliest_ms
        )
