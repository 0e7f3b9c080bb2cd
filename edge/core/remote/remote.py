# SPDX-License-Identifier: Apache-2.0
"""Commands of the platform on their way: received, stored, carried out, confirmed.

The law of the module: nothing moves before the record of its command is on disk
(``COMMAND_RECEIVED``, with the command's own name, its jti), and a name that is known
acts never again. Carrying out is the order that the panel would have given, through
the same rules. A command of which the journal tells no end after a restart is unknown
and stays undone. Fire, lock-down and checkpoint belong to those who are there.

Why a bounded memory of names is enough: a command is good for one connection, whose
session remembers every name of it and begins another connection when that memory is
full. After a restart there is another connection; what is remembered here is a second
lock, against a platform that gives one name twice.
Source: docs/commands.md.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from edge.core.access.rules.way import CLOSED_MODES
from edge.core.doors.door import DoorMode
from edge.core.doors.leaves import RELEASE_SLACK_S
from edge.core.doors.unlocking import YIELDING_MODES
from edge.core.duty.shift import closing_ms
from edge.core.emergency.state import EmergencyState, first_of
from edge.core.event import EventKind, Facts
from edge.core.limiter import Limiter
from edge.core.moment import UNBOUNDED_MS
from edge.core.order import ModeOrdered
from edge.core.orders import MAX_TEXT, check
from edge.core.remote.command import Action, Rejection, RemoteCommand
from edge.core.remote.messages import Messages
from edge.core.remote.modes import RemoteModes
from edge.core.remote.quota import (
    ACTS_AN_OPERATOR,
    HOUR_S,
    OPENINGS_A_LEAF,
    OPENINGS_AN_OPERATOR,
    RESIDENT_EVERY_S,
    Quota,
)
from edge.core.stimulus import CommandReceived

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.doors.doorkeeper import Doorkeeper
    from edge.core.emergency.emergency import Emergency
    from edge.core.event import Event
    from edge.core.moment import Moment
    from edge.core.order import Order
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.rolls import Rolls
    from edge.core.plan import SitePlan
    from edge.core.stimulus import CommandStored, OpenRefused

    Flaw = tuple[Rejection, str]

#: A record that took longer to store finds nobody at the door any more (law 5).
STORE_WITHIN_S = 2.0
#: Commands between receipt and record; a site has fewer doors than that.
MAX_PENDING = 32
#: Names kept over a restart; see the law of the module.
MAX_KNOWN = 64
#: Rejections told one by one in a minute; what is beyond is counted.
SINGLE_REJECTIONS = 30
#: A leaf of lockers tells within so long that it opened.
LOCKER_OPENS_WITHIN_S = 10.0
#: While one of these stands nobody moves a leaf from afar.
ON_THE_SPOT = frozenset(
    {EmergencyState.FIRE, EmergencyState.LOCK_DOWN, EmergencyState.CHECKPOINT}
)
_ENDS = frozenset(
    {
        EventKind.COMMAND_EXECUTED,
        EventKind.COMMAND_REJECTED,
        EventKind.COMMAND_UNKNOWN,
    }
)


class Remote:
    """Takes the platform's commands; ``carry_out`` says why not, "" when done."""

    def __init__(
        self,
        site: SitePlan,
        out: OutcomeBuilder,
        *,
        doors: Doorkeeper,
        emergency: Emergency,
        rolls: Rolls,
        carry_out: Callable[[Order, Moment], str],
    ) -> None:
        self._site = site
        self._out = out
        self._doors = doors
        self._emergency = emergency
        self._rolls = rolls
        self._carry_out = carry_out
        self._known: deque[str] = deque(maxlen=MAX_KNOWN)
        #: Recorded and without an end; where, and which action.
        self._unended: dict[str, tuple[str, str]] = {}
        #: Received in this life and not recorded yet; since when.
        self._pending: dict[str, tuple[RemoteCommand, float]] = {}
        #: Leaves that should open: by which command, until when.
        self._awaited: dict[str, tuple[RemoteCommand, float]] = {}
        self._opened: list[RemoteCommand] = []
        #: What the platform tells the volunteers, to be read.
        self.messages = Messages()
        self._modes = RemoteModes()
        self._rejections = Limiter(SINGLE_REJECTIONS)
        self._residents = Quota(1, RESIDENT_EVERY_S)
        self._leaves = Quota(OPENINGS_A_LEAF, HOUR_S)
        self._openers = Quota(OPENINGS_AN_OPERATOR, HOUR_S)
        self._actors = Quota(ACTS_AN_OPERATOR, HOUR_S)

    def handle(self, stimulus: CommandReceived | CommandStored, now: Moment) -> None:
        """Take what the shell says of a command."""
        if isinstance(stimulus, CommandReceived):
            self.receive(stimulus.command, now)
        else:
            self.stored(stimulus.jti, now)

    def receive(self, command: RemoteCommand, now: Moment) -> None:
        """Record a command that may be carried out, or why it may not."""
        flaw = self._name_flaw(command) or self._flaw(command, now)
        flaw = flaw or self._rate_flaw(command, now.monotonic_s)
        if flaw:
            self._reject(command, flaw, now)
            return
        self._pending[command.jti] = (command, now.monotonic_s)
        facts: Facts = (*command.facts(), ("reason", command.reason[:MAX_TEXT]))
        facts += (("actor", command.actor[:MAX_TEXT]),)
        facts += (("number", command.number),) if command.number else ()
        self._tell(EventKind.COMMAND_RECEIVED, command, now, facts)

    def stored(self, jti: str, now: Moment) -> None:
        """Carry out what is recorded now; a name that waits for nothing does nothing.

        Whatever a rule that raises has left behind, nobody knows how it ended.
        """
        pending = self._pending.pop(jti, None)
        if pending is None:
            return
        command, since_s = pending
        if now.monotonic_s - since_s > STORE_WITHIN_S:
            late = Rejection.STORAGE_FAULT, "the disk took too long"
            self._reject(command, late, now)
            return
        flaw = self._flaw(command, now)
        if flaw is None:
            flaw = self._done(command, now)
        if flaw is not None:
            self._reject(command, flaw, now)
            return
        self._await(command, now.monotonic_s)
        self._tell(EventKind.COMMAND_EXECUTED, command, now, _executed(command))

    def refused(self, stimulus: OpenRefused, now: Moment) -> None:
        """Take in that a compartment was not opened after all."""
        place = f"{stimulus.bank}#{stimulus.number}"
        awaited = self._awaited.pop(place, None)
        if awaited is not None:
            late = Rejection.STORAGE_FAULT, "the disk took too long"
            self._reject(awaited[0], late, now)

    def start(self, now: Moment) -> None:
        """Tell of commands whose end a power cut hid; none is carried out."""
        for jti, (subject, action) in tuple(self._unended.items()):
            facts: Facts = (("action", action), ("jti", jti))
            self._out.event(EventKind.COMMAND_UNKNOWN, subject, now, facts=facts)

    def settle(self, now: Moment) -> None:
        """Tell of leaves that have opened as they should."""
        while self._opened:
            command = self._opened.pop(0)
            self._tell(EventKind.COMMAND_CONFIRMED, command, now, command.facts())

    def deadline(self) -> float | None:
        """Return when :meth:`expire` has something to do."""
        times = (self._modes.deadline(), self._rejections.deadline())
        return min((at_s for at_s in times if at_s is not None), default=None)

    def expire(self, now: Moment) -> None:
        """End the modes whose time is over, and tell what was counted."""
        for door in self._modes.over(now):
            ended = ModeOrdered(
                door=door, mode=DoorMode.LOCKED, actor="gateway", reason="until"
            )
            self._carry_out(ended, now)
        for subject, reason, count in self._rejections.collect(now.monotonic_s):
            facts: Facts = (("count", count), ("reason", reason))
            self._out.event(EventKind.COMMAND_REJECTED, subject, now, facts=facts)

    def follow(self, event: Event) -> None:
        """Learn of commands, and of what the leaves did."""
        self._modes.follow(event)
        self.messages.follow(event)
        jti = event.fact("jti")
        if event.kind is EventKind.COMMAND_RECEIVED:
            self._known.append(str(jti))
            self._unended[str(jti)] = (event.subject, str(event.fact("action")))
        elif event.kind in _ENDS:
            if event.fact("reason") != Rejection.REPLAY:
                self._unended.pop(str(jti), None)
        elif event.kind is EventKind.DOOR_OPENED:
            self._has_opened(event.subject, event.moment)
        elif event.kind is EventKind.COMPARTMENT_OPENED:
            place = f"{event.subject}#{event.fact('number')}"
            self._has_opened(place, event.moment)

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch: nothing here is a number of it."""

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        unended = {jti: list(told) for jti, told in self._unended.items()}
        return {
            "commands": {
                "known": list(self._known),
                "messages": self.messages.dump(),
                "modes": self._modes.dump(),
                "unended": unended,
            }
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take the state that :meth:`dump` returned, or an older one without it."""
        told = state.get("commands", {})
        self._known.extend(told.get("known", ()))
        self.messages.load(told.get("messages", ()))
        self._modes.load(told.get("modes", {}))
        unended = told.get("unended", {}).items()
        self._unended = {jti: (subject, action) for jti, (subject, action) in unended}

    def _done(self, command: RemoteCommand, now: Moment) -> Flaw | None:
        order = command.order()
        if order is None:
            return None
        try:
            why = self._carry_out(order, now)
        except Exception:
            facts = command.facts()
            self._tell(EventKind.COMMAND_UNKNOWN, command, now, facts)
            raise
        return (Rejection.REFUSED, why) if why else None

    def _name_flaw(self, command: RemoteCommand) -> Flaw | None:
        if command.jti in self._known or command.jti in self._pending:
            return Rejection.REPLAY, "this command was here already"
        if len(self._pending) >= MAX_PENDING:
            return Rejection.BUSY, "too many commands wait for the disk"
        order = command.order()
        try:
            if order is not None:
                check(order, self._site)
        except ValueError as unknown:
            return Rejection.UNKNOWN_TARGET, str(unknown)
        return None

    def _flaw(self, command: RemoteCommand, now: Moment) -> Flaw | None:
        """Return what forbids it now, whoever commands."""
        is_opening, is_mode = command.is_opening, command.action is Action.MODE
        if is_opening and not self._site.allows_remote_unlock:
            return Rejection.REMOTE_UNLOCK_OFF, "switched off in the site file"
        first = first_of(self._emergency.standing)
        if first in ON_THE_SPOT and (is_opening or is_mode):
            return Rejection.EMERGENCY, f"{first} stands, ask at the place"
        if command.action is Action.RESIDENT_OPEN and (
            self._rolls.holder_revocation(command.by) is not None
        ):
            return Rejection.CREDENTIAL_REVOKED, "revoked, at this site or by the feed"
        if not command.door:
            return None
        if is_opening and self._site.doors[command.door].needs_two_persons:
            return Rejection.SECOND_PERSON_NEEDED, "this door asks for two persons"
        return self._mode_flaw(command, now) if is_mode else self._shut(command.door)

    def _shut(self, door: str) -> Flaw | None:
        closed = CLOSED_MODES.get(self._doors.mode(door))
        if closed is None:
            return None
        return Rejection(closed.value), "its mode lets nobody in"

    def _mode_flaw(self, command: RemoteCommand, now: Moment) -> Flaw | None:
        """Return why the door may not have that mode, or not for so long."""
        ordered = self._doors.intents()[command.door].ordered
        if ordered not in YIELDING_MODES and not self._modes.holds(command.door):
            return Rejection.MODE_HELD, f"{ordered} by hand, end it at the place"
        if command.mode is DoorMode.LOCKED:
            return None
        if now.latest_ms >= UNBOUNDED_MS:
            return Rejection.CLOCK_UNTRUSTED, "nobody knows when it would end"
        site = self._site
        end_ms = closing_ms(now.latest_ms, site.closing_min, site.utc_offset_ms)
        if not now.latest_ms < command.until_ms <= end_ms:
            return Rejection.UNTIL, "a mode from afar ends today, by closing time"
        return None

    def _rate_flaw(self, command: RemoteCommand, now_s: float) -> Flaw | None:
        """Count a command that nothing else forbids, or say which limit is reached."""
        place, by = command.place, command.by
        if command.action is Action.RESIDENT_OPEN:
            takes = [(self._residents, place, Rejection.RATE_DOOR)]
        else:
            takes = [(self._actors, by, Rejection.RATE_OPERATOR)]
            if command.is_opening:
                takes.append((self._openers, by, Rejection.RATE_OPERATOR))
                takes.append((self._leaves, place, Rejection.RATE_DOOR))
        for quota, name, reason in takes:
            if not quota.has_room(name, now_s):
                return reason, "too often, wait"
        for quota, name, _ in takes:
            quota.take(name, now_s)
        return None

    def _await(self, command: RemoteCommand, now_s: float) -> None:
        if command.action is Action.LOCKER_OPEN:
            self._awaited[command.place] = (command, now_s + LOCKER_OPENS_WITHIN_S)
        elif command.is_opening and command.action is not Action.MODE:
            release_s = self._site.doors[command.door].release_s + RELEASE_SLACK_S
            self._awaited[command.place] = (command, now_s + release_s)

    def _has_opened(self, place: str, at: Moment) -> None:
        awaited = self._awaited.pop(place, None)
        if awaited is not None and at.monotonic_s <= awaited[1]:
            self._opened.append(awaited[0])

    def _reject(self, command: RemoteCommand, flaw: Flaw, now: Moment) -> None:
        reason, why = flaw
        is_recorded = command.jti in self._unended and reason is not Rejection.REPLAY
        now_s = now.monotonic_s
        if not is_recorded and not self._rejections.is_single(
            "gateway", reason.value, now_s
        ):
            return
        facts: Facts = (*command.facts(), ("actor", command.actor[:MAX_TEXT]))
        facts += (("reason", reason.value), ("why", why[:MAX_TEXT]))
        # A name that the site does not know is no subject of its events.
        is_here = reason is not Rejection.UNKNOWN_TARGET
        self._out.event(
            EventKind.COMMAND_REJECTED,
            command.subject if is_here else "gateway",
            now,
            facts=facts,
            person=command.person,
        )

    def _tell(
        self, kind: EventKind, command: RemoteCommand, now: Moment, facts: Facts
    ) -> None:
        person = command.person
        self._out.event(kind, command.subject, now, facts=facts, person=person)


def _executed(command: RemoteCommand) -> Facts:
    facts = command.facts()
    if command.action is Action.MESSAGE:
        facts += (("actor", command.by), ("text", command.text))
    elif command.action is Action.MODE:
        until_ms = 0 if command.mode is DoorMode.LOCKED else command.until_ms
        facts += (("mode", command.mode.value), ("until", until_ms))
    return facts
