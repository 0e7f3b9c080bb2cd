# SPDX-License-Identifier: Apache-2.0
"""Work that goes on side by side until somebody has seen enough.

The law of the module: what fails is raised at once; nothing is left running.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine


async def until_first(
    stop: asyncio.Event, for_s: float | None, work: list[Coroutine[Any, Any, None]]
) -> None:
    """Run all work until the stop or the time is over; raise what failed.

    The work is left running no longer than it takes to cancel it; what ends by
    itself (a demonstration too short for mishaps) ends nothing else.
    """
    tasks = [asyncio.create_task(entry) for entry in work]
    stopped = asyncio.create_task(stop.wait())
    try:
        until_s = None if for_s is None else asyncio.get_running_loop().time() + for_s
        pending = {stopped, *tasks}
        while stopped in pending:
            left_s = None
            if until_s is not None:
                left_s = until_s - asyncio.get_running_loop().time()
                if left_s <= 0:
                    return
            done, pending = await asyncio.wait(
                pending, timeout=left_s, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done - {stopped}:
                task.result()
    finally:
        for task in (stopped, *tasks):
            task.cancel()
        await asyncio.gather(stopped, *tasks, return_exceptions=True)
