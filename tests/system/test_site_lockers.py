# SPDX-License-Identifier: Apache-2.0
"""Lockers through the living house: what opens, for whom, and what never does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.system.house import House, living_house

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]

LOCKERS, MEDICINE = "locker-front", "medicine-box"
MEDIUM = {7, 8, 9}
#: A scan later than this after one's closing no longer says "finished".
LATER_S = 61.0


def openings(house: House) -> list[int]:
    """Return the compartments whose leaves popped open, in order."""
    seen = house.firmware.happenings
    return [h["channel"] for h in seen if h["what"] == "compartment_opened"]


async def compartment(house: House, number: int) -> dict[str, Any]:
    """Return a compartment as it stands in the simulated world."""
    told = await house.firmware.do("snapshot")
    found = told["lockers"]["locks"]["compartments"]
    wanted: dict[str, Any] = next(c for c in found if c["channel"] == number)
    return wanted


async def until_phase(house: House, number: int, phase: str) -> None:
    await house.until(
        f"compartment {number} {phase}",
        lambda s: s["banks"]["lockers"]["compartments"][str(number)] == phase,
    )


async def take_locker(house: House, part: str) -> int:
    """Let somebody put something into a compartment of his; return its number."""
    before = len(openings(house))
    played = await house.visit(LOCKERS, house.part(LOCKERS, part))
    assert played.released_s is not None, "no compartment opened"
    [number] = openings(house)[before:]
    await until_phase(house, number, "OCCUPIED")
    return number


async def test_a_locker_is_taken_opened_again_later_and_given_back(
    tmp_path: Path,
) -> None:
    async with living_house(tmp_path) as house:
        number = await take_locker(house, "with a bag")
        assert number in MEDIUM
        closed_s = asyncio.get_running_loop().time()
        assert (await compartment(house, number))["things"] == ["with a bag"]
        others = {await take_locker(house, "with shopping")}
        others.add(await take_locker(house, "with a suitcase"))
        assert number not in others
        nobody = await house.visit(LOCKERS, house.part(LOCKERS, "without a locker"))
        assert nobody.released_s is None
        left_s = closed_s + LATER_S - asyncio.get_running_loop().time()
        await asyncio.sleep(left_s)
        assert await take_locker(house, "with a bag") == number
        assert (await compartment(house, number))["things"] == [], "he took it out"
        # Once more, right after closing: that says "finished", and nothing opens.
        owner = house.part(LOCKERS, "with a bag")
        assert (await house.visit(LOCKERS, owner)).released_s is None
        await until_phase(house, number, "FREE")
        assert house.events("RENTAL_ENDED")[-1]["why"] == "finished"
        await house.until_sent()
        await house.end()
        house.assert_told_exactly_once()


async def test_the_medicine_box_opens_for_a_stranger(tmp_path: Path) -> None:
    async with living_house(tmp_path) as house:
        stranger = house.part(MEDICINE, "a stranger in need")
        played = await house.visit(MEDICINE, stranger)
        assert played.released_s is not None
        assert openings(house) == [12]
        await house.until_true(
            "told", lambda: "MEDICINE_BOX_OPENED" in house.kinds(), within_s=5
        )
        assert "ACCESS_DENIED" not in house.kinds()


async def test_a_jammed_compartment_is_told_and_the_next_scan_gets_another(
    tmp_path: Path,
) -> None:
    async with living_house(tmp_path) as house:
        owner = house.part(LOCKERS, "with a bag")
        await house.firmware.do("jam", board="locks", channel=min(MEDIUM))
        assert (await house.visit(LOCKERS, owner)).released_s is None
        await until_phase(house, min(MEDIUM), "FAULT")
        [fault] = house.events("COMPARTMENT_FAULT")
        assert (fault["number"], fault["what"]) == (min(MEDIUM), "did_not_open")
        assert await take_locker(house, "with a bag") in MEDIUM - {min(MEDIUM)}
        assert house.events("RENTAL_STARTED")[-1]["moved_from"] == min(MEDIUM)
        # Mended behind its back it still opens for nobody by itself.
        await house.firmware.do("jam", board="locks", channel=7, is_jammed=False)
        assert len(openings(house)) == 1


async def test_an_unplugged_lock_board_opens_nothing_late_and_keeps_what_is_ones_own(
    tmp_path: Path,
) -> None:
    async with living_house(tmp_path) as house:
        owner = house.part(LOCKERS, "with a bag")
        await house.firmware.do("unplug", port="locks")
        await house.until_device("locks", is_online=False)
        assert (await house.visit(LOCKERS, owner)).released_s is None
        [rental] = house.events("RENTAL_STARTED")
        number = rental["number"]
        await until_phase(house, number, "HELD")
        await house.firmware.do("plug", port="locks")
        await house.until_device("locks", is_online=True)
        other = house.part(LOCKERS, "without a locker")
        assert (await house.visit(LOCKERS, other)).released_s is None
        await asyncio.sleep(2.5)  # longer than an order may be old
        assert openings(house) == [], "an old order moved a lock"
        assert (await compartment(house, number))["pulses"] == 0
        await until_phase(house, number, "HELD")
        assert await take_locker(house, "with a bag") == number


async def test_a_rental_outlives_the_gateway_and_opens_for_its_holder_alone(
    tmp_path: Path,
) -> None:
    async with living_house(tmp_path) as house:
        number = await take_locker(house, "with a bag")
        await house.restart_gateway()
        await house.until_ready()
        await until_phase(house, number, "OCCUPIED")
        assert openings(house) == [number], "the start opened something"
        for part in ("without a locker", "with shopping"):
            await house.visit(LOCKERS, house.part(LOCKERS, part))
        assert openings(house).count(number) == 1, "somebody else's things"
        assert (await compartment(house, number))["things"] == ["with a bag"]
        assert await take_locker(house, "with a bag") == number
        assert (await compartment(house, number))["things"] == []
        assert len(house.events("RENTAL_STARTED")) == 2
        await house.until_sent()
        await house.end()
        house.assert_told_exactly_once()
