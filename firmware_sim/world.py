# SPDX-License-Identifier: Apache-2.0
"""The simulated world: all devices and doors of a site, wired to each other.

The law of the module: time is told, never asked; what was due happens in the order of
its times, however late ``tick`` is called; a relay that moves is heard by its door at
once, and a door that moves by its board's input. No file, no clock, no event loop.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_sim.door import Door, DoorSettings, DoorSnapshot
from firmware_sim.errors import SimulationError
from firmware_sim.happening import MAX_REMEMBERED, Happening, Subject, What
from firmware_sim.id_card.sam_reader import SamReader, SamReaderSnapshot
from firmware_sim.lockers.locker_board import LockerBoard, LockerBoardSnapshot
from firmware_sim.lockers.locker_bus import LockerBus
from firmware_sim.osdp.bus import OsdpBus
from firmware_sim.osdp.reader import OsdpReader, OsdpReaderSnapshot
from firmware_sim.outbox import earliest
from firmware_sim.relays.lcus_relay import LcusRelay, LcusSnapshot
from firmware_sim.relays.relay_board import RelayBoard, RelayBoardSnapshot
from firmware_sim.relays.relay_bus import RelayBus
from firmware_sim.scanners.qr_scanner import QrScanner, QrScannerSnapshot
from firmware_sim.site import (
    LcusPort,
    LockerBusPort,
    OsdpBusPort,
    QrScannerPort,
    RelayBusPort,
    SamReaderPort,
    Site,
    UhppotePort,
)
from firmware_sim.uhppote.controller import UhppoteController, UhppoteSnapshot
from firmware_sim.uhppote.network import UhppoteNetwork
from firmware_sim.wire import garbled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firmware_sim.device import SimulatedDevice
    from firmware_sim.site import LinePort
    from firmware_sim.uhppote.controller import Address, Datagram

_RELAY_MOVES = {What.RELAY_ON: True, What.RELAY_OFF: False}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSnapshot:
    """Everything as it stands, by name."""

    doors: Mapping[str, DoorSnapshot]
    boards: Mapping[str, RelayBoardSnapshot]
    usb_relays: Mapping[str, LcusSnapshot]
    controllers: Mapping[str, UhppoteSnapshot]
    lockers: Mapping[str, LockerBoardSnapshot]
    readers: Mapping[str, SamReaderSnapshot]
    osdp_readers: Mapping[str, OsdpReaderSnapshot]
    scanners: Mapping[str, QrScannerSnapshot]


class World:
    """A site come alive.

    Ask ``ports`` for the names of the lines and ``networks`` for those of the UDP
    ports; hands act through
    :class:`firmware_sim.hand.Hand`, or on a device itself between two calls of
    :meth:`tick`.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.boards: dict[str, RelayBoard] = {}
        self.usb_relays: dict[str, LcusRelay] = {}
        self.controllers: dict[str, UhppoteController] = {}
        self.lockers: dict[str, LockerBoard] = {}
        self.readers: dict[str, SamReader] = {}
        self.osdp_readers: dict[str, OsdpReader] = {}
        self.scanners: dict[str, QrScanner] = {}
        self.ports: dict[str, SimulatedDevice] = {}
        self.networks: dict[str, UhppoteNetwork] = {}
        for name, port in site.ports.items():
            if isinstance(port, UhppotePort):
                self.networks[name] = self._network(port)
            else:
                self.ports[name] = self._device(name, port)
        self.doors = {name: self._door(name, door) for name, door in site.doors.items()}
        #: Doors whose wires end at relay boards; a controller's are its own matter.
        self._wired = {
            name: door
            for name, door in site.doors.items()
            if door.board not in self.controllers
        }
        self._strict = {name for name, port in site.ports.items() if port.strict_baud}
        self._relays = {
            (door.board, door.relay): self.doors[name]
            for name, door in self._wired.items()
        }
        self._inputs = {
            (door.board, channel)
            for door in self._wired.values()
            for channel in (door.contact, door.exit_button)
        }
        self._news: deque[Happening] = deque(maxlen=MAX_REMEMBERED)
        self._now = 0.0
        for name, door in self._wired.items():
            self._tell_inputs(name, door, 0.0)
        self._settle()

    # -- the wires -----------------------------------------------------------------

    def receive(
        self, port: str, data: bytes, now: float, *, line_baud: int | None = None
    ) -> None:
        """Hand the gateway's bytes to the device of ``port``.

        ``line_baud`` is the gateway's rate if the host knows it; see ``strict_baud``.
        """
        self._advance(now)
        device = self._port(port)
        if line_baud is not None and port in self._strict:
            data = garbled(data, sent_at=line_baud, heard_at=device.baud)
        device.receive(data, now)
        self._settle()

    def take_outgoing(
        self, port: str, now: float, *, line_baud: int | None = None
    ) -> bytes:
        """Return what the device of ``port`` says by ``now``."""
        device = self._port(port)
        baud = device.baud
        data = device.take_outgoing(now)
        if data and line_baud is not None and port in self._strict:
            data = garbled(data, sent_at=baud, heard_at=line_baud)
        self._settle()
        return data

    def receive_datagram(
        self, port: str, data: bytes, sender: Address, now: float
    ) -> None:
        """Hand a datagram of the gateway's to the controllers of ``port``."""
        self._advance(now)
        self.networks[port].receive(data, sender, now)
        self._settle()

    def take_datagrams(self, port: str, now: float) -> list[Datagram]:
        """Return what the controllers of ``port`` say by ``now``."""
        datagrams = self.networks[port].take_outgoing(now)
        self._settle()
        return datagrams

    def is_strict(self, port: str) -> bool:
        """Tell whether the rate of the gateway matters on ``port``."""
        return port in self._strict

    # -- time ----------------------------------------------------------------------

    def deadline(self) -> float | None:
        """Return when something happens by itself, or a reply is due."""
        doors = (door.next_change() for door in self.doors.values())
        networks = (network.deadline() for network in self.networks.values())
        ports = (port.deadline() for port in self.ports.values())
        return earliest(*doors, *networks, *ports)

    def tick(self, now: float) -> None:
        """Let all happen that was due by ``now``, and settle what it causes."""
        self._advance(now)
        for device in self.ports.values():
            device.tick(now)
        for network in self.networks.values():
            network.tick(now)
        self._settle()

    def take_happenings(self) -> tuple[Happening, ...]:
        """Return what happened since the last call, in order.

        Nobody asking, the oldest beyond ``MAX_REMEMBERED`` are forgotten.
        """
        news = tuple(self._news)
        self._news.clear()
        return news

    def snapshot(self) -> WorldSnapshot:
        """Return everything as it stands."""
        return WorldSnapshot(
            doors={name: door.snapshot() for name, door in self.doors.items()},
            boards={name: board.snapshot() for name, board in self.boards.items()},
            usb_relays={name: one.snapshot() for name, one in self.usb_relays.items()},
            controllers={
                name: one.snapshot(self._now) for name, one in self.controllers.items()
            },
            lockers={name: board.snapshot() for name, board in self.lockers.items()},
            readers={name: reader.snapshot() for name, reader in self.readers.items()},
            osdp_readers={
                name: reader.snapshot() for name, reader in self.osdp_readers.items()
            },
            scanners={name: one.snapshot() for name, one in self.scanners.items()},
        )

    def is_wired_input(self, board: str, channel: int) -> bool:
        """Tell whether a door already hangs on that input (from 1)."""
        return (board, channel) in self._inputs

    # -- inside --------------------------------------------------------------------

    def _network(self, port: UhppotePort) -> UhppoteNetwork:
        controllers = {
            name: UhppoteController(settings, name=name)
            for name, settings in port.controllers.items()
        }
        self.controllers |= controllers
        return UhppoteNetwork(controllers, port.network)

    def _door(self, name: str, wiring: DoorSettings) -> Door:
        """Return a door, which at a controller is there already, under its name."""
        if wiring.board not in self.controllers:
            return Door(wiring.lock, name=name)
        door = self.controllers[wiring.board].board.posts[wiring.relay].door
        door.diary.name = name
        return door

    def _device(self, name: str, port: LinePort) -> SimulatedDevice:
        match port:
            case LcusPort():
                board = port.name or name
                relay = self.usb_relays[board] = LcusRelay(port.settings, name=board)
                return relay
            case SamReaderPort():
                reader = self.readers[name] = SamReader(port.settings, name=name)
                return reader
            case QrScannerPort():
                scanner = self.scanners[name] = QrScanner(port.settings, name=name)
                return scanner
            case RelayBusPort():
                boards = {
                    board: RelayBoard(settings, name=board)
                    for board, settings in port.boards.items()
                }
                self.boards |= boards
                return RelayBus(boards.values(), port.bus)
            case LockerBusPort():
                lockers = {
                    board: LockerBoard(settings, name=board)
                    for board, settings in port.boards.items()
                }
                self.lockers |= lockers
                return LockerBus(lockers.values(), port.bus)
            case OsdpBusPort():
                readers = {
                    one: OsdpReader(settings, name=one)
                    for one, settings in port.readers.items()
                }
                self.osdp_readers |= readers
                return OsdpBus(readers.values(), port.bus)

    def _port(self, name: str) -> SimulatedDevice:
        device = self.ports.get(name)
        if device is None:
            known = ", ".join(self.ports)
            raise SimulationError(f"no port {name!r}; this world has: {known}")
        return device

    def _advance(self, now: float) -> None:
        """Step from change to change: each one's consequences before the next."""
        self._now = max(self._now, now)
        while (due := self._next_change()) is not None and due <= now:
            for board in self._relay_boards():
                board.tick(due)
            for door in self.doors.values():
                door.tick(due)
            self._settle()

    def _relay_boards(self) -> list[RelayBoard | LcusRelay]:
        return [*self.boards.values(), *self.usb_relays.values()]

    def _next_change(self) -> float | None:
        boards = (board.next_change() for board in self._relay_boards())
        return earliest(*boards, *(door.next_change() for door in self.doors.values()))

    def _settle(self) -> None:
        """Carry changes over the wires until nothing moves any more.

        It ends: an input may move a relay and a relay a lock, but no lock moves a
        leaf or a button.
        """
        while news := self._collect():
            self._news.extend(news)
            for happening in news:
                self._carry(happening)

    def _collect(self) -> list[Happening]:
        boards = (self.boards, self.usb_relays, self.lockers)
        readers = (self.readers, self.osdp_readers, self.scanners)
        things = (*boards, self.doors, *readers)
        news: list[Happening] = []
        for group in things:
            for thing in group.values():
                news += thing.diary.take_news()
        for network in self.networks.values():
            news += network.take_happenings()
        return news

    def _carry(self, happening: Happening) -> None:
        if happening.subject is Subject.DOOR:
            door = self._wired.get(happening.name)
            if door is not None:
                self._tell_inputs(happening.name, door, happening.at)
        elif happening.what in _RELAY_MOVES and happening.channel is not None:
            wired = self._relays.get((happening.name, happening.channel))
            if wired is not None:
                wired.relay_changed(happening.at, is_on=_RELAY_MOVES[happening.what])

    def _tell_inputs(self, name: str, wiring: DoorSettings, at: float) -> None:
        board = self.boards.get(wiring.board)
        if board is None:
            return  # a USB relay feels nothing
        door = self.doors[name]
        if wiring.contact is not None:
            closed = door.contact_is_closed
            board.set_input(wiring.contact, at, is_closed=closed)
        if wiring.exit_button is not None:
            pressed = door.button_is_pressed
            board.set_input(wiring.exit_button, at, is_closed=pressed)
