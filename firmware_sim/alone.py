# SPDX-License-Identifier: Apache-2.0
"""One simulated device by itself: which there are, their knobs, faults and hands.

The law of the module: one entry a device, and what the others need of it stands there;
the device itself is built from the same mapping as any site. Adding a device is one
entry of :data:`ALONE`.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from firmware_sim.errors import SimulationError
from firmware_sim.id_card.sam_settings import SamFault, SamReaderSettings
from firmware_sim.lockers.cu48 import Cu48Settings
from firmware_sim.lockers.kerong import KerongSettings
from firmware_sim.lockers.locker_bus import LockerBusSettings
from firmware_sim.lockers.locker_settings import LockerBoardSettings, LockerFault
from firmware_sim.lockers.wkly import WklySettings
from firmware_sim.osdp.bus import OsdpBusSettings
from firmware_sim.osdp.settings import OsdpFault, OsdpReaderSettings
from firmware_sim.relays.lcus_relay import LcusFault, LcusSettings
from firmware_sim.relays.relay_board import BoardFault, RelayBoardSettings
from firmware_sim.relays.relay_bus import RelayBusSettings
from firmware_sim.scanners.qr_settings import (
    Gm65Settings,
    QrScannerSettings,
    ScannerFault,
)
from firmware_sim.site import Site
from firmware_sim.uhppote.settings import NetworkSettings, UhppoteSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from enum import StrEnum

    from _typeshed import DataclassInstance

    from firmware_sim.hand import Hand
    from firmware_sim.lockers.locker_settings import BoardTraits

#: What a board on a bus is called here; what is alone bears the name of its port.
BOARD = "board"
_LOCKER_VERBS = (
    "put_in",
    "take_out",
    "shut",
    "jam",
    "hold_shut",
    "pry",
    "brown_out",
    "spoil_locker",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """A kind of device.

    ``settings`` and ``bus``: dataclasses whose fields are its knobs. ``members``: what
    the devices on a bus are called, and ``bus_is`` the bus itself. ``fixed``: what else
    its port says. ``settings_in``: the table inside a device's own that the knobs are
    of. ``has_rate``: it hangs on a line. ``faults``: what ``spoil`` can do to its next
    replies. ``verbs``: what a hand can do to it.
    """

    words: str
    kind: str
    settings: type[DataclassInstance]
    bus: type[DataclassInstance] | None = None
    members: str = "boards"
    bus_is: str = "bus"
    fixed: Mapping[str, str] = field(default_factory=dict)
    settings_in: str = ""
    has_rate: bool = True
    faults: type[StrEnum] | None = None
    spoil: str = ""
    verbs: tuple[str, ...] = ()


def _lockers(words: str, family: str, settings: type[BoardTraits]) -> Alone:
    return Alone(
        words=f"lock-control board {words}",
        kind="locker_bus",
        settings=settings,
        bus=LockerBusSettings,
        fixed={"family": family},
        faults=LockerFault,
        spoil="spoil_locker",
        verbs=_LOCKER_VERBS,
    )


ALONE: Mapping[str, Alone] = {
    "relay_board": Alone(
        words="relay and input board on Modbus RTU (Waveshare)",
        kind="relay_bus",
        settings=RelayBoardSettings,
        bus=RelayBusSettings,
        faults=BoardFault,
        spoil="spoil_board",
        verbs=("set_input", "weld", "brown_out", "spoil_board"),
    ),
    "usb_relay": Alone(
        words="USB relay of the LCUS kind",
        kind="lcus_relay",
        settings=LcusSettings,
        faults=LcusFault,
        spoil="spoil_usb_relay",
        verbs=("weld", "brown_out", "spoil_usb_relay"),
    ),
    "uhppote": Alone(
        words="UHPPOTE (Weigeng) controller on a UDP port",
        kind="uhppote",
        settings=UhppoteSettings,
        bus=NetworkSettings,
        members="controllers",
        bus_is="network",
        has_rate=False,
        verbs=(
            "swipe_at_controller",
            "type_passcode",
            "darken_controller",
            "spoil_packets",
        ),
    ),
    "locker_board": _lockers("of the 8A kind", "8a", LockerBoardSettings),
    "locker_kerong": _lockers("of KERONG's first kind", "kerong", KerongSettings),
    "locker_cu48": _lockers("of KERONG's second kind", "cu48", Cu48Settings),
    "locker_wkly": _lockers("that speaks WKLY", "wkly", WklySettings),
    "osdp_reader": Alone(
        words="OSDP reader with keypad, lamp, buzzer and screen",
        kind="osdp_bus",
        settings=OsdpReaderSettings,
        bus=OsdpBusSettings,
        members="readers",
        faults=OsdpFault,
        spoil="spoil_osdp",
        verbs=(
            "present_card",
            "swipe",
            "type_keys",
            "tamper",
            "fail_supply",
            "set_reader_input",
            "press_reader_exit",
            "darken_reader",
            "pull_reader_wire",
            "spoil_osdp",
        ),
    ),
    "sam_reader": Alone(
        words="identity-card reader with a SAM_V module",
        kind="sam_reader",
        settings=SamReaderSettings,
        faults=SamFault,
        spoil="spoil_reader",
        verbs=("put_card", "take_card", "power_cycle", "spoil_reader"),
    ),
    "qr_scanner": Alone(
        words="QR scanner",
        kind="qr_scanner",
        settings=QrScannerSettings,
        verbs=("show_code",),
    ),
    "gm65_scanner": Alone(
        words="QR scan module of the GM65 family, with its dialogue",
        kind="qr_scanner",
        settings=Gm65Settings,
        settings_in="dialogue",
        faults=ScannerFault,
        spoil="spoil_scanner",
        verbs=(
            "show_code",
            "show_setup_code",
            "power_cycle_scanner",
            "spoil_scanner",
        ),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A device as wished: its site, what the hand calls it, and what is spoilt."""

    kind: Alone
    site: Site
    name: str
    spoilt: Mapping[str, int] = field(default_factory=dict)

    def apply(self, hand: Hand) -> None:
        """Spoil the replies that were to be spoilt."""
        if self.kind.faults is not None:
            for fault, replies in self.spoilt.items():
                spoil = getattr(hand, self.kind.spoil)
                spoil(self.name, self.kind.faults(fault), replies)


def choose(device: str, port: str, wishes: Sequence[str]) -> Chosen:
    """Return the device with knobs and faults ``NAME=VALUE``; SimulationError.

    A value is JSON where it can be read so (``0.5``, ``true``, ``[1, 2]``), else text.
    A fault's value is the number of replies that it spoils.
    """
    kind = ALONE.get(device)
    if kind is None:
        known = ", ".join(ALONE)
        raise SimulationError(f"no device {device!r}; there are: {known}")
    knobs: dict[str, object] = {}
    bus: dict[str, object] = {}
    line: dict[str, object] = {}
    spoilt: dict[str, int] = {}
    for name, value in map(_wish, wishes):
        if kind.faults is not None and name in list(kind.faults):
            spoilt[name] = _count(name, value)
        elif name in _names(kind.settings):
            knobs[name] = value
        elif kind.bus is not None and name in _names(kind.bus):
            bus[name] = value
        elif name == "strict_baud" and kind.has_rate:
            line[name] = value
        else:
            known = ", ".join(name for name, _ in knobs_of(kind))
            raise SimulationError(f"{device} has no {name!r}; it has: {known}")
    return Chosen(
        kind=kind,
        site=Site.from_mapping({"ports": {port: _port(kind, knobs, bus) | line}}),
        name=BOARD if kind.bus is not None else port,
        spoilt=spoilt,
    )


def knobs_of(kind: Alone) -> Iterator[tuple[str, str]]:
    """Yield each name that a wish may set, and what it is by itself."""
    for group in (kind.settings, kind.bus):
        if group is not None:
            for one in fields(group):
                value = one.default
                shown = "" if value is MISSING else _shown(value)
                yield one.name, shown
    if kind.has_rate:
        yield "strict_baud", "false"
    for fault in kind.faults or ():
        yield str(fault), "replies to spoil"


def _shown(value: object) -> str:
    try:
        return json.dumps(value)
    except TypeError:
        return ""


def _port(
    kind: Alone, knobs: dict[str, object], bus: dict[str, object]
) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": kind.kind, **kind.fixed}
    if kind.bus is not None:
        return told | {kind.bus_is: bus, kind.members: {BOARD: knobs}}
    settings = {kind.settings_in: knobs} if kind.settings_in else knobs
    return told | {"settings": settings}


def _names(group: type[DataclassInstance]) -> set[str]:
    return {one.name for one in fields(group)}


def _wish(text: str) -> tuple[str, object]:
    name, is_there, value = text.partition("=")
    if not is_there or not name:
        raise SimulationError(f"{text!r} is no NAME=VALUE; write it like wrong_crc=3")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _count(name: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise SimulationError(f"{name}={value}: write how many replies it spoils")
