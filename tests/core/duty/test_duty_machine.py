# SPDX-License-Identifier: Apache-2.0
"""Volunteers, restarts and corrections in any order: the minutes always add up."""

from __future__ import annotations

from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge.core.duty.shift import MAX_SHIFT_MIN
from edge.core.event import EventKind
from tests.core.duty.desk import Desk

WHO = strategies.sampled_from(["chen", "lin", "he"])


class DutyMachine(RuleBasedStateMachine):
    """Keeps a sum of its own, from the events alone."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.seen = 0
        self.running: dict[str, int] = {}
        self.minutes: dict[int, int] = {}

    @rule(who=WHO, start=strategies.booleans())
    def order(self, who: str, *, start: bool) -> None:
        was = who in self.running
        why = self.desk.order(who, start=start)
        assert (why == "") == (was is not start)
        self.read()

    @rule(hours=strategies.sampled_from([0.01, 0.5, 2.0, 7.0, 13.0, 50.0]))
    def wait(self, hours: float) -> None:
        self.desk.wait(hours)
        self.read()

    @rule(spread_ms=strategies.sampled_from([0, 30_000, 7_200_000, -1]))
    def doubt(self, spread_ms: int) -> None:
        self.desk.spread_ms = spread_ms

    @rule(
        cut=strategies.integers(0, 20), away_h=strategies.sampled_from([0.0, 1.0, 30.0])
    )
    def restart(self, cut: int, away_h: float) -> None:
        self.desk.restart(cut=cut, away_h=away_h)
        self.read()

    @rule(
        seq=strategies.integers(1, 12),
        minutes=strategies.integers(-5, 800),
        actor=WHO,
        second=WHO,
    )
    def correct(self, seq: int, minutes: int, actor: str, second: str) -> None:
        why = self.desk.correct(seq, minutes, actor=actor, second=second)
        if why == "":
            shift = self.desk.duty.shifts[seq]
            assert len({actor, second, shift.holder}) == 3
        self.read()

    @rule(seq=strategies.integers(1, 12), minutes=strategies.integers(0, 720))
    def confirm(self, seq: int, minutes: int) -> None:
        self.desk.confirm(seq, minutes)
        self.read()

    def read(self) -> None:
        """Follow the journal with a ledger of three lines."""
        for event in self.desk.journal[self.seen :]:
            who, cause = str(event.person.holder), int(event.fact("cause") or 0)
            minutes = int(event.fact("minutes") or 0)
            assert 0 <= minutes <= MAX_SHIFT_MIN
            match event.kind:
                case EventKind.DUTY_STARTED:
                    assert who not in self.running, "two shifts at once"
                    self.running[who] = event.seq
                case EventKind.DUTY_ENDED:
                    assert self.running.pop(who) == cause, "another shift's end"
                    self.minutes[cause] = minutes
                case _:
                    assert cause in self.minutes, "of a shift that did not end"
                    self.minutes[cause] = minutes
        self.seen = len(self.desk.journal)

    @invariant()
    def the_sums_agree(self) -> None:
        shifts = self.desk.duty.shifts
        ended = {s: one.minutes for s, one in shifts.items() if not one.is_running}
        assert ended == {seq: n for seq, n in self.minutes.items() if seq in shifts}
        assert set(self.desk.duty.on_duty) == set(self.running)

    @invariant()
    def nobody_is_on_duty_for_longer_than_twelve_hours(self) -> None:
        for seq in self.running.values():
            since = self.desk.duty.shifts[seq].since
            if since.boot == self.desk.boot:
                passed_s = self.desk.now_s - since.monotonic_s
                assert passed_s <= MAX_SHIFT_MIN * 60 + 1

    @invariant()
    def a_replay_gives_the_same(self) -> None:
        live = self.desk.duty.dump()
        for cut in (0, 3, len(self.desk.journal)):
            assert self.desk.replayed(cut)[0].dump() == live


DutyMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None
)
TestDuty = DutyMachine.TestCase
