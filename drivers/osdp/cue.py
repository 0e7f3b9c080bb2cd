# SPDX-License-Identifier: Apache-2.0
"""How a reader's lamp, sounder and screen tell a person what the house decided.

The law of the module: a cue is at most three commands, each only where the reader
says that it can; colour is never alone, number and length of the tones differ too.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from drivers.device import Cue, Show
from drivers.osdp.messages import Colour, Command, Function, light, show_text, sound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.osdp.messages import Capabilities

#: Columns of the smallest screen in the standard (text level 1).
SCREEN_COLUMNS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """Units are 100 ms; ``beeps`` 0 is silence, ``dark_units`` 0 a steady lamp."""

    colour: Colour
    seconds: int
    lit_units: int
    dark_units: int
    beeps: int
    beep_units: int


_LOOKS: Mapping[Cue, _Look] = MappingProxyType(
    {
        Cue.READING: _Look(
            colour=Colour.AMBER,
            seconds=2,
            lit_units=2,
            dark_units=2,
            beeps=0,
            beep_units=0,
        ),
        Cue.GRANTED: _Look(
            colour=Colour.GREEN,
            seconds=3,
            lit_units=10,
            dark_units=0,
            beeps=1,
            beep_units=5,
        ),
        Cue.DENIED: _Look(
            colour=Colour.RED,
            seconds=3,
            lit_units=10,
            dark_units=0,
            beeps=3,
            beep_units=1,
        ),
        Cue.TRY_AGAIN: _Look(
            colour=Colour.AMBER,
            seconds=3,
            lit_units=5,
            dark_units=5,
            beeps=2,
            beep_units=2,
        ),
    }
)


def commands_of(show: Show, capabilities: Capabilities) -> list[Command]:
    """Return what tells ``show`` on a reader with these capabilities."""
    look = _LOOKS[show.cue]
    commands = []
    if capabilities.count(Function.LED):
        lamp = light(
            look.colour,
            timer_units=10 * look.seconds,
            on_units=look.lit_units,
            off_units=look.dark_units,
        )
        commands.append(lamp)
    if look.beeps and capabilities.count(Function.SOUND):
        units = look.beep_units
        commands.append(sound(on_units=units, off_units=units, count=look.beeps))
    text = show.text[:SCREEN_COLUMNS]
    # A screen of the standard knows ASCII alone; half a Chinese line is none.
    if text and text.isascii() and text.isprintable() and _has_screen(capabilities):
        commands.append(show_text(text.encode("ascii"), seconds=look.seconds))
    return commands


def _has_screen(capabilities: Capabilities) -> bool:
    return capabilities.count(Function.TEXT) > 0
