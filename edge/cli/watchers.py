# SPDX-License-Identifier: Apache-2.0
"""The control socket of a running gateway, and what its watchers hear.

The law of the module: doors go on without it. A socket that cannot be opened is told
and done without; a slip in what is told costs nobody else.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from edge.cli.status import event_view, steady_part
from edge.control.server import ControlServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AsyncExitStack
    from pathlib import Path

    from edge.control.server import Act, PrivateVerb, Verb
    from edge.core.event import Event

#: How often watchers may hear of a changed status.
TELL_EVERY_S = 0.2

log = structlog.get_logger()


class Watchers:
    """Who asks and who watches; ``status`` returns what stands now, as JSON has it."""

    def __init__(self, path: Path, status: Callable[[], dict[str, Any]]) -> None:
        self._path = path
        self._status = status
        self._server: ControlServer | None = None

    async def open(
        self,
        stack: AsyncExitStack,
        verbs: Mapping[str, Verb],
        private: Mapping[str, PrivateVerb],
        acts: Mapping[str, Act],
    ) -> None:
        """Open the socket until ``stack`` ends; without room for one, do without."""
        server = ControlServer(self._path, verbs, private=private, acts=acts)
        stack.push_async_callback(server.close)
        try:
            await server.open()
        except OSError as fault:  # no room for a socket: the doors go on
            log.warning("no panel, no orders", why=str(fault))
        else:
            self._server = server

    def stored(self, batch: Sequence[Event]) -> None:
        """Tell the watchers of events that are on disk."""
        if self._server is not None and self._server.is_watched:
            for event in batch:
                self._server.publish({"event": event_view(event)})

    async def tell_status(self) -> None:
        """Publish the status whenever it has changed, five times a second at most."""
        last: dict[str, Any] = {}
        why = ""
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            if self._server is None or not self._server.is_watched:
                last = {}
                continue
            try:
                shown = self._status()
                steady = steady_part(shown)
                if steady != last:
                    last = steady
                    self._server.publish({"status": shown})
            except Exception as fault:  # noqa: BLE001  told once
                if repr(fault) != why:
                    why = repr(fault)
                    log.warning("the status cannot be told", why=why)
