# SPDX-License-Identifier: Apache-2.0
"""From a wish of the rules to everything that a door shows and sounds for it.

The law of the module: pure but for what it remembers of who was spoken to. Lamp, tone
and words always go together, so that who cannot see, hear or read still has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from drivers.device import Cue
from edge.bindings.cues import cue_of
from edge.cli.doorside.tones import Tone
from edge.cli.doorside.word import SILENT_ABOUT, Word, word_of
from edge.core.command import Indication

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge.cli.doorside.languages import Ear, Library
    from edge.core.command import Indicate
    from edge.settings.site import Settings

    #: A time in a language's words: UTC ms, now (None: not known), hours from UTC.
    _When = Callable[[int, int | None, int], str]

#: The end of the year 9998: beyond it nobody has a time that could be told.
_LAST_MS = 253_370_764_800_000
#: Columns of a reader's own screen.
SCREEN_COLUMNS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A lamp's colours, best first, for so long (0: until told), and the tone.

    A relay neither dims nor blinks, so lamps on relays have colours of their own.
    """

    colours: tuple[str, ...]
    seconds: float
    tone: Tone | None


LOOKS: Mapping[Cue, Look] = MappingProxyType(
    {
        Cue.READING: Look(colours=("amber", "white"), seconds=3.0, tone=Tone.TICK),
        Cue.GRANTED: Look(colours=("green",), seconds=5.0, tone=Tone.RISING),
        Cue.GRANTED_SLOW: Look(
            colours=("green",), seconds=10.0, tone=Tone.RISING_SLOWLY
        ),
        Cue.DENIED: Look(colours=("red", "amber"), seconds=8.0, tone=Tone.LOW),
        Cue.TRY_AGAIN: Look(colours=("amber", "red"), seconds=5.0, tone=Tone.TICKS),
        Cue.CLOSE_DOOR: Look(colours=("amber",), seconds=6.0, tone=Tone.SOFT),
        Cue.READY: Look(colours=("white",), seconds=0.0, tone=None),
        # A steady green lamp says "come in", so that a free place is white here.
        Cue.FREE: Look(colours=("white",), seconds=0.0, tone=None),
        Cue.BOOKED: Look(colours=("blue", "white"), seconds=0.0, tone=None),
        Cue.DRILL: Look(colours=("white",), seconds=0.0, tone=Tone.SOFT),
        Cue.DRILL_EVACUATE: Look(colours=("green",), seconds=0.0, tone=Tone.SOFT),
        Cue.OUT_OF_ORDER: Look(colours=("red", "blue"), seconds=0.0, tone=None),
        Cue.LOCKED_DOWN: Look(colours=("red",), seconds=0.0, tone=None),
        Cue.EVACUATE: Look(colours=("green",), seconds=0.0, tone=Tone.LEAVE),
    }
)
#: Who is told yes hears the tone alone, unless the door waits longer for him; and
#: nothing is called into an empty room but the way out.
UNSPOKEN = frozenset(
    {
        *(Cue.READING, Cue.GRANTED, Cue.READY, Cue.FREE, Cue.BOOKED),
        *(Cue.OUT_OF_ORDER, Cue.LOCKED_DOWN),
    }
)
#: Told in all languages of a site, one after the other: it is for everybody there.
IN_ALL = frozenset({Word.EVACUATE, Word.DRILL_EVACUATE})
#: What is told to whoever passes, not to somebody who held a card out.
_TO_ALL = frozenset(
    {
        Indication.READING,
        Indication.CLOSE_DOOR,
        Indication.READY,
        Indication.FREE,
        Indication.BOOKED,
        Indication.DRILL,
        Indication.DRILL_EVACUATE,
        Indication.OUT_OF_ORDER,
        Indication.LOCKED_DOWN,
        Indication.EVACUATE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """What one access point says now: ``text`` for screens, ``short`` for a reader's.

    ``language`` is the code of the text and of the recording ``word``.
    """

    point: str
    cue: Cue
    word: Word
    language: str
    text: str
    short: str
    is_spoken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Door:
    """What a door's sentences may speak of."""

    space: str
    slow_s: float


class Signs:
    """Finds the words, the language and the cue of each wish."""

    def __init__(self, settings: Settings, library: Library, ear: Ear) -> None:
        self._library = library
        self._ear = ear
        self._offset_hours = settings.site.utc_offset_hours
        self._rooms = {space.id: space.name for space in settings.space if space.name}
        self._full = {space.id: space.capacity for space in settings.space}
        doors = {
            door.id: _Door(
                space=door.space,
                slow_s=door.extended_release_s,
            )
            for door in settings.door
        }
        self._doors = {
            point.id: doors[point.door]
            for point in settings.access_point
            if point.door in doors
        }

    def of(self, wish: Indicate, now_s: float, now_ms: int | None) -> Sign:
        """Return the sign; ``now_ms`` is UTC, None where the clock is not trusted."""
        word, cue = word_of(wish), cue_of(wish)
        if wish.indication in _TO_ALL:
            code = self._library.order[0]
        else:
            code = self._ear.choose(wish.access_point, wish.language, now_s)
        language = self._library.having(word, code)
        readers = self._library.readers
        said, short = (
            each.say(word, self._values(wish, word, each.when, now_ms))
            for each in (language, readers)
        )
        if len(short) > SCREEN_COLUMNS:  # half a date says less than none
            short = readers.entries[word].plain
        return Sign(
            point=wish.access_point,
            cue=cue,
            word=word,
            language=language.code,
            text=said,
            short=short,
            is_spoken=cue not in UNSPOKEN and bool(language.entries[word].spoken),
        )

    def _values(
        self, wish: Indicate, word: Word, when: _When, now_ms: int | None
    ) -> dict[str, str]:
        if word in SILENT_ABOUT:
            return {}
        facts, door = dict(wish.facts), self._doors.get(wish.access_point)
        values: dict[str, str] = {}
        at_ms = wish.until_ms or facts.get("from_ms")
        at_ms = facts.get("to_ms") if at_ms is None else at_ms
        if isinstance(at_ms, int) and 0 < at_ms < _LAST_MS:
            values["time"] = when(at_ms, now_ms, self._offset_hours)
        if "number" in facts:
            values["number"] = str(facts["number"])
        space = str(facts.get("space", "")) or (door.space if door else "")
        if room := self._rooms.get(space):
            values["room"] = room
        if capacity := self._full.get(space):
            values["count"] = str(capacity)
        if door is not None:
            values["seconds"] = f"{door.slow_s:g}"
        return values
