# SPDX-License-Identifier: Apache-2.0
"""What a running gateway does now and then: its clock, its marks, its days, its room.

The law of the module: none of it is needed for a door; a disk that fails is told by
whoever stores, and everything is tried again next time.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING

from cloud_sync.ports import PortFaultError
from edge.cli.journal_room import JournalRoom
from edge.cli.sync_ports import port_faults
from edge.core.event import EventKind
from edge.core.stimulus import Noted

if TYPE_CHECKING:
    from pathlib import Path

    from edge.cli.runtime import Runtime
    from edge.core.stimulus import RoomChanged
    from edge.gateway.gateway import Gateway

#: How often the kernel's clock is asked, and the acknowledged mark is written.
CLOCK_EVERY_S = 30.0


async def keep_house(runtime: Runtime, state: Path) -> None:
    """Look after a gateway and its folder of state until cancelled."""
    gateway = runtime.gateway
    room = JournalRoom(runtime.journal, state, partial(_tell, gateway))
    backups = None if runtime.lost else runtime.desk.backups
    if backups is not None:
        backups.settle = runtime.journal.settle
    while True:
        step_ms = runtime.clock.consult_kernel()
        if step_ms:
            facts = (("step_ms", step_ms),)
            kind = EventKind.CLOCK_STEPPED
            gateway.note(Noted(kind=kind, subject="gateway", facts=facts))
        runtime.keep_emergency()
        if backups is not None:
            backups.look()
        with contextlib.suppress(PortFaultError), port_faults():
            await runtime.journal.settle()
            if await runtime.days.look(runtime.clock.now()):
                runtime.client.wake()
            runtime.days.oldest_ms = await runtime.journal.oldest_ms()
            await room.look()
        await asyncio.sleep(CLOCK_EVERY_S)


def _tell(gateway: Gateway, news: RoomChanged) -> None:
    gateway.do(lambda controller, now: controller.handle(news, now))
