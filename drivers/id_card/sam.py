# SPDX-License-Identifier: Apache-2.0
"""Identity-card reader with a SAM_V module on a serial line.

The law of the module: one command is in flight; a reply is read by its length, never
by a quiet time; an unknown status means "read failed, try again", never "person
unknown". Of a card only the number and its validity leave this driver; text and photo
are zeroed in the buffers once they are read, and a Garbled shows a header at most.

    PROBING      11 FF until it is answered with 90
    IDENTIFYING  12 FF until two answers are equal, three times at most -> Reachable
    SERVING      20 01 each 250 ms; 9F -> 20 02 -> 30 01; 11 FF each 30 s
    three commands in a row unanswered, or answered with a fault of the reader's own:
    Unreachable, and PROBING again

Source: SAM_V serial protocol text; time-outs as in SerialReader of
com.YinanSoft.CardReaders (Android); retries and health check are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from drivers.device import (
    CardFound,
    CardRead,
    CardUnreadable,
    Garbled,
    Order,
    OrderFailed,
    Reachable,
    Show,
    Signal,
    Unreachable,
    UnreadableCause,
)
from drivers.framing import Frame, Rejected
from drivers.id_card import sam_wire as wire
from drivers.id_card.presentation import Presentation
from drivers.id_card.sam_wire import Command, Reply, Status
from drivers.id_card.text import CardText, read_card
from drivers.limits import Liveness, RateLimit, Reach
from drivers.options import between
from drivers.secret import Secret, wipe
from drivers.waiting import WaitingSignals

#: A reader that was just powered is deaf for so long; misses don't count meanwhile.
POWER_UP_S = 1.5
#: Reads of the module number; the first after power-up may be wrong.
IDENTIFY_READS = 3
#: Garbled at most once in so long: a noisy line must not fill the house's journal.
GARBLED_EVERY_S = 1.0
#: What public drivers wait (0.3 and 0.1 s), and 50 ms for the wire and the scheduler,
#: so that a reader that takes just that long is not counted as silent.
_ANSWER_WITHIN_S = {
    Command.STATUS: 0.35,
    Command.MODULE_NUMBER: 0.35,
    Command.FIND: 0.15,
    Command.SELECT: 0.15,
}


class _Stage(StrEnum):
    CLOSED = "CLOSED"
    PROBING = "PROBING"
    IDENTIFYING = "IDENTIFYING"
    SERVING = "SERVING"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdCardSamOptions:
    """``read_timeout_s`` covers the card's work (2 s) and 1295 bytes at 115200 baud.

    At 9600 baud the wire alone takes 1.35 s: give it 3.5 there.
    """

    find_every_s: float = 0.25
    status_every_s: float = 30.0
    read_timeout_s: float = 2.2

    def __post_init__(self) -> None:
        between("find_every_s", self.find_every_s, 0.1, 2.0)
        between("status_every_s", self.status_every_s, 1.0, 600.0)
        between("read_timeout_s", self.read_timeout_s, 0.5, 10.0)


class IdCardReader:
    """The driver; see :class:`drivers.device.Device` for the verbs."""

    def __init__(self, *, unit: int = 0, options: IdCardSamOptions) -> None:
        self._unit = unit
        self._options = options
        self._framer = wire.reply_framer()
        self._liveness = Liveness()
        self._garbled = RateLimit(most=1, within_s=GARBLED_EVERY_S)
        self._stage = _Stage.CLOSED
        self._card: Presentation | None = None
        self._asked: Command | None = None
        self._answer_by = 0.0
        self._next_at = 0.0
        self._status_at = 0.0
        self._deaf_until = 0.0
        self._module_number = ""
        self._identify_reads = 0
        self._outgoing = bytearray()
        self._waiting = WaitingSignals()

    @property
    def buffered_bytes(self) -> int:
        """How much of a reply waits for its rest."""
        return self._framer.buffered_bytes

    def opened(self, now: float) -> None:
        """Begin to probe; whatever was known of the reader is void."""
        self._liveness.restart()
        self._deaf_until = now + POWER_UP_S
        self._begin(_Stage.PROBING, now)

    def resumed(self, now: float) -> None:
        """Drop what was in flight; a card that lies there is found anew."""
        if self._stage is not _Stage.CLOSED:
            self._begin(self._stage, now)

    def closed(self, now: float) -> list[Signal]:
        """Give up a card that was being read, and the reader."""
        was_answering = self._liveness.reach is Reach.ANSWERING
        signals = [*self._waiting.take(), *self._abandon_card()]
        self._liveness.restart()
        self._begin(_Stage.CLOSED, now)
        if was_answering:
            signals.append(Unreachable(unit=self._unit, why="the link was lost"))
        return signals

    def receive(self, data: bytes, now: float) -> list[Signal]:
        """Take bytes of the reader's."""
        # What came with this data was said before any command that it causes.
        asked = self._asked
        signals: list[Signal] = []
        for item in self._framer.receive(data):
            match item:
                case Frame(content=content):
                    asked = self._take_frame(content, asked, now, signals)
                case Rejected(head=head, why=why):
                    signals += self._report_garbled(head, why, now)
                case _ as never:
                    assert_never(never)
        return signals

    def tick(self, now: float) -> list[Signal]:
        """Count a missing answer, or ask the next question."""
        signals = self._waiting.take()
        if self._asked is not None and now >= self._answer_by:
            command, self._asked = self._asked, None
            signals += self._failed(command, "no answer", now)
        is_open = self._stage is not _Stage.CLOSED
        if is_open and self._asked is None and now >= self._next_at:
            self._ask_next(now)
        return signals

    def deadline(self) -> float | None:
        """Return the end of the wait for an answer, else the time of a question."""
        if self._waiting:
            return 0.0
        if self._stage is _Stage.CLOSED:
            return None
        return self._next_at if self._asked is None else self._answer_by

    def order(self, order: Order, now: float) -> None:  # noqa: ARG002
        """Refuse: a reader moves nothing. It has no lamp of ours for a cue either."""
        if isinstance(order, Show):
            return
        why = "an identity-card reader has no outputs"
        self._waiting.add(OrderFailed(unit=order.unit, order=order, why=why))

    def take_outgoing(self) -> bytes:
        """Hand over the command that is to be written."""
        outgoing = bytes(self._outgoing)
        self._outgoing.clear()
        return outgoing

    def _begin(self, stage: _Stage, now: float) -> None:
        self._stage = stage
        self._card = None
        self._asked = None
        self._next_at = now
        self._identify_reads = 0
        self._module_number = ""
        self._framer.reset()
        self._outgoing.clear()

    def _ask_next(self, now: float) -> None:
        match self._stage:
            case _Stage.PROBING:
                command = Command.STATUS
            case _Stage.IDENTIFYING:
                command = Command.MODULE_NUMBER
            case _:
                is_idle = self._card is None or self._card.is_settled
                is_due = is_idle and now >= self._status_at
                command = Command.STATUS if is_due else Command.FIND
        self._next_at = now + self._options.find_every_s
        self._ask(command, now)

    def _ask(self, command: Command, now: float) -> None:
        self._framer.reset()
        self._outgoing += wire.encode(command)
        self._asked = command
        within_s = _ANSWER_WITHIN_S.get(command, self._options.read_timeout_s)
        self._answer_by = now + within_s

    def _take_frame(
        self,
        content: bytearray,
        asked: Command | None,
        now: float,
        signals: list[Signal],
    ) -> Command | None:
        """Handle a sound frame; return the command that is still to be answered."""
        reply = wire.reply_of(content)
        head = bytes(content[:10])
        wipe(content)
        if asked is None or not wire.answers(asked, reply):
            wipe(reply.data)
            signals += self._report_garbled(head, "not an answer to the command", now)
            return asked
        self._asked = None
        signals += self._answered(asked, reply, now)
        wipe(reply.data)
        return None

    def _answered(self, command: Command, reply: Reply, now: float) -> list[Signal]:
        if reply.status in wire.READER_FAULTS:
            return self._failed(command, wire.describe(reply.status), now)
        if command is Command.STATUS and reply.status != Status.OK:
            return self._failed(command, wire.describe(reply.status), now)
        self._liveness.heard()
        match command:
            case Command.STATUS:
                self._take_status(now)
                return []
            case Command.MODULE_NUMBER:
                return self._take_module_number(reply, now)
            case Command.FIND:
                return self._take_find(reply.status, now)
            case Command.SELECT:
                return self._take_select(reply.status, now)
            case Command.READ:
                return self._take_read(reply, now)
            case _ as never:
                assert_never(never)

    def _failed(self, command: Command, why: str, now: float) -> list[Signal]:
        """Count a command that brought no answer of the reader's."""
        if command is Command.MODULE_NUMBER:
            return self._identified(now, "")
        signals: list[Signal] = []
        if command is Command.FIND:
            signals += self._find_failed(now)
        elif command in (Command.SELECT, Command.READ):
            signals += self._round_failed(UnreadableCause.TRY_AGAIN, now)
        if now < self._deaf_until or not self._liveness.missed():
            return signals
        signals += self._abandon_card()
        self._begin(_Stage.PROBING, self._next_at)
        return [*signals, Unreachable(unit=self._unit, why=why)]

    def _take_status(self, now: float) -> None:
        self._status_at = now + self._options.status_every_s
        if self._stage is _Stage.PROBING:
            self._begin(_Stage.IDENTIFYING, now)
            self._ask_next(now)

    def _take_module_number(self, reply: Reply, now: float) -> list[Signal]:
        is_ok = reply.status == Status.OK
        return self._identified(now, wire.module_number(reply.data) if is_ok else "")

    def _identified(self, now: float, number: str) -> list[Signal]:
        """Count a read of the module number; enough of them make it reachable."""
        self._identify_reads += 1
        is_sure = bool(number) and number == self._module_number
        self._module_number = number or self._module_number
        if not is_sure and self._identify_reads < IDENTIFY_READS:
            self._next_at = now
            return []
        self._liveness.found()
        self._begin(_Stage.SERVING, now)
        return [Reachable(unit=self._unit, detail=number if is_sure else "")]

    def _take_find(self, status: int, now: float) -> list[Signal]:
        if status == Status.FOUND:
            return self._take_found(now)
        signals = self._find_failed(now)
        is_settled = self._card is not None and self._card.is_settled
        if is_settled and status == Status.NO_CARD:
            self._card = None
        return signals

    def _take_found(self, now: float) -> list[Signal]:
        signals: list[Signal] = []
        if self._card is None:
            self._card = Presentation(now)
            signals.append(CardFound(unit=self._unit))
        if self._card.wants_round(now):
            self._ask(Command.SELECT, now)
        return signals

    def _take_select(self, status: int, now: float) -> list[Signal]:
        if status == Status.OK:
            self._ask(Command.READ, now)
            return []
        return self._round_failed(_cause_of(status), now)

    def _take_read(self, reply: Reply, now: float) -> list[Signal]:
        if reply.status != Status.OK:
            return self._round_failed(_cause_of(reply.status), now)
        text = read_card(reply.data)
        if isinstance(text, UnreadableCause):
            return self._round_failed(text, now)
        return self._take_text(text, now)

    def _take_text(self, text: CardText, now: float) -> list[Signal]:
        secret = Secret(text.number)
        if self._card is None:
            return []
        was_settled = self._card.is_settled
        if not self._card.succeeded(now, text.number):
            secret.wipe()
            return []
        read = CardRead(
            unit=self._unit,
            secret=secret,
            valid_from=text.valid_from,
            valid_to=text.valid_to,
        )
        return [CardFound(unit=self._unit), read] if was_settled else [read]

    def _find_failed(self, now: float) -> list[Signal]:
        """Count a find without 9F as a round, while a card waits for its verdict."""
        if self._card is None or self._card.is_settled:
            return []
        return self._round_failed(UnreadableCause.TRY_AGAIN, now)

    def _round_failed(self, cause: UnreadableCause, now: float) -> list[Signal]:
        verdict = self._card and self._card.failed(now, cause)
        return [CardUnreadable(unit=self._unit, why=verdict)] if verdict else []

    def _abandon_card(self) -> list[Signal]:
        """Give a verdict on a card whose reading can't go on."""
        is_pending = self._card is not None and not self._card.is_settled
        self._card = None
        why = UnreadableCause.TRY_AGAIN
        return [CardUnreadable(unit=self._unit, why=why)] if is_pending else []

    def _report_garbled(self, head: bytes, why: str, now: float) -> list[Signal]:
        if not self._garbled.admit(now):
            return []
        return [Garbled(unit=self._unit, raw=head, why=why)]


def _cause_of(status: int) -> UnreadableCause:
    if status == Status.UNKNOWN_CARD_KIND:
        return UnreadableCause.CARD_TYPE_UNKNOWN
    return UnreadableCause.TRY_AGAIN
