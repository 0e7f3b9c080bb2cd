# SPDX-License-Identifier: Apache-2.0
"""Several sites side by side: one broker, and one reference platform for them all.

The law of the module: each site is a play of its own, in a folder of its own with its
own hardware, keys and people; what they share is what real ones share, and the
platform is the product's own, run as its operators run it.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloud_sync.platform import feeds, keys, registry
from cloud_sync.platform.application import open_database
from cloud_sync.platform.confirmations import feed_rows
from cloud_sync.platform.planning import Wish, plan
from cloud_sync.platform.plans import KIND, newest
from cloud_sync.platform.settings import read_settings
from edge.cli.children import Child, free_port
from edge.cli.demo.play import Play, write_json
from edge.cli.demo.stage import Stage, write_platform_keys
from edge.cli.demo.supervisor import Supervisor
from edge.cli.load_site import load_site
from edge.cli.platform.shown import write_private
from edge.cli.system_clock import wall_ms
from edge.core.chain import canonical
from edge.core.people.roster_row import parse_row
from edge.core.people.shift_row import PlannedShift
from firmware_sim.platform.site import populate, read_site

if TYPE_CHECKING:
    from pathlib import Path

    from edge.settings.site import Settings as SiteSettings

#: The sites that are there; with more gateways they come again under other names.
SITES = ("demo.toml", "demo-canteen.toml")
_SETTINGS = """\
# The reference platform of this demonstration; docs/platform.md explains every key.

[broker]
host = "127.0.0.1"
port = {port}

[store]
sqlite = "platform.db"
"""


@dataclass(slots=True, kw_only=True)
class Neighbours:
    """The sites, by their gateways' names in ``houses``, and what they share."""

    folder: Path
    seed: int
    houses: dict[str, Play] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)
    supervisor: Supervisor = field(init=False)
    broker_port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(self.children)

    @property
    def settings(self) -> Path:
        """The platform's settings file."""
        return self.folder / "platform" / "platform.toml"

    @property
    def database(self) -> Path:
        """The platform's database."""
        return self.settings.parent / "platform.db"

    async def prepare(self, sites: list[Path], panel_port: int | None) -> None:
        """Write what all processes will read; the first site has the panel."""
        for number, site in enumerate(sites, 1):
            name = self._settle_in(number, site)
            if number == 1:
                self.houses[name].panel_port = panel_port
        await self._found_platform()
        for house in self.houses.values():
            house.prepare()
        words = ["edge.cli.main", "platform", "run", "--settings", str(self.settings)]
        port = ["edge.cli.broker", "--port", str(self.broker_port)]
        for name, command in (("broker", port), ("platform", words)):
            self.children[name] = Child(
                name=name, words=command, logs=self.folder / "logs"
            )

    async def open(self, stop: asyncio.Event) -> None:
        """Start everything and wait until each gateway knows its people."""
        for child in self.children.values():
            await child.start()
        watching = asyncio.create_task(self.supervisor.watch())
        opening = [
            asyncio.create_task(house.open(stop)) for house in self.houses.values()
        ]
        try:
            waiting = {watching, *opening}
            while not all(each.done() for each in opening):
                done, waiting = await asyncio.wait(
                    waiting, return_when=asyncio.FIRST_COMPLETED
                )
                for each in done:
                    each.result()
        finally:
            for each in (watching, *opening):
                each.cancel()
            await asyncio.gather(watching, *opening, return_exceptions=True)

    async def settle(self, stop: asyncio.Event) -> None:
        """Give the last events of all time to be acknowledged."""
        await asyncio.gather(*(each.settle(stop) for each in self.houses.values()))

    async def end(self) -> None:
        """End all processes: gateways first, the platform and the broker last."""
        await asyncio.gather(*(each.end() for each in self.houses.values()))
        await asyncio.gather(*(each.end() for each in self.children.values()))

    def _settle_in(self, number: int, site: Path) -> str:
        """Give a site a folder; one that is there already comes under another name."""
        settings = load_site(site)
        name = settings.gateway.id
        if name in self.houses:
            name = f"{name}-{number}"
            text = _renamed(site.read_text(encoding="utf-8"), settings, number)
            site = self.folder / name / "origin.toml"
            site.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            site.write_text(text, encoding="utf-8")
            settings = load_site(site)
        folder = self.folder / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.houses[name] = Play(
            settings=settings,
            site=site,
            stage=Stage(folder=folder),
            seed=self.seed + number - 1,
            broker_port=self.broker_port,
        )
        return name

    async def _found_platform(self) -> None:
        """Make settings, key and tables; register each gateway, and write its feed."""
        folder = self.settings.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.settings.unlink(missing_ok=True)  # of a run before, with another port
        write_private(self.settings, _SETTINGS.format(port=self.broker_port).encode())
        settings = read_settings(self.settings)
        key = folder / settings.platform.signing_key
        signer = keys.load(key) if key.exists() else keys.make(key)
        async with open_database(settings, folder) as base:
            for name, house in self.houses.items():
                write_platform_keys(house.stage, house.settings, signer.public_keys)
                async with base.writing() as work:
                    shard, now_ms = house.settings.gateway.shard, wall_ms()
                    there = await registry.presences(work, now_ms, 1)
                    if name not in {each.gateway for each in there}:
                        note = house.settings.site.name
                        await registry.register(work, name, shard, note, now_ms)
                    rows, week = _rows(house)
                    put = rows | await feed_rows(work, name, now_ms)
                    change = feeds.Change(put=put, replaces=(feeds.EVERY_KIND,))
                    await feeds.change(work, name, change, now_ms)
                    known = (await newest(work, name)).values()
                    if all(each.to_ms <= now_ms for each in known):
                        await plan(work, name, week, "示范街道", "", now_ms)


def _rows(house: Play) -> tuple[dict[feeds.Key, str], list[Wish]]:
    """Return the feed that says of a site's people what they may, and their week."""
    path = house.stage.folder / "people.json"
    write_json(path, house.known())
    rows = populate(read_site(path), wall_ms())
    put = {(row.kind, row.id): canonical(row.body) for row in rows}
    read = [
        parse_row(kind, name, json.loads(put.pop((kind, name))))
        for kind, name in tuple(put)
        if kind == KIND
    ]
    wishes = [
        Wish(
            holder=each.holder_id,
            space=each.space_id,
            from_ms=each.from_ms,
            to_ms=each.to_ms,
            task=each.task,
        )
        for each in read
        if isinstance(each, PlannedShift)
    ]
    return put, wishes


def _renamed(text: str, settings: SiteSettings, number: int) -> str:
    """Return a site file with a gateway and a site of its own."""
    gateway = settings.gateway
    for old, new in (
        (f'id = "{settings.site.id}"', f'id = "{settings.site.id}-{number}"'),
        (f'id = "{gateway.id}"', f'id = "{gateway.id}-{number}"'),
        (f'shard = "{gateway.shard}"', f'shard = "{number:02}"'),
    ):
        text = text.replace(old, new, 1)
    return text
