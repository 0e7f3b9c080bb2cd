# SPDX-License-Identifier: Apache-2.0
"""The way to the platform: lost with its connection, silent, late, and twice."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from edge.cli.simulate.clocks import TrueTime
from edge.cli.simulate.clockwork import Clockwork
from edge.cli.simulate.network import LATE_S, Network
from edge.cli.simulate.platform import Platform
from edge.cli.simulate.village import village
from edge.cli.simulate.weather import FAIR, Weather

if TYPE_CHECKING:
    from firmware_sim.platform.feed import Row

GATEWAY = "gw-demo"


class Ear:
    """The box's end: it keeps what it hears."""

    def __init__(self) -> None:
        self.topics: list[str] = []
        self.acknowledgements = 0
        self.breaks = 0

    def heard(self, topic: str, payload: bytes) -> None:
        assert payload
        self.topics.append(topic)

    def acknowledged(self) -> None:
        self.acknowledgements += 1

    def broken(self) -> None:
        self.breaks += 1


class Stand:
    """A platform, the way to it, and an ear."""

    def __init__(self, weather: Weather = FAIR) -> None:
        self.clockwork = Clockwork()
        self.platform = Platform(GATEWAY, "00", Random(1))
        rows: list[Row] = village("hz-demo").rows()
        self.platform.begin(rows)
        self.network = Network(
            self.platform.session,
            self.clockwork,
            TrueTime(self.clockwork, 1_795_363_200_000, 0.0),
            chance=Random(2),
            weather=weather,
        )
        self.ear = Ear()

    def nudge(self) -> None:
        self.network.send(self.platform.session.change([]))

    def publish(self) -> None:
        self.network.publish(f"mn/v1/up/00/{GATEWAY}/evt", b"not a batch")


def test_what_is_said_arrives_once_and_is_acknowledged() -> None:
    stand = Stand()
    assert stand.network.connect(stand.ear)
    stand.publish()
    stand.nudge()
    stand.clockwork.run(1.0)
    assert stand.ear.topics == [f"mn/v1/dn/{GATEWAY}/nudge"]
    assert stand.ear.acknowledgements == 1


def test_what_was_on_its_way_down_ends_with_the_connection() -> None:
    stand = Stand()
    stand.network.connect(stand.ear)
    stand.publish()
    stand.nudge()
    stand.network.reset()
    stand.clockwork.run(1.0)
    assert stand.ear.breaks == 1
    assert stand.ear.topics == []
    assert stand.ear.acknowledgements == 0


def test_nobody_answers_while_the_broker_is_gone() -> None:
    stand = Stand()
    stand.network.is_up = False
    assert not stand.network.connect(stand.ear)


def test_a_silent_network_says_nothing_of_its_silence() -> None:
    stand = Stand()
    stand.network.connect(stand.ear)
    stand.network.is_silent = True
    stand.publish()
    stand.nudge()
    stand.clockwork.run(60.0)
    assert (stand.ear.topics, stand.ear.breaks) == ([], 0)
    assert stand.ear.acknowledgements == 0


def test_a_message_may_come_twice() -> None:
    stand = Stand(Weather(repeat_share=1.0))
    stand.network.connect(stand.ear)
    stand.nudge()
    stand.clockwork.run(LATE_S)
    assert len(stand.ear.topics) == 2


def test_a_message_may_end_its_connection() -> None:
    stand = Stand(Weather(lost_share=1.0))
    stand.network.connect(stand.ear)
    stand.publish()
    stand.clockwork.run(1.0)
    assert stand.ear.breaks == 1
