# SPDX-License-Identifier: Apache-2.0
"""A resident at a door is answered: it opened, or why not, within two seconds.

The law of the module: who stands at a door is never left waiting. Where the gateway's
lease is over nothing is wished at all; what nobody has answered in two seconds is
given up, and its command is void two seconds later at most.
Source: docs/commands.md, "At the door".
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cloud_sync.platform import registry
from cloud_sync.platform.commanding import wishes
from cloud_sync.platform.commanding.residents import ResidentError
from cloud_sync.platform.commanding.states import OVER
from edge.core.remote.command import Action, CommandState

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_sync.platform.database import Database

WITHIN_S = wishes.LIVES_MS[Action.RESIDENT_OPEN] / 1000
#: How often it is asked what has become of the wish.
LOOK_EVERY_S = 0.05
_OPEN = (CommandState.ACTUATED, CommandState.CONFIRMED)


class End(StrEnum):
    """How it ended, beside the refusals of platform and gateway."""

    OPENED = "OPENED"
    #: The gateway's lease is over: nothing was sent.
    AWAY = "AWAY"
    #: Nobody said anything in time; the command, if one was signed, runs out.
    UNHEARD = "UNHEARD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who wants in where; ``code`` is of the door's screen, "" for a poster."""

    gateway: str
    door: str
    holder: str
    code: str = ""


async def let_in(
    database: Database, asked: Asked, now_ms: Callable[[], int], heartbeat_s: int
) -> str:
    """Return how it ended: an :class:`End`, or the name of a refusal."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + WITHIN_S
    async with database.reading() as work:
        gateway = asked.gateway
        if not await registry.is_online(work, gateway, now_ms(), heartbeat_s):
            return End.AWAY
    wanted = wishes.Wanted(
        gateway=asked.gateway,
        action=Action.RESIDENT_OPEN,
        by=asked.holder,
        reason="",
        fields={"door": asked.door},
    )
    try:
        async with database.writing() as work:
            number = await wishes.make_for_resident(work, wanted, now_ms(), asked.code)
    except ResidentError as refused:
        return refused.name
    while True:
        async with database.reading() as work:
            state, why = await wishes.state_of(work, number)
        if state in _OPEN:
            return End.OPENED
        if state in OVER or loop.time() >= until_s:
            break
        await asyncio.sleep(LOOK_EVERY_S)
    if state == CommandState.REJECTED:
        return why.partition(":")[0]
    return End.UNHEARD
