# SPDX-License-Identifier: Apache-2.0
"""The lamps beside a reader that hang on a relay board.

The law of the module: at most one colour of an access point is lit; a verdict goes
over what stands there and gives way to it again. A relay is no blinker: what a
reader's own lamp blinks stands still here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from drivers.device import Cue
from edge.cli.doorside.sign import LOOKS
from edge.cli.doorside.tones import Tone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge.bindings.wiring import Wire
    from edge.cli.doorside.sign import Look

#: The strike's order goes first where both hang on one board.
BEHIND_STRIKE_S = 0.03


class Timer(Protocol):
    """What was called for later, and can be called off."""

    def cancel(self) -> None:
        """Call it off."""


class Clock(Protocol):
    """asyncio's loop, as far as lamps need it."""

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: object
    ) -> Timer:
        """Call back after so many seconds."""


def _colour(look: Look, lamps: Mapping[str, Wire]) -> str:
    """Return the lamp that shows a look best, "" for none.

    Blue tells of a booking only where red is there to tell of a fault.
    """
    if look is LOOKS[Cue.BOOKED] and "red" not in lamps:
        look = LOOKS[Cue.READY]
    return next((each for each in look.colours if each in lamps), "")


@dataclass(slots=True)
class _Place:
    """An access point: what stands there, what is lit, and what ends it."""

    lasting: str = ""
    lit: str | None = None
    passing: Timer | None = None


class Lamps:
    """All lamps of a site; ``switch(wire, is_lit)`` has one switched."""

    def __init__(
        self,
        lamps: Mapping[str, Mapping[str, Wire]],
        switch: Callable[[Wire, bool], None],
        clock: Clock,
    ) -> None:
        self._lamps = lamps
        self._switch = switch
        self._clock = clock
        self._places = {point: _Place() for point in lamps}

    @property
    def boards(self) -> frozenset[str]:
        """The boards on which they hang."""
        return frozenset(
            board for lamps in self._lamps.values() for board, _ in lamps.values()
        )

    def show(self, point: str, look: Look) -> None:
        """Show what a cue looks like, as far as there is a lamp for it."""
        place = self._places.get(point)
        if place is None:
            return
        lamps = self._lamps[point]
        colour = _colour(look, lamps)
        if not look.seconds:
            place.lasting = colour
            if place.passing is None or look.tone is Tone.LEAVE:
                self._end_passing(point)
            return
        if place.passing is not None:
            place.passing.cancel()
        later = self._clock.call_later(look.seconds, self._end_passing, point)
        place.passing = later
        self._clock.call_later(BEHIND_STRIKE_S, self._catch_up, point, colour)

    def refresh(self) -> None:
        """Switch all lamps anew: a board came back and has forgotten them."""
        for point, place in self._places.items():
            lit, place.lit = place.lit or place.lasting, None
            self._light(point, lit)

    def _catch_up(self, point: str, colour: str) -> None:
        if self._places[point].passing is not None:
            self._light(point, colour)

    def _end_passing(self, point: str) -> None:
        place = self._places[point]
        if place.passing is not None:
            place.passing.cancel()
            place.passing = None
        self._light(point, place.lasting)

    def _light(self, point: str, colour: str) -> None:
        place, lamps = self._places[point], self._lamps[point]
        if place.lit == colour:
            return
        for other, wire in lamps.items():
            if other != colour and place.lit in (None, other):
                self._switch(wire, False)  # noqa: FBT003
        if colour:
            self._switch(lamps[colour], True)  # noqa: FBT003
        place.lit = colour
