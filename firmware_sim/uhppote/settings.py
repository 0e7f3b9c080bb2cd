# SPDX-License-Identifier: Apache-2.0
"""What a UHPPOTE controller and the network before it can be set to.

The law of the module: values alone; what cannot be is refused when it is written.
Source: uhppoted/uhppote-core; home-assistant integration, issue 18 (firmware 6.62).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Address

from firmware_sim.door import LockKind
from firmware_sim.errors import SimulationError
from firmware_sim.uhppote.cards import DOORS

MAX_SERIAL = 0xFFFFFFFE
#: What the real ring is said to hold at least.
RING_EVENTS = 100_000
#: More than any community has keys; the real list is larger.
LIST_CARDS = 20_000
_SHARES = ("loss", "duplication", "reordering")


@dataclass(frozen=True, slots=True, kw_only=True)
class UhppoteSettings:
    """A kind of controller.

    ``clock``: what its clock shows when it is first told the time. ``drift_ppm``: how
    much faster it runs than ours. ``old_events``: events begin with 19 as with
    firmware 6.62. ``held_open_s``: from when on an open leaf is an alarm; 0: never.
    ``lock``: what holds its leaves. ``keeps_pc_control``: whether it outlives a power
    cut (unverified).
    """

    serial: int = 405_419_896
    doors: int = DOORS
    address: str = "127.0.0.1"
    mask: str = "255.0.0.0"
    gateway: str = "0.0.0.0"  # noqa: S104 (what the device says of itself)
    mac: str = "00:12:23:34:45:56"
    version: int = 0x0892
    released: str = "2023-01-05"
    clock: str = "2026-01-05 08:00:00"
    drift_ppm: float = 0.0
    lock: LockKind = LockKind.STRIKE
    release_s: int = 5
    held_open_s: float = 0.0
    ring_events: int = RING_EVENTS
    list_cards: int = LIST_CARDS
    reply_delay_s: float = 0.0
    old_events: bool = False
    keeps_pc_control: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.serial <= MAX_SERIAL:
            raise SimulationError(f"serial {self.serial} is not 1 to {MAX_SERIAL}")
        if not 1 <= self.doors <= DOORS:
            raise SimulationError(f"{self.doors} is not 1 to {DOORS} doors")
        if min(self.ring_events, self.list_cards) < 1:
            raise SimulationError("a memory holds at least one")
        if not 1 <= self.release_s <= 0xFF:
            raise SimulationError(f"release_s {self.release_s} is not 1 to 255")
        if min(self.held_open_s, self.reply_delay_s) < 0:
            raise SimulationError("times are not negative")
        try:
            for text in (self.address, self.mask, self.gateway):
                IPv4Address(text)
            bytes.fromhex(self.mac.replace(":", ""))
            datetime.fromisoformat(self.clock)
            datetime.fromisoformat(self.released)
        except ValueError as error:
            raise SimulationError(str(error)) from None


class PacketFault(StrEnum):
    """What the network does to one packet."""

    LOST = "lost"
    DOUBLED = "doubled"
    #: It arrives so late that others overtake it.
    LATE = "late"


class Direction(StrEnum):
    """Which way a packet goes."""

    TO_CONTROLLER = "to_controller"
    TO_HOST = "to_host"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """Shares of packets (0 to 1, both ways) and how late a late one is; seeded."""

    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    late_s: float = 0.05
    seed: int = 1

    def __post_init__(self) -> None:
        for name in _SHARES:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise SimulationError(f"{name} is a share; write 0.0 to 1.0")
        if self.late_s < 0:
            raise SimulationError("late_s is not negative")
