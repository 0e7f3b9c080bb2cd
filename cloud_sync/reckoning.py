# SPDX-License-Identifier: Apache-2.0
"""Days that are over, told to the platform and compared with what it holds.

The law of the module: a day is a stretch of numbers that the gateway has cut once, and
is compared as such; no side ever asks a clock which events belong to it. A platform
that does not answer is asked again, ever more seldom, and holds up nothing else.
Source: docs/sync-contract.md, section 12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync import envelope
from cloud_sync.messages import DayAnswer, DayVerdict
from cloud_sync.outputs import DayJudged, Output, Publish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_sync.envelope import DayStretch
    from cloud_sync.topics import Topics
    from edge.core.moment import Moment

#: Each makes the platform walk a day of its ledger.
MAX_OUT = 4
#: What a gateway has to catch up with after months goes out over a few connections.
MAX_A_CONNECTION = 100
ANSWER_WITHIN_S = 60.0
ASK_AT_MOST_S = 3600.0
_JITTER = 0.25


class Reckoning:
    """The days of one connection that are not agreed; ``chance`` is in [0, 1)."""

    def __init__(self, topics: Topics, chance: Callable[[], float]) -> None:
        self._topics = topics
        self._chance = chance
        self._is_open = False
        self._offered: tuple[DayStretch, ...] = ()
        #: Not told on this connection yet, oldest first; and told, not answered.
        self._waiting: dict[str, DayStretch] = {}
        self._out: dict[str, DayStretch] = {}
        self._asked = 0
        self._done: set[str] = set()
        self._patience_s = ANSWER_WITHIN_S
        self._due_s: float | None = None

    def open(self) -> None:
        """Begin a connection: all that is not agreed is told on it."""
        self.close()
        self._is_open = True

    def close(self) -> None:
        """End a connection; what was told on it counts as untold."""
        self._is_open, self._due_s, self._asked = False, None, 0
        self._patience_s = ANSWER_WITHIN_S
        self._offered = ()
        self._waiting.clear()
        self._out.clear()
        self._done.clear()

    def offer(self, days: Sequence[DayStretch], now: Moment) -> list[Output]:
        """Learn which days are not agreed; tell those that are news here."""
        if not self._is_open or days == self._offered:
            return []
        self._offered = tuple(days)
        for day in days:
            if day.name not in self._out and day.name not in self._done:
                self._waiting[day.name] = day
        return self._send(now)

    @property
    def deadline_s(self) -> float | None:
        """When to ask again; None while everything is answered."""
        return self._due_s

    def tick(self, now: Moment) -> list[Output]:
        """Ask again for what was not answered, or not whole yet."""
        if self._due_s is None or now.monotonic_s < self._due_s:
            return []
        self._due_s = None
        self._patience_s = min(self._patience_s * 2, ASK_AT_MOST_S)
        again, self._out = self._out, {}
        self._waiting = again | self._waiting
        return self._send(now)

    def receive(self, answer: DayAnswer, now: Moment) -> list[Output]:
        """Take what the platform says of a day; of another one it means nothing."""
        name = f"{answer.epoch}:{answer.first}-{answer.last}"
        day = self._out.get(name)
        if day is None or answer.verdict is DayVerdict.LATER:
            return []
        del self._out[name]
        self._done.add(name)
        if not self._out:
            self._due_s, self._patience_s = None, ANSWER_WITHIN_S
        judged = DayJudged(
            day=day,
            is_agreed=answer.verdict is DayVerdict.AGREED,
            held=answer.count,
            why=answer.why,
        )
        return [judged, *self._send(now)]

    def _send(self, now: Moment) -> list[Output]:
        outputs: list[Output] = []
        while self._waiting and len(self._out) < MAX_OUT:
            if self._asked >= MAX_A_CONNECTION:
                break
            self._asked += 1
            name = next(iter(self._waiting))
            self._out[name] = day = self._waiting.pop(name)
            payload = envelope.day(self._topics.gateway, day, now.earliest_ms)
            outputs.append(Publish(topic=self._topics.day, payload=payload))
        if outputs:
            wait_s = self._patience_s * (1 + _JITTER * self._chance())
            self._due_s = now.monotonic_s + wait_s
        return outputs
