# SPDX-License-Identifier: Apache-2.0
"""The way between box and platform: a broker that comes, goes, and falls silent.

The law of the module: it reads no message. A connection that ends takes along what
was on its way; a silent one takes everything and brings nothing, and says nothing of
it. At QoS 1 a message may come twice, and one of an earlier connection late.
Source: MQTT 3.1.1 sections 4.3.2 and 4.6.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from random import Random

    from edge.cli.simulate.clocks import TrueTime
    from edge.cli.simulate.clockwork import Clockwork
    from edge.cli.simulate.weather import Weather
    from firmware_sim.platform.session import Publish, Session

#: One way from the box to the platform, the broker between them.
LATENCY_S = (0.01, 0.08)
#: How late a message of an earlier connection may still come.
LATE_S = 20.0


class Ear(Protocol):
    """The box's end of a connection."""

    def heard(self, topic: str, payload: bytes) -> None:
        """Take a message of the platform's."""

    def acknowledged(self) -> None:
        """Take the broker's word that it has the oldest publish."""

    def broken(self) -> None:
        """Learn that the connection has ended."""


class Network:
    """The broker, and the platform's session behind it."""

    def __init__(
        self,
        platform: Session,
        clockwork: Clockwork,
        true_time: TrueTime,
        *,
        chance: Random,
        weather: Weather,
    ) -> None:
        self.weather = weather
        self.is_up = True
        self.is_silent = False
        self.sent = 0
        self._platform = platform
        self._clockwork = clockwork
        self._true_time = true_time
        self._chance = chance
        self._ear: Ear | None = None
        self._life = 0
        self._up_until_s = self._down_until_s = 0.0

    def connect(self, ear: Ear) -> bool:
        """Connect and subscribe; False if nobody answers."""
        if not self.is_up or self.is_silent:
            return False
        self.leave()
        self._ear = ear
        return True

    def leave(self) -> None:
        """End the connection from the box's side, or with its power."""
        self._life += 1
        self._ear = None

    def reset(self) -> None:
        """Let the broker end the connection."""
        ear = self._ear
        self.leave()
        if ear is not None:
            self._clockwork.soon(ear.broken)

    def publish(self, topic: str, payload: bytes) -> None:
        """Carry a message up."""
        self.sent += 1
        if self.is_silent or self._ear is None:
            return
        chance, weather = self._chance, self.weather
        if chance.random() < weather.lost_share:
            self.reset()
            if chance.random() < 0.5:
                return
        at_s = self._up_until_s = max(
            self._up_until_s, self._clockwork.now_s + self._latency_s()
        )
        if chance.random() < weather.reorder_share:
            at_s += chance.uniform(0.0, LATE_S)
        arrive = partial(self._arrive, topic, payload)
        self._clockwork.at(at_s, arrive)
        if chance.random() < weather.repeat_share:
            self._clockwork.at(at_s + chance.uniform(0.0, LATE_S), arrive)
        self._clockwork.at(at_s, partial(self._acknowledge, self._life))

    def send(self, messages: list[Publish]) -> None:
        """Carry messages down, if anybody is there."""
        for message in messages:
            if self.is_silent or self._ear is None:
                continue
            if self._chance.random() < self.weather.lost_share:
                continue
            at_s = self._down_until_s = max(
                self._down_until_s, self._clockwork.now_s + self._latency_s()
            )
            if self._chance.random() < self.weather.reorder_share:
                at_s += self._chance.uniform(0.0, LATE_S)
            life = self._life
            self._clockwork.at(at_s, partial(self._deliver, life, message))
            if self._chance.random() < self.weather.repeat_share:
                self._clockwork.at(at_s, partial(self._deliver, life, message))

    def _arrive(self, topic: str, payload: bytes) -> None:
        now_ms = self._true_time.ms()
        self.send(self._platform.receive(topic, payload, now_ms))

    def _acknowledge(self, life: int) -> None:
        if life == self._life and self._ear is not None and not self.is_silent:
            self._ear.acknowledged()

    def _deliver(self, life: int, message: Publish) -> None:
        if life == self._life and self._ear is not None and not self.is_silent:
            self._ear.heard(message.topic, message.payload)

    def _latency_s(self) -> float:
        return self._chance.uniform(*LATENCY_S)
