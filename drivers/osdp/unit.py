# SPDX-License-Identifier: Apache-2.0
"""One OSDP reader: what to ask it next, what it said, when it is lost.

The law of the module: a unit knows its own reader and nothing of the line. A question
that was not answered is sent once more with the same number, which no reader carries
out twice; then everything begins anew, so that a reader that lost its channel is back
without being called lost. Three silences in a row make it unreachable; it is then
probed once a second. A reader that answers but can't be trusted is unreachable too.
What was ordered for a reader dies with its channel: nothing is sent late. What people
showed it meanwhile dies too: see ``osdp_backlog``.

Source: OSDP v2.2 as libosdp has it (src/osdp_cp.c, osdp_config.h): poll each 50 ms,
time-out 200 ms. Its 300 s of silence after one refused command are not repeated here
(libosdp issue 197).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, assert_never

from drivers.device import (
    GARBLED_BYTES,
    Garbled,
    Pulse,
    Reachable,
    Show,
    Unreachable,
)
from drivers.limits import Liveness, RateLimit, Reach
from drivers.osdp.backlog import Backlog
from drivers.osdp.cue import commands_of
from drivers.osdp.messages import (
    ACK,
    ASK_INPUTS,
    ASK_LOCAL_STATUS,
    POLL,
    Busy,
    Command,
    Function,
    Nak,
    Reply,
)
from drivers.osdp.pulses import TOO_OLD, Pulses
from drivers.osdp.reports import Reports
from drivers.osdp.session import (
    Advanced,
    Answer,
    Forged,
    Ignored,
    Lost,
    Refused,
    Replaced,
    Secured,
    Session,
    Stage,
)
from drivers.osdp.tamper import Cause, Tamper

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import Order
    from drivers.osdp.options import OsdpReaderOptions
    from drivers.osdp.wire import Packet
    from drivers.waiting import WaitingSignals

#: A silent or refused reader is tried again so long after the last try.
PROBE_EVERY_S = 1.0
#: How often switch, supply and inputs are asked for, beside what a reader reports.
STATUS_EVERY_S = 5.0
#: As many readers as a pair serves at a beat that people do not notice, and more.
_STATUS_PHASES = 16
#: A reader that says BUSY for longer is stuck.
BUSY_MAX_S = 4.0
#: Beginnings in a row that led to no good answer; then the reader is unreachable.
FRUITLESS_SESSIONS = 3
#: Garbled at most once in so long for one reader.
GARBLED_EVERY_S = 1.0
#: Reasons told during one absence; NAK codes could make many.
_MAX_TOLD = 8


class OsdpUnit:
    """The state of one reader; the line asks for its frames and brings the replies."""

    def __init__(
        self,
        *,
        address: int,
        options: OsdpReaderOptions,
        random_bytes: Callable[[int], bytes],
        outbox: WaitingSignals,
    ) -> None:
        self.address = address
        self._poll_s = options.poll_ms / 1000
        self._session = Session(
            address=address,
            key=options.key,
            random_bytes=random_bytes,
            known_uid=options.uid,
        )
        self._is_pinned = bool(options.uid)
        self._outbox = outbox
        self._tamper = Tamper(unit=address, outbox=outbox)
        self._reports = Reports(
            unit=address,
            check_parity=options.check_parity,
            tamper=self._tamper,
            outbox=outbox,
        )
        self._garbled = RateLimit(most=1, within_s=GARBLED_EVERY_S)
        self._liveness = Liveness()
        self._told: set[str] = set()
        self._pulses = Pulses(unit=address, outbox=outbox)
        self._backlog = Backlog()
        self._cues: deque[Command] = deque()
        self._statuses: deque[Command] = deque()
        self._unknown: set[int] = set()
        self._command = POLL
        self._fruitless_sessions = 0
        self._busy_since: float | None = None
        self._status_at = 0.0
        self._status_lead_s = 0.0
        self._asked_at = 0.0
        #: When this unit wants to be asked.
        self.due_at = 0.0
        #: How often the question in flight was sent since it was heard of last.
        self.sendings = 0

    @property
    def reach(self) -> Reach:
        """Whether the reader answers and is trusted."""
        return self._liveness.reach

    def opened(self, now: float) -> None:
        """Begin with the first stage; all levels will be told anew."""
        self._liveness.restart()
        self._told.clear()
        self._fruitless_sessions = 0
        self._reports.forget()
        self._begin(now, "the link was opened anew")

    def resumed(self, now: float) -> None:
        """Read all levels anew; what was in flight is asked again, but no order."""
        self._reports.forget()
        self._backlog.begin()
        self._cues.clear()
        self._status_at = now
        if self._pulses.is_any:
            self._begin(now, "the process stood still")
        self.due_at = now

    def closed(self, why: str) -> None:
        """Give everything up; the line is gone."""
        self._pulses.drop(why)
        if self.reach is Reach.ANSWERING:
            self._outbox.add(Unreachable(unit=self.address, why=why))
        self.opened(0.0)

    def order(self, order: Order, now: float) -> str:
        """Take an order; return why it is refused, empty if it is not."""
        match order:
            case Show():
                self._show(order, now)
                return ""
            case Pulse():
                return self._take_pulse(order, now)
        return "an OSDP reader's outputs are pulsed, nothing else"

    def next_frame(self, now: float) -> bytes:
        """Return the bytes to be sent now: a question or its repeat."""
        self._asked_at = now
        self.due_at = self._next_poll(now)
        if self._session.is_waiting:
            self.sendings += 1
            return self._session.repeat()
        self.sendings = 1
        is_secure = self._session.stage is Stage.SECURE
        self._command = self._next_command(now) if is_secure else POLL
        self._backlog.asked(self._command)
        return self._session.ask(self._command)

    def _next_poll(self, now: float) -> float:
        """Return the next poll on a grid that all readers share.

        Readers of one beat are asked one after the other, each in the moment in which
        the one before has answered: half as many occasions to wake up for.
        """
        due_at = (now // self._poll_s + 1.0) * self._poll_s
        return due_at if due_at > now else due_at + self._poll_s

    def answered(self, packet: Packet, now: float) -> bool:
        """Take a packet; False if it is no answer and the wait goes on."""
        verdict = self._session.take(packet)
        match verdict:
            case Answer(reply=reply):
                self._take_reply(reply, now)
            case Ignored():
                return False
            case Forged(why=why):
                self._tamper.forged(now)
                self._say_garbled(packet.signed, why, now)
                return False
            case Busy():
                self._stay_busy(now)
            case Advanced():
                self._liveness.heard()
                self.due_at = now
            case Secured():
                self._secured(now)
            case Lost(why=why):
                self._end_session(why, now)
            case Refused(why=why):
                self._refuse(why)
            case Replaced(uid=uid):
                self._tamper.hold(Cause.OTHER_READER, is_present=True)
                self._refuse(f"another reader answers, cuid {uid.hex().upper()}")
            case _:
                assert_never(verdict)
        return True

    def missed(self, why: str, now: float) -> None:
        """Count a question that nobody answered: repeat it once, then begin anew."""
        if self._liveness.missed():
            self._lost(why)
        if self.reach is Reach.SILENT or self.sendings > 1:
            self._end_session(why, self._asked_at + PROBE_EVERY_S)
        else:
            self.due_at = now

    def _end_session(self, why: str, again_at: float) -> None:
        """Begin anew; a reader with which that is of no use is unreachable."""
        self._fruitless_sessions += 1
        if self._fruitless_sessions >= FRUITLESS_SESSIONS:
            self._refuse(why)
        else:
            self._begin(again_at, why)

    def _refuse(self, why: str) -> None:
        """Give the reader up for now: it is of no use, whether it answers or not."""
        self._liveness.reach = Reach.SILENT
        self._lost(why)
        self._begin(self._asked_at + PROBE_EVERY_S, why)

    def _lost(self, why: str) -> None:
        """Tell each reason of an absence once."""
        self._reports.forget()
        if why not in self._told and len(self._told) < _MAX_TOLD:
            self._told.add(why)
            self._outbox.add(Unreachable(unit=self.address, why=why))

    def _begin(self, at: float, why: str) -> None:
        """Forget the channel and all that was meant for it; try again at ``at``."""
        self._pulses.drop(why)
        self._session.restart()
        self._backlog.begin()
        self._reports.spoil_number()
        self._cues.clear()
        self._statuses.clear()
        self._unknown.clear()
        self._busy_since = None
        self._status_at = self._asked_at = self.due_at = at
        self.sendings = 0

    def _next_command(self, now: float) -> Command:
        """Return what to ask in the secure channel."""
        if self._pulses and (command := self._pulses.next(now)):
            return command
        if self._cues:
            return self._cues.popleft()
        if now >= self._status_at:
            self._status_at = now + STATUS_EVERY_S - self._status_lead_s
            self._status_lead_s = 0.0
            wanted = [ASK_LOCAL_STATUS]
            if self._session.capabilities.count(Function.CONTACTS):
                wanted.append(ASK_INPUTS)
            self._statuses.extend(c for c in wanted if c.code not in self._unknown)
        return self._statuses.popleft() if self._statuses else POLL

    def _take_reply(self, reply: Reply, now: float) -> None:
        """Take the answer to a command: the channel works."""
        self._liveness.heard()
        self._fruitless_sessions = 0
        self._busy_since = None
        self._tamper.calm(now)
        self._reports.expire(now)
        self._backlog.answered(reply, now)
        if self.reach is not Reach.ANSWERING:
            self._found()
        # A poll at once behind all else: only polls bring cards, and they wait.
        is_more = self._pulses or self._cues or self._statuses
        if is_more or self._command is not POLL or self._backlog.is_urgent:
            self.due_at = now
        if isinstance(reply, Nak):
            self._command_refused(reply)
            return
        self._pulses.answered()
        if reply is not ACK:
            is_late = self._backlog.is_possible
            garbled = self._reports.take(reply, now, is_late=is_late)
            if garbled is not None:
                self._say_garbled(garbled.raw, garbled.why, now)

    def _command_refused(self, nak: Nak) -> None:
        """Live with a refusal: it is about one command, not about the reader."""
        self._pulses.answered(nak.why)
        if self._command.code in (ASK_LOCAL_STATUS.code, ASK_INPUTS.code):
            self._unknown.add(self._command.code)

    def _secured(self, now: float) -> None:
        self._liveness.heard()
        self._session.known_uid = self._session.uid
        self._tamper.hold(Cause.OTHER_READER, is_present=False)
        # A poll before the levels: until it has brought nothing, no card counts.
        self.due_at = now
        self._status_at = now + self._poll_s
        # Readers of one pair are secure together: asked for their levels in one beat
        # ever after, they would hold cards up.
        phase = self.address % _STATUS_PHASES
        self._status_lead_s = STATUS_EVERY_S * phase / _STATUS_PHASES

    def _found(self) -> None:
        """Tell that the reader is there: it has signed an answer."""
        self._told.clear()
        self._liveness.found()
        self._outbox.add(Reachable(unit=self.address, detail=self._detail()))

    def _detail(self) -> str:
        pin = "" if self._is_pinned else " (not pinned: set it as the option cuid)"
        uid = self._session.uid.hex().upper()
        return f"OSDP {self._session.identity}, cuid {uid}{pin}"

    def _stay_busy(self, now: float) -> None:
        """Ask the same again at the next poll; a reader that is stuck is silent.

        It heard the question: the next loss of an answer is the first.
        """
        self.sendings = 0
        if self._busy_since is None:
            self._busy_since = now
        if self._pulses.is_too_old(now):
            self._begin(now, TOO_OLD)
        elif now - self._busy_since >= BUSY_MAX_S:
            self._refuse("the reader says that it is busy, for too long")

    def _show(self, show: Show, now: float) -> None:
        if self.reach is Reach.ANSWERING and self._session.stage is Stage.SECURE:
            self._cues = deque(commands_of(show, self._session.capabilities))
            self._hurry(now)

    def _take_pulse(self, order: Pulse, now: float) -> str:
        if self.reach is not Reach.ANSWERING or self._session.stage is not Stage.SECURE:
            return "the reader is unreachable"
        outputs = self._session.capabilities.count(Function.OUTPUTS)
        why = self._pulses.take(order, outputs, now)
        self._hurry(now)
        return why

    def _hurry(self, now: float) -> None:
        """Be asked next, unless a question is in flight or to be repeated."""
        if not self._session.is_waiting:
            self.due_at = min(self.due_at, now)

    def _say_garbled(self, raw: bytes, why: str, now: float) -> None:
        if self._garbled.admit(now):
            raw = raw[:GARBLED_BYTES]
            self._outbox.add(Garbled(unit=self.address, raw=raw, why=why))
