# SPDX-License-Identifier: Apache-2.0
"""A disk that is gone at the start locks nobody in, and lets nobody in."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from edge.cli.demo.journal_file import read_journal
from edge.cli.way_out import TRY_EVERY_S
from edge.control.client import ControlError, ask
from tests.system.house import House, living_house

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]

HALL = "living-room-front"
#: The relays of the living room's door and of the kitchen's, which is an escape.
STRIKE, KITCHEN_STRIKE = 2, 1


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


async def order(house: House, verb: str, **words: str) -> None:
    socket = house.stage.control_socket
    wish: dict[str, Any] = {"actor": "h-1", "reason": "test"} | words
    await asyncio.to_thread(partial(ask, socket, verb, **wish))


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

        with pytest.raises(ControlError, match="not without the disk"):
            await order(house, "mode", door="kitchen-door", mode="UNLOCKED")
        card.put_back()
        await asyncio.sleep(TRY_EVERY_S + 1)
        status = await house.status()
        assert status["lost"], "ports closed in a fire"
        assert house.is_relay_on(KITCHEN_STRIKE), "the escape door is held open"
        await fire_input(house, is_closed=True)  # it ends by hand alone
        await asyncio.sleep(0.5)
        await order(house, "emergency", state="LOCK_DOWN")
        await order(house, "end-emergency", state="FIRE")
        await house.until("whole again", lambda s: not s["lost"])
        doors = (await house.status())["doors"]
        modes = {door["mode"] for door in doors.values()}
        assert modes == {"LOCKED_DOWN"}, (
            "what began in memory stands, what ended does not"
        )
        await order(house, "end-emergency", state="LOCK_DOWN")
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
