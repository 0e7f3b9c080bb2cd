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
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from edge.core.doors.door import DoorMode
from edge.core.doors.leaves import RELEASE_SLACK_S
from edge.core.erasing.erasing import Erasure
from edge.core.event import EventKind, Facts
from edge.core.limiter import Limiter
from edge.core.order import ModeOrdered
from edge.core.orders import MAX_TEXT, check
from edge.core.remote.command import ENDS, Action, Rejection, RemoteCommand
from edge.core.remote.messages import Messages
from edge.core.remote.modes import RemoteModes
from edge.core.remote.objections import Objections
from edge.core.remote.quota import Limits
from edge.core.stimulus import CommandReceived

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.doors.doorkeeper import Doorkeeper
    from edge.core.emergency.emergency import Emergency
    from edge.core.erasing.erasing import Erasing
    from edge.core.event import Event
    from edge.core.moment import Moment
    from edge.core.order import Order
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.rolls import Rolls
    from edge.core.plan import SitePlan
    from edge.core.remote.command import Flaw
    from edge.core.stimulus import CommandStored, OpenRefused

#: A record that took longer to store finds nobody at the door any more (law 5).
STORE_WITHIN_S = 2.0
#: Commands between receipt and record; a site has fewer doors than that.
MAX_PENDING = 32
#: Names kept over a restart; see the law of the module. A wish may come again within
#: minutes, and its name is kept beside its commands'.
MAX_KNOWN = 256
#: Rejections told one by one in a minute; what is beyond is counted.
SINGLE_REJECTIONS = 30
#: A leaf of lockers tells within so long that it opened.
LOCKER_OPENS_WITHIN_S = 10.0


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
        erasing: Erasing,
    ) -> None:
        self._site = site
        self._erasing = erasing
        self._out = out
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
        self._modes = RemoteModes(site)
        self._rejections = Limiter(SINGLE_REJECTIONS)
        self._limits = Limits()
        self._objections = Objections(
            site,
            doors=doors,
            emergency=emergency,
            rolls=rolls,
            modes=self._modes,
            erasing=erasing,
        )

    def handle(self, stimulus: CommandReceived | CommandStored, now: Moment) -> None:
        """Take what the shell says of a command."""
        if isinstance(stimulus, CommandReceived):
            self.receive(stimulus.command, now)
        else:
            self.stored(stimulus.jti, now)

    def receive(self, command: RemoteCommand, now: Moment) -> None:
        """Record a command that may be carried out, or why it may not."""
        flaw = self._name_flaw(command) or self._objections.to(command, now)
        flaw = flaw or self._limits.flaw(command, now.monotonic_s)
        if flaw:
            self._reject(command, flaw, now)
            return
        self._pending[command.jti] = (command, now.monotonic_s)
        facts: Facts = (*command.facts(), ("reason", command.reason[:MAX_TEXT]))
        facts += (("actor", command.actor[:MAX_TEXT]),)
        facts += (("number", command.number),) if command.number else ()
        # The end of a mode is on disk before the mode is.
        facts += (*command.mode_facts(), *command.wish_facts())
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
        flaw = self._objections.to(command, now)
        if flaw is None and command.action is Action.ERASE:
            self._erase(command, now)
            return
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
            if self._erasing.holds(jti):
                continue  # it goes on
            facts: Facts = (("action", action), ("jti", jti))
            self._out.event(EventKind.COMMAND_UNKNOWN, subject, now, facts=facts)

    def settle(self, now: Moment) -> None:
        """Tell of leaves that have opened as they should."""
        while self._opened:
            command = self._opened.pop(0)
            self._tell(EventKind.COMMAND_CONFIRMED, command, now, command.facts())

    def until_ms(self, door: str) -> int:
        """Return when a mode from afar ends (UTC); 0: the door is in none."""
        return self._modes.until_ms(door)

    def deadline(self) -> float | None:
        """Return when :meth:`expire` has something to do."""
        times = (self._modes.deadline(), self._rejections.deadline())
        return min((at_s for at_s in times if at_s is not None), default=None)

    def expire(self, now: Moment) -> None:
        """End the modes whose time is over, and tell what was counted.

        Each is done whatever another raises; a door that was not locked is due again.
        """
        with ExitStack() as each:
            each.callback(self._tell_counted, now)
            for door, why in self._modes.over(now):
                ended = ModeOrdered(
                    door=door, mode=DoorMode.LOCKED, actor="gateway", reason=why
                )
                each.callback(self._carry_out, ended, now)

    def follow(self, event: Event) -> None:
        """Learn of commands, and of what the leaves did."""
        self._modes.follow(event)
        self.messages.follow(event)
        jti = event.fact("jti")
        if event.kind is EventKind.COMMAND_RECEIVED:
            self._known.append(str(jti))
            if event.fact("wish"):
                self._known.append(str(event.fact("wish")))
            self._unended[str(jti)] = (event.subject, str(event.fact("action")))
        elif event.kind in ENDS:
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
                "unended": unended,
            }
            | self._modes.dump()
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take the state that :meth:`dump` returned, or an older one without it."""
        told = state.get("commands", {})
        self._known.extend(told.get("known", ()))
        self.messages.load(told.get("messages", ()))
        self._modes.load(told)
        unended = told.get("unended", {}).items()
        self._unended = {jti: (subject, action) for jti, (subject, action) in unended}

    def _tell_counted(self, now: Moment) -> None:
        for subject, reason, count in self._rejections.collect(now.monotonic_s):
            facts: Facts = (("count", count), ("reason", reason))
            self._out.event(EventKind.COMMAND_REJECTED, subject, now, facts=facts)

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

    def _erase(self, command: RemoteCommand, now: Moment) -> None:
        """Hand a wish to forget over: it goes on until it is done."""
        wish = Erasure(
            holder=command.holder,
            actor=command.actor,
            reason=command.reason,
            jti=command.jti,
        )
        self._erasing.begin(command.jti, wish, now)

    def _name_flaw(self, command: RemoteCommand) -> Flaw | None:
        if command.jti in self._known or command.jti in self._pending:
            return Rejection.REPLAY, "this command was here already"
        if command.wish and command.wish in self._known:
            return Rejection.REPLAY, "what is wished was here already"
        if len(self._pending) >= MAX_PENDING:
            return Rejection.BUSY, "too many commands wait for the disk"
        order = command.order()
        try:
            if order is not None:
                check(order, self._site)
        except ValueError as unknown:
            return Rejection.UNKNOWN_TARGET, str(unknown)
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
    return facts + command.mode_facts()
