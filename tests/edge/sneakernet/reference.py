# SPDX-License-Identifier: Apache-2.0
"""The reference platform on SQLite, as the office to which sticks are carried.

The law of the module: the same database is served over the line and over sticks, and
everything is the product's own.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from cloud_sync.connection import Broker
from cloud_sync.fingerprint import fingerprint_of
from cloud_sync.platform import boxes, feeds, keys, ledger, registry
from cloud_sync.platform.answers import Answers
from cloud_sync.platform.application import open_database
from cloud_sync.platform.mqtt_line import MqttLines
from cloud_sync.platform.reception import Reception
from cloud_sync.platform.serving import House, serve
from cloud_sync.platform.settings import Settings
from cloud_sync.platform.sticks import answering
from cloud_sync.platform.sticks.export_file import opened
from cloud_sync.platform.sticks.taking import Taken, take
from cloud_sync.stick_file import StickError
from edge.cli.system_clock import wall_ms
from edge.core.chain import canonical
from tests.edge.sneakernet.sites import GATEWAY, SHARD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from cloud_sync.platform.database import Database


class ReferenceOffice:
    """The platform's people, with their database, key and pile of sticks."""

    def __init__(self, folder: Path, settings: Settings, database: Database) -> None:
        self.folder, self.settings, self.database = folder, settings, database
        self.signer = keys.load(folder / settings.platform.signing_key)
        self.reception = Reception(database, Answers(self.signer))

    async def trust(self, public: bytes) -> None:
        async with self.database.writing() as work:
            shown = fingerprint_of(public)
            await boxes.trust(work, GATEWAY, public.hex(), shown, wall_ms())

    async def take(self, file: Path) -> Taken:
        with opened(file) as export:
            return await take(self.database, self.reception, export, wall_ms())

    async def admit(self, *holders: str) -> None:
        """Let residents stand in the feed, each with a card of its own."""
        told = {"enabled": 1, "extended": 0, "language": "zh", "roles": ["GUEST"]}
        put = {
            ("holder", name): canonical({**told, "credentials": [f"CARD:{n + 1:032x}"]})
            for n, name in enumerate(holders)
        }
        async with self.database.writing() as work:
            await feeds.change(work, GATEWAY, feeds.Change(put=put), wall_ms())

    async def write(self, path: Path, epoch: str = "") -> Path:
        async with self.database.reading() as work:
            answer = await answering.answer(work, GATEWAY, wall_ms(), epoch=epoch)
        text = b"".join(answer.lines(self.signer))
        await asyncio.to_thread(path.write_bytes, text)
        return path

    async def hand_in(self, file: Path) -> None:
        """Take a stick that somebody brought; the one before it may be lost."""
        try:
            await self.take(file)
        except StickError as refused:
            if refused.name != "GAP":
                raise

    async def answer(self, path: Path, epoch: str, *holders: str) -> Path:
        """Let these residents in, and write a stick that says so."""
        await self.admit(*holders)
        return await self.write(path, epoch)

    async def stored(self) -> dict[str, list[int]]:
        """Return the numbers that are held of each journal epoch."""
        found: dict[str, list[int]] = {}
        async with self.database.reading() as work:
            rows = await work.fetch(
                "SELECT j.epoch, e.seq FROM event AS e JOIN journal AS j"
                " ON j.id = e.journal ORDER BY j.epoch, e.seq"
            )
        for epoch, seq in rows:
            found.setdefault(epoch, []).append(seq)
        return found

    async def repeated(self) -> int:
        """Return how many events came more than once."""
        async with self.database.reading() as work:
            [(count,)] = await work.fetch("SELECT sum(repeated) FROM journal")
        return int(count)

    async def head(self, epoch: str) -> bytes:
        """Return the hash of the last event that is stored of a journal epoch."""
        async with self.database.reading() as work:
            return (await ledger.standing(work, GATEWAY, epoch)).hash

    async def alarms(self) -> int:
        async with self.database.reading() as work:
            [(count,)] = await work.fetch("SELECT count(*) FROM alarm")
        return int(count)

    @asynccontextmanager
    async def line(self, port: int) -> AsyncIterator[None]:
        """Let the platform be on the broker for the block."""
        house = House(
            settings=self.settings,
            folder=self.folder,
            database=self.database,
            now_ms=wall_ms,
        )
        lines = MqttLines(Broker(host="127.0.0.1", port=port), "platform")
        task = asyncio.create_task(serve(house, lines, with_web=False))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})


@asynccontextmanager
async def reference_office(folder: Path) -> AsyncIterator[ReferenceOffice]:
    """Found a platform that knows one gateway."""
    await asyncio.to_thread(folder.mkdir)
    settings = Settings.model_validate(
        {"broker": {"host": "127.0.0.1"}, "store": {"sqlite": "platform.db"}}
    )
    keys.make(folder / settings.platform.signing_key)
    async with open_database(settings, folder) as database:
        async with database.writing() as work:
            await registry.register(work, GATEWAY, SHARD, "", wall_ms())
        yield ReferenceOffice(folder, settings, database)
