# SPDX-License-Identifier: Apache-2.0
"""Sticks and the line mixed in any order: the platform's set is the journal's."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import pytest

from cloud_sync import introduction, window
from edge.cli.sneakernet.export import ALL, WAITING
from edge.control.client import ControlError
from firmware_sim.platform.counts import count_journals, find_breaks
from tests.brokers import amqtt
from tests.edge.at_work import until
from tests.edge.sneakernet.sites import (
    GATEWAY,
    Office,
    Place,
    line,
    prepare,
    reached,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.edge.sneakernet.reference import ReferenceOffice

ROUNDS = 14


class Carrier:
    """Somebody who carries sticks, forgets some, and brings others twice."""

    def __init__(
        self, place: Place, office: Office | ReferenceOffice, stick: Path, seed: int
    ) -> None:
        self.place, self.office, self.stick = place, office, stick
        self.random = Random(f"carrier {seed}")
        self.up: list[Path] = []
        self.down: list[Path] = []
        self.acked_by_stick = 0

    async def walk(self) -> None:
        """Do one thing or another with a stick."""
        for step in self.random.sample(
            [self.fetch, self.hand_in, self.ask_back, self.bring], 4
        ):
            await step()

    async def there_and_back(self) -> None:
        """Carry all there is of twenty events, and the answer to just that."""
        await self.place.note(20)
        await self.fetch(ALL)
        for step in (self.hand_in, self.ask_back, self.bring):
            await step()
        assert self.acked_by_stick > 0, "no stick acknowledged anything"

    async def fetch(self, wish: str | int = "") -> None:
        journal = self.place.runtime.journal
        wishes: list[str | int] = [WAITING, WAITING, ALL]
        some = self.random.choice([*wishes, self.random.randint(1, journal.last_seq)])
        wish = wish or some
        file = self.stick / f"up-{len(self.up)}"
        if (await self.place.export(file, wish)).batches:
            self.up.append(file)

    async def hand_in(self) -> None:
        if self.up:
            await self.office.hand_in(self.random.choice(self.up))

    async def ask_back(self) -> None:
        holders = [f"h-{n}" for n in range(self.random.randint(1, 9))]
        epoch = self.place.runtime.journal.epoch
        file = self.stick / f"down-{len(self.down)}"
        self.down.append(await self.office.answer(file, epoch, *holders))

    async def bring(self) -> None:
        if self.down:
            before = self.place.runtime.journal.acked
            try:
                await self.place.take(self.random.choice(self.down))
            except ControlError as refused:  # the line brings a roster: then it may
                assert str(refused).startswith("LINE_BUSY")  # noqa: PT017
            self.acked_by_stick += self.place.runtime.journal.acked - before


@pytest.mark.parametrize("seed", [1, 2])
async def test_by_stick_and_by_line_in_any_order_nothing_is_lost_or_doubled(
    folder: Path,
    office: Office,
    stick: Path,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(introduction, "HELLO_AGAIN_S", 0.1)
    monkeypatch.setattr(window, "REWIND_AFTER_S", 0.3)
    random = Random(f"mixed {seed}")
    with amqtt(folder) as broker:
        state = prepare(folder, office, port=broker.port)
        async with reached(state) as place:
            office.sticks.trust(GATEWAY, place.runtime.box.key().public.hex())
            carrier = Carrier(place, office, stick, seed)
            await carrier.there_and_back()
            for _ in range(ROUNDS):
                await place.note(random.choice([1, 20, 300]))
                if random.random() < 0.4:
                    async with line(office, broker.port):
                        if random.random() < 0.5:
                            await until(
                                lambda: place.runtime.client.status.is_connected
                            )
                        await carrier.walk()
                        await asyncio.sleep(random.uniform(0.0, 0.3))
                else:
                    await carrier.walk()
            async with line(office, broker.port):
                await until(lambda: place.runtime.feed.cursor.rev >= 1)
                await until(lambda: place.runtime.journal.waiting == 0)
                quiet = place.runtime.journal.last_seq
            journal = place.runtime.journal
            [(epoch, held)] = office.stored().items()
            assert epoch == journal.epoch, f"seed {seed}"
            assert held == set(range(1, len(held) + 1)), f"seed {seed}"
            # The gateway may have told of something more when the line went.
            assert quiet <= len(held) <= journal.last_seq, f"seed {seed}"
            assert journal.acked <= len(held), f"seed {seed}"
            [counted] = count_journals(office.folder / "ledger.db")
            assert (counted.duplicated, counted.lost, counted.alarms) == (0, 0, 0)
            assert counted.redelivered > 0, "nothing came twice: the test saw nothing"
            assert find_breaks(office.folder / "ledger.db") == {}
            assert carrier.acked_by_stick > 0, "no stick ever acknowledged anything"
