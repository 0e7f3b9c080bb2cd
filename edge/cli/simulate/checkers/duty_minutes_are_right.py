# SPDX-License-Identifier: Apache-2.0
"""The minutes of every shift are those that passed, by the true time.

The law of the module: full minutes from beginning to end, twelve hours at most; a
forgotten end is taken at closing time. What the gateway could not know (the width of
its interval, over a restart) is allowed for, and nothing else.
Source: ARCHITECTURE.md, "Duty".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Violation
from edge.cli.simulate.oracle.chronicle import Chronicle
from edge.cli.simulate.oracle.durations import closing_after_ms, fits, unsure_ms
from edge.core.event import EventKind

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Ground, Kinds, Observation, Rest
    from edge.cli.simulate.oracle.chronicle import Told

LONGEST_MIN = 12 * 60


class DutyMinutesAreRight:
    """Times every shift by itself."""

    name = "duty minutes equal the oracle's"
    heeds: Kinds = Chronicle.heeds

    def __init__(self, ground: Ground) -> None:
        self._plan = ground.plan
        self._chronicle = Chronicle(self)
        #: By holder: the shift that runs.
        self._running: dict[str, Told] = {}
        #: By the shift's number: the platform's last word on it that was taken.
        self._words: dict[int | None, int] = {}

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        self._chronicle.see(seen)

    def end(self, rest: Rest) -> None:
        """Do nothing: each shift was judged when it ended."""

    def clear(self) -> None:
        """Begin anew behind a power cut."""
        self._running.clear()
        self._words.clear()

    def take(self, told: Told) -> None:
        """Take the next event that counts."""
        holder = told.event.person.holder or ""
        match told.event.kind:
            case EventKind.DUTY_STARTED:
                if holder in self._running:
                    raise Violation(self.name, f"{holder} has two shifts at once")
                self._running[holder] = told
            case EventKind.DUTY_ENDED:
                began = self._running.pop(holder, None)
                if began is None:
                    raise Violation(self.name, f"{holder} ended what never began")
                self._judge(began, told)
            case EventKind.DUTY_CONFIRMED:
                self._hear(told)
            case _:
                pass

    def _hear(self, told: Told) -> None:
        """Take the platform's word on a shift; each counts once, in its order."""
        word = told.event.fact("confirmation")
        if word is None:
            return
        if int(word) <= self._words.get(told.cause, 0):
            raise Violation(self.name, f"word {word} on shift {told.cause} came again")
        self._words[told.cause] = int(word)

    def _judge(self, began: Told, ended: Told) -> None:
        minutes = ended.event.fact("minutes")
        to_ms = ended.true_ms
        if ended.event.fact("why") == "closing":
            to_ms = min(to_ms, closing_after_ms(self._plan, began.true_ms))
        blur_ms = unsure_ms(began, ended)
        lasted_ms = to_ms - began.true_ms
        if not fits(minutes, lasted_ms, blur_ms, most_min=LONGEST_MIN):
            what = f"{minutes} minutes for {lasted_ms / 60_000:.2f}"
            raise Violation(self.name, what)
        if ended.cause not in (None, began.seq):
            raise Violation(self.name, f"{ended.seq} ends {ended.cause}, another shift")
