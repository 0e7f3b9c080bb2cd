# SPDX-License-Identifier: Apache-2.0
"""A snapshot that is fetched instead of sent: its lines, handed over like messages.

The law of the module: what comes by HTTPS is believed as far as what comes by the
broker, and by the same checks; a fetch that fails costs nothing but its time, for then
the parts come by the broker. It ends with the pull that it belongs to.
Source: docs/sync-contract.md, section 4.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from cloud_sync.ports import FetchError
from cloud_sync.topics import Channel
from cloud_sync.transport.port import Incoming
from edge.core.event import EventKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cloud_sync.outputs import FetchSnapshot
    from cloud_sync.ports import Ports
    from cloud_sync.session import SyncSession

MAX_WHY = 120


async def fetch(
    order: FetchSnapshot,
    *,
    session: SyncSession,
    ports: Ports,
    take: Callable[[Incoming], Awaitable[None]],
    fail: Callable[[str], Awaitable[None]],
) -> None:
    """Hand each line to ``take``; ``fail`` the pull where that does not end it."""
    topic, why = session.topics.on(Channel.FEED), "it ended before its last part"
    if ports.fetch is None:
        return
    try:
        async with aclosing(ports.fetch.lines(order)) as lines:
            async for line in lines:
                if not session.feed.awaits(order.snapshot):
                    return
                await take(Incoming(topic=topic, payload=line, is_retained=False))
    except FetchError as fault:
        why = str(fault)
    if session.feed.awaits(order.snapshot):
        facts = (("refusal", "FETCH"), ("why", why[:MAX_WHY]))
        ports.report(EventKind.ROSTER_REFUSED, facts)
        await fail(order.snapshot)
