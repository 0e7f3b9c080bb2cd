# SPDX-License-Identifier: Apache-2.0
"""What happened in the simulated world, with the time at which it did.

The law of the module: a happening says what a person standing there would have seen
or heard, never what a card or a code contains. Times are seconds of CLOCK_MONOTONIC,
so that other processes on the same machine can compare.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Happenings that a device remembers: an hour of a busy door (a pulse, an opening and
#: an exit every 15 s is 1,440), and 200 kB at most.
MAX_REMEMBERED = 2_000


class What(StrEnum):
    """The kinds of happening."""

    RELAY_ON = "relay_on"
    RELAY_OFF = "relay_off"
    STRIKE_RELEASED = "strike_released"
    STRIKE_RELOCKED = "strike_relocked"
    LEAF_OPENED = "leaf_opened"
    LEAF_CLOSED = "leaf_closed"
    COMPARTMENT_OPENED = "compartment_opened"
    COMPARTMENT_CLOSED = "compartment_closed"
    #: A pulse came and the latch did not spring.
    COMPARTMENT_JAMMED = "compartment_jammed"
    CONTACT_STUCK = "contact_stuck"
    CONTACT_MENDED = "contact_mended"
    EXIT_PRESSED = "exit_pressed"
    EXIT_RELEASED = "exit_released"
    CARD_PUT = "card_put"
    CARD_TAKEN = "card_taken"
    CARD_READ = "card_read"
    CODE_SHOWN = "code_shown"
    CODE_READ = "code_read"
    LAMP_SHOWN = "lamp_shown"
    BUZZER_SOUNDED = "buzzer_sounded"
    BUZZER_SILENT = "buzzer_silent"
    TEXT_SHOWN = "text_shown"
    KEYS_TYPED = "keys_typed"
    KEYS_READ = "keys_read"
    TAMPERED = "tampered"
    TAMPER_MENDED = "tamper_mended"
    SUPPLY_FAILED = "supply_failed"
    SUPPLY_MENDED = "supply_mended"
    INPUT_ACTIVE = "input_active"
    INPUT_AT_REST = "input_at_rest"
    POWER_LOST = "power_lost"
    POWER_BACK = "power_back"
    UNPLUGGED = "unplugged"
    PLUGGED = "plugged"


class Subject(StrEnum):
    """To what it happened."""

    DOOR = "door"
    BOARD = "board"
    READER = "reader"
    SCANNER = "scanner"
    PORT = "port"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One happening; ``channel`` counts relays, lamps or compartments from 1.

    ``detail`` is what a lamp, a buzzer or a screen told everybody who stood there.
    """

    at: float
    what: What
    subject: Subject
    name: str
    channel: int | None = None
    detail: str = ""

    def as_mapping(self) -> dict[str, object]:
        """Return ``{"at", "what", "door" …: name}``, any channel and detail."""
        told: dict[str, object] = {"at": self.at, "what": self.what.value}
        told[self.subject.value] = self.name
        if self.channel is not None:
            told["channel"] = self.channel
        if self.detail:
            told["detail"] = self.detail
        return told


def _nobody() -> None:
    """Be told of an entry, and do nothing."""


class Diary:
    """The happenings of one thing: the latest ones, and those not told yet.

    When nobody asks for the news, both forget the oldest beyond ``MAX_REMEMBERED``.
    """

    def __init__(self, subject: Subject, name: str) -> None:
        self.name = name
        #: Called after each entry, for a host that would not look into every diary.
        self.on_note: Callable[[], None] = _nobody
        self._subject = subject
        self._entries: deque[Happening] = deque(maxlen=MAX_REMEMBERED)
        self._news: deque[Happening] = deque(maxlen=MAX_REMEMBERED)

    def note(
        self, what: What, at: float, *, channel: int | None = None, detail: str = ""
    ) -> None:
        """Write down what happened at ``at``."""
        happening = Happening(
            at=at,
            what=what,
            subject=self._subject,
            name=self.name,
            channel=channel,
            detail=detail,
        )
        self._entries.append(happening)
        self._news.append(happening)
        self.on_note()

    def entries(self) -> tuple[Happening, ...]:
        """Return what is remembered, oldest first."""
        return tuple(self._entries)

    def take_news(self) -> tuple[Happening, ...]:
        """Return what was noted since the last call, oldest first."""
        if not self._news:
            return ()
        news = tuple(self._news)
        self._news.clear()
        return news
