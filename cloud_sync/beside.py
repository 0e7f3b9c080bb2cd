# SPDX-License-Identifier: Apache-2.0
"""What a connection says beside its events: heartbeat, alarms, days.

The law of the module: only what the platform said in its hello that it takes is sent
to it; one of before, or of somebody else, gets events and pulls as ever. Nothing here
holds up an event.
Source: docs/sync-contract.md, sections 10 to 12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync import envelope
from cloud_sync.early import EarlyWords
from cloud_sync.heartbeat import LEASE_S, Heartbeat
from cloud_sync.outputs import BeatDue, Output, Publish
from cloud_sync.reckoning import Reckoning

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_sync.introduction import JournalView
    from cloud_sync.messages import BeatAnswer, HelloAnswer
    from cloud_sync.topics import Topics
    from edge.core.moment import Moment

HEARTBEATS, ALARMS, DAYS = "hb", "alm", "day"


class Beside:
    """The three of one gateway, over its connections; ``chance`` is in [0, 1)."""

    def __init__(self, topics: Topics, chance: Callable[[], float]) -> None:
        self.early = EarlyWords(topics)
        self.days = Reckoning(topics, chance)
        self._beats = Heartbeat(chance)
        self._topics = topics
        self._epoch = ""
        self._nonce = ""

    def open(
        self, view: JournalView, answer: HelloAnswer, hi: int, now: Moment
    ) -> None:
        """Begin, the platform having answered: ``hi`` is what it has stored."""
        self._epoch, self._nonce = view.epoch, answer.nonce
        if HEARTBEATS in answer.capabilities:
            self._beats.open(now.monotonic_s)
        if ALARMS in answer.capabilities:
            self.early.open(view.epoch, hi)
        if DAYS in answer.capabilities:
            self.days.open()

    def close(self) -> None:
        """End a connection."""
        self._beats.close()
        self.early.close()
        self.days.close()

    @property
    def deadline_s(self) -> float | None:
        """When ``tick`` has something to do."""
        deadlines = (self._beats.deadline_s, self.days.deadline_s)
        return min((at for at in deadlines if at is not None), default=None)

    def is_unheard(self, now: Moment) -> bool:
        """Say whether heartbeats have gone unanswered for too long."""
        return self._beats.is_unheard(now.monotonic_s)

    def tick(self, now: Moment) -> list[Output]:
        """Act on what is due."""
        outputs = self.days.tick(now)
        if self._beats.is_due(now.monotonic_s) and not self.is_unheard(now):
            self._beats.count(now.monotonic_s)
            outputs.append(BeatDue())
        return outputs

    def beat(
        self, *, last_seq: int, waiting: int, oldest_s: int, now: Moment
    ) -> list[Output]:
        """Return the heartbeat that was due, with how the journal stands."""
        if self._beats.deadline_s is None:
            return []
        beat = envelope.Beat(
            nonce=self._nonce,
            number=self._beats.number,
            lease_s=LEASE_S,
            boot=now.boot,
            epoch=self._epoch,
            last_seq=last_seq,
            waiting=waiting,
            oldest_s=oldest_s,
            earliest_ms=now.earliest_ms,
            latest_ms=now.latest_ms,
        )
        payload = envelope.heartbeat(self._topics.gateway, beat)
        return [Publish(topic=self._topics.heartbeat, payload=payload, qos=0)]

    def answered(self, answer: BeatAnswer, now: Moment) -> bool:
        """Take an answer to a heartbeat; False if it is not to ours."""
        is_ours = answer.nonce == self._nonce
        return is_ours and self._beats.answered(answer.number, now.monotonic_s)

    def confirmed(self, hi: int) -> None:
        """Note that the platform has stored more: it lives, and has these alarms."""
        self._beats.alive()
        self.early.confirmed(hi)
