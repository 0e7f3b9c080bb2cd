# SPDX-License-Identifier: Apache-2.0
"""``menshen demo``: broker, hardware, platform and gateway as processes, with people.

The law of the module: everything it starts it ends, within three seconds of Ctrl-C,
and its last word is counted from the files that remain.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from edge.cli.children import Child, free_port
from edge.cli.demo.cast import cast, population
from edge.cli.demo.firmware import Firmware
from edge.cli.demo.residents import Porch, Visit, walk_up
from edge.cli.demo.stage import (
    Stage,
    firmware_site,
    make_secrets,
    pin_platform_keys,
    platform_site,
)
from edge.cli.demo.tally import is_good, tally
from edge.cli.demo.view import follow
from edge.cli.files import config_folder
from edge.cli.status import is_ready
from edge.cli.system_clock import wall_ms
from edge.control.client import ControlError, ask
from edge.settings.site_file import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.settings.site_file import Settings

READY_WITHIN_S = 20.0
#: How long the last events may take to be acknowledged once the people are gone.
SETTLE_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What the command line asked for; ``for_s`` None: until Ctrl-C."""

    for_s: float | None = None
    is_json: bool = False
    seed: int = 1
    site: Path | None = None
    state: Path | None = None


@dataclass(slots=True, kw_only=True)
class Demo:
    """One demonstration from its folder to its tally."""

    settings: Settings
    site: Path
    stage: Stage
    seed: int
    console: Console
    visits: list[Visit] = field(default_factory=list)
    children: dict[str, Child] = field(default_factory=dict)

    def prepare(self) -> None:
        """Write what the processes will read."""
        settings, folder = self.settings, self.stage.folder
        shared = make_secrets(folder, settings)
        pin_platform_keys(self.stage, settings)
        spaces = {
            point.id: next(d.space for d in settings.door if d.id == point.door)
            for point in settings.access_point
        }
        people = cast(self.seed, list(spaces))
        known = population(
            people, spaces, site=settings.site.id, shared=shared, now_ms=wall_ms()
        )
        described = platform_site(settings, shared, known)
        _write(folder / "platform.json", described)
        _write(folder / "firmware.json", firmware_site(settings))
        port = str(free_port())
        text = self.site.read_text(encoding="utf-8")
        moved = _with_broker(text, settings.platform.port, port)
        (folder / "site.toml").write_text(moved, encoding="utf-8")
        self.children = {
            child.name: child for child in _children(self.stage, port, folder)
        }

    async def run(self, stop: asyncio.Event, for_s: float | None) -> dict[str, Any]:
        """Play until ``stop`` or the time is over; return the tally."""
        firmware = Firmware(self.stage.firmware_socket)
        try:
            await self.start()
            await firmware.open()
            await self._until_ready(stop)
            await self._play(firmware, stop, for_s)
            await self._settle(stop)
        finally:
            await self.end()
            await firmware.close()
        return tally(self.stage, self.visits, firmware.happenings, seed=self.seed)

    async def start(self) -> None:
        """Start all processes; each waits for the others by itself."""
        for name in ("broker", "firmware", "platform", "gateway"):
            await self.children[name].start()

    async def _play(
        self, firmware: Firmware, stop: asyncio.Event, for_s: float | None
    ) -> None:
        people = cast(self.seed, [p.id for p in self.settings.access_point])
        offset = timedelta(hours=self.settings.site.utc_offset_hours)
        tasks = [
            asyncio.create_task(firmware.watch()),
            asyncio.create_task(follow(self.stage.journal, self.console, offset)),
        ]
        walking = [
            asyncio.create_task(
                walk_up(
                    firmware,
                    porch,
                    people[porch.access_point],
                    seed=self.seed,
                    visits=self.visits,
                )
            )
            for porch in porches(self.settings)
        ]
        try:
            await _first(stop, walking, for_s)
        finally:
            for task in (*walking, *tasks):
                task.cancel()
            await asyncio.gather(*walking, *tasks, return_exceptions=True)

    async def _until_ready(self, stop: asyncio.Event) -> None:
        """Wait for the first roster: before it nobody is known."""
        async with asyncio.timeout(READY_WITHIN_S):
            while not stop.is_set():
                state = await self._status()
                if state and is_ready(state):
                    return
                await asyncio.sleep(0.1)

    async def _settle(self, stop: asyncio.Event) -> None:
        """Give the last events time to be acknowledged."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5 if stop.is_set() else SETTLE_WITHIN_S):
                waiting = True
                while waiting:
                    await asyncio.sleep(0.1)
                    events = (await self._status()).get("events", {})
                    waiting = events.get("waiting", 1) > 0

    async def _status(self) -> dict[str, Any]:
        try:
            return await asyncio.to_thread(ask, self.stage.control_socket, "status")
        except ControlError:
            return {}

    async def end(self) -> None:
        """End the gateway first, so that its last events still reach the platform."""
        if "gateway" in self.children:
            await self.children["gateway"].end()
        await asyncio.gather(*(child.end() for child in self.children.values()))


def porches(settings: Settings) -> list[Porch]:
    """Return the site's access points as people know them, one for each reader."""
    drivers = {device.id: device.driver for device in settings.device}
    ports = {device.id: Path(device.port).name for device in settings.device}
    return [
        Porch(
            access_point=point.id,
            door=point.door or "",
            bank=point.bank or "",
            reader=ports[reader],
            is_scanner=drivers[reader] == "qr_line",
        )
        for point in settings.access_point
        for reader in point.readers
    ]


def _children(stage: Stage, port: str, folder: Path) -> Sequence[Child]:
    words = {
        "broker": ["edge.cli.broker", "--port", port],
        "firmware": [
            *("firmware_sim", "--site", str(folder / "firmware.json")),
            *("--folder", str(stage.ports), "--control", str(stage.firmware_socket)),
        ],
        "platform": [
            *("firmware_sim.platform", "--broker", f"127.0.0.1:{port}"),
            *("--state", str(stage.platform)),
            *("--site-json", str(folder / "platform.json")),
        ],
        "gateway": [
            *("edge.cli.run", "--site", str(folder / "site.toml")),
            *("--state", str(folder)),
        ],
    }
    return [
        Child(name=name, words=argv, logs=stage.logs) for name, argv in words.items()
    ]


def _with_broker(text: str, old: int, new: str) -> str:
    """Point a site file at the demonstration's own broker."""
    head, section, tail = text.partition("[platform]")
    return head + section + tail.replace(f"port = {old}", f"port = {new}", 1)


def _write(path: Path, value: dict[str, Any]) -> None:
    path.touch(mode=0o600)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


async def _first(
    stop: asyncio.Event, walking: Sequence[asyncio.Task[None]], for_s: float | None
) -> None:
    """Return at the stop or when the time is over; raise what a walker met."""
    stopped = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait(
        {stopped, *walking}, timeout=for_s, return_when=asyncio.FIRST_COMPLETED
    )
    stopped.cancel()
    for task in done - {stopped}:
        task.result()


async def _run(demo: Demo, for_s: float | None) -> dict[str, Any]:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return await demo.run(stop, for_s)


def run_demo(options: DemoOptions) -> int:
    """Play a demonstration; 0 if nothing was lost or doubled."""
    console = Console(stderr=options.is_json)
    site = options.site or config_folder() / "demo.toml"
    settings = load(site)
    folder = options.state or Path(tempfile.mkdtemp(prefix="menshen-demo-"))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    demo = Demo(
        settings=settings,
        site=site,
        stage=Stage(folder=folder),
        seed=options.seed,
        console=console,
    )
    console.print(f"[bold]{settings.site.name}[/bold] · state and logs in {folder}")
    demo.prepare()
    result = asyncio.run(_run(demo, options.for_s))
    if options.state is None:
        shutil.rmtree(folder, ignore_errors=True)
    if options.is_json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            console.print(f"  {name:20} {value}", highlight=False)
    return 0 if is_good(result) else 1
