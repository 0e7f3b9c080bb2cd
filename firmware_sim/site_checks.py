# SPDX-License-Identifier: Apache-2.0
"""What one port of a simulated site cannot show: names that clash, impossible wires.

The law of the module: it looks and changes nothing; a SimulationError says what there
is instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from firmware_sim.door import LockKind
from firmware_sim.errors import SimulationError
from firmware_sim.uhppote.cards import DOORS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from firmware_sim.door import DoorSettings
    from firmware_sim.uhppote.settings import UhppoteSettings


class Terminals(Protocol):
    """How many relays and inputs a board has."""

    @property
    def relays(self) -> int:
        """Relays, counted from 1."""

    @property
    def inputs(self) -> int:
        """Inputs, counted from 1."""


def check_names(kind: str, by_port: Mapping[str, Iterable[str]]) -> None:
    """Refuse a name that stands at two ports."""
    names: set[str] = set()
    for port, here in by_port.items():
        twice = names.intersection(here)
        if twice:
            raise SimulationError(f"port {port}: {kind} {sorted(twice)} stands twice")
        names.update(here)


def check_wiring(
    boards: Mapping[str, Terminals],
    controllers: Mapping[str, UhppoteSettings],
    doors: Mapping[str, DoorSettings],
) -> None:
    """Refuse doors at boards, terminals or numbers that there are not, or twice."""
    taken: set[tuple[str, str, int]] = set()
    for name, door in doors.items():
        if door.board in boards:
            _check_terminals(name, door, boards[door.board])
        elif door.board in controllers:
            _check_number(name, door, controllers[door.board])
        else:
            known = ", ".join([*boards, *controllers]) or "none"
            raise SimulationError(
                f"door {name}: no board {door.board!r}; known: {known}"
            )
        for kind, channel in _wires(door):
            terminal = (door.board, kind, channel)
            if terminal in taken:
                raise SimulationError(f"door {name}: {terminal} is wired already")
            taken.add(terminal)


def _wires(door: DoorSettings) -> list[tuple[str, int]]:
    inputs = [one for one in (door.contact, door.exit_button) if one is not None]
    return [("relay", door.relay), *(("input", channel) for channel in inputs)]


def _check_terminals(name: str, door: DoorSettings, board: Terminals) -> None:
    for kind, channel in _wires(door):
        count = board.relays if kind == "relay" else board.inputs
        if not 1 <= channel <= count:
            there = f"{kind} 1 to {count}" if count else f"no {kind}"
            raise SimulationError(
                f"door {name}: {door.board} has {there}, not {channel}"
            )


def _check_number(name: str, door: DoorSettings, board: UhppoteSettings) -> None:
    """Check a door of a controller, whose terminals belong together by number."""
    number = door.relay
    if not 1 <= number <= board.doors:
        raise SimulationError(
            f"door {name}: {door.board} has door 1 to {board.doors}, not {number}"
        )
    is_own = door.contact in (None, number) and (
        door.exit_button in (None, number + DOORS)
    )
    if not is_own:
        raise SimulationError(
            f"door {name}: at a controller door {number} has contact {number} and "
            f"exit button {number + DOORS}"
        )
    if door.lock not in (LockKind.STRIKE, board.lock):
        raise SimulationError(f"door {name}: its lock is a setting of {door.board}")
