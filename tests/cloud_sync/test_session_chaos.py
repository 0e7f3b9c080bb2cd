# SPDX-License-Identifier: Apache-2.0
"""Many seeded runs over a bad network: each event ends at the platform exactly once."""

from __future__ import annotations

import random

import pytest

from cloud_sync.window import WINDOW_BATCHES
from tests.cloud_sync.driving import Gateway, moment
from tests.cloud_sync.scripted_platform import (
    EPOCH,
    Platform,
    Sent,
    booking,
    rows,
)

RUNS = 300
RUNS_A_TEST = 10
JOURNAL = rows(3000)
#: Virtual seconds in which a quiet network must have brought everything home.
QUIET_S = 3600


class Network:
    """Drops, doubles, delays and reorders in both directions until it is healed."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.up: list[Sent] = []
        self.down: list[Sent] = []
        self.badness = rng.choice([0.02, 0.1, 0.3])

    def post(self, line: list[Sent], message: Sent) -> None:
        if self.rng.random() < self.badness:
            return
        line.append(message)
        if self.rng.random() < self.badness:
            line.append(message)

    def take(self, line: list[Sent]) -> Sent:
        is_late = self.rng.random() < self.badness
        return line.pop(self.rng.randrange(len(line)) if is_late else 0)

    def lose_all(self) -> None:
        self.down.clear()
        if self.rng.random() < 0.5:
            self.up.clear()  # else the broker still delivers what it has


class Run:
    """One gateway, one platform, one network, one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.network = Network(self.rng)
        self.platform = Platform()
        self.platform.caps = ["hb", "alm", "day"] if seed % 2 else []
        self.gateway = Gateway(seed=seed)
        self.grown = 0
        self.rev = 0

    def step(self) -> None:
        dice = self.rng.random()
        if self.gateway.needs_connection:
            self.connect()
        elif dice < 0.02:
            self.gateway.disconnect()
            self.network.lose_all()
        elif dice < 0.10:
            self.grow(self.rng.choice([1, 1, 5, 700]))
        elif dice < 0.12:
            self.change_feed()
        elif dice < 0.20:
            self.gateway.tick(self.rng.choice([0.1, 1.0, 16.0]))
        else:
            self.carry()
        self.collect()

    def connect(self) -> None:
        self.gateway.disconnect()
        self.network.lose_all()
        self.gateway.connect()

    def grow(self, count: int) -> None:
        self.grown = min(self.grown + count, len(JOURNAL))
        self.gateway.journal = JOURNAL[: self.grown]
        self.gateway.session.beside.early.tell(EPOCH, self.grown)
        self.gateway.send_rows()

    def change_feed(self) -> None:
        self.rev += 1
        self.network.post(
            self.network.down,
            self.platform.publish_feed(
                self.rev, [booking(self.rev + n) for n in range(self.rng.randrange(9))]
            ),
        )

    def carry(self) -> None:
        network = self.network
        if network.up and (not network.down or self.rng.random() < 0.5):
            for answer in self.platform.receive(*network.take(network.up)):
                network.post(network.down, answer)
        elif network.down:
            self.gateway.receive(*network.take(network.down))

    def collect(self) -> None:
        window = self.gateway.session._window
        assert window is None or window.in_flight <= WINDOW_BATCHES
        early, now = self.gateway.session.beside.early, moment(self.gateway.now_s)
        while (seq := early.wanted()) is not None:
            self.gateway.carry_out(early.offer(seq, JOURNAL[seq - 1], now))
        for item in self.gateway.take_sent():
            self.network.post(self.network.up, (item.topic, item.payload))

    def heal(self) -> None:
        """Let everything through until nothing is left to do."""
        self.network.badness = 0.0
        self.grow(len(JOURNAL))
        until_s = self.gateway.now_s + QUIET_S
        while self.gateway.now_s < until_s:
            if self.gateway.needs_connection:
                self.connect()
            self.collect()
            if self.network.up or self.network.down:
                self.carry()
            elif self.is_done():
                return
            else:
                self.gateway.tick(1.0)

    def is_done(self) -> bool:
        return (
            self.gateway.acked == self.platform.hi() == len(JOURNAL)
            and self.gateway.held.rev == self.rev
        )


@pytest.mark.parametrize("start", range(0, RUNS, RUNS_A_TEST))
def test_each_event_arrives_exactly_once_and_the_roster_is_the_platforms(
    start: int,
) -> None:
    duplicates = 0
    for seed in range(start, start + RUNS_A_TEST):
        run = Run(seed)
        for _ in range(400):
            run.step()
        run.heal()
        assert run.is_done(), f"seed {seed}: {run.gateway.acked}, {run.platform.hi()}"
        expected = {(EPOCH, seq): 1 for seq in range(1, len(JOURNAL) + 1)}
        assert run.platform.inserted == expected, f"seed {seed}"
        assert run.platform.chains[EPOCH][-1] == JOURNAL[-1].hash, f"seed {seed}"
        assert run.platform.alarms == [], f"seed {seed}"
        for word in run.platform.early:
            told, seq = word["item"]["core"], word["item"]["seq"]
            assert told == run.platform.items[EPOCH, seq]["core"], f"seed {seed}"
        wanted = {row["id"] for row in run.platform.feed_rows}
        assert run.gateway.roster.keys() == wanted, f"seed {seed}"
        assert run.gateway.staged == {}, f"seed {seed}"
        duplicates += run.platform.duplicates
    assert duplicates > 0, "the network was too kind to show anything"
