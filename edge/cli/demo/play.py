# SPDX-License-Identifier: Apache-2.0
"""A whole site alive: its processes, its people, and the way to begin and end it.

The law of the module: demonstrations and system tests are the same play; it asks the
gateway for nothing but its status, and ends the gateway first, so that its last events
still reach the platform.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge.cli.children import Child, free_port, free_udp_ports
from edge.cli.demo.cast import cast, population
from edge.cli.demo.firmware import Firmware
from edge.cli.demo.hardware import (
    controllers,
    hardware,
    moved,
    port_name,
    simulated,
)
from edge.cli.demo.residents import Porch, Shown, Visit, walk_up
from edge.cli.demo.stage import (
    Stage,
    make_secrets,
    pin_platform_keys,
    platform_site,
)
from edge.cli.demo.supervisor import Supervisor
from edge.cli.demo.tablet import Tablet
from edge.cli.system_clock import wall_ms
from edge.control.client import ControlError, ask

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping
    from pathlib import Path

    from edge.cli.demo.cast import Resident
    from edge.settings.site import Device, Settings

READY_WITHIN_S = 30.0
#: How long the last events may take to be acknowledged once the people are gone.
SETTLE_WITHIN_S = 15.0
POLL_S = 0.1


class LostError(Exception):
    """The gateway cannot open what it needs; the text says what that is."""


@dataclass(slots=True, kw_only=True)
class Play:
    """One site in a folder; ``panel_port`` None for no panel, 0 for any free port.

    ``broker_port``: of a broker with a platform behind it that somebody else runs;
    None: the play has both of its own.
    """

    settings: Settings
    site: Path
    stage: Stage
    seed: int
    panel_port: int | None = None
    broker_port: int | None = None
    panel_url: str = ""
    visits: list[Visit] = field(default_factory=list)
    children: dict[str, Child] = field(default_factory=dict)
    people: dict[str, list[Resident]] = field(init=False)
    porches: list[Porch] = field(init=False)
    firmware: Firmware = field(init=False)
    supervisor: Supervisor = field(init=False)
    tablet: Tablet | None = None

    def __post_init__(self) -> None:
        self.people = cast(self.seed, self.settings.plan())
        self.porches = porches(self.settings)
        self.firmware = Firmware(self.stage.firmware_socket)
        self.supervisor = Supervisor(self.children)

    def prepare(self) -> None:
        """Write what the processes will read."""
        settings, folder = self.settings, self.stage.folder
        if self.broker_port is None:
            pin_platform_keys(self.stage, settings)
            write_json(folder / "platform.json", self.known())
        far = sorted(controllers(settings))
        free = free_udp_ports(2 * len(far))
        places = dict(zip(far, zip(free[::2], free[1::2], strict=True), strict=True))
        udp_ports = {port: number for port, (number, _) in places.items()}
        write_json(folder / "firmware.json", hardware(settings, udp_ports))
        broker_port = self.broker_port or free_port()
        text = self.site.read_text(encoding="utf-8")
        text = _with_broker(text, settings.platform.port, broker_port)
        text = moved(text, settings, places)
        (folder / "site.toml").write_text(text, encoding="utf-8")
        for child in self._processes(broker_port):
            self.children[child.name] = child

    def known(self) -> dict[str, Any]:
        """Return the site, its secrets and its people, as the simulation is told."""
        settings = self.settings
        shared = make_secrets(self.stage.folder, settings)
        plan, now_ms = settings.plan(), wall_ms()
        known = population(self.people, plan, shared=shared, now_ms=now_ms)
        return platform_site(settings, shared, known)

    async def start(self) -> None:
        """Start all processes; each waits for the others by itself."""
        for child in self.children.values():
            await child.start()

    async def open(self, stop: asyncio.Event) -> None:
        """Start everything and wait until people are known.

        What dies meanwhile is started again; ChildDiedError when it is hopeless,
        LostError when the gateway lacks its disk or a key.
        """
        await self.start()
        watching = asyncio.create_task(self.supervisor.watch())
        try:
            await self.firmware.open()
            async with asyncio.timeout(READY_WITHIN_S):
                is_known = False
                while not (is_known or stop.is_set()):
                    if watching.done():
                        watching.result()
                    await asyncio.sleep(POLL_S)
                    status = await self.status()
                    if status.get("lost"):
                        raise LostError(f"the gateway only lets out: {status['lost']}")
                    is_known = self._is_up(status)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    def _is_up(self, status: Mapping[str, Any]) -> bool:
        """Say whether people are known and all devices answer that can."""
        there = simulated(self.settings)
        return (
            bool(status)
            and bool(status["roster"]["credentials"])
            and all(
                device["online"]
                for name, device in status["devices"].items()
                if name in there
            )
        )

    def walks(self, *, speed: float) -> Iterator[Coroutine[Any, Any, None]]:
        """Yield the residents of every porch, walking."""
        host = self._host() if self.tablet else None
        for porch in self.porches:
            people = self.people[porch.access_point]
            at_desk = host is not None and porch is host[0]
            yield walk_up(
                self.firmware,
                porch,
                [one for one in people if host is None or one is not host[1]],
                seed=self.seed,
                speed=speed,
                visits=self.visits,
                is_free=self.tablet.is_free if at_desk and self.tablet else None,
            )

    async def welcome(self) -> list[Coroutine[Any, Any, None]]:
        """Make the panel ready for a newcomer; return what keeps it so."""
        if not self.panel_url:
            return []
        self.tablet = Tablet(self.stage.control_socket, self.panel_url)
        host = self._host()
        await self.tablet.settle(host[1].holder if host else "")
        kept = [self.tablet.keep_code()]
        if host:
            kept.append(self.tablet.hold_out(self.firmware, *host))
        return kept

    def _host(self) -> tuple[Porch, Resident] | None:
        """Return the desk, and the volunteer who waits there for newcomers."""
        plan = self.settings.plan()
        for porch in self.porches:
            people = self.people[porch.access_point]
            if plan.access_points[porch.access_point].is_desk:
                mine = (one for one in people if one.part.role == "VOLUNTEER")
                found = next(mine, None)
                return None if found is None else (porch, found)
        return None

    async def settle(self, stop: asyncio.Event) -> None:
        """Give the last events time to be acknowledged."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5 if stop.is_set() else SETTLE_WITHIN_S):
                waiting = True
                while waiting:
                    await asyncio.sleep(POLL_S)
                    events = (await self.status()).get("events", {})
                    waiting = events.get("waiting", 1) > 0

    async def status(self) -> dict[str, Any]:
        """Return the gateway's status, empty while it does not answer."""
        try:
            return await asyncio.to_thread(ask, self.stage.control_socket, "status")
        except ControlError:
            return {}

    async def end(self) -> None:
        """End all processes, the gateway first."""
        if "gateway" in self.children:
            await self.children["gateway"].end()
        await asyncio.gather(*(child.end() for child in self.children.values()))
        await self.firmware.close()

    def _processes(self, broker_port: int) -> Iterator[Child]:
        stage, folder = self.stage, self.stage.folder
        if self.broker_port is None:
            yield self._child("broker", "edge.cli.broker", "--port", broker_port)
            yield self._child(
                "platform",
                "firmware_sim.platform",
                *("--broker", f"127.0.0.1:{broker_port}", "--state", stage.platform),
                *("--site-json", folder / "platform.json"),
            )
        yield self._child(
            "firmware",
            "firmware_sim",
            *("--site", folder / "firmware.json", "--folder", stage.ports),
            *("--control", stage.firmware_socket),
        )
        yield self._child(
            "gateway",
            "edge.cli.run",
            *("--site", folder / "site.toml", "--state", folder),
        )
        if self.panel_port is not None:
            port = self.panel_port or free_port()
            self.panel_url = f"http://127.0.0.1:{port}/"
            yield self._child(
                "panel",
                "edge.panel",
                *("--socket", stage.control_socket, "--port", port),
            )

    def _child(self, name: str, *words: object) -> Child:
        return Child(
            name=name, words=[str(word) for word in words], logs=self.stage.logs
        )


#: What people hold up to the readers of a driver.
SHOWN: Mapping[str, Shown] = {
    "id_card_sam": Shown.CARD,
    "qr_line": Shown.CODE,
    "qr_gm65": Shown.CODE,
    "osdp": Shown.TAG,
    "uhppote": Shown.SWIPE,
}


def porches(settings: Settings) -> list[Porch]:
    """Return the site's access points as people know them, one for each reader.

    Where a reader or a door cannot be simulated nobody comes.
    """
    devices = {device.id: device for device in settings.device}
    boards = {bank.id: bank.device for bank in settings.bank}
    strikes = {door.id: door.strike.device for door in settings.door}
    there = simulated(settings)
    return [
        Porch(
            access_point=point.id,
            door=point.door or "",
            bank=point.bank or "",
            board=boards.get(point.bank or "", ""),
            reader=_reader(settings, devices[reader]),
            port=port_name(devices[reader]),
            shown=SHOWN[devices[reader].driver],
            unit=devices[reader].address,
        )
        for point in settings.access_point
        for reader in point.readers
        if reader in there and (point.door is None or strikes[point.door] in there)
    ]


def _reader(settings: Settings, reader: Device) -> str:
    """Return what the simulation calls a reader: its port, itself, its controller."""
    match SHOWN[reader.driver]:
        case Shown.TAG:
            return reader.id
        case Shown.SWIPE:
            return controllers(settings)[reader.port]
        case _:
            return port_name(reader)


def _with_broker(text: str, old: int, new: int) -> str:
    """Point a site file at the play's broker."""
    head, section, tail = text.partition("[platform]")
    return head + section + tail.replace(f"port = {old}", f"port = {new}", 1)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a file that its owner alone may read."""
    path.touch(mode=0o600)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
