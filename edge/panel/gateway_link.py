# SPDX-License-Identifier: Apache-2.0
"""The panel's end of the control socket: watch for ever, open a door when asked.

The law of the module: it knows the socket and nothing else of the gateway. A gateway
that hangs up, stays silent or talks nonsense is *gone*; the link tries again by itself
and heals without anybody's help. An order is sent once and never repeated, with the
secrets of the tablet and the turn from which it came: who acts, the gateway finds out.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from edge.panel.report import parse, read_event, read_status
from edge.panel.standing import gone, happened, reported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from edge.panel.hub import Hub
    from edge.panel.visitor import Keys

#: Longest line of the gateway: a status with every device of a big site.
MAX_LINE = 262_144
#: A lost gateway is called again so soon; on the same machine that costs nothing.
RETRY_S = 0.5
#: After so long without a line the gateway is asked whether it still lives …
SILENCE_S = 10.0
#: … and for an answer a volunteer waits so long, not longer.
ANSWER_S = 2.0
#: … or a little longer where a PIN is looked at, which takes a small board its time.
PIN_S = 8.0
#: Requests at once: the gateway serves shells beside us.
MAX_ASKING = 8

REASON = "volunteer pressed open on the duty page"


class Opened(StrEnum):
    """What became of an order to open a door."""

    DONE = "done"
    REFUSED = "refused"
    GONE = "gone"


class GatewayLink:
    """Keeps a hub in step with the gateway behind ``path``."""

    def __init__(self, path: Path, hub: Hub) -> None:
        self._path = path
        self._hub = hub
        self._asking = asyncio.Semaphore(MAX_ASKING)

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            with contextlib.suppress(OSError, TimeoutError):
                await self._watch()
            if self._hub.standing.is_live:
                self._hub.post(gone(self._hub.standing))
            await asyncio.sleep(RETRY_S)

    async def open_door(
        self, door: str, keys: Keys, *, is_slow: bool = False
    ) -> Opened:
        """Ask the gateway to open a door, once; ``is_slow``: somebody needs longer."""
        answer = await self.ask(
            "open", keys, door=door, reason=REASON, is_extended=is_slow
        )
        if not answer:
            return Opened.GONE
        return Opened.DONE if answer.get("ok") is True else Opened.REFUSED

    async def ask(
        self, verb: str, keys: Keys, *, within_s: float | None = None, **fields: Any
    ) -> dict[str, Any]:
        """Ask the gateway on somebody's behalf, once; empty if it is gone."""
        request = {"verb": verb, "tablet": keys.tablet, "session": keys.session}
        try:
            return await self._ask(request | fields, within_s)
        except (OSError, TimeoutError):
            return {}

    async def refresh(self) -> None:
        """Ask what stands now; the watched connection would tell it a little later."""
        with contextlib.suppress(OSError, TimeoutError):
            self._receive(await self._ask({"verb": "status"}))

    async def _ask(
        self, request: dict[str, Any], within_s: float | None = None
    ) -> dict[str, Any]:
        async with (
            asyncio.timeout(within_s or ANSWER_S),
            self._asking,
            self._connected(request) as reader,
        ):
            return parse(await _line(reader))

    async def _watch(self) -> None:
        status = {"verb": "status"}
        async with self._connected(status, {"verb": "watch"}) as reader:
            while True:
                try:
                    async with asyncio.timeout(SILENCE_S):
                        message = parse(await _line(reader))
                except TimeoutError:
                    message = await self._ask(status)
                self._receive(message)

    def _receive(self, message: dict[str, Any]) -> None:
        """Take a line in; one that means nothing to this panel changes nothing."""
        hub = self._hub
        if message.get("ok") is False:
            raise ConnectionError("the gateway refuses to be watched")
        status = read_status(message.get("status", message))
        if status is not None:
            hub.post(reported(hub.standing, status, hub.now()))
        event = read_event(message.get("event"))
        if event is not None:
            hub.post(happened(hub.standing, event))

    @contextlib.asynccontextmanager
    async def _connected(
        self, *requests: dict[str, Any]
    ) -> AsyncIterator[asyncio.StreamReader]:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_unix_connection(
                self._path, limit=MAX_LINE
            )
        try:
            writer.writelines(json.dumps(r).encode() + b"\n" for r in requests)
            yield reader
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _line(reader: asyncio.StreamReader) -> bytes:
    """Return the next line; ConnectionError at the end or for one too long."""
    try:
        line = await reader.readline()
    except ValueError as error:
        raise ConnectionError("a line without end") from error
    if not line.endswith(b"\n"):
        raise ConnectionError("the gateway hung up")
    return line
