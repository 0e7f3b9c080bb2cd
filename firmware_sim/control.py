# SPDX-License-Identifier: Apache-2.0
"""The control socket: newline-delimited JSON that lets others act and watch.

The law of the module: every line is answered by one line, ``{"ok": true, "at": …}`` or
``{"ok": false, "error": "what, and what instead"}``; no line ends the process. After
``{"do": "watch"}`` a connection also receives each happening as it happens, as
``{"at": …, "what": …, "door": …}``; ``at`` is CLOCK_MONOTONIC in seconds. A watcher
that does not read is cut rather than waited for.

Beside the verbs of :class:`firmware_sim.hand.Hand` there are ``unplug`` and ``plug``
(``port``), ``snapshot`` and ``watch``.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import stat
from dataclasses import asdict
from typing import TYPE_CHECKING, Self, cast

from firmware_sim.errors import SimulationError
from firmware_sim.hand import VERBS
from firmware_sim.plain import arguments, expect_mapping
from firmware_sim.site import PRESETS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from firmware_sim.happening import Happening
    from firmware_sim.pty_host import PtyHost

Answer = dict[str, object]
#: The longest line taken: a card with its photo in hex is 3 kB.
MAX_LINE_BYTES = 65_536
#: Unread bytes after which a watcher is cut: some 2,500 happenings, or 25 snapshots.
MAX_UNREAD_BYTES = 262_144
#: Connections at once: a demonstration, a bench and a few watchers.
MAX_CONNECTIONS = 32


class ControlServer:
    """Listens on a Unix socket for the host it is given; an async context."""

    def __init__(self, host: PtyHost, path: Path) -> None:
        self._host = host
        self._path = path
        self._server: asyncio.Server | None = None
        self.connections: set[Connection] = set()

    async def __aenter__(self) -> Self:
        """Listen; a socket left behind by a killed process is replaced."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists() and stat.S_ISSOCK(self._path.stat().st_mode):
            self._path.unlink()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(self._connection, str(self._path))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening, cut all connections and remove the socket."""
        if self._server is not None:
            self._server.close()
            for connection in tuple(self.connections):
                connection.cut()
            await self._server.wait_closed()
        self._path.unlink(missing_ok=True)

    def _connection(self) -> Connection:
        return Connection(self._host, self.connections)


class Connection(asyncio.Protocol):
    """One client: its half-received line and its subscription."""

    def __init__(self, host: PtyHost, connections: set[Connection]) -> None:
        self._host = host
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._stop_watching: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)
        if len(self._connections) > MAX_CONNECTIONS:
            self._send(_refused(f"{MAX_CONNECTIONS} connections are open; close one"))
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget the client."""
        self._connections.discard(self)
        self._transport = None
        if self._stop_watching is not None:
            self._stop_watching()
            self._stop_watching = None

    def data_received(self, data: bytes) -> None:
        """Answer each whole line."""
        self._received += data
        while (end := self._received.find(b"\n")) >= 0:
            line = bytes(self._received[:end])
            del self._received[: end + 1]
            self._send(self._answer(line))
        if len(self._received) > MAX_LINE_BYTES:
            self._send(_refused(f"a line has at most {MAX_LINE_BYTES} bytes"))
            self.cut()

    def cut(self) -> None:
        """End the connection without waiting for its reader."""
        if self._transport is not None:
            self._transport.abort()

    def _send(self, answer: Answer) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
        if transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            self.cut()

    def _answer(self, line: bytes) -> Answer:
        try:
            request = dict(expect_mapping(json.loads(line), "request"))
            return {"ok": True, **self._carry_out(request)}
        except (SimulationError, OSError) as error:
            return _refused(str(error))
        except (ValueError, RecursionError):
            return _refused('this line is no JSON; write {"do": "snapshot"}')

    def _carry_out(self, request: Answer) -> Answer:
        host = self._host
        match request.pop("do", None):
            case "watch":
                self._watch()
                return {"at": host.now()}
            case "snapshot":
                return _snapshot(host)
            case "unplug":
                return {"at": host.unplug(_port(request))}
            case "plug":
                port = _port(request)
                return {"at": host.plug(port), "path": host.address(port)}
            case str() as verb if verb in VERBS:
                return self._act(verb, request)
            case verb:
                known = ", ".join(("watch", "snapshot", "unplug", "plug", *VERBS))
                raise SimulationError(f"do: no verb {verb!r}; known are: {known}")

    def _act(self, verb: str, fields: Answer) -> Answer:
        method = getattr(self._host.hand, verb)
        given = arguments(method, fields, verb, PRESETS)
        is_timed = "now" in inspect.signature(method).parameters

        def timed(now: float) -> Answer:
            told = method(**given, now=now) if is_timed else method(**given)
            return {"at": now, **({VERBS[verb]: told} if VERBS[verb] else {})}

        return self._host.act(timed)

    def _watch(self) -> None:
        if self._stop_watching is None:
            self._stop_watching = self._host.watch(self._tell)

    def _tell(self, happenings: tuple[Happening, ...]) -> None:
        for happening in happenings:
            self._send(happening.as_mapping())


def _port(request: Answer) -> str:
    port = request.get("port")
    if not isinstance(port, str):
        raise SimulationError("port: its name is missing; write it")
    return port


def _snapshot(host: PtyHost) -> Answer:
    def timed(now: float) -> Answer:
        return {"at": now, **asdict(host.world.snapshot())}

    ports = {name: asdict(port) for name, port in host.snapshot().items()}
    return {**host.act(timed), "ports": ports}


def _refused(why: str) -> Answer:
    return {"ok": False, "error": why}
