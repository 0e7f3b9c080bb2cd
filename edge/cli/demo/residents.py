# SPDX-License-Identifier: Apache-2.0
"""Residents walk up, hold out a card or a code, and go in or are sent on their way.

The law of the module: they know nothing of the gateway; whether they may come in they
learn from the lock, as people do. Seeded.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, assert_never

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.cli.demo.cast import Resident
    from edge.cli.demo.firmware import Firmware

#: How long somebody stands before a door or a leaf that does not open.
PATIENCE_S = 1.5
STEP_IN_S = 0.3
#: One in so many leaves the door open behind him for a while.
ONE_IN_CARELESS = 8
CARELESS_S = 2.5
#: One in so many holds his card out twice: the door opens once more, uncounted.
ONE_IN_TWICE = 10
#: The longest release of the site, and the last person's stroll through the door.
LOCKED_WITHIN_S = 12.0
PAUSE_S = (0.4, 1.2)
#: Doors of a controller, whose readers at the exits are counted behind them.
DOORS = 4


class Shown(StrEnum):
    """What people hold up to a reader."""

    CARD = "identity card"
    CODE = "code"
    #: To a reader of a line, and to one of a controller.
    TAG = "tag"
    SWIPE = "swipe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Porch:
    """One access point as residents know it; ``board`` opens the bank's leaves.

    ``reader`` and ``port`` are named as in the simulation; ``unit`` is a reader of a
    controller: 1 to 4 at the entries of its doors, 5 to 8 at their exits.
    """

    access_point: str
    door: str
    bank: str
    board: str
    reader: str
    port: str
    shown: Shown
    unit: int = 0

    @property
    def is_scanner(self) -> bool:
        """Whether people show codes here."""
        return self.shown is Shown.CODE


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What came of one scan: when it was read and when the lock moved, if it did."""

    resident: Resident
    access_point: str
    is_at_door: bool
    read_s: float
    released_s: float | None


async def visit(
    firmware: Firmware, porch: Porch, resident: Resident, linger_s: float = STEP_IN_S
) -> Visit | None:
    """Play one visit; None if the device did not even read (it is unplugged)."""
    if porch.door:
        await firmware.until_locked(porch.door, within_s=LOCKED_WITHIN_S)
    read_s = await _show(firmware, porch, resident)
    try:
        if read_s is None:
            return None
        if porch.door:
            released_s = await _enter(firmware, porch, read_s, linger_s)
        else:
            released_s = await _use_leaf(firmware, porch, resident, read_s)
    finally:
        if porch.shown is Shown.CARD:
            await firmware.do("take_card", reader=porch.reader)
    return Visit(
        resident=resident,
        access_point=porch.access_point,
        is_at_door=bool(porch.door),
        read_s=read_s,
        released_s=released_s,
    )


async def _show(firmware: Firmware, porch: Porch, resident: Resident) -> float | None:
    """Hold out what the reader reads; return when it was read."""
    begun_s = asyncio.get_running_loop().time()
    reader = {"reader": porch.reader}
    what = "card_read"
    match porch.shown:
        case Shown.CODE:
            what, reader = "code_read", {"scanner": porch.reader}
            await firmware.do("show_code", **reader, text=resident.code)
        case Shown.CARD:
            card = {"number": resident.number, "name": "示范居民"}
            await firmware.do("put_card", **reader, card=card)
        case Shown.TAG:
            tag = {"card": "wiegand_26", "number": resident.tag}
            await firmware.do("swipe", **reader, **tag)
        case Shown.SWIPE:
            return await _swipe(firmware, porch, resident)
        case _:
            assert_never(porch.shown)
    return await firmware.wait_for(what, after_s=begun_s, within_s=PATIENCE_S, **reader)


async def _swipe(firmware: Firmware, porch: Porch, resident: Resident) -> float | None:
    """Hold a tag to a controller's reader, which reads it at once."""
    told = await firmware.do(
        "swipe_at_controller",
        controller=porch.reader,
        door=(porch.unit - 1) % DOORS + 1,
        card=resident.tag,
        is_exit=porch.unit > DOORS,
    )
    return float(told["at"]) if told["is_read"] else None


async def _enter(
    firmware: Firmware, porch: Porch, read_s: float, linger_s: float
) -> float | None:
    released_s = await firmware.wait_for(
        "strike_released", after_s=read_s, within_s=PATIENCE_S, door=porch.door
    )
    if released_s is not None:
        await asyncio.sleep(STEP_IN_S)
        await firmware.do("push", door=porch.door)
        await asyncio.sleep(linger_s)
        await firmware.do("pull_shut", door=porch.door)
    return released_s


async def _use_leaf(
    firmware: Firmware, porch: Porch, resident: Resident, read_s: float
) -> float | None:
    """Put something into the leaf that opened, or take it out, and shut it."""
    if not porch.bank:
        return None  # the desk opens nothing
    opened = await firmware.wait_seen(
        "compartment_opened", after_s=read_s, within_s=PATIENCE_S, board=porch.board
    )
    if opened is None:
        return None
    channel = opened["channel"]
    await asyncio.sleep(STEP_IN_S)
    taken = await firmware.do("take_out", board=porch.board, channel=channel)
    if not taken["things"]:
        await firmware.do(
            "put_in", board=porch.board, channel=channel, thing=resident.part.name
        )
    await asyncio.sleep(STEP_IN_S)
    await firmware.do("shut", board=porch.board, channel=channel)
    return float(opened["at"])


async def walk_up(
    firmware: Firmware,
    porch: Porch,
    people: Sequence[Resident],
    *,
    seed: int,
    speed: float,
    visits: list[Visit],
    is_free: asyncio.Event | None = None,
) -> None:
    """Let people come to one porch, one after the other, until cancelled.

    While ``is_free`` is cleared somebody else stands there.
    """
    random = Random(f"walk {seed} {porch.access_point}")  # noqa: S311  a script
    weights = [resident.part.weight for resident in people]
    # A door sees somebody all the time, lockers now and then, the rest seldom.
    calm = 1.0 if porch.door else 3.0 if porch.bank else 5.0
    last: Resident | None = None
    while True:
        [resident] = random.choices(people, weights)
        if resident is last:
            continue  # the same card at once would only open the door once more
        last = resident
        if is_free is not None:
            await is_free.wait()
        is_careless = random.randrange(ONE_IN_CARELESS) == 0
        linger_s = CARELESS_S if is_careless else STEP_IN_S
        is_twice = bool(porch.door) and random.randrange(ONE_IN_TWICE) == 0
        for _ in range(1 + is_twice):
            played = await visit(firmware, porch, resident, linger_s)
            if played is not None:
                visits.append(played)
        await asyncio.sleep(random.uniform(*PAUSE_S) * calm / speed)
