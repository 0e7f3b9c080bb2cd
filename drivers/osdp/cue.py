# SPDX-License-Identifier: Apache-2.0
"""How a reader's lamp, sounder and screen tell a person what the house decided.

The law of the module: a cue is at most three commands, each only where the reader
says that it can; colour is never alone, number and length of the tones differ too,
since a buzzer has one pitch. Nothing flashes faster than twice a second (WCAG 2.2,
2.3.1), and a refusal does not flash at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from drivers.device import CALM, LASTING, Cue, Show
from drivers.osdp.messages import (
    Colour,
    Command,
    Function,
    light,
    light_for_good,
    show_text,
    sound,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.osdp.messages import Capabilities

#: Columns of the smallest screen in the standard (text level 1).
SCREEN_COLUMNS = 16
#: From this level on a lamp has three colours to mix; others know red and green.
FULL_COLOUR = 4
#: A lamp without blue and white is dark at rest, and red where the box is at fault.
_INSTEAD = MappingProxyType({Colour.WHITE: Colour.BLACK, Colour.BLUE: Colour.RED})
_AT_REST = MappingProxyType({Colour.WHITE: Colour.BLACK, Colour.BLUE: Colour.BLACK})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """Units are 100 ms; ``beeps`` 0 is silence, ``dark_units`` 0 a steady lamp.

    ``seconds`` 0 lasts. ``between`` is the colour of the ``dark_units``.
    """

    colour: Colour
    seconds: int
    between: Colour = Colour.BLACK
    lit_units: int = 10
    dark_units: int = 0
    beeps: int = 0
    beep_units: int = 0


_LOOKS: Mapping[Cue, _Look] = MappingProxyType(
    {
        Cue.READING: _Look(colour=Colour.AMBER, seconds=2, beeps=1, beep_units=1),
        Cue.GRANTED: _Look(colour=Colour.GREEN, seconds=5, beeps=1, beep_units=5),
        Cue.GRANTED_SLOW: _Look(
            colour=Colour.GREEN,
            seconds=10,
            lit_units=15,
            dark_units=5,
            beeps=1,
            beep_units=10,
        ),
        Cue.DENIED: _Look(colour=Colour.RED, seconds=8, beeps=2, beep_units=3),
        Cue.TRY_AGAIN: _Look(
            colour=Colour.AMBER,
            seconds=3,
            lit_units=5,
            dark_units=5,
            beeps=3,
            beep_units=1,
        ),
        Cue.CLOSE_DOOR: _Look(colour=Colour.AMBER, seconds=6, beeps=1, beep_units=2),
        Cue.READY: _Look(colour=Colour.WHITE, seconds=0),
        # OSDP has no dim green, and a steady one says "come in": a glimmer each 2 s.
        Cue.FREE: _Look(
            colour=Colour.GREEN,
            between=Colour.WHITE,
            seconds=0,
            lit_units=2,
            dark_units=18,
        ),
        Cue.BOOKED: _Look(colour=Colour.BLUE, seconds=0),
        Cue.DRILL: _Look(colour=Colour.WHITE, seconds=0),
        Cue.DRILL_EVACUATE: _Look(
            colour=Colour.GREEN, seconds=0, beeps=5, beep_units=2
        ),
        Cue.OUT_OF_ORDER: _Look(
            colour=Colour.BLUE, seconds=0, lit_units=5, dark_units=5
        ),
        Cue.LOCKED_DOWN: _Look(
            colour=Colour.RED, seconds=0, lit_units=15, dark_units=15
        ),
        Cue.EVACUATE: _Look(colour=Colour.GREEN, seconds=0, beeps=4, beep_units=6),
    }
)


def commands_of(show: Show, capabilities: Capabilities) -> list[Command]:
    """Return what tells ``show`` on a reader with these capabilities."""
    look = _LOOKS[show.cue]
    commands = []
    if capabilities.count(Function.LED):
        commands.append(_lamp(show.cue, look, capabilities))
    if look.beeps and capabilities.count(Function.SOUND):
        units = look.beep_units
        commands.append(sound(on_units=units, off_units=units, count=look.beeps))
    text = show.text[:SCREEN_COLUMNS]
    # A screen of the standard knows ASCII alone; half a Chinese line is none.
    if text and text.isascii() and text.isprintable() and _has_screen(capabilities):
        commands.append(show_text(text.encode("ascii"), seconds=look.seconds))
    return commands


def _lamp(cue: Cue, look: _Look, capabilities: Capabilities) -> Command:
    colour, between = look.colour, look.between
    if capabilities.level(Function.LED) < FULL_COLOUR:
        instead = _AT_REST if cue in CALM else _INSTEAD
        colour, between = (instead.get(each, each) for each in (colour, between))
    on_units, off_units = look.lit_units, look.dark_units
    if cue in LASTING:
        # A verdict that is being read stays until its time is over, unless it matters.
        return light_for_good(
            colour,
            on_units=on_units,
            off_units=off_units,
            ends_passing=cue not in CALM,
            between=between,
        )
    units = 10 * look.seconds
    return light(colour, timer_units=units, on_units=on_units, off_units=off_units)


def _has_screen(capabilities: Capabilities) -> bool:
    return capabilities.count(Function.TEXT) > 0
