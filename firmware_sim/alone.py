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
from firmware_sim.locker_bus import LockerBusSettings
from firmware_sim.locker_settings import LockerBoardSettings, LockerFault
from firmware_sim.qr_scanner import QrScannerSettings
from firmware_sim.relay_board import BoardFault, RelayBoardSettings
from firmware_sim.relay_bus import RelayBusSettings
from firmware_sim.sam_settings import SamFault, SamReaderSettings
from firmware_sim.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from enum import StrEnum

    from _typeshed import DataclassInstance

    from firmware_sim.hand import Hand

#: What a board on a bus is called here; readers bear the name of their port.
BOARD = "board"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """A kind of device.

    ``settings`` and ``bus``: dataclasses whose fields are its knobs. ``faults``: what
    ``spoil`` can do to its next replies. ``verbs``: what a hand can do to it.
    """

    words: str
    kind: str
    settings: type[DataclassInstance]
    bus: type[DataclassInstance] | None = None
    faults: type[StrEnum] | None = None
    spoil: str = ""
    verbs: tuple[str, ...] = ()


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
    "locker_board": Alone(
        words="lock-control board of lockers",
        kind="locker_bus",
        settings=LockerBoardSettings,
        bus=LockerBusSettings,
        faults=LockerFault,
        spoil="spoil_locker",
        verbs=(
            "put_in",
            "take_out",
            "shut",
            "jam",
            "hold_shut",
            "pry",
            "brown_out",
            "spoil_locker",
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
        elif name == "strict_baud":
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
    if kind.bus is None:
        return {"kind": kind.kind, "settings": knobs}
    return {"kind": kind.kind, "bus": bus, "boards": {BOARD: knobs}}


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
