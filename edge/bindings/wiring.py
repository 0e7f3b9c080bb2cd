# SPDX-License-Identifier: Apache-2.0
"""Which wire belongs to which door, reader and board, looked up both ways.

The law of the module: made once by the roof and never changed; a wire is a
``(device, channel)`` pair, channels counted from 1 as printed on the board.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Wire = tuple[str, int]
#: A compartment: its bank and the number on its leaf.
Cell = tuple[str, int]


class InputRole(StrEnum):
    """What an input is for."""

    CONTACT = "contact"
    EXIT_BUTTON = "exit_button"
    FIRE = "fire"
    BELL = "bell"
    TAMPER = "tamper"
    SUPPLY = "supply"


@dataclass(frozen=True, slots=True, kw_only=True)
class WiredInput:
    """An input's role, what it is of, and the level that means "yes".

    ``of`` is the door or the sensor; "" for fire. A tamper switch ``guards`` readers.
    """

    role: InputRole
    of: str
    is_yes_when_closed: bool
    guards: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """The site's wires; ``places`` are each device's port and address."""

    places: Mapping[str, tuple[str, int]]
    access_points: Mapping[str, str]
    inputs: Mapping[Wire, WiredInput]
    strikes: Mapping[str, Wire]
    #: The devices at an access point that can tell the person something.
    displays: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: The lock of each compartment; its feedback is the input of the same channel.
    locks: Mapping[Cell, Wire] = field(default_factory=dict)
    #: The output of each appliance.
    appliances: Mapping[str, Wire] = field(default_factory=dict)
    #: The lamps beside an access point, by their colours.
    lamps: Mapping[str, Mapping[str, Wire]] = field(default_factory=dict)

    def doors_of(self, device: str) -> tuple[str, ...]:
        """Return the doors whose lock hangs on a board."""
        return tuple(
            door for door, (board, _) in self.strikes.items() if board == device
        )

    def appliances_of(self, device: str) -> tuple[str, ...]:
        """Return the appliances that a board switches."""
        return tuple(
            name for name, (board, _) in self.appliances.items() if board == device
        )

    def sensed(self) -> frozenset[str]:
        """Return the devices that are asked for an input."""
        return frozenset(board for board, _ in self.inputs)

    def senses_fire(self, device: str) -> bool:
        """Say whether the fire panel's contact hangs on a device."""
        return any(
            board == device and wired.role is InputRole.FIRE
            for (board, _), wired in self.inputs.items()
        )

    def guards(self) -> Mapping[str, frozenset[str]]:
        """Return the readers that each tamper switch guards."""
        return {
            wired.of: wired.guards
            for wired in self.inputs.values()
            if wired.role is InputRole.TAMPER
        }

    def boards(self) -> frozenset[str]:
        """Return the devices that drive an output or are asked for an input."""
        wires = (*self.strikes.values(), *self.appliances.values())
        return self.sensed() | {board for board, _ in wires}
