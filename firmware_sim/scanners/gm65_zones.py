# SPDX-License-Identifier: Apache-2.0
"""The zones of a GM65-family scan module: its settings, byte by byte.

The law of the module: memory and what its bits mean, no time and no line. What works
is ``working``; ``saved`` survives a power cut; ``own`` is what "save as user-defined
defaults" kept. Zones beyond those named here are remembered and do nothing.
Source: Tasmota xsns_107_gm861.ino (dump of zones 0000 to 0061 of a factory-fresh
GM861); GM812 notes from the maker's PDF V1.2.1 (bits). Unverified: that any value but
00 in zone 0003 closes the module to setup codes (the dump's 00 is "setup code on").
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from firmware_sim.errors import SimulationError
from firmware_sim.scanners.qr_style import Coding, Framing, QrStyle
from firmware_sim.wire import FASTEST_BAUD, SLOWEST_BAUD

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Zones 0000 to 0061 as a factory-fresh GM861 tells them.
FACTORY_DUMP: Final = bytes.fromhex(
    "D6002000000A3201 2C00873C01A11C32 0300800006000000 0000000000000000"
    "0002803C00000006 0000390105640D0D 0D010D0104800904 8005048001048001"
    "0804800804800804 8008048008018000 0000048001010000 0000048000000300"
    "0100"
)
#: 0000 to 0132, the last character of the suffix, and a little room.
ZONES: Final = 0x0140
#: What the rate in zone 002A divides.
BAUD_CLOCK_HZ = 3_000_000
#: A zone's count of tenths of a second.
TENTH_S = 0.1


class Zone(IntEnum):
    """The zones that do something here."""

    MODE = 0x0000
    TRIGGER = 0x0002
    SETUP_CODES = 0x0003
    READ_GAP = 0x0005
    READ_TIMEOUT = 0x0006
    OUTPUT = 0x000D
    SAME_CODE = 0x0013
    BAUD = 0x002A
    TAIL = 0x0060
    AIM_PREFIX = 0x00D0
    CONTROL = 0x00D9
    SOFTWARE_VERSION = 0x00E2


class ReadMode(IntEnum):
    """Bits 1-0 of zone 0000."""

    BUTTON = 0
    COMMAND = 1
    CONTINUOUS = 2
    PRESENCE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneValue:
    """What one zone holds."""

    address: int
    value: int

    def __post_init__(self) -> None:
        if not (0 <= self.address < ZONES and 0 <= self.value <= 0xFF):
            raise SimulationError(
                f"a zone is 0 to {ZONES - 1} and holds 0 to 255, "
                f"not {self.address} and {self.value}"
            )


_TAIL_KINDS = {0: Framing.CR, 1: Framing.CRLF, 2: Framing.TABULATOR, 3: Framing.NONE}
_CODINGS = {0: Coding.GB18030, 1: Coding.UTF_8, 2: Coding.BIG5, 3: Coding.GB18030}


class Gm65Zones:
    """A module's memory; made new it holds the factory's values and ``commissioned``.

    Addresses beyond the memory read as 00 and take nothing.
    """

    def __init__(
        self, commissioned: Iterable[ZoneValue] = (), *, software_version: int = 0x69
    ) -> None:
        self._factory = bytes(_factory(software_version))
        self.saved = bytearray(self._factory)
        for zone in commissioned:
            self.saved[zone.address] = zone.value
        self.own = bytes(self.saved)
        self.working = bytearray(self.saved)

    def read(self, address: int, count: int) -> bytes:
        """Return ``count`` zones from ``address`` on."""
        return bytes(self.working[address : address + count]).ljust(count, b"\x00")

    def write(self, address: int, data: bytes) -> None:
        """Set consecutive zones; the version stays what it is."""
        for zone, value in enumerate(data, start=address):
            if zone < ZONES and zone != Zone.SOFTWARE_VERSION:
                self.working[zone] = value

    def save(self) -> None:
        """Keep what works over a power cut."""
        self.saved[:] = self.working

    def load(self) -> None:
        """Work with what was saved: the power came back."""
        self.working[:] = self.saved

    def reset(self) -> None:
        """Become as from the factory, saved."""
        self.working[:] = self.saved[:] = self._factory

    def keep_own(self) -> None:
        """Save as user-defined defaults."""
        self.own = bytes(self.working)

    def restore_own(self) -> None:
        """Restore the user-defined defaults, saved."""
        self.working[:] = self.saved[:] = self.own

    # -- what the bits mean --------------------------------------------------------

    @property
    def mode(self) -> ReadMode:
        """When a code is looked for."""
        return ReadMode(self.working[Zone.MODE] & 0b11)

    @property
    def setup_codes_work(self) -> bool:
        """Whether whoever holds up a setup code is obeyed."""
        return self.working[Zone.SETUP_CODES] == 0

    @property
    def is_triggered(self) -> bool:
        """Whether bit 0 of the trigger zone asks for one read."""
        return bool(self.working[Zone.TRIGGER] & 1)

    def end_trigger(self) -> None:
        """Take the trigger back: a code was read or its time is over."""
        self.working[Zone.TRIGGER] &= 0xFE

    @property
    def read_gap_s(self) -> float:
        """The pause behind a read."""
        return self.working[Zone.READ_GAP] * TENTH_S

    @property
    def read_timeout_s(self) -> float | None:
        """How long a triggered read lasts; None: for ever."""
        return self.working[Zone.READ_TIMEOUT] * TENTH_S or None

    @property
    def prints_on_line(self) -> bool:
        """Whether codes leave by the line: anything but the USB keyboard does."""
        return self.working[Zone.OUTPUT] & 0b11 != 0b01

    @property
    def baud(self) -> int | None:
        """The rate of zone 002A; None for one that no line has."""
        low, high = self.working[Zone.BAUD : Zone.BAUD + 2]
        divisor = high << 8 | low
        if not divisor:
            return None
        return _standard(BAUD_CLOCK_HZ / divisor)

    def same_code_delay_s(self, unit_s: float) -> float:
        """How long the same code is not told again; bit 7 switches it on."""
        zone = self.working[Zone.SAME_CODE]
        return (zone & 0x7F) * unit_s if zone & 0x80 else 0.0

    def style(self, *, eci_prefix: bool) -> QrStyle:
        """What stands around a payload, and its coding."""
        tail = self.working[Zone.TAIL]
        framing = Framing.NONE
        if tail & 0x80:
            framing = Framing.LENGTH_PREFIXED
        elif tail & 0x01:
            framing = _TAIL_KINDS[tail >> 5 & 0b11]
        return QrStyle(
            framing=framing,
            coding=_CODINGS[self.working[Zone.OUTPUT] >> 2 & 0b11],
            aim_prefix=bool(self.working[Zone.AIM_PREFIX] & 0x80),
            eci_prefix=eci_prefix,
        )


def _factory(software_version: int) -> bytearray:
    zones = bytearray(ZONES)
    zones[: len(FACTORY_DUMP)] = FACTORY_DUMP
    zones[Zone.SOFTWARE_VERSION] = software_version
    return zones


#: The rates that a divisor of 3 MHz only comes near to.
_RATES = (1_200, 2_400, 4_800, 9_600, 14_400, 19_200, 38_400, 57_600, 115_200)


def _standard(rate: float) -> int | None:
    """Return the rate meant: a divisor is off by up to 2 %, as 57600 is by 0.2 %."""
    for known in _RATES:
        if abs(rate - known) <= known * 0.02:
            return known
    return int(rate) if SLOWEST_BAUD <= rate <= FASTEST_BAUD else None
