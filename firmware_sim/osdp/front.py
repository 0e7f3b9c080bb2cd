# SPDX-License-Identifier: Apache-2.0
"""The front of an OSDP reader: its lamps, buzzer, screen and outputs in time.

The law of the module: each thing knows what it shows and until when; what a person
could notice is written into the diary at the time at which it changed, once. A lamp
that blinks is one pattern, not a happening for each flash.
Source: libosdp 3.2.9 include/osdp.h (osdp_cmd_led, _buzzer, _text, _output); times are
counted in 100 ms on the wire and in seconds here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from firmware_sim.happening import What
from firmware_sim.outbox import earliest

if TYPE_CHECKING:
    from firmware_sim.happening import Diary
    from firmware_sim.osdp.settings import OsdpReaderSettings

TICK_S = 0.1
FOR_EVER = float("inf")


class Colour(StrEnum):
    """The colours by the order of their numbers on the wire."""

    BLACK = "black"
    RED = "red"
    GREEN = "green"
    AMBER = "amber"
    BLUE = "blue"
    MAGENTA = "magenta"
    CYAN = "cyan"
    WHITE = "white"


COLOURS = tuple(Colour)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """What a lamp does; printed as ``green`` or ``green/black 0.2/0.2 s``."""

    on: Colour = Colour.BLACK
    off: Colour = Colour.BLACK
    on_s: float = 0.0
    off_s: float = 0.0

    def __str__(self) -> str:
        """Say it as a person would see it."""
        if self.on is self.off or not self.off_s:
            return self.on.value
        if not self.on_s:
            return self.off.value
        return f"{self.on}/{self.off} {self.on_s:.1f}/{self.off_s:.1f} s"


class Lamp:
    """One lamp (from 1): a pattern for good, and at times another over it."""

    def __init__(self, channel: int, diary: Diary) -> None:
        self._channel = channel
        self._diary = diary
        self._lasting = Pattern()
        self._passing: Pattern | None = None
        self._until = FOR_EVER

    def __str__(self) -> str:
        """Say what it shows."""
        return str(self._passing or self._lasting)

    def set_lasting(self, pattern: Pattern, at: float) -> None:
        """Show ``pattern`` whenever nothing passes."""
        before = str(self)
        self._lasting = pattern
        self._tell(before, at)

    def set_passing(self, pattern: Pattern | None, at: float, until: float) -> None:
        """Show ``pattern`` until then; None ends what passes."""
        before = str(self)
        self._passing, self._until = pattern, until
        self._tell(before, at)

    def next_change(self) -> float | None:
        """Return when the passing pattern ends."""
        return None if self._passing is None else _finite(self._until)

    def tick(self, now: float) -> None:
        """End what ended by ``now``."""
        if self._passing is not None and self._until <= now:
            self.set_passing(None, self._until, FOR_EVER)

    def _tell(self, before: str, at: float) -> None:
        if str(self) != before:
            note, channel = self._diary.note, self._channel
            note(What.LAMP_SHOWN, at, channel=channel, detail=str(self))


class Buzzer:
    """The buzzer; ``is_sounding`` during the pauses of its beat too."""

    def __init__(self, diary: Diary) -> None:
        self._diary = diary
        self._until: float | None = None

    @property
    def is_sounding(self) -> bool:
        """Tell whether it is at it."""
        return self._until is not None

    def sound(self, on_s: float, off_s: float, count: int, at: float) -> None:
        """Beat ``count`` times, 0 for ever."""
        times = f"{count} times" if count else "on and on"
        detail = f"{on_s:.1f} s on, {off_s:.1f} s off, {times}"
        self._until = at + count * (on_s + off_s) if count else FOR_EVER
        self._diary.note(What.BUZZER_SOUNDED, at, detail=detail)

    def hush(self, at: float) -> None:
        """Be silent."""
        if self._until is not None:
            self._until = None
            self._diary.note(What.BUZZER_SILENT, at)

    def next_change(self) -> float | None:
        """Return when the last beat ends."""
        return None if self._until is None else _finite(self._until)

    def tick(self, now: float) -> None:
        """End what ended by ``now``."""
        if self._until is not None and self._until <= now:
            self.hush(self._until)


class Screen:
    """One line of text for good, and at times another over it."""

    def __init__(self, diary: Diary) -> None:
        self._diary = diary
        self._lasting = ""
        self._passing: str | None = None
        self._until = FOR_EVER

    @property
    def text(self) -> str:
        """The text that stands there."""
        return self._lasting if self._passing is None else self._passing

    def show(self, text: str, at: float, *, until: float | None) -> None:
        """Show ``text`` until then, or for good with None."""
        before = self.text
        if until is None:
            self._lasting, self._passing = text, None
        else:
            self._passing, self._until = text, until
        self._tell(before, at)

    def next_change(self) -> float | None:
        """Return when the passing text goes."""
        return None if self._passing is None else _finite(self._until)

    def tick(self, now: float) -> None:
        """End what ended by ``now``."""
        if self._passing is not None and self._until <= now:
            before, self._passing = self.text, None
            self._tell(before, self._until)

    def _tell(self, before: str, at: float) -> None:
        if self.text != before:
            self._diary.note(What.TEXT_SHOWN, at, detail=self.text)


class Output:
    """One output (from 1): a level for good, and at times the other over it."""

    def __init__(self, channel: int, diary: Diary) -> None:
        self._channel = channel
        self._diary = diary
        self._lasting = False
        self._passing: bool | None = None
        self._until = FOR_EVER

    @property
    def is_on(self) -> bool:
        """The level at present."""
        return self._lasting if self._passing is None else self._passing

    def set_lasting(self, *, is_on: bool, at: float, ends_passing: bool) -> None:
        """Set the level for good, at once or behind a timed one."""
        before, self._lasting = self.is_on, is_on
        if ends_passing:
            self._passing = None
        self._tell(before, at)

    def set_passing(self, *, is_on: bool, at: float, until: float) -> None:
        """Set a level until then."""
        before = self.is_on
        self._passing, self._until = is_on, until
        self._tell(before, at)

    def next_change(self) -> float | None:
        """Return when the timed level ends."""
        return None if self._passing is None else _finite(self._until)

    def tick(self, now: float) -> None:
        """End what ended by ``now``."""
        if self._passing is not None and self._until <= now:
            before, self._passing = self.is_on, None
            self._tell(before, self._until)

    def _tell(self, before: bool, at: float) -> None:  # noqa: FBT001
        if self.is_on is not before:
            what = What.RELAY_ON if self.is_on else What.RELAY_OFF
            self._diary.note(what, at, channel=self._channel)


class Front:
    """All of it; channels count from 1, tuples from channel 1 on."""

    def __init__(self, settings: OsdpReaderSettings, diary: Diary) -> None:
        self.lamps = tuple(Lamp(one + 1, diary) for one in range(settings.lamps))
        self.buzzer = Buzzer(diary)
        self.screen = Screen(diary) if settings.has_screen else None
        outputs = range(settings.outputs)
        self.outputs = tuple(Output(one + 1, diary) for one in outputs)

    def next_change(self) -> float | None:
        """Return when something here changes by itself."""
        return earliest(*(thing.next_change() for thing in self._things()))

    def tick(self, now: float) -> None:
        """Let change what was due by ``now``, each at its own time."""
        for thing in self._things():
            thing.tick(now)

    def go_dark(self, at: float) -> None:
        """Lose the power: nothing shines, sounds or is on."""
        for lamp in self.lamps:
            lamp.set_lasting(Pattern(), at)
            lamp.set_passing(None, at, FOR_EVER)
        self.buzzer.hush(at)
        if self.screen is not None:
            self.screen.show("", at, until=None)
        for output in self.outputs:
            output.set_lasting(is_on=False, at=at, ends_passing=True)

    def _things(self) -> list[Lamp | Buzzer | Screen | Output]:
        screens = [] if self.screen is None else [self.screen]
        return [*self.lamps, self.buzzer, *screens, *self.outputs]


def _finite(time: float) -> float | None:
    return None if time == FOR_EVER else time
