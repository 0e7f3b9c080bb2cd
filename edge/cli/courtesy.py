# SPDX-License-Identifier: Apache-2.0
"""Doors first: how work of many slices makes way for them.

The law of the module: between two slices the loop is left alone for a moment, and for
as long as somebody waits at a door; yet not for ever, or a busy site would never get
its roster. A slice that follows another at once would be in the way of each of the
dozen turns that a scan needs until its strike moves.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from edge.gateway.gateway import Gateway

#: About as long as a slice takes: half of the time is the doors'.
REST_S = 0.002
#: So often at most while somebody is being let in: a slow disk may take its time.
MAX_RESTS = 50


async def hurry() -> None:
    """Rest for a turn of the loop alone: there is no door yet, or no clock."""
    await asyncio.sleep(0)


def behind_doors(gateway: Gateway) -> Callable[[], Awaitable[None]]:
    """Return how to rest beside a gateway at work."""

    async def rest() -> None:
        for _ in range(MAX_RESTS):
            await asyncio.sleep(REST_S)
            if not gateway.unstored:
                return

    return rest
