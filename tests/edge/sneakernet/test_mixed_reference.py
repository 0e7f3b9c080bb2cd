# SPDX-License-Identifier: Apache-2.0
"""Sticks and the line mixed in any order, with the reference platform on SQLite."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import pytest

from cloud_sync import introduction, window
from cloud_sync.stick_file import StickError
from edge.cli.sneakernet.refusals import Verdict
from tests.brokers import amqtt, free_port
from tests.edge.at_work import until
from tests.edge.sneakernet.reference import ReferenceOffice, reference_office
from tests.edge.sneakernet.sites import Place, prepare, reached
from tests.edge.sneakernet.test_mixed import ROUNDS, Carrier

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("seed", [1, 2])
async def test_by_stick_and_by_line_in_any_order_nothing_is_lost_or_doubled(
    folder: Path, stick: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introduction, "HELLO_AGAIN_S", 0.1)
    monkeypatch.setattr(window, "REWIND_AFTER_S", 0.3)
    random = Random(f"mixed reference {seed}")
    async with reference_office(folder / "reference") as office:
        with amqtt(folder) as broker:
            state = prepare(folder, office, port=broker.port)
            async with reached(state) as place:
                await office.trust(place.runtime.box.key().public)
                carrier = Carrier(place, office, stick, seed)
                await carrier.there_and_back()
                for _ in range(ROUNDS):
                    await place.note(random.choice([1, 20, 300]))
                    if random.random() < 0.4:
                        async with office.line(broker.port):
                            await until(
                                lambda: place.runtime.client.status.is_connected
                            )
                            await carrier.walk()
                            await asyncio.sleep(random.uniform(0.0, 0.3))
                    else:
                        await carrier.walk()
                async with office.line(broker.port):
                    await until(lambda: place.runtime.feed.cursor.rev >= 1)
                    await until(lambda: place.runtime.journal.waiting == 0)
                    quiet = place.runtime.journal.last_seq
                await _compare(place, office, quiet, seed)


async def _compare(
    place: Place, office: ReferenceOffice, quiet: int, seed: int
) -> None:
    """Hold what the platform has against the gateway's own journal."""
    journal = place.runtime.journal
    [(epoch, held)] = (await office.stored()).items()
    assert epoch == journal.epoch, f"seed {seed}"
    assert held == list(range(1, len(held) + 1)), f"seed {seed}"
    # The gateway may have told of something more when the line went.
    assert quiet <= len(held) <= journal.last_seq, f"seed {seed}"
    assert journal.acked <= len(held), f"seed {seed}"
    assert await office.head(epoch) == await journal.hash_at(len(held))
    assert await office.alarms() == 0
    assert await office.repeated() > 0, "nothing came twice: the test saw nothing"


async def test_a_site_without_a_line_is_served_by_stick_alone(
    folder: Path, stick: Path
) -> None:
    async with reference_office(folder / "reference") as office:
        state = prepare(folder, office, port=free_port())
        async with reached(state) as place:
            await place.note(700)
            await place.export(stick / "a.mnup")
            with pytest.raises(StickError, match=r"^BOX_UNKNOWN: signed as"):
                await office.take(stick / "a.mnup")
            assert await office.stored() == {}
            await office.trust(place.runtime.box.key().public)
            taken = await office.take(stick / "a.mnup")
            assert taken.new == taken.at.hi == taken.header.last
            await office.answer(stick / "a.mndown", "", "h-1", "h-2")
            done = await place.take(stick / "a.mndown")
            assert done.is_good
            journal = place.runtime.journal
            assert journal.acked == taken.at.hi
            assert place.runtime.feed.cursor.rev == 1
            # The import is an event itself; what came before is acknowledged.
            assert journal.waiting < 10
            assert (await place.take(stick / "a.mndown")).ack is Verdict.KNOWN
