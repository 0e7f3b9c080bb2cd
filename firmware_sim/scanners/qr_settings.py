# SPDX-License-Identifier: Apache-2.0
"""The knobs of a simulated scan module, and the mishaps it can be given.

The law of the module: knobs describe a kind of module and stay; a fault spoils a
counted number of replies and is gone. A module with a dialogue has its style, its
same-code delay and its rate from its zones alone.
Source: specter-diy PR #401 and issue #355 (1.5 s of reboot, replies after some 200 ms);
the zones' sources in :mod:`firmware_sim.scanners.gm65_zones`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from firmware_sim.errors import SimulationError

# Read while running: site files are checked by these annotations.
from firmware_sim.scanners.gm65_zones import ZoneValue  # noqa: TC001
from firmware_sim.scanners.qr_style import Coding, Framing, QrStyle
from firmware_sim.wire import check_baud

#: The slowest reply that users of the family waited for.
MAX_REPLY_DELAY_S = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Gm65Settings:
    """A module that listens, of the GM65 family.

    ``commissioned``: zones that somebody set and saved before, over the factory's;
    fresh from there it is a USB keyboard, and its line prints nothing.
    ``reply_delay_s``: from a request's last byte to its reply's first.
    ``halt_s``: how long a halved reply stands still in its middle.
    ``reboot_s``: deaf and blind for so long after a reset or a power cut.
    ``same_code_unit_s``: what zone 0013 counts (0.1 by the maker's text; a user's
    comment has 1.0: unverified). ``software_version``: of zone 00E2.
    """

    commissioned: tuple[ZoneValue, ...] = ()
    reply_delay_s: float = 0.02
    halt_s: float = 0.05
    reboot_s: float = 1.5
    same_code_unit_s: float = 0.1
    software_version: int = 0x69

    def __post_init__(self) -> None:
        if not 0 <= self.reply_delay_s <= MAX_REPLY_DELAY_S:
            raise SimulationError(
                f"reply_delay_s is 0 to {MAX_REPLY_DELAY_S}, not {self.reply_delay_s}"
            )
        if min(self.halt_s, self.reboot_s, self.same_code_unit_s) < 0:
            raise SimulationError("halt_s, reboot_s, same_code_unit_s: not negative")
        if not 0 <= self.software_version <= 0xFF:
            raise SimulationError("software_version is one byte, 0 to 255")


@dataclass(frozen=True, slots=True, kw_only=True)
class QrScannerSettings:
    """A kind of scanner.

    ``same_code_delay_s``: the same code again only after so long. ``piece_bytes``: the
    line arrives in pieces of that size with ``piece_gap_s`` between (64 is an USB
    packet; 0: whole). ``chopped_after_bytes``: the cable is pulled behind so many.
    ``decode_s``: from showing to the first byte. ``dialogue``: without it the scanner
    prints and hears nothing; with it the zones rule what ``RULED_BY_ZONES`` names.
    """

    framing: Framing = Framing.CR
    coding: Coding = Coding.UTF_8
    aim_prefix: bool = False
    eci_prefix: bool = False
    same_code_delay_s: float = 0.0
    decode_s: float = 0.0
    piece_bytes: int = 0
    piece_gap_s: float = 0.0
    chopped_after_bytes: int | None = None
    baud: int = 9_600
    dialogue: Gm65Settings | None = None

    def __post_init__(self) -> None:
        check_baud(self.baud)
        if self.piece_bytes < 0 or (self.chopped_after_bytes or 0) < 0:
            raise SimulationError(
                "piece_bytes and chopped_after_bytes are not negative"
            )
        if self.dialogue is not None:
            _check_is_default(self)

    @property
    def style(self) -> QrStyle:
        """How it prints, if no zone says so."""
        return QrStyle(
            framing=self.framing,
            coding=self.coding,
            aim_prefix=self.aim_prefix,
            eci_prefix=self.eci_prefix,
        )


RULED_BY_ZONES = frozenset(
    {"framing", "coding", "aim_prefix", "same_code_delay_s", "baud"}
)


def _check_is_default(settings: QrScannerSettings) -> None:
    for field in fields(settings):
        is_set = getattr(settings, field.name) != field.default
        if field.name in RULED_BY_ZONES and is_set:
            raise SimulationError(
                f"{field.name}: with a dialogue the zones rule it; "
                "set its zone in dialogue.commissioned"
            )


class ScannerFault(StrEnum):
    """What can be wrong with one reply; the command itself is carried out."""

    LOST_REPLY = "lost_reply"
    WRONG_CRC = "wrong_crc"
    CUT_REPLY = "cut_reply"
    #: It stands still in its middle; a code shown meanwhile is printed there.
    HALVED_REPLY = "halved_reply"


class SetupCode(StrEnum):
    """Printed codes that set the module up, whoever holds them before it."""

    FACTORY_RESET = "factory_reset"
    USB_KEYBOARD = "usb_keyboard"
    SERIAL_OUTPUT = "serial_output"
    SETUP_OFF = "setup_off"
