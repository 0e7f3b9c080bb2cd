# SPDX-License-Identifier: Apache-2.0
"""A whole site for a test: broker, hardware, platform and gateway as processes.

Built from the demonstration's own parts; what a test concludes, it concludes from the
simulated door, the journal file and the platform's ledgers.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.cli.children import Child
from edge.cli.demo.journal_file import (
    journal_keys,
    read_journal,
    read_ledger,
)
from edge.cli.demo.play import Play
from edge.cli.demo.residents import visit
from edge.cli.demo.stage import Stage
from edge.cli.files import config_folder
from edge.cli.status import is_ready
from edge.settings.site_file import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from edge.cli.demo.cast import Resident
    from edge.cli.demo.firmware import Firmware
    from edge.cli.demo.residents import Porch, Visit

SEED = 20261122
WITHIN_S = 30.0


@dataclass(slots=True, kw_only=True)
class House:
    """A site in a folder, with its people at its two doors."""

    demo: Play

    @property
    def stage(self) -> Stage:
        return self.demo.stage

    @property
    def firmware(self) -> Firmware:
        return self.demo.firmware

    @property
    def people(self) -> dict[str, list[Resident]]:
        return self.demo.people

    @property
    def porches(self) -> dict[str, Porch]:
        return {porch.access_point: porch for porch in self.demo.porches}

    def part(self, point: str, name: str) -> Resident:
        """Return the first resident at the access point who plays the part."""
        return next(r for r in self.people[point] if r.part.name == name)

    async def visit(self, point: str, resident: Resident) -> Visit:
        played = await visit(self.firmware, self.porches[point], resident)
        assert played is not None, "the device did not read"
        return played

    async def status(self) -> dict[str, Any]:
        return await self.demo.status()

    async def until(
        self,
        what: str,
        seen: Callable[[dict[str, Any]], Any],
        within_s: float = WITHIN_S,
    ) -> None:
        """Wait until ``seen(status)`` is true of a gateway that answers."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    status = await self.status()
                    if status and seen(status):
                        return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{what}: not within {within_s} s") from None

    async def until_true(
        self, what: str, seen: Callable[[], bool], within_s: float = WITHIN_S
    ) -> None:
        """Wait until what the test can see for itself is so."""
        until_s = asyncio.get_running_loop().time() + within_s
        while not seen():
            assert asyncio.get_running_loop().time() < until_s, f"not seen: {what}"
            await asyncio.sleep(0.05)

    def is_relay_on(self, channel: int) -> bool:
        spells = self.relay_spells(channel)
        return bool(spells) and spells[-1][1] is None

    async def until_ready(self) -> None:
        await self.until("ready", is_ready)

    async def until_device(self, device: str, *, is_online: bool) -> None:
        await self.until(
            f"{device} {is_online=}",
            lambda s: s["devices"][device]["online"] is is_online,
        )

    async def until_sent(self) -> None:
        await self.until("all sent", lambda s: s["events"]["waiting"] == 0)

    async def restart_gateway(self) -> None:
        """Kill the gateway without warning and start it again."""
        gateway = self.demo.children["gateway"]
        gateway.kill()
        await gateway.end()
        await gateway.start()

    def kinds(self) -> list[str]:
        return [event.core["k"] for event in read_journal(self.stage.journal)]

    def events(self, kind: str) -> list[dict[str, Any]]:
        found = read_journal(self.stage.journal)
        return [event.core for event in found if event.core["k"] == kind]

    def relay_spells(self, channel: int) -> list[tuple[float, float | None]]:
        """Return ``(on, off)`` of a relay as the simulated board saw it."""
        spells: list[tuple[float, float | None]] = []
        for entry in self.firmware.happenings:
            if entry.get("channel") != channel:
                continue
            if entry["what"] == "relay_on":
                spells.append((entry["at"], None))
            elif entry["what"] == "relay_off" and spells:
                spells[-1] = (spells[-1][0], entry["at"])
        return spells

    async def end(self) -> None:
        await self.demo.end()

    def assert_told_exactly_once(self) -> None:
        """After the end: what the journal holds, the platform applied once."""
        committed = journal_keys(self.stage.journal)
        ledger = read_ledger(self.stage.ledger)
        assert committed, "nothing was stored at all"
        assert committed - ledger.keys == set(), "events lost on the way"
        assert ledger.keys - committed == set(), "events the journal never held"
        assert ledger.effects_doubled == 0


@contextlib.asynccontextmanager
async def living_house(
    folder: Path,
    *,
    is_on_mosquitto: bool = False,
    site: Path | None = None,
    more: str = "",
) -> AsyncIterator[House]:
    """Open a house, ready for its people, and end every process of it.

    ``site``: another site file than the demonstration's.
    ``is_on_mosquitto``: on the broker that sites use, not the demonstration's own.
    ``more`` is added to its site file.
    """
    site = site or config_folder() / "demo.toml"
    if more:
        text = site.read_text(encoding="utf-8")
        site = folder / "more.toml"
        site.write_text(text + more, encoding="utf-8")
    play = Play(settings=load(site), site=site, stage=Stage(folder=folder), seed=SEED)
    play.prepare()
    if is_on_mosquitto:
        play.children["broker"] = mosquitto_on(folder, play.children["broker"])
    house = House(demo=play)
    watching: asyncio.Task[None] | None = None
    try:
        await play.start()
        await play.firmware.open()
        watching = asyncio.create_task(play.firmware.watch())
        await house.until_ready()
        yield house
    finally:
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await play.end()


def mosquitto_on(folder: Path, embedded: Child) -> Child:
    """Return mosquitto, a Debian package, for the port of the embedded broker."""
    settings = folder / "mosquitto.conf"
    port = embedded.words[-1]
    lines = (f"listener {port} 127.0.0.1", "allow_anonymous true")
    settings.write_text("\n".join((*lines, "set_tcp_nodelay true", "")), "utf-8")
    sbin = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    program = shutil.which("mosquitto", path=sbin) or "mosquitto"
    return Child(
        name="broker",
        words=[program, "-c", str(settings)],
        logs=embedded.logs,
        is_program=True,
    )
