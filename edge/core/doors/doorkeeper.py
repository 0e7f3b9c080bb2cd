# SPDX-License-Identifier: Apache-2.0
"""All doors of a site: their machines' effects turned into events and wishes.

The law of the module: it moves doors only through ``door`` and their strikes only
through ``strikes``; the way out (exit button, fire release) never asks for a mode, a
roster or a clock. What an emergency imposes stands over a door's own mode until it is
lifted, and orders meanwhile change what lies beneath.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from edge.core.doors.door import Door, DoorMode, DoorPhase
from edge.core.doors.intents import Intents
from edge.core.doors.leaves import RELEASE_SLACK_S, Expected, Leaves, NobodyExpected
from edge.core.doors.strikes import UNLOCKED_PULSE_S, Strikes
from edge.core.doors.unlocking import Unlocking
from edge.core.event import NOBODY, Event, EventKind, Facts, Person

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edge.core.doors.intents import Intent
    from edge.core.moment import Moment
    from edge.core.order import ModeOrdered, PanelOpenOrdered
    from edge.core.outcome import OutcomeBuilder
    from edge.core.plan import SitePlan

#: What is told of an order that ended by itself, as the platform's do.
ENDED: Facts = (
    ("actor", "gateway"),
    ("mode", DoorMode.LOCKED.value),
    ("reason", "until"),
)
#: The step in which boards count a pulse.
PULSE_STEP_S = 0.1
MAX_TEXT = 64


class Doorkeeper:
    """Holds every door's standing, what it is meant to do, and its strike."""

    def __init__(
        self, site: SitePlan, out: OutcomeBuilder, presence: Expected | None = None
    ) -> None:
        self._site = site
        self._out = out
        self._leaves = Leaves(site, out, presence or NobodyExpected(), self._relock)
        self._doors = self._leaves.standing
        self._strikes = Strikes(out, self._doors)
        self._intents = Intents(site)
        self._unlocking = Unlocking(site)
        self._partners = _partners(site)
        self._mode_changes: Counter[str] = Counter()
        #: Doors whose imposed mode changed and whose outputs do not follow it yet; and
        #: the event by which it did.
        self._unsettled: dict[str, int] = {}

    def mode(self, door_id: str) -> DoorMode:
        """Return the door's mode."""
        return self._doors[door_id].mode

    def mode_changes(self, door_id: str) -> int:
        """Return how often the mode was set, to see whether it was in between."""
        return self._mode_changes[door_id]

    def standing(self) -> Mapping[str, Door]:
        """Return all doors, to be read."""
        return self._doors

    def intents(self) -> Mapping[str, Intent]:
        """Return what all doors are meant to do, layer by layer, to be read."""
        return self._intents.all()

    def strike_is_sound(self, door_id: str) -> bool:
        """Say whether the board of the door's strike answers."""
        return self._strikes.is_sound(door_id)

    def interlocked_by(self, door_id: str) -> str:
        """Return a partner that is released, free or open; "" if there is none.

        Void for the way out and under fire: neither asks.
        """
        partners = self._partners.get(door_id)
        if partners is None:
            return ""
        for partner in partners:
            door = self._doors[partner]
            if door.is_open or door.is_released or door.is_free:
                return partner
        return ""

    def deadline(self) -> float | None:
        """Return when :meth:`expire` has something to do."""
        if self._unsettled:
            return 0.0
        leaves_s, strikes_s = self._leaves.deadline(), self._strikes.deadline()
        times = (leaves_s, strikes_s, self._unlocking.deadline())
        due = [at_s for at_s in times if at_s is not None]
        return min(due) if due else None

    def grant(
        self,
        door_id: str,
        release_s: float,
        event: Event,
        now: Moment,
        *,
        is_egress: bool = False,
    ) -> None:
        """Release for a grant; its command waits for the commit, but on the way out."""
        self._leaves.grant(door_id, release_s, event, now)
        self.pulse(door_id, release_s, now, cause=event.seq, is_egress=is_egress)

    def pulse(
        self,
        door_id: str,
        release_s: float,
        now: Moment,
        *,
        cause: int,
        is_egress: bool = False,
    ) -> None:
        """Order the board's pulse, which begins anew: never cut a longer one short."""
        until_s = self._doors[door_id].released_until_s
        if until_s is not None:
            left_s = until_s - RELEASE_SLACK_S - now.monotonic_s
            if left_s > release_s + PULSE_STEP_S:
                release_s = round(left_s, 1)
        self._strikes.pulse(door_id, release_s, now, cause=cause, is_egress=is_egress)

    def release(
        self, door_id: str, release_s: float, now: Moment, *, cause: int | None
    ) -> None:
        """Move the door's machine; the command is the caller's."""
        self._leaves.release(door_id, release_s, now, cause=cause)

    def contact(self, door_id: str, now: Moment, *, is_open: bool) -> None:
        """Take the level of a door's contact."""
        self._leaves.contact(door_id, now, is_open=is_open)

    def output(self, door_id: str, now: Moment, *, is_on: bool) -> None:
        """Take the level of a door's output, as its board tells it."""
        self._strikes.told(door_id, now, is_on=is_on)

    def exit(self, door_id: str, now: Moment, *, is_pressed: bool) -> None:
        """Let somebody out: in every mode, at once, told once a release."""
        if not is_pressed:
            return
        release_s = self._site.doors[door_id].release_s
        cause = self._leaves.note_exit(door_id, now)
        mode = self.mode(door_id)
        if mode is DoorMode.UNLOCKED:
            # A shorter pulse would lock the unlocked door before its next renewal.
            release_s = max(release_s, UNLOCKED_PULSE_S)
        self.release(door_id, release_s, now, cause=None)
        if mode is not DoorMode.LOCKED_OPEN:
            self.pulse(door_id, release_s, now, cause=cause, is_egress=True)

    def open_by_hand(
        self, order: PanelOpenOrdered, now: Moment, *, is_fire: bool = False
    ) -> str:
        """Release for somebody in charge; a door that is free already needs none."""
        partner = "" if is_fire else self.interlocked_by(order.door)
        if partner:
            return f"{partner} is released or open"
        facts: Facts = (
            ("actor", order.actor[:MAX_TEXT]),
            ("count", order.count),
            ("reason", order.reason[:MAX_TEXT]),
        )
        is_free = self._doors[order.door].is_free
        plan, is_slow = self._site.doors[order.door], order.is_extended
        facts += (("extended", 1),) if is_slow else ()
        facts += (("free", 1),) if is_free else ()
        facts += (("cash_fen", order.cash_fen),) if order.cash_fen else ()
        person = Person(booking=order.booking) if order.booking else NOBODY
        noted = self._out.event(
            EventKind.MANUAL_ENTRY,
            order.door,
            now,
            facts=facts,
            person=person,
        )
        if not is_free:
            release_s = plan.extended_release_s if is_slow else plan.release_s
            self.release(order.door, release_s, now, cause=None)
            self.pulse(order.door, release_s, now, cause=noted.seq)
        return ""

    def order_mode(self, order: ModeOrdered, now: Moment) -> str:
        """Change a door's own mode; under an imposed one it waits beneath."""
        door_id, intent = order.door, self._intents.of(order.door)
        if why := self._unlocking.flaw(order, now):
            return why
        ends_ms = order.until_ms
        until_ms = ends_ms or self._unlocking.order_until_ms(door_id, now)
        facts: Facts = (
            ("actor", order.actor[:MAX_TEXT]),
            ("mode", order.mode.value),
            ("reason", order.reason[:MAX_TEXT]),
        )
        facts += (("timed", 1),) if ends_ms else ()
        facts += (("until", until_ms),) if until_ms else ()
        told = self._tell_intent(EventKind.DOOR_MODE_CHANGED, door_id, now, facts)
        ordered = intent.order(order.mode, until_ms, ends_ms)
        self._intents.change(door_id, ordered)
        self._unlocking.watch(door_id, ordered)
        self._own_changed(door_id, now, told.seq)
        return ""

    def staff_came_in(self, door_id: str, now: Moment) -> None:
        """Unlock a door that waits for its first person within its open hours."""
        if self._site.doors[door_id].first_person_in:
            self._heed_schedule(door_id, now, is_staffed=True)

    def impose(self, door_ids: Iterable[str], mode: DoorMode) -> None:
        """Lay a mode over the doors' own until it is lifted; twice is once.

        The outputs follow with :meth:`settle`, so that a replay moves none.
        """
        for door_id in door_ids:
            self._lay(door_id, mode)

    def lift(self, door_ids: Iterable[str]) -> None:
        """Give the doors their own modes back; the outputs follow as above."""
        for door_id in door_ids:
            self._lay(door_id, None)

    def settle(self, now: Moment) -> None:
        """Drive the outputs of doors whose imposed mode has changed."""
        for door_id in tuple(self._unsettled):
            self._enter_mode(door_id, now, self._unsettled.pop(door_id))

    def board_changed(
        self, door_ids: Iterable[str], now: Moment, *, is_online: bool
    ) -> None:
        """Take in that a board came or went; its outputs follow the doors' standing."""
        known = [door_id for door_id in door_ids if door_id in self._doors]
        self._strikes.board_changed(known, is_online=is_online)
        if is_online:
            self.settle(now)
            self.reassert(known)

    def reassert(self, door_ids: Iterable[str]) -> None:
        """Bring outputs in line with the doors' standing, after a start or return.

        A door at rest is told so: a steady output may have outlived its mode. One
        that is released or open gets its relock when it closes.
        """
        for door_id in door_ids:
            self._unsettled.pop(door_id, None)
            is_at_rest = self._doors[door_id].phase is DoorPhase.SECURE
            if not self._keep_free(door_id) and is_at_rest:
                self._strikes.relock(door_id)

    def expire(self, now: Moment) -> None:
        """Let timers that ran out take effect."""
        self.settle(now)
        self._leaves.expire(now)
        for door_id in self._unlocking.doors:
            self._heed_schedule(door_id, now)
        self._strikes.expire(now)

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        self._leaves.renumber(shift)
        self._strikes.renumber(shift)

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        stuck = list(self._strikes.stuck())
        return self._intents.dump() | {"stuck_relays": stuck}

    def load(self, state: dict[str, Any]) -> None:
        """Take the state that :meth:`dump` returned; doors no longer there go."""
        self._intents.load(state)
        for door_id in state.get("stuck_relays", ()):
            self._strikes.remember_stuck(door_id, is_stuck=True)
        for door_id, intent in self._intents.all().items():
            self._unlocking.watch(door_id, intent)
            self._take_mode(door_id)

    def follow(self, event: Event) -> None:
        """Take a replayed event into account; live the doors move by themselves."""
        if event.kind is EventKind.DOOR_RELAY_STUCK:
            self._strikes.remember_stuck(event.subject, is_stuck=True)
        elif event.kind is EventKind.DOOR_RELAY_FREED:
            self._strikes.remember_stuck(event.subject, is_stuck=False)
        elif door_id := self._intents.follow(event):
            self._unlocking.watch(door_id, self._intents.of(door_id))
            self._take_mode(door_id)

    def _heed_schedule(
        self, door_id: str, now: Moment, *, is_staffed: bool = False
    ) -> None:
        intent = self._intents.of(door_id)
        heeded = self._unlocking.heed(door_id, intent, now, is_staffed=is_staffed)
        # Who is being let through is not locked out: its end comes back here.
        is_locking = heeded.own is DoorMode.LOCKED
        if heeded is intent or (is_locking and self._doors[door_id].is_released):
            return
        kind = EventKind.DOOR_RELOCKED_BY_SCHEDULE
        facts: Facts = ()
        if heeded.is_unlocked:
            kind = EventKind.DOOR_UNLOCKED_BY_SCHEDULE
            facts = (("until", heeded.opened_until_ms),)
        elif intent.ends_ms:
            kind, facts = EventKind.DOOR_MODE_CHANGED, ENDED
        told = self._tell_intent(kind, door_id, now, facts)
        self._intents.change(door_id, heeded)
        self._own_changed(door_id, now, told.seq)

    def _tell_intent(
        self, kind: EventKind, door_id: str, now: Moment, facts: Facts
    ) -> Event:
        imposed = self._intents.of(door_id).imposed
        if imposed is not None:
            facts += (("under", imposed.value),)
        return self._out.event(kind, door_id, now, facts=facts)

    def _lay(self, door_id: str, mode: DoorMode | None) -> None:
        if self._intents.impose(door_id, mode):
            self._take_mode(door_id)
            self._unsettled[door_id] = self._out.next_seq - 1

    def _own_changed(self, door_id: str, now: Moment, cause: int) -> None:
        if self._intents.of(door_id).imposed is None:
            self._take_mode(door_id)
            self._enter_mode(door_id, now, cause)

    def _relock(self, door_id: str, now: Moment) -> None:
        self._strikes.relock(door_id, now.monotonic_s)

    def _take_mode(self, door_id: str) -> None:
        mode = self._intents.of(door_id).mode
        self._leaves.intend(door_id, mode)
        self._mode_changes[door_id] += 1
        self._strikes.end_unlocked(door_id)

    def _enter_mode(self, door_id: str, now: Moment, cause: int) -> None:
        """Drive the outputs of a new mode; never lock onto an open leaf.

        Only what is imposed opens without waiting for its cause's commit.
        """
        is_imposed = self._intents.of(door_id).imposed is not None
        if self._keep_free(door_id, 0 if is_imposed else cause):
            return
        self._leaves.lock(door_id, now)
        if not self._doors[door_id].is_open:
            self._relock(door_id, now)

    def _keep_free(self, door_id: str, cause: int = 0) -> bool:
        """Ask for the outputs of a free mode; False if the mode locks."""
        match self.mode(door_id):
            case DoorMode.LOCKED_OPEN:
                self._strikes.hold(door_id, cause)
            case DoorMode.UNLOCKED:
                self._strikes.keep_unlocked(door_id, cause)
            case _:
                return False
        return True


def _partners(site: SitePlan) -> dict[str, tuple[str, ...]]:
    """Return who blocks whom: an interlock binds both, whichever names the other."""
    partners: dict[str, set[str]] = {}
    for door_id, plan in site.doors.items():
        for other in plan.interlocked_with & site.doors.keys() - {door_id}:
            partners.setdefault(door_id, set()).add(other)
            partners.setdefault(other, set()).add(door_id)
    return {door_id: tuple(sorted(others)) for door_id, others in partners.items()}
