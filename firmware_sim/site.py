# SPDX-License-Identifier: Apache-2.0
"""What stands at a simulated site: lines with their devices, and doors.

The law of the module: a site is a value read from a plain mapping; the world is built
from it. Names of boards (of either kind), readers and scanners are unique over the
whole site.

The mapping::

    {"ports": {
        "bus":   {"kind": "relay_bus", "bus": {"local_echo": false},
                  "boards": {"board-1": {"address": 1, "closed_inputs": [8]}}},
        "bank":  {"kind": "locker_bus", "family": "8a", "bus": {"min_gap_s": 0.004},
                  "boards": {"lockers": {"address": 1, "channels": 12}}},
        "osdp":  {"kind": "osdp_bus",
                  "readers": {"entry": {"address": 5, "base_key": "9B1F…E413"}}},
        "usb":   {"kind": "lcus_relay", "name": "bell", "settings": {"channels": 2}},
        "net":   {"kind": "uhppote", "udp_port": 0, "network": {"loss": 0.01},
                  "controllers": {"hall": {"serial": 405419896}}},
        "id-1":  {"kind": "sam_reader", "settings": {"latencies": "realistic"}},
        "qr-2":  {"kind": "qr_scanner", "settings": {"dialogue": {}}},
        "qr-1":  {"kind": "qr_scanner", "settings": {"framing": "crlf"},
                  "strict_baud": true}},
     "doors": {
        "front": {"board": "board-1", "relay": 1, "contact": 1, "exit_button": 2,
                  "lock": "strike"},
        "side":  {"board": "hall", "relay": 2, "contact": 2, "exit_button": 6}}}

A bank's ``family`` is 8a (which may be left out), kerong, cu48 or wkly. Fields of the
settings are those of ``RelayBoardSettings``, ``RelayBusSettings``,
``LockerBoardSettings`` (or the family's), ``LockerBusSettings``,
``OsdpReaderSettings``, ``OsdpBusSettings``, ``LcusSettings``, ``UhppoteSettings``,
``NetworkSettings``, ``SamReaderSettings``, ``QrScannerSettings`` and
``DoorSettings``. A reader and a scanner bear the name of their port, and so does a USB
relay without a ``name``. A door at a UHPPOTE controller hangs on the terminals of its
number, whose lock is the controller's setting; ``udp_port`` 0 is any free one. With
``strict_baud`` a line garbles all bytes while the gateway's rate is not the device's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from firmware_sim.door import DoorSettings
from firmware_sim.errors import SimulationError
from firmware_sim.id_card.identity_card import IdentityCard
from firmware_sim.id_card.persons import PERSONS
from firmware_sim.id_card.sam_settings import LATENCIES, SamLatencies, SamReaderSettings
from firmware_sim.lockers.locker_bus import LockerBusSettings
from firmware_sim.lockers.locker_families import settings_kind
from firmware_sim.osdp.bus import OsdpBusSettings
from firmware_sim.osdp.settings import OsdpReaderSettings
from firmware_sim.plain import build, expect_mapping
from firmware_sim.relays.lcus_relay import LcusSettings
from firmware_sim.relays.relay_board import RelayBoardSettings
from firmware_sim.relays.relay_bus import RelayBusSettings
from firmware_sim.scanners.qr_scanner import QrScannerSettings
from firmware_sim.site_checks import check_names, check_wiring
from firmware_sim.uhppote.settings import NetworkSettings, UhppoteSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firmware_sim.lockers.locker_settings import BoardTraits
    from firmware_sim.plain import Presets

#: A site is one box's: eight lines are more than any board of the kind carries.
MAX_PORTS = 32
MAX_DOORS = 64
MAX_UDP_PORT = 0xFFFF
PRESETS: Presets = {SamLatencies: LATENCIES, IdentityCard: PERSONS}

Board = TypeVar("Board")
Bus = TypeVar("Bus")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayBusPort:
    """A line with relay boards by their names."""

    boards: Mapping[str, RelayBoardSettings]
    bus: RelayBusSettings = field(default_factory=RelayBusSettings)
    strict_baud: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LockerBusPort:
    """A line with lock-control boards by their names."""

    boards: Mapping[str, BoardTraits]
    bus: LockerBusSettings = field(default_factory=LockerBusSettings)
    strict_baud: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OsdpBusPort:
    """A line with OSDP readers by their names."""

    readers: Mapping[str, OsdpReaderSettings]
    bus: OsdpBusSettings = field(default_factory=OsdpBusSettings)
    strict_baud: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SamReaderPort:
    """A line with an identity-card reader."""

    settings: SamReaderSettings = field(default_factory=SamReaderSettings)
    strict_baud: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QrScannerPort:
    """A line with a QR scanner."""

    settings: QrScannerSettings = field(default_factory=QrScannerSettings)
    strict_baud: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LcusPort:
    """A line with a USB relay; ``name`` empty: that of its port."""

    name: str = ""
    settings: LcusSettings = field(default_factory=LcusSettings)
    strict_baud: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UhppotePort:
    """A UDP port with controllers by their names; no line, and no rate."""

    controllers: Mapping[str, UhppoteSettings]
    network: NetworkSettings = field(default_factory=NetworkSettings)
    udp_port: int = 0
    strict_baud: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.udp_port <= MAX_UDP_PORT:
            raise SimulationError(f"udp_port {self.udp_port} is not 0 to 65535")
        if self.strict_baud:
            raise SimulationError("a network has no rate; leave strict_baud out")


#: Ports whose bytes come in order.
LinePort = (
    RelayBusPort
    | LockerBusPort
    | OsdpBusPort
    | LcusPort
    | SamReaderPort
    | QrScannerPort
)
Port = LinePort | UhppotePort


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Lines and doors by their names; SimulationError if the wiring cannot be."""

    ports: Mapping[str, Port]
    doors: Mapping[str, DoorSettings] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.ports) > MAX_PORTS or len(self.doors) > MAX_DOORS:
            raise SimulationError(f"at most {MAX_PORTS} ports and {MAX_DOORS} doors")
        check_names("board", {name: _boards(name, p) for name, p in self.ports.items()})
        check_names("reader", {n: _readers(n, p) for n, p in self.ports.items()})
        check_wiring(_relay_boards(self.ports), _controllers(self.ports), self.doors)

    @classmethod
    def from_mapping(cls, value: object) -> Site:
        """Read a site as the module's docstring shows it."""
        site = expect_mapping(value, "site")
        unknown = site.keys() - {"ports", "doors"}
        if unknown:
            raise SimulationError(f"site: no {sorted(unknown)}; known: ports, doors")
        ports = expect_mapping(site.get("ports"), "site.ports")
        doors = expect_mapping(site.get("doors", {}), "site.doors")
        return cls(
            ports={name: _port(name, port) for name, port in ports.items()},
            doors={
                name: build(DoorSettings, door, f"site.doors.{name}", PRESETS)
                for name, door in doors.items()
            },
        )


def _port(name: str, value: object) -> Port:
    where = f"site.ports.{name}"
    _check_file_name(name, where)
    fields = dict(expect_mapping(value, where))
    match fields.pop("kind", None):
        case "relay_bus":
            return _relay_bus(fields, where)
        case "locker_bus":
            return _locker_bus(fields, where)
        case "osdp_bus":
            return _osdp_bus(fields, where)
        case "uhppote":
            return _uhppote(fields, where)
        case str() as kind if kind in _ALONE:
            port: Port = build(_ALONE[kind], fields, where, PRESETS)
            return port
        case kind:
            raise SimulationError(
                f"{where}.kind: {kind!r} is not known; write relay_bus, locker_bus, "
                "osdp_bus, uhppote, lcus_relay, sam_reader or qr_scanner"
            )


#: Kinds of port with one device, which are built as they are written.
_ALONE: Mapping[str, type[LcusPort | SamReaderPort | QrScannerPort]] = {
    "lcus_relay": LcusPort,
    "sam_reader": SamReaderPort,
    "qr_scanner": QrScannerPort,
}


def _check_file_name(name: str, where: str) -> None:
    if not name or name.startswith(".") or "/" in name:
        raise SimulationError(f"{where}: a port's name becomes a file's; no / or dot")


def _relay_bus(fields: dict[str, object], where: str) -> RelayBusPort:
    parts = _bus_parts(RelayBoardSettings, RelayBusSettings, fields, where)
    boards, bus, strict_baud = parts
    return RelayBusPort(boards=boards, bus=bus, strict_baud=strict_baud)


def _locker_bus(fields: dict[str, object], where: str) -> LockerBusPort:
    kind = settings_kind(fields.pop("family", "8a"), f"{where}.family")
    parts = _bus_parts(kind, LockerBusSettings, fields, where)
    boards, bus, strict_baud = parts
    return LockerBusPort(boards=boards, bus=bus, strict_baud=strict_baud)


def _osdp_bus(fields: dict[str, object], where: str) -> OsdpBusPort:
    parts = _bus_parts(
        OsdpReaderSettings, OsdpBusSettings, fields, where, members="readers"
    )
    readers, bus, strict_baud = parts
    return OsdpBusPort(readers=readers, bus=bus, strict_baud=strict_baud)


def _uhppote(fields: dict[str, object], where: str) -> UhppotePort:
    udp_port = build(int, fields.pop("udp_port", 0), f"{where}.udp_port", PRESETS)
    parts = _bus_parts(
        UhppoteSettings,
        NetworkSettings,
        {("bus" if name == "network" else name): one for name, one in fields.items()},
        where,
        members="controllers",
    )
    controllers, network, strict_baud = parts
    return UhppotePort(
        controllers=controllers,
        network=network,
        udp_port=udp_port,
        strict_baud=strict_baud,
    )


def _bus_parts(
    board_kind: type[Board],
    bus_kind: type[Bus],
    fields: dict[str, object],
    where: str,
    *,
    members: str = "boards",
) -> tuple[dict[str, Board], Bus, bool]:
    boards = expect_mapping(fields.pop(members, None), f"{where}.{members}")
    strict_baud = fields.pop("strict_baud", False)
    bus = fields.pop("bus", {})
    if fields:
        known = f"{members}, bus"
        raise SimulationError(f"{where}: no {sorted(fields)}; known: {known}")
    return (
        {
            name: build(board_kind, board, f"{where}.{members}.{name}", PRESETS)
            for name, board in boards.items()
        },
        build(bus_kind, bus, f"{where}.bus", PRESETS),
        build(bool, strict_baud, f"{where}.strict_baud", PRESETS),
    )


def _boards(name: str, port: Port) -> list[str]:
    """Return the names of what moves something on a port."""
    match port:
        case RelayBusPort() | LockerBusPort():
            return list(port.boards)
        case UhppotePort():
            return list(port.controllers)
        case LcusPort():
            return [port.name or name]
        case _:
            return []


def _readers(name: str, port: Port) -> list[str]:
    match port:
        case OsdpBusPort():
            return list(port.readers)
        case SamReaderPort():
            return [name]
        case _:
            return []


def _relay_boards(
    ports: Mapping[str, Port],
) -> dict[str, RelayBoardSettings | LcusSettings]:
    boards: dict[str, RelayBoardSettings | LcusSettings] = {}
    for name, port in ports.items():
        if isinstance(port, RelayBusPort):
            boards |= port.boards
        elif isinstance(port, LcusPort):
            boards[port.name or name] = port.settings
    return boards


def _controllers(ports: Mapping[str, Port]) -> dict[str, UhppoteSettings]:
    found: dict[str, UhppoteSettings] = {}
    for port in ports.values():
        if isinstance(port, UhppotePort):
            found |= port.controllers
    return found
