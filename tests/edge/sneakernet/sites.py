# SPDX-License-Identifier: Apache-2.0
"""A gateway whose line is dead, a platform that nobody can reach, and a stick.

The law of the module: the gateway is the real one, asked through its socket; the
platform is the simulated one, which shares no line with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from edge.cli.sneakernet.carry_down import Imported, import_file
from edge.cli.sneakernet.carry_up import Exported, export, opened_source
from edge.cli.sneakernet.export import WAITING
from edge.core.event import EventKind
from edge.core.stimulus import Noted
from firmware_sim.platform.feed import Row
from firmware_sim.platform.feed_store import FeedStore
from firmware_sim.platform.keys import load_signer
from firmware_sim.platform.ledger import Ledger
from firmware_sim.platform.session import Session
from firmware_sim.platform.shell import Shell
from firmware_sim.platform.site import read_site
from firmware_sim.platform.stick import Sticks
from tests.edge.at_work import SITE_KEYS, at_work, until
from tests.edge.small_site import TEXT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from edge.cli.runtime import Runtime
    from tests.edge.sneakernet.reference import ReferenceOffice

GATEWAY, SHARD = "gw-7", "00"
READER = """
[[device]]
id = "reader"
driver = "id_card_sam"
port = "ports/reader"
"""


class Office:
    """The platform: its ledger, its feed, its key and its pile of sticks."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        site = folder / "site.json"
        told = {"gateway": GATEWAY, "shard": SHARD, "site": "hall-7", **SITE_KEYS}
        site.write_text(json.dumps(told), "utf-8")
        self.site = read_site(site)
        self.ledger = Ledger(folder / "ledger.db")
        self.store = FeedStore(folder / "feed.db")
        self.signer = load_signer(folder / "platform.key")
        self.now_ms = 1_795_330_800_000
        self.registry = {GATEWAY: SHARD, "gw-8": "01"}
        self.sticks = Sticks(
            registry=self.registry,
            ledger=self.ledger,
            store=self.store,
            signer=self.signer,
            boxes=folder / "boxes.json",
            now_ms=lambda: self.now_ms,
        )
        self.session = Session(
            registry=self.registry,
            ledger=self.ledger,
            store=self.store,
            signer=self.signer,
        )

    def admit(self, *holders: str, **body: Any) -> None:
        """Let residents stand in the feed, each with a card of its own."""
        rows = []
        for index, holder in enumerate(holders):
            credentials = [f"CARD:{index + 1:032x}"]
            told: dict[str, Any] = {"enabled": 1, "extended": 0, "language": "zh"}
            told |= {"roles": ["GUEST"], "credentials": credentials, **body}
            rows.append(Row(kind="holder", id=holder, body=told))
        self.store.change(rows)

    def write(self, path: Path, gateway: str = GATEWAY, **wish: Any) -> Path:
        """Write a stick, later than the one before."""
        self.now_ms += 1000
        path.write_bytes(self.sticks.write(gateway, **wish))
        return path

    async def hand_in(self, file: Path) -> None:
        """Take a stick that somebody brought."""
        self.sticks.take(await asyncio.to_thread(file.read_bytes))

    async def answer(self, path: Path, epoch: str, *holders: str) -> Path:
        """Let these residents in, and write a stick that says so."""
        self.admit(*holders)
        return self.write(path, epoch=epoch)

    def stored(self) -> dict[str, set[int]]:
        """Return the keys that the ledger holds, by journal epoch."""
        found: dict[str, set[int]] = {}
        rows = self.ledger._connection.execute("SELECT epoch, seq FROM event")
        for epoch, seq in rows:
            found.setdefault(epoch, set()).add(seq)
        return found


class Place:
    """A gateway at work, and the way to its socket."""

    def __init__(self, runtime: Runtime, state: Path) -> None:
        self.runtime = runtime
        self.state = state
        self.socket = state / "control.sock"

    async def note(self, count: int = 1) -> None:
        """Let so many events happen, and wait until they are stored."""
        for number in range(count):
            facts = (("what", f"event {number}"),)
            kind = EventKind.DEVICE_FAULT if number % 2 else EventKind.SELF_TEST
            self.runtime.gateway.note(Noted(kind=kind, subject="board", facts=facts))
        await until(lambda: self.runtime.gateway.unstored == 0)

    async def export(self, file: Path, wish: str | int = WAITING) -> Exported:
        """Do as ``menshen sync export`` does, in a thread of its own."""
        return await asyncio.to_thread(carry_up, file, self.state, wish)

    async def take(self, file: Path) -> Imported:
        """Do as ``menshen sync import`` does."""
        return await asyncio.to_thread(import_file, file, self.socket)


def carry_up(
    file: Path, state: Path, wish: str | int = WAITING, gateway: str | None = None
) -> Exported:
    """Export from the gateway in the folder, or from the folder of ``gateway``."""

    async def work() -> Exported:
        async with opened_source(state / "control.sock", state, gateway) as source:
            return await export(source, file, wish)

    return asyncio.run(work())


def prepare(
    folder: Path, office: Office | ReferenceOffice, *, port: int, extra: str = ""
) -> Path:
    """Make a state folder beside a site file; return it."""
    state = folder / "state"
    (state / "keys").mkdir(parents=True)
    keys = state / "keys" / "site.json"
    keys.write_text(json.dumps(SITE_KEYS), "utf-8")
    keys.chmod(0o600)
    pinned = state / "keys" / "platform.json"
    pinned.write_text(json.dumps(office.signer.public_keys), "utf-8")
    broker = f"[platform]\nport = {port}\n"
    (folder / "site.toml").write_text(TEXT + broker + extra, "utf-8")
    return state


@asynccontextmanager
async def reached(state: Path) -> AsyncIterator[Place]:
    """Let a gateway work in the folder, within reach of whoever carries sticks."""
    async with at_work(state) as runtime:
        yield Place(runtime, state)


@asynccontextmanager
async def line(office: Office, port: int) -> AsyncIterator[Shell]:
    """Let the platform be on the broker for the block."""
    shell = Shell(office.session, "127.0.0.1", port, lambda: office.now_ms)
    task = asyncio.create_task(shell.run())
    try:
        await until(lambda: shell.is_connected)
        yield shell
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
