# SPDX-License-Identifier: Apache-2.0
"""When a connection says that it is there, and how long it bears no answer.

The law of the module: a lease is granted with every heartbeat and outlives two of
them, so that one may be lost. Silence is judged by the platform's own signed answers:
a broker that takes all, and TCP that looks well, are no sign of life.
Source: docs/sync-contract.md, section 10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.chain import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.core.moment import Moment
    from edge.core.record import Record

#: How long a heartbeat holds: who is gone shows as online for so long at most.
LEASE_S = 60
#: Two of them and the way up fit into a lease. Some 900 bytes each with the answer:
#: 35 bytes a second of an idle line.
BEAT_AT_MOST_S = 27.0
#: Drawn shorter by up to a tenth, lest a city's gateways beat in step.
_SPREAD = 0.1
#: An answer takes a commit of the platform; one at work on much needs its time.
ANSWER_WITHIN_S = 10.0
#: Heartbeats are QoS 0, so that one may be lost, and its answer with the next.
UNANSWERED_BEFORE_LEAVING = 3


class Heartbeat:
    """The heartbeats of one connection after another; ``chance`` is in [0, 1)."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self.number = 0
        self._chance = chance
        self._due_s: float | None = None
        self._unanswered = 0

    def open(self, now_s: float) -> None:
        """Begin a connection; the first heartbeat goes out at once."""
        self.number = self._unanswered = 0
        self._due_s = now_s

    def close(self) -> None:
        """End a connection."""
        self._due_s = None

    @property
    def deadline_s(self) -> float | None:
        """When the next is due, or an answer has not come; None without connection."""
        return self._due_s

    def is_unheard(self, now_s: float) -> bool:
        """Say whether so many went unanswered that nobody seems to be there."""
        return self.is_due(now_s) and self._unanswered >= UNANSWERED_BEFORE_LEAVING

    def is_due(self, now_s: float) -> bool:
        """Say whether it is time, for an answer that is missing too."""
        return self._due_s is not None and now_s >= self._due_s

    def count(self, now_s: float) -> None:
        """Count one that goes out now; without an answer the next comes soon."""
        self.number += 1
        self._unanswered += 1
        self._due_s = now_s + ANSWER_WITHIN_S

    def answered(self, number: int, now_s: float) -> bool:
        """Take an answer; False if it is to none that waits for one."""
        if self._due_s is None or not self._unanswered or number != self.number:
            return False
        self._unanswered = 0
        wait_s = BEAT_AT_MOST_S * (1 - _SPREAD * self._chance())
        self._due_s = now_s + wait_s
        return True

    def alive(self) -> None:
        """Note that the platform has just committed something of ours."""
        self._unanswered = 0


def oldest_s(records: Sequence[Record], now: Moment) -> int:
    """Return how old the first record is, in whole seconds; 0 if nobody can tell."""
    try:
        made_ms = int(parse(records[0].core)["lo"]) if records else now.earliest_ms
    except (ValueError, KeyError):  # a tampered row
        return 0
    return max(0, now.earliest_ms - made_ms) // 1000
