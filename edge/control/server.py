# SPDX-License-Identifier: Apache-2.0
"""The gateway's end of the control socket: a line of JSON in, a line of JSON out.

The law of the module: only the box's own users reach it (mode 0660, no network); a
request that makes no sense is answered with what was wrong, and never harms a door.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

#: Longest request line, and how many callers at once: a panel and a few shells.
MAX_LINE = 65_536
MAX_CALLERS = 16
#: Unread bytes after which a watcher is hung up on rather than waited for.
MAX_UNREAD = 262_144
#: From accepting a caller to its transport; asyncio forgets whom it accepted and has
#: no transport for when its server closes (base_events.Server of Python 3.11).
_TURNS_TO_ARRIVE = 2

Answer: TypeAlias = dict[str, Any]
#: What a verb does with a request; it raises ValueError for one that makes no sense.
Verb: TypeAlias = "Callable[[dict[str, Any]], Answer]"
#: … and one that may wait, for the gateway's own user and root.
PrivateVerb: TypeAlias = "Callable[[dict[str, Any]], Awaitable[Answer]]"
#: What a verb does for the panel's process as for the shell: it is told whether the
#: caller is the gateway's own user (or root), and finds out itself who acts.
Act: TypeAlias = "Callable[[dict[str, Any], bool], Awaitable[Answer]]"
#: struct ucred of unix(7): process, user, group.
_CREDENTIALS = struct.Struct("3i")


class ControlServer:
    """Serves verbs over a Unix socket until closed.

    Beside the verbs given, ``watch`` is answered and from then on receives what is
    published, a line each. ``private`` verbs are for the gateway's own user and root,
    since they tell of persons; they may wait, and hold up nobody else meanwhile. So
    may ``acts``, which ask for themselves who stands behind the caller.
    """

    def __init__(
        self,
        path: Path,
        verbs: Mapping[str, Verb],
        private: Mapping[str, PrivateVerb] | None = None,
        acts: Mapping[str, Act] | None = None,
    ) -> None:
        self._path = path
        self._verbs = verbs
        self._private = private or {}
        self._acts = acts or {}
        self._server: asyncio.Server | None = None
        self._callers: set[asyncio.StreamWriter] = set()
        self._served: set[asyncio.Task[None]] = set()
        self._watchers: set[asyncio.StreamWriter] = set()
        self._is_closing = False

    @property
    def is_watched(self) -> bool:
        """Say whether anybody receives what is published."""
        return bool(self._watchers)

    def publish(self, message: Answer) -> None:
        """Send a message to every watcher; one that does not read is hung up on."""
        line = json.dumps(message, ensure_ascii=False).encode() + b"\n"
        for writer in list(self._watchers):
            if writer.transport.get_write_buffer_size() > MAX_UNREAD:
                self._watchers.discard(writer)
                writer.transport.abort()
            else:
                writer.write(line)

    async def open(self) -> None:
        """Listen at the path, replacing the socket that a dead gateway left behind.

        The name appears when the socket answers and its mode is set.
        """
        hidden = self._path.with_name(f"{self._path.name}.new")
        hidden.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(
            self._receive, hidden, limit=MAX_LINE
        )
        hidden.chmod(0o660)
        hidden.replace(self._path)

    async def close(self) -> None:
        """Stop serving; callers are hung up on, and none is served any more."""
        if self._server is None:
            return
        self._is_closing = True
        for listening in self._server.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        for _ in range(_TURNS_TO_ARRIVE):
            await asyncio.sleep(0)
        self._server.close()
        for writer in list(self._callers):
            writer.transport.abort()  # closing would wait for one that never listens
        await asyncio.gather(*self._served, return_exceptions=True)
        await self._server.wait_closed()
        self._path.unlink(missing_ok=True)

    def _receive(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._served.add(task)
        task.add_done_callback(self._served.discard)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            if len(self._callers) >= MAX_CALLERS:
                await _write(writer, _refused("too many callers at once, try again"))
                return
            if self._is_closing:  # taken up just before: close() knows no writer yet
                return
            self._callers.add(writer)
            while line := await _read(reader):
                verb = _verb(line)
                if verb == "watch":
                    self._watchers.add(writer)
                    await _write(writer, {"ok": True})
                elif isinstance(verb, str) and verb in self._private:
                    await _write(writer, await self._confide(verb, line, writer))
                elif isinstance(verb, str) and verb in self._acts:
                    await _write(writer, await self._let_act(verb, line, writer))
                else:
                    await _write(writer, self.answer(line))
            if line is None:
                await _write(writer, _refused(f"a line has {MAX_LINE} bytes at most"))
        except ConnectionError:
            pass  # a caller that left: nobody to answer
        finally:
            self._callers.discard(writer)
            self._watchers.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _confide(
        self, verb: str, line: bytes, writer: asyncio.StreamWriter
    ) -> Answer:
        if not _is_own(writer):
            return _refused("for the gateway's own user alone; ask with sudo")
        try:
            return {"ok": True, **await self._private[verb](json.loads(line))}
        except ValueError as error:
            return _refused(str(error))

    async def _let_act(
        self, verb: str, line: bytes, writer: asyncio.StreamWriter
    ) -> Answer:
        try:
            done = await self._acts[verb](json.loads(line), _is_own(writer))
        except ValueError as error:
            return _refused(str(error))
        return {"ok": True, **done}

    def answer(self, line: bytes) -> Answer:
        """Answer one request ``{"verb": …, …}``; ``ok`` says whether it was done."""
        try:
            request = json.loads(line)
            verb = self._verbs[request["verb"]]
        except (ValueError, TypeError, KeyError, RecursionError):
            names = {*self._verbs, *self._private, *self._acts, "watch"}
            known = ", ".join(sorted(names))
            return _refused(f'expected {{"verb": …}} with one of {known}')
        try:
            return {"ok": True, **verb(request)}
        except ValueError as error:
            return _refused(str(error))


def _verb(line: bytes) -> object:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return request.get("verb") if isinstance(request, dict) else None


def _is_own(writer: asyncio.StreamWriter) -> bool:
    """Say whether the caller is our own user or root, as the kernel knows it."""
    line = writer.get_extra_info("socket")
    told = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(told)[1]) in (0, os.geteuid())


def _refused(why: str) -> Answer:
    return {"ok": False, "error": why}


async def _read(reader: asyncio.StreamReader) -> bytes | None:
    """Return a line, empty at the end; None for one that is too long."""
    try:
        return await reader.readline()
    except ValueError:
        return None


async def _write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
    await writer.drain()
