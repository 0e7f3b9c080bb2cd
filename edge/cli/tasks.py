# SPDX-License-Identifier: Apache-2.0
"""Work that runs beside a block of code.

The law of the module: no task outlives its block, and what fails in one is told.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterable


@asynccontextmanager
async def running(work: Iterable[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run all work beside the block; what fails ends the block, loudly."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(entry) for entry in work]
        yield
        for task in tasks:
            task.cancel()
