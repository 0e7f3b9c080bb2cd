# SPDX-License-Identifier: Apache-2.0
"""A whole site on the reference platform: every part a process, typed as people do.

The law of the module: the platform and its verbs are `menshen platform …` as it is
installed; the neighbourhood's rows are those that the simulated one would have sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.cli.children import Child
from edge.cli.demo.play import Play
from edge.cli.demo.stage import Stage
from edge.cli.files import config_folder
from edge.cli.system_clock import wall_ms
from edge.settings.site_file import load
from firmware_sim.platform.site import populate, read_site
from tests.system.house import SEED, House, mosquitto_on

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

GATEWAY, SITE = "gw-demo", "hz-demo"
DOOR, SPACE, POINT = "living-room-door", "living-room", "living-room-front"
MANAGERS = ("op-chen", "op-luo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What a verb came to: its exit status and all that it printed."""

    status: int
    said: str


class Office:
    """The operators' folder: settings, keys, and the verbs."""

    def __init__(self, folder: Path, house: House, web_port: int = 0) -> None:
        self.folder, self.house = folder, house
        #: Where its web server answers, 0 for nowhere.
        self.web_port = web_port

    @property
    def door_url(self) -> str:
        """The address to which the codes at doors lead."""
        return f"https://127.0.0.1:{self.web_port}/door"

    async def type(self, *words: str, key: str = "") -> Typed:
        """Type a verb of the platform's."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "edge.cli.main", "platform", *words),
            *(("--key", f"{key}.key") if key else ()),
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return Typed(status=process.returncode or 0, said=said.decode())

    async def good(self, *words: str, key: str = "") -> str:
        """Type a verb that has to go well; return what it printed."""
        typed = await self.type(*words, key=key)
        assert typed.status == 0, typed.said
        return typed.said

    async def command(self, *words: str, key: str = MANAGERS[0]) -> Typed:
        """Have something done at the gateway."""
        where = ("--gateway", GATEWAY, "--reason", "telephone")
        return await self.type("command", *words, *where, key=key)

    async def wishes(self) -> list[dict[str, Any]]:
        """Return what `commands` tells, the newest first."""
        told: list[dict[str, Any]] = json.loads(await self.good("commands", "--json"))
        return told


@contextlib.asynccontextmanager
async def governed_house(folder: Path, *, web_port: int = 0) -> AsyncIterator[Office]:
    """Open a house on mosquitto and the reference platform; end every process of it.

    With ``web_port`` the platform serves the page behind a door's code there.
    """
    site = config_folder() / "demo.toml"
    play = Play(settings=load(site), site=site, stage=Stage(folder=folder), seed=SEED)
    play.prepare()
    port = int(play.children["broker"].words[-1])
    play.children["broker"] = mosquitto_on(folder, play.children["broker"])
    house = House(demo=play)
    office = Office(folder / "office", house, web_port)
    await _open_office(office, port)
    play.children["platform"] = Child(
        name="platform",
        words=[
            *("edge.cli.main", "platform", "run"),
            *("--settings", str(office.folder / "platform.toml")),
        ],
        logs=play.stage.logs,
    )
    watching: asyncio.Task[None] | None = None
    try:
        await play.start()
        await play.firmware.open()
        watching = asyncio.create_task(play.firmware.watch())
        await house.until_ready()
        yield office
    finally:
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await play.end()


async def _open_office(office: Office, port: int) -> None:
    """Type what a new platform needs, and let gateway and site file know of it."""
    folder, house = office.folder, office.house
    folder.mkdir()
    await office.good("init")
    settings = folder / "platform.toml"
    text = settings.read_text("utf-8").replace("port = 1883", f"port = {port}")
    settings.write_text(text, "utf-8")
    keys = house.stage.folder / house.demo.settings.platform.keys
    keys.unlink()
    await office.good("keys", "--out", str(keys))
    await office.good("gateway", "add", GATEWAY, "--shard", "00")
    await office.good("door", DOOR, SPACE, "--gateway", GATEWAY, "--site", SITE)
    named = []
    for name in MANAGERS:
        words = ("--name", name, "--role", "manager", "--key", f"{name}.key")
        said = await office.good("operator", "add", name, *words)
        named.append(said.split()[-1])
    site = house.stage.folder / "site.toml"
    told = site.read_text("utf-8")
    operators = f"[platform]\nshelter = {json.dumps(named)}"
    told = told.replace("[platform]", operators, 1)
    if office.web_port:
        told = told.replace("[panel]", f'[panel]\ndoor_url = "{office.door_url}"', 1)
        with settings.open("a", encoding="utf-8") as more:
            more.write(f'[web]\nlisten = "127.0.0.1:{office.web_port}"\n')
        await office.good("authority", "--host", "127.0.0.1")
    site.write_text(told, "utf-8")
    rows = folder / "people.jsonl"
    rows.write_text("\n".join(_rows(house)), "utf-8")
    await office.good("rows", "import", str(rows), "--gateway", GATEWAY)


def _rows(house: House) -> list[str]:
    described = read_site(house.stage.folder / "platform.json")
    return [
        json.dumps({"kind": row.kind, "id": row.id, "body": row.body})
        for row in populate(described, wall_ms())
    ]
