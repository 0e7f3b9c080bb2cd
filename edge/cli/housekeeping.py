# SPDX-License-Identifier: Apache-2.0
"""What a running gateway does now and then: its clock, its marks, its days, its room.

The law of the module: none of it is needed for a door; a disk that fails is told by
whoever stores, and everything is tried again next time.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from cloud_sync.ports import PortFaultError
from edge.cli.sync_ports import port_faults
from edge.core.event import EventKind
from edge.core.stimulus import Noted

if TYPE_CHECKING:
    from edge.cli.runtime import Runtime

#: How often the kernel's clock is asked, and the acknowledged mark is written.
CLOCK_EVERY_S = 30.0
#: Events that the journal keeps; the oldest acknowledged ones go first, others never.
JOURNAL_EVENTS = 1_000_000


async def keep_house(runtime: Runtime) -> None:
    """Look after a gateway until cancelled."""
    backups = None if runtime.lost else runtime.desk.backups
    if backups is not None:
        backups.settle = runtime.journal.settle
    while True:
        step_ms = runtime.clock.consult_kernel()
        if step_ms:
            facts = (("step_ms", step_ms),)
            kind = EventKind.CLOCK_STEPPED
            runtime.gateway.note(Noted(kind=kind, subject="gateway", facts=facts))
        runtime.keep_emergency()
        if backups is not None:
            backups.look()
        with contextlib.suppress(PortFaultError), port_faults():
            await runtime.journal.settle()
            if await runtime.days.look(runtime.clock.now()):
                runtime.client.wake()
            await runtime.journal.trim(JOURNAL_EVENTS)
        await asyncio.sleep(CLOCK_EVERY_S)
