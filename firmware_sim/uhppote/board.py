# SPDX-License-Identifier: Apache-2.0
"""The board of a UHPPOTE controller: who may pass, what is noted, what flash keeps.

The law of the module: it knows doors, cards and time, and no packet. Who may pass is
decided in one place, :meth:`UhppoteBoard._verdict`:

    unknown card                       => refused, 12, whoever decides
    PC control, host heard within 30 s => refused, 05: the host decides and opens
    else the own list                  => granted, or refused with the list's reason

Cards, profiles, passcodes, modes, listener and events outlive a power cut.

Source: uhppoted/uhppote-simulator, UT0311L04/actions.go and set_pc_control.go;
uhppoted/uhppote-core, events.go. Anti-passback, interlock, first cards and task lists
are kept without effect.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING

from firmware_sim.door import Door
from firmware_sim.errors import SimulationError
from firmware_sim.happening import Diary, Subject, What
from firmware_sim.outbox import earliest
from firmware_sim.uhppote.cards import MAX_PIN, CardList, Profile, decide
from firmware_sim.uhppote.clock import ControllerClock
from firmware_sim.uhppote.doors import DoorMode, DoorPost, Noticed
from firmware_sim.uhppote.events import Event, EventRing, Kind, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware_sim.happening import Happening
    from firmware_sim.uhppote.settings import UhppoteSettings

#: A host that was not heard for so long has left: the list decides again.
HOST_GONE_S = 30.0
#: Events that wait to be told; nobody taking them, the oldest are forgotten.
MAX_NEWS = 1_000
IN, OUT = 1, 2
_ALARMS = frozenset({Reason.HELD_OPEN, Reason.FORCED_OPEN})
_SPECIAL = frozenset(
    {Reason.DOOR_OPENED, Reason.DOOR_CLOSED, Reason.BUTTON, Reason.BUTTON_LOCKED}
)


class UhppoteBoard:
    """The board and the hand at its doors; doors count from 1."""

    def __init__(self, settings: UhppoteSettings, *, name: str) -> None:
        self.settings = settings
        self.diary = Diary(Subject.BOARD, name)
        self.posts = {
            number: DoorPost(
                Door(settings.lock, name=f"{name}-{number}"),
                release_s=settings.release_s,
                held_open_s=settings.held_open_s,
            )
            for number in range(1, settings.doors + 1)
        }
        starts_at = datetime.fromisoformat(settings.clock)
        self.clock = ControllerClock(starts_at, drift_ppm=settings.drift_ppm)
        self.ring = EventRing(settings.ring_events)
        self.restore()
        self._news: deque[Event] = deque(maxlen=MAX_NEWS)
        self._host_heard_at: float | None = None
        self._back_at: float | None = None

    def restore(self) -> None:
        """Take the factory's settings; no card, no event."""
        self.cards = CardList(self.settings.list_cards)
        self.profiles: dict[int, Profile] = {}
        self.passcodes: dict[int, tuple[int, ...]] = {}
        self.keypads: tuple[bool, ...] = (False,) * len(self.posts)
        self.antipassback = 0
        self.records_special = False
        self.is_pc_controlled = False
        self.ring.clear()

    # -- time ----------------------------------------------------------------------

    @property
    def is_dark(self) -> bool:
        """Whether the power is cut."""
        return self._back_at is not None

    def deadline(self) -> float | None:
        """Return when something happens by itself."""
        if self._back_at is not None:
            return self._back_at
        return earliest(*(post.next_change() for post in self.posts.values()))

    def tick(self, now: float) -> None:
        """Let happen what was due by ``now``, and note what the doors tell."""
        self.clock.read(now)  # from the first word of the time on it runs
        if self._back_at is not None:
            if self._back_at > now:
                return
            self._regain_power(self._back_at)
        for number, post in self.posts.items():
            for noticed in post.tick(now):
                self._notice(number, noticed)

    def host_heard(self, now: float) -> None:
        """Take note that the host has asked something."""
        self._host_heard_at = now

    def is_hosted(self, now: float) -> bool:
        """Whether the host decides: PC control is on and it was heard lately."""
        heard_at = self._host_heard_at
        if not self.is_pc_controlled or heard_at is None:
            return False
        return now - heard_at <= HOST_GONE_S

    def take_news(self) -> tuple[Event, ...]:
        """Return the events since the last call, oldest first."""
        news = tuple(self._news)
        self._news.clear()
        return news

    def take_happenings(self) -> list[Happening]:
        """Return what a person standing there noticed since the last call."""
        diaries = (self.diary, *(post.door.diary for post in self.posts.values()))
        news = [happening for diary in diaries for happening in diary.take_news()]
        return sorted(news, key=lambda happening: happening.at)

    # -- the hand in the world -----------------------------------------------------

    def swipe(
        self, door: int, card: int, now: float, *, pin: int = 0, direction: int = IN
    ) -> Reason | None:
        """Hold a card to the reader of a door; return the reason, None in the dark."""
        post = self._post(door)
        self.tick(now)
        if self.is_dark:
            return None
        reason = self._verdict(door, card, pin, now)
        if reason is Reason.GRANTED and not post.release(now):
            reason = Reason.NORMALLY_CLOSED
        self.note(reason, now, door=door, card=card, direction=direction)
        return reason

    def type_code(self, door: int, code: int, now: float) -> Reason | None:
        """Type a passcode; a supervisor's opens whatever the rules say."""
        post = self._post(door)
        self.tick(now)
        if self.is_dark:
            return None
        is_known = 0 < code <= MAX_PIN and code in self.passcodes.get(door, ())
        reason = Reason.PASSCODE if is_known else Reason.WRONG_PIN
        if is_known and not post.release(now):
            reason = Reason.NORMALLY_CLOSED
        self.note(reason, now, door=door, card=code)
        return reason

    def act(self, door: int, verb: Callable[[Door], object], now: float) -> None:
        """Do something to the door itself; the controller notices what it can."""
        post = self._post(door)
        self.tick(now)
        verb(post.door)
        self.tick(now)

    def cut_power(self, now: float, *, dark_s: float) -> None:
        """Cut the board's power: relays drop, nothing is heard for ``dark_s``."""
        self.tick(now)
        if self._back_at is None:
            self.diary.note(What.POWER_LOST, now)
            for post in self.posts.values():
                post.lose_power(now)
        self._back_at = now + dark_s
        self._host_heard_at = None
        self._news.clear()

    # -- what is noted -------------------------------------------------------------

    def note(
        self,
        reason: Reason,
        at: float,
        *,
        door: int,
        card: int = 0,
        direction: int = IN,
    ) -> None:
        """Keep an event and have it told."""
        event = Event(
            index=self.ring.next_index,
            kind=_kind_of(reason),
            is_granted=_kind_of(reason) is Kind.DOOR,
            door=door,
            direction=direction,
            card=card,
            at=self.clock.read(at),
            reason=reason,
        )
        self.ring.add(event)
        self._news.append(event)

    def _notice(self, door: int, noticed: Noticed) -> None:
        if noticed.reason not in _SPECIAL or self.records_special:
            self.note(noticed.reason, noticed.at, door=door)

    # -- inside --------------------------------------------------------------------

    def _verdict(self, door: int, number: int, pin: int, now: float) -> Reason:
        card = self.cards.get(number)
        if card is None:
            return Reason.UNKNOWN_CARD
        if self.is_hosted(now):
            return Reason.PC_CONTROL
        if self.posts[door].mode is DoorMode.NORMALLY_CLOSED:
            return Reason.NORMALLY_CLOSED
        if self.keypads[door - 1] and card.pin and pin != card.pin:
            return Reason.WRONG_PIN
        return decide(card, door, self.clock.read(now), self.profiles)

    def _post(self, door: int) -> DoorPost:
        post = self.posts.get(door)
        if post is None:
            raise SimulationError(f"no door {door}; it has 1 to {len(self.posts)}")
        return post

    def _regain_power(self, at: float) -> None:
        self._back_at = None
        if not self.settings.keeps_pc_control:
            self.is_pc_controlled = False
        self.diary.note(What.POWER_BACK, at)
        for post in self.posts.values():
            post.regain_power(at)
        self.note(Reason.POWER_ON, at, door=1)


def _kind_of(reason: Reason) -> Kind:
    if reason in _ALARMS:
        return Kind.ALARM
    granted = (Reason.GRANTED, Reason.PASSCODE, Reason.REMOTE_OPEN, Reason.POWER_ON)
    if reason in granted or (reason in _SPECIAL and reason is not Reason.BUTTON_LOCKED):
        return Kind.DOOR
    return Kind.REFUSED
