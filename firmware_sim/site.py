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
        "id-1":  {"kind": "sam_reader", "settings": {"latencies": "realistic"}},
        "qr-1":  {"kind": "qr_scanner", "settings": {"framing": "crlf"},
                  "strict_baud": true}},
     "doors": {
        "front": {"board": "board-1", "relay": 1, "contact": 1, "exit_button": 2,
                  "lock": "strike"}}}

A bank's ``family`` is 8a (which may be left out), kerong, cu48 or wkly. Fields of the
settings are those of ``RelayBoardSettings``, ``RelayBusSettings``,
``LockerBoardSettings`` (or the family's), ``LockerBusSettings``,
``OsdpReaderSettings``, ``OsdpBusSettings``, ``SamReaderSettings``,
``QrScannerSettings`` and ``DoorSettings``. A reader and a scanner bear the name of
their port. With ``strict_baud`` a line garbles all bytes while the gateway's rate is
not the device's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from firmware_sim.door import DoorSettings
from firmware_sim.errors import SimulationError
from firmware_sim.identity_card import IdentityCard
from firmware_sim.locker_bus import LockerBusSettings
from firmware_sim.locker_families import settings_kind
from firmware_sim.osdp_bus import OsdpBusSettings
from firmware_sim.osdp_settings import OsdpReaderSettings
from firmware_sim.persons import PERSONS
from firmware_sim.plain import build, expect_mapping
from firmware_sim.qr_scanner import QrScannerSettings
from firmware_sim.relay_board import RelayBoardSettings
from firmware_sim.relay_bus import RelayBusSettings
from firmware_sim.sam_settings import LATENCIES, SamLatencies, SamReaderSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firmware_sim.locker_settings import BoardTraits
    from firmware_sim.plain import Presets

#: A site is one box's: eight lines are more than any board of the kind carries.
MAX_PORTS = 32
MAX_DOORS = 64
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


Port = RelayBusPort | LockerBusPort | OsdpBusPort | SamReaderPort | QrScannerPort


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Lines and doors by their names; SimulationError if the wiring cannot be."""

    ports: Mapping[str, Port]
    doors: Mapping[str, DoorSettings] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.ports) > MAX_PORTS or len(self.doors) > MAX_DOORS:
            raise SimulationError(f"at most {MAX_PORTS} ports and {MAX_DOORS} doors")
        _check_board_names(self.ports)
        _check_reader_names(self.ports)
        _check_wiring(_relay_boards(self.ports), self.doors)

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
        case "sam_reader":
            return build(SamReaderPort, fields, where, PRESETS)
        case "qr_scanner":
            return build(QrScannerPort, fields, where, PRESETS)
        case kind:
            raise SimulationError(
                f"{where}.kind: {kind!r} is not known; "
                "write relay_bus, locker_bus, osdp_bus, sam_reader or qr_scanner"
            )


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


def _check_board_names(ports: Mapping[str, Port]) -> None:
    names: set[str] = set()
    for name, port in ports.items():
        if isinstance(port, RelayBusPort | LockerBusPort):
            twice = names & port.boards.keys()
            if twice:
                raise SimulationError(
                    f"port {name}: board {sorted(twice)} stands twice"
                )
            names |= port.boards.keys()


def _check_reader_names(ports: Mapping[str, Port]) -> None:
    names = {name for name, port in ports.items() if isinstance(port, SamReaderPort)}
    for name, port in ports.items():
        if isinstance(port, OsdpBusPort):
            twice = names & port.readers.keys()
            if twice:
                raise SimulationError(
                    f"port {name}: reader {sorted(twice)} stands twice"
                )
            names |= port.readers.keys()


def _relay_boards(ports: Mapping[str, Port]) -> dict[str, RelayBoardSettings]:
    boards: dict[str, RelayBoardSettings] = {}
    for port in ports.values():
        if isinstance(port, RelayBusPort):
            boards |= port.boards
    return boards


def _check_wiring(
    boards: Mapping[str, RelayBoardSettings], doors: Mapping[str, DoorSettings]
) -> None:
    taken: set[tuple[str, str, int]] = set()
    for name, door in doors.items():
        if door.board not in boards:
            known = ", ".join(boards) or "none"
            raise SimulationError(
                f"door {name}: no board {door.board!r}; known: {known}"
            )
        board = boards[door.board]
        terminals = [("relay", door.relay, board.relays)]
        terminals += [
            ("input", channel, board.inputs)
            for channel in (door.contact, door.exit_button)
            if channel is not None
        ]
        for kind, channel, count in terminals:
            terminal = (door.board, kind, channel)
            if not 1 <= channel <= count:
                raise SimulationError(
                    f"door {name}: {door.board} has {kind} 1 to {count}, not {channel}"
                )
            if terminal in taken:
                raise SimulationError(f"door {name}: {terminal} is wired already")
            taken.add(terminal)
