# SPDX-License-Identifier: Apache-2.0
"""The hand in the simulated world, and an eye on it, over the firmware's socket.

The law of the module: what it reports was seen in the simulated world, never asked
of the gateway. Times are seconds of CLOCK_MONOTONIC, the same in all processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

#: A moment's patience: the simulation answers within microseconds.
ANSWER_WITHIN_S = 5.0


_STRIKE = ("strike_released", "strike_relocked")


class FirmwareError(Exception):
    """The simulation refused a wish or is gone."""


class _Connection(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Firmware:
    """Two connections: one to act, one to watch."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._acting = asyncio.Lock()
        self._act: _Connection | None = None
        self._watch: _Connection | None = None
        self.happenings: list[dict[str, Any]] = []
        self._news = asyncio.Condition()

    async def open(self) -> None:
        """Connect; FirmwareError if nothing listens within the patience."""
        self._act = await self._connect()
        self._watch = await self._connect()
        self._watch.writer.write(b'{"do":"watch"}\n')

    async def close(self) -> None:
        """Hang up."""
        for connection in (self._act, self._watch):
            if connection is not None:
                connection.writer.close()
                with contextlib.suppress(ConnectionError):
                    await connection.writer.wait_closed()

    async def do(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Act; FirmwareError says why it could not be."""
        if self._act is None:
            raise FirmwareError("open the connection first")
        async with self._acting:
            request = json.dumps({"do": verb, **fields}).encode() + b"\n"
            self._act.writer.write(request)
            async with asyncio.timeout(ANSWER_WITHIN_S):
                line = await self._act.reader.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "hung up"}
        if not answer.get("ok"):
            raise FirmwareError(f"{verb} {fields}: {answer.get('error')}")
        return answer

    async def watch(self) -> None:
        """Collect happenings until cancelled or hung up on."""
        if self._watch is None:
            raise FirmwareError("open the connection first")
        while line := await self._watch.reader.readline():
            happening = json.loads(line)
            if "what" in happening:
                async with self._news:
                    self.happenings.append(happening)
                    self._news.notify_all()

    async def wait_for(
        self, what: str, *, after_s: float, within_s: float, **named: str
    ) -> float | None:
        """Return when it happened after ``after_s``; None if not within the time."""
        seen = await self.wait_seen(what, after_s=after_s, within_s=within_s, **named)
        return None if seen is None else float(seen["at"])

    async def wait_seen(
        self, what: str, *, after_s: float, within_s: float, **named: str
    ) -> dict[str, Any] | None:
        """Return the happening itself; None if not within the time."""

        def found() -> dict[str, Any] | None:
            for happening in reversed(self.happenings):
                if happening["at"] < after_s:
                    return None
                if happening["what"] == what and named.items() <= happening.items():
                    return dict(happening)
            return None

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(lambda: found() is not None)
        return found()

    async def until_locked(self, door: str, *, within_s: float) -> bool:
        """Wait until the strike is locked, as people wait for a door to fall shut."""

        def is_locked() -> bool:
            for happening in reversed(self.happenings):
                if happening.get("door") == door and happening["what"] in _STRIKE:
                    return bool(happening["what"] == "strike_relocked")
            return True

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(is_locked)
        return is_locked()

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + ANSWER_WITHIN_S
        while True:
            try:
                return _Connection(*await asyncio.open_unix_connection(self._path))
            except OSError as error:
                if loop.time() >= until_s:
                    raise FirmwareError(f"{self._path}: nobody listens") from error
                await asyncio.sleep(0.02)
