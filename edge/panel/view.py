# SPDX-License-Identifier: Apache-2.0
"""The shapes that a page is made of; templates know nothing else.

The law of the module: a tone never stands alone, a shape and a word stand with it, so
that nobody has to tell colours apart (WCAG 2.2, 1.4.1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from edge.panel.bell import SILENT

if TYPE_CHECKING:
    from edge.panel.bell import Bell
    from edge.panel.words import Phrase


class Tone(StrEnum):
    """Colour of a card or a border."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    INFO = "info"


class Shape(StrEnum):
    """Inline picture; drawn in ``templates/shapes.html``."""

    TICK = "tick"
    HAND = "hand"
    CLOCK = "clock"
    CROSS = "cross"
    ALERT = "alert"
    OPEN = "open"
    CARD = "card"
    BOX = "box"
    AID = "aid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The last verdict: big word, lines beneath, and where and when it was."""

    tone: Tone
    shape: Shape
    title: Phrase
    lines: tuple[Phrase, ...] = ()
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorRow:
    """One door and its state in words; ``number`` names its place on the page.

    ``slow``: the word on the button for whoever needs more time.
    """

    number: int
    id: str
    name: str
    tone: Tone
    shape: Shape
    state: Phrase
    slow: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRow:
    """One room: how many are inside, and the next bookings as times of the clock."""

    id: str
    name: str
    inside: Phrase
    free: Phrase | None
    times: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to know: what, why, what to do, and when it was last good.

    ``installer`` is what a volunteer reads to whoever mends it; ``device`` names what
    it is about, "" for the box.
    """

    tone: Tone
    shape: Shape
    title: Phrase
    reason: Phrase | None = None
    advice: Phrase | None = None
    note: Phrase | None = None
    installer: Phrase | None = None
    device: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What the start page says besides: each is left out where it is not known.

    ``clock_s``: seconds of the site's day.
    """

    clock_s: int | None = None
    inside: Phrase | None = None
    fault: Phrase | None = None

    @property
    def clock(self) -> str:
        """The clock as people read it, ``H:MM``; empty if unknown."""
        minutes = None if self.clock_s is None else self.clock_s // 60
        return "" if minutes is None else f"{minutes // 60}:{minutes % 60:02}"

    @property
    def of_its_minute(self) -> Glance:
        """The same at the minute's begin: what a page need not be sent again for."""
        whole = None if self.clock_s is None else self.clock_s // 60 * 60
        return replace(self, clock_s=whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """The duty page."""

    site: str
    card: Card
    doors: tuple[DoorRow, ...]
    emergency: Notice | None
    troubles: tuple[Notice, ...]
    more: Phrase | None
    links: tuple[Notice, ...]
    door_notice: str = ""
    bell: Bell = SILENT
    rooms: tuple[RoomRow, ...] = ()
    notices: tuple[Notice, ...] = ()
