# SPDX-License-Identifier: Apache-2.0
"""``menshen sync export``: what waits in the journal, in one file on a stick.

The law of the module: a gateway that runs is asked, a stopped one's folder is read; the
file is the same. It is complete under its name or not there.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from cloud_sync.fingerprint import fingerprint_of
from cloud_sync.stick_file import Seal
from edge.cli.box_key import Box
from edge.cli.sneakernet.export import Exporter
from edge.cli.sneakernet.new_file import new_file
from edge.cli.sneakernet.stopped import held_feed, stopped_journal
from edge.cli.system_clock import wall_ms
from edge.control.client import ControlError, NoGatewayError, ask
from edge.core.chain import canonical

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


class Source(Protocol):
    """Who hands out an export."""

    async def header(self, wish: str | int) -> dict[str, Any]:
        """Return the signed first line."""

    async def batch(self, epoch: str, after: int, last: int) -> tuple[str, int]:
        """Return the next payload, and the seq it ends with."""


class RunningGateway:
    """A gateway asked through its control socket; ControlError if it says no."""

    def __init__(self, socket: Path) -> None:
        self._ask = partial(ask, socket)

    async def header(self, wish: str | int) -> dict[str, Any]:
        """Return the signed first line."""
        header: dict[str, Any] = self._ask("stick-head", wish=wish)["header"]
        return header

    async def batch(self, epoch: str, after: int, last: int) -> tuple[str, int]:
        """Return the next payload, and the seq it ends with."""
        told = self._ask("stick-batch", epoch=epoch, after=after, last=last)
        return told["payload"], told["last"]


@asynccontextmanager
async def stopped_gateway(state: Path, gateway: str) -> AsyncIterator[Exporter]:
    """Read the folder of a gateway that does not run."""
    held = await held_feed(state)
    async with stopped_journal(state) as journal:
        yield Exporter(
            gateway=gateway,
            journal=journal,
            key=Box(state).key,
            feed=lambda: held,
            now_ms=lambda: max(wall_ms(), journal.floor_ms),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written: nothing, where nothing waits."""

    header: dict[str, Any]
    batches: int
    file_bytes: int

    @property
    def events(self) -> int:
        """How many events are in the file."""
        return int(self.header["last"] - self.header["first"] + 1)

    def as_json(self) -> dict[str, Any]:
        """Return what a program wants to know."""
        named = ("gateway", "epoch", "first", "last", "head", "at", "key")
        return {name: self.header[name] for name in named} | {
            "events": self.events,
            "batches": self.batches,
            "bytes": self.file_bytes,
            "fingerprint": fingerprint_of(bytes.fromhex(self.header["key"])),
        }


@asynccontextmanager
async def opened_source(
    socket: Path, state: Path, gateway: str | None
) -> AsyncIterator[Source]:
    """Find who hands out: the gateway at ``socket``, else the folder of ``gateway``."""
    try:
        ask(socket, "status")
    except NoGatewayError as absent:
        if gateway is None:
            raise ControlError(
                f"{absent} If it is stopped, say --site too: its folder is then read"
            ) from absent
    else:
        yield RunningGateway(socket)
        return
    async with stopped_gateway(state, gateway) as exporter:
        yield exporter


async def export(source: Source, file: Path, wish: str | int) -> Exported:
    """Write ``file``; StickError, ControlError or ValueError say why it is not."""
    header = await source.header(wish)
    epoch, after, last = header["epoch"], header["first"] - 1, header["last"]
    if after >= last:
        return Exported(header=header, batches=0, file_bytes=0)
    seal, batches, size, begun = Seal(), 0, 0, after
    with new_file(file) as write:

        def put(line: bytes) -> None:
            nonlocal size
            write(line)
            size += len(line)

        line = canonical(header).encode() + b"\n"
        put(line)
        seal.add(line)
        while after < last:
            payload, after = await source.batch(epoch, after, last)
            line = payload.encode() + b"\n"
            put(line)
            seal.add(line)
            batches += 1
        put(seal.line(events=last - begun))
    return Exported(header=header, batches=batches, file_bytes=size)
