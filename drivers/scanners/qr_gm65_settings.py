# SPDX-License-Identifier: Apache-2.0
"""What a GM65 scanner is to be set to, and the dialogue that brings it there.

The law of the module: only bits whose meaning is known are compared and written, the
others stay as they were found. What was written counts once it was read back. The
dialogue is a generator that yields questions and is sent their answers; it knows
neither time nor line, and whoever gives it up has lost nothing.

Source: GM65/GM812 serial manuals as read by cryptoadvance/specter-diy ``qr.py`` and
Tasmota ``xsns_107_gm861.ino``. Which bit of zone 0003 forbids setup codes differs
between prints of the manual and is an option for that reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.options import between, one_of
from drivers.scanners.qr_codes import MAX_CODE_BYTES, MIN_CODE_BYTES
from drivers.scanners.qr_gm65_wire import (
    BAUD_ZONE,
    Question,
    read_zone,
    save,
    write_zone,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

#: Zones are written and read back so often at most; then the scanner refuses them.
WRITE_ROUNDS = 2
_MODES = {"trigger": 0b01, "continuous": 0b10, "presence": 0b11}
_LIGHTS = {"never": 0b00, "reading": 0b01, "always": 0b10}
#: All of zone 0060: prefix, code id and suffix would spoil every code.
_TAILS = {"cr": 0x01, "crlf": 0x21, "none": 0x00, "length": 0x81}
_OUTPUTS = {"serial": 0b00, "as_found": None}
_TRIGGERS = {"always": True, "never": False}
#: The same code again after 0.2 s by the formula of the manual, 2 s by the comment of
#: specter-diy: either is shorter than our own 3 s, so that a held code is seen as held.
_SAME_CODE = 0x82

Found = dict[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gm65Options:
    """How the scanner is set, and how it is watched.

    ``mode``: ``continuous``, ``presence`` (its own sensor) or ``trigger``, in which the
    driver has it look for a code all the time (``trigger = "always"``) or something
    wired to it does (``"never"``). ``light``: ``never``, ``reading``, ``always``.
    ``tail``: ``cr``, ``crlf``, ``none``, or ``length`` for length-prefixed codes.
    ``output``: ``serial``, or ``as_found`` for one on a virtual port over USB.
    ``setup_codes``: whether codes that change settings are obeyed; if not, zone 0003
    shall hold ``setup_codes_off``, which is found by holding up the maker's code for it
    once and reading the zone. ``save``: keep settings in flash. ``check_every_s`` and
    ``heartbeat_s``: 0 is never.
    """

    mode: str = "continuous"
    trigger: str = "always"
    light: str = "reading"
    sound: bool = True
    tail: str = "cr"
    output: str = "serial"
    setup_codes: bool = False
    setup_codes_off: int = 0x02
    save: bool = False
    check_every_s: float = 60.0
    heartbeat_s: float = 10.0
    same_code_s: float = 3.0
    min_length: int = MIN_CODE_BYTES
    silence_s: float = 0.05

    def __post_init__(self) -> None:
        one_of("mode", self.mode, _MODES)
        one_of("trigger", self.trigger, _TRIGGERS)
        one_of("light", self.light, _LIGHTS)
        one_of("tail", self.tail, _TAILS)
        one_of("output", self.output, _OUTPUTS)
        between("setup_codes_off", self.setup_codes_off, 0, 255)
        between("check_every_s", self.check_every_s, 0.0, 86_400.0)
        between("heartbeat_s", self.heartbeat_s, 0.0, 600.0)
        between("same_code_s", self.same_code_s, 0.0, 10.0)
        between("min_length", self.min_length, 1, MAX_CODE_BYTES)
        between("silence_s", self.silence_s, 0.01, 1.0)

    @property
    def is_triggered_by_us(self) -> bool:
        """Whether the scanner waits for the driver before it looks for a code."""
        return self.mode == "trigger" and _TRIGGERS[self.trigger]


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A setting: of the bits in ``mask``, the scanner shall have ``wanted``."""

    address: int
    wanted: int
    mask: int = 0xFF
    size: int = 1

    def is_met_by(self, value: int) -> bool:
        """Whether a value that was read holds what is wanted."""
        return value & self.mask == self.wanted

    def mended(self, value: int) -> bytes:
        """Return what to write where ``value`` was found; low byte first."""
        return (value & ~self.mask | self.wanted).to_bytes(self.size, "little")


def zones(options: Gm65Options, baud_value: int | None) -> tuple[Zone, ...]:
    """Return what the scanner shall hold.

    ``baud_value`` is zone 002A as it was when the two first understood each other; it
    is never chosen here, since a scanner that changes its speed is gone.
    """
    mode = _MODES[options.mode] | _LIGHTS[options.light] << 2 | options.sound << 6
    setup = Zone(address=0x0003, wanted=options.setup_codes_off)
    if options.setup_codes:
        setup = Zone(address=0x0003, wanted=0, mask=0)
    output = _OUTPUTS[options.output]
    output_mask = 0 if output is None else 0b11
    baud_mask = 0 if baud_value is None else 0xFFFF
    return (
        Zone(address=0x0000, wanted=mode, mask=0b0100_1111),
        setup,
        Zone(address=0x000D, wanted=output or 0, mask=output_mask),
        Zone(address=0x0060, wanted=_TAILS[options.tail]),
        Zone(address=BAUD_ZONE, wanted=baud_value or 0, mask=baud_mask, size=2),
        Zone(address=0x0013, wanted=_SAME_CODE),
    )


def differing(wanted: Sequence[Zone], found: Found) -> list[Zone]:
    """Return the zones that are not as they shall be."""
    return [zone for zone in wanted if not zone.is_met_by(found[zone.address])]


def describe(differences: Sequence[Zone], found: Found) -> str:
    """Name zones and what was found there: ``0003 is 00``."""
    return ", ".join(f"{z.address:04X} is {found[z.address]:02X}" for z in differences)


def read_settings(wanted: Sequence[Zone]) -> Generator[Question, bytes, Found]:
    """Read every zone."""
    found: Found = {}
    for zone in wanted:
        data = yield read_zone(zone.address, zone.size)
        found[zone.address] = int.from_bytes(data, "little")
    return found


def apply_settings(
    wanted: Sequence[Zone], found: Found, *, is_saved: bool
) -> Generator[Question, bytes, Found]:
    """Write what differs and read all back; return what the scanner holds then."""
    for _ in range(WRITE_ROUNDS):
        for zone in differing(wanted, found):
            yield write_zone(zone.address, zone.mended(found[zone.address]))
        found = yield from read_settings(wanted)
        if not differing(wanted, found):
            break
    if is_saved and not differing(wanted, found):
        yield save()
    return found
