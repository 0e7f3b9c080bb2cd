# SPDX-License-Identifier: Apache-2.0
"""Residents walk up, hold out a card or a code, and go in or are sent on their way.

The law of the module: they know nothing of the gateway; whether they may come in they
learn from the lock, as people do. Seeded.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from edge.cli.demo.cast import WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.cli.demo.cast import Resident
    from edge.cli.demo.firmware import Firmware

#: How long somebody stands before a door that does not open.
PATIENCE_S = 1.5
STEP_IN_S = 0.3
#: The longest release of the site, and the last person's stroll through the door.
LOCKED_WITHIN_S = 12.0
PAUSE_S = (0.4, 1.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Porch:
    """One access point as residents know it."""

    access_point: str
    door: str
    bank: str
    reader: str
    is_scanner: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What came of one scan: when it was read and when the lock moved, if it did."""

    resident: Resident
    access_point: str
    read_s: float
    released_s: float | None


async def visit(firmware: Firmware, porch: Porch, resident: Resident) -> Visit | None:
    """Play one visit; None if the device did not even read (it is unplugged)."""
    await firmware.until_locked(porch.door, within_s=LOCKED_WITHIN_S)
    begun_s = asyncio.get_running_loop().time()
    if porch.is_scanner:
        await firmware.do("show_code", scanner=porch.reader, text=resident.code)
        read, subject = "code_read", {"scanner": porch.reader}
    else:
        card = {"number": resident.number, "name": "示范居民"}
        await firmware.do("put_card", reader=porch.reader, card=card)
        read, subject = "card_read", {"reader": porch.reader}
    try:
        read_s = await firmware.wait_for(
            read, after_s=begun_s, within_s=PATIENCE_S, **subject
        )
        if read_s is None:
            return None
        released_s = await firmware.wait_for(
            "strike_released", after_s=read_s, within_s=PATIENCE_S, door=porch.door
        )
        if released_s is not None:
            await asyncio.sleep(STEP_IN_S)
            await firmware.do("push", door=porch.door)
            await asyncio.sleep(STEP_IN_S)
            await firmware.do("pull_shut", door=porch.door)
    finally:
        if not porch.is_scanner:
            await firmware.do("take_card", reader=porch.reader)
    return Visit(
        resident=resident,
        access_point=porch.access_point,
        read_s=read_s,
        released_s=released_s,
    )


async def walk_up(
    firmware: Firmware,
    porch: Porch,
    people: Sequence[Resident],
    *,
    seed: int,
    visits: list[Visit],
) -> None:
    """Let people come to one porch, one after the other, until cancelled."""
    random = Random(f"walk {seed} {porch.access_point}")  # noqa: S311  a script
    last: Resident | None = None
    while True:
        [resident] = random.choices(people, WEIGHTS[: len(people)])
        if resident is last:
            continue  # the same card at once would only open the door once more
        last = resident
        played = await visit(firmware, porch, resident)
        if played is not None:
            visits.append(played)
        await asyncio.sleep(random.uniform(*PAUSE_S))
