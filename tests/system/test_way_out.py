# SPDX-License-Identifier: Apache-2.0
"""A disk that is gone at the start locks nobody in, and lets nobody in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from edge.cli.demo.journal_file import read_journal
from edge.control.client import ask
from tests.system.house import House, living_house

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]

HALL = "living-room-front"
#: The relay of the living room's door.
STRIKE = 2


class Card:
    """The card that holds the journal: it can be pulled and put back."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self._aside = journal.with_name("pulled")

    def pull(self) -> None:
        """Leave something in the journal's place that no database can be."""
        self._aside.mkdir()
        for file in self.journal.parent.glob("journal.db*"):
            file.rename(self._aside / file.name)
        self.journal.mkdir()

    def put_back(self) -> None:
        self.journal.rmdir()
        for file in self._aside.iterdir():
            file.rename(self.journal.parent / file.name)


async def fire_input(house: House, *, is_closed: bool) -> None:
    """Set the fire panel's contact; it opens in a fire."""
    await house.firmware.do("set_input", board="board", channel=8, is_closed=is_closed)


async def test_without_its_journal_a_gateway_lets_out_and_nobody_in(
    tmp_path: Path,
) -> None:
    async with living_house(tmp_path) as house:
        card = Card(house.stage.journal)
        resident = house.part(HALL, "on time")
        gateway = house.demo.children["gateway"]
        gateway.kill()
        await gateway.end()
        card.pull()
        await gateway.start()
        await house.until("the way out", lambda s: s["lost"])
        await house.until_device("board", is_online=True)

        released = len(house.relay_spells(STRIKE))
        assert (await house.visit(HALL, resident)).released_s is None
        assert len(house.relay_spells(STRIKE)) == released, "let in without a record"
        await house.firmware.do("press_exit", door="living-room-door")
        await house.until_true(
            "let out", lambda: len(house.relay_spells(STRIKE)) > released
        )
        await fire_input(house, is_closed=False)
        await house.until("fire", lambda s: s["fire"])

        await fire_input(house, is_closed=True)  # it ends by hand alone

        card.put_back()
        await house.until("whole again", lambda s: not s["lost"])
        assert (await house.status())["fire"], "the fire was forgotten with the memory"
        await asyncio.to_thread(
            ask,
            house.stage.control_socket,
            "end-emergency",
            state="FIRE",
            actor="h-1",
            reason="over",
        )
        await house.until_ready()
        assert (await house.visit(HALL, resident)).released_s is not None
        await house.until_sent()
        await house.end()
        house.assert_told_exactly_once()
        [fault] = house.events("STORAGE_FAULT")
        assert fault["what"] == "unopened"
        kept = read_journal(card.journal.with_name(fault["kept"]))
        assert len(kept) == fault["count"]
        kinds = {event.core["k"] for event in kept}
        assert {"ACCESS_DENIED", "REQUEST_TO_EXIT", "EMERGENCY_STARTED"} <= kinds
        assert "ACCESS_GRANTED" not in kinds
