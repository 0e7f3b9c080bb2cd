# SPDX-License-Identifier: Apache-2.0
"""Code scanner of the GM65 family (GM60, GM65, GM805, GM812, GM861) on a serial line.

The law of the module: codes are taken at every moment, whatever else is going on. One
question is in flight; settings are asked for when the line opens, after a missed
heartbeat and each minute, in a quiet moment, and never in between, since a code that
somebody holds up can imitate an answer. Each minute, because a power cut between two
heartbeats goes unnoticed and leaves a scanner that answers, but prints its codes
elsewhere. What the site file wants is written, read
back, and kept by the scanner until it loses power (or in flash, if the site file says
so). Settings that changed under our eyes were changed by a setup code that somebody
held up: tampered with, and set again.

    READING   zones 0000 0003 000D 0060 002A 0013, three tries each
    APPLYING  what differs is written and read back -> Reachable
    SERVING   a heartbeat each 10 s (in trigger mode: "look for a code", each 2 s)
    three questions in a row unanswered: Unreachable, and READING again

A clone that does not hold this dialogue, or a line that only listens, is a ``qr_line``.
Finding the speed is not done here.

Source: GM65/GM812 serial manuals as read by cryptoadvance/specter-diy ``qr.py`` (its
issue 355: a reset scanner talks at 9600 and is deaf for over a second) and Tasmota
``xsns_107_gm861.ino`` (heartbeat each 10 s, three misses).
"""

from __future__ import annotations

from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, assert_never

from drivers.device import (
    CodeRead,
    Order,
    OrderFailed,
    Reachable,
    Show,
    Signal,
    TamperChanged,
    Unreachable,
)
from drivers.framing import Line
from drivers.limits import Liveness, Reach
from drivers.scanners import qr_gm65_settings as settings
from drivers.scanners import qr_gm65_wire as wire
from drivers.scanners.qr_codes import CodeFilter
from drivers.scanners.qr_gm65_framer import ScanFramer
from drivers.waiting import WaitingSignals

if TYPE_CHECKING:
    from collections.abc import Generator

    from drivers.scanners.qr_gm65_settings import Found, Gm65Options, Zone
    from drivers.scanners.qr_gm65_wire import Question, Reply

#: Some units take 0.2 s and more; a late answer must not be taken for the next one.
ANSWER_WITHIN_S = 0.5
TRIES = 3
TRY_AGAIN_S = 0.05
#: A scanner that was reset or just powered is deaf for 1.5 s.
POWER_UP_S = 2.0
PROBE_EVERY_S = 1.0
#: After a missed heartbeat; a dead scanner is noticed some 4 s later.
MISSED_HEARTBEAT_S = 1.0
#: Shorter than the 5 s for which a scanner looks for a code after one trigger.
TRIGGER_EVERY_S = 2.0
#: No code for so long is a quiet moment.
QUIET_S = 5.0
_IDLE_REPLIES = (b"\x02\x00", b"\x03\x00")
_CONTROLS = bytes([*range(0x20), 0x7F])
_SILENT = (
    "no answer; check cable and power, and the speed (a scanner that was reset talks "
    "at 9600 baud)"
)
_BABBLE = "it sends what is no answer; most likely its speed is another one, try 9600"


class _Stage(StrEnum):
    CLOSED = "CLOSED"
    READING = "READING"
    APPLYING = "APPLYING"
    SERVING = "SERVING"


class Gm65Scanner:
    """The driver; see :class:`drivers.device.Device` for the verbs."""

    def __init__(self, *, unit: int = 0, options: Gm65Options) -> None:
        self._unit = unit
        self._options = options
        self._framer = ScanFramer(
            silence_s=options.silence_s, is_length_prefixed=options.tail == "length"
        )
        self._codes = CodeFilter(
            unit=unit,
            same_code_s=options.same_code_s,
            min_code_bytes=options.min_length,
        )
        self._liveness = Liveness()
        self._waiting = WaitingSignals()
        self._outgoing = bytearray()
        self._stage = _Stage.CLOSED
        self._zones: tuple[Zone, ...] = settings.zones(options, None)
        self._dialogue: Generator[Question, bytes, Found] | None = None
        self._question: Question | None = None
        self._tries = 0
        self._is_asked = False
        self._answer_by = 0.0
        self._ask_at = inf
        self._alive_at = inf
        self._check_at = inf
        self._deaf_until = 0.0
        self._last_code_at = -inf
        self._idle_reply_until = -inf
        self._is_babbling = False
        self._is_guarded = False
        self._is_tampered = False

    @property
    def buffered_bytes(self) -> int:
        """How much of a code or an answer waits for its rest."""
        return self._framer.buffered_bytes

    def opened(self, now: float) -> None:
        """Begin to read the settings; what was known of the scanner is void."""
        self._liveness.restart()
        self._deaf_until = now + POWER_UP_S
        self._zones = settings.zones(self._options, None)
        self._is_guarded = self._is_guarded and self._options.save
        self._forget()
        self._begin_reading(now)

    def resumed(self, now: float) -> None:
        """Drop what was in flight and go on."""
        self._forget()
        if self._stage is _Stage.SERVING:
            self._alive_at = min(self._alive_at, now)
        elif self._stage is not _Stage.CLOSED:
            self._begin_reading(now)

    def closed(self, now: float) -> list[Signal]:  # noqa: ARG002
        """Call the scanner unreachable."""
        signals = self._waiting.take()
        if self._liveness.reach is Reach.ANSWERING:
            signals.append(Unreachable(unit=self._unit, why="the link was lost"))
        self._liveness.restart()
        self._forget()
        self._dialogue = None
        self._stage = _Stage.CLOSED
        return signals

    def receive(self, data: bytes, now: float) -> list[Signal]:
        """Take bytes of the scanner's."""
        return self._take_all(self._framer.receive(data, now), now)

    def tick(self, now: float) -> list[Signal]:
        """End a code by silence, count a missing answer, or ask what is due."""
        signals = self._waiting.take()
        signals += self._take_all(self._framer.tick(now), now)
        if self._is_asked and now >= self._answer_by:
            signals += self._unanswered(now)
        if not self._is_asked and now >= self._next_at():
            self._ask_next(now)
        return signals

    def deadline(self) -> float | None:
        """Return the earliest of a code's end, an answer's end and a question."""
        if self._waiting:
            return 0.0
        wanted = self._answer_by if self._is_asked else self._next_at()
        line_ends_at = self._framer.deadline()
        if line_ends_at is not None:
            wanted = min(wanted, line_ends_at)
        return None if wanted == inf else wanted

    def order(self, order: Order, now: float) -> None:  # noqa: ARG002
        """Refuse: a scanner moves nothing. It has no lamp of ours for a cue either."""
        if isinstance(order, Show):
            return
        why = "a scanner has no outputs"
        self._waiting.add(OrderFailed(unit=order.unit, order=order, why=why))

    def take_outgoing(self) -> bytes:
        """Hand over the question that is to be written."""
        outgoing = bytes(self._outgoing)
        self._outgoing.clear()
        return outgoing

    def _forget(self) -> None:
        self._framer.reset()
        self._codes.forget()
        self._outgoing.clear()
        self._is_asked = False
        self._idle_reply_until = -inf

    def _next_at(self) -> float:
        match self._stage:
            case _Stage.CLOSED:
                return inf
            case _Stage.READING | _Stage.APPLYING:
                return self._ask_at
            case _Stage.SERVING:
                check_at = max(self._check_at, self._last_code_at + QUIET_S)
                return min(self._alive_at, check_at)
            case _ as never:
                assert_never(never)

    def _take_all(self, items: list[Line | Reply], now: float) -> list[Signal]:
        # What came with these bytes was said before any question that it causes.
        asked = self._question if self._is_asked else None
        signals: list[Signal] = []
        for item in items:
            if isinstance(item, Line):
                signals += self._take_line(item, now)
            elif asked is not None and wire.answers(asked, item):
                asked = None
                signals += self._take_answer(item, now)
        return signals

    def _take_line(self, line: Line, now: float) -> list[Signal]:
        if line.content.startswith(_IDLE_REPLIES) and not self._is_asked:
            # It may hold a CR or LF: what follows, and ends by silence at the latest,
            # is no code either.
            self._idle_reply_until = now + 2 * self._options.silence_s
        if now < self._idle_reply_until:
            return []
        # An answer that was broken by a code leaves its bytes around that code.
        text = line.content.translate(None, _CONTROLS)
        if not text:
            return []
        taken = self._codes.take(text, now, is_cut=line.is_cut, raw=line.content)
        if any(isinstance(signal, CodeRead) for signal in taken):
            self._last_code_at = now
            self._liveness.heard()
            if self._options.is_triggered_by_us:
                self._alive_at = min(self._alive_at, now)
        else:
            self._is_babbling = True
        return taken

    def _take_answer(self, reply: Reply, now: float) -> list[Signal]:
        self._is_asked = self._is_babbling = False
        self._liveness.heard()
        if self._dialogue is not None:
            return self._advance(self._dialogue, reply.data, now)
        self._alive_at = now + self._alive_every_s()
        return []

    def _alive_every_s(self) -> float:
        if self._options.is_triggered_by_us:
            return TRIGGER_EVERY_S
        return self._options.heartbeat_s or inf

    def _ask_next(self, now: float) -> None:
        if self._stage is _Stage.SERVING:
            if now < self._alive_at:
                self._begin_reading(now)
            else:
                is_ours = self._options.is_triggered_by_us
                self._question = wire.trigger() if is_ours else wire.heartbeat()
        if self._question is not None:
            self._outgoing += self._question.frame
            self._is_asked = True
            self._answer_by = now + ANSWER_WITHIN_S

    def _begin_reading(self, at: float) -> None:
        self._stage = _Stage.READING
        self._begin(settings.read_settings(self._zones), at)

    def _begin(self, dialogue: Generator[Question, bytes, Found], at: float) -> None:
        self._dialogue = dialogue
        self._question = next(dialogue)
        self._tries = 0
        self._ask_at = at

    def _advance(
        self, dialogue: Generator[Question, bytes, Found], data: bytes, now: float
    ) -> list[Signal]:
        """Give a dialogue its answer; its next question goes out at once."""
        try:
            self._question = dialogue.send(data)
        except StopIteration as end:
            found: Found = end.value
            return self._ended(found, now)
        self._tries = 0
        self._ask_at = now
        self._ask_next(now)
        return []

    def _ended(self, found: Found, now: float) -> list[Signal]:
        """Apply settings that were read; serve once they were."""
        differences = settings.differing(self._zones, found)
        if self._stage is _Stage.APPLYING or not differences:
            return self._settled(differences, found, now)
        signals: list[Signal] = []
        if self._is_guarded:
            what = settings.describe(differences, found)
            signals += self._tamper(is_tampered=True, why=f"settings changed: {what}")
        is_saved = self._options.save
        dialogue = settings.apply_settings(self._zones, found, is_saved=is_saved)
        self._stage = _Stage.APPLYING
        self._begin(dialogue, now)
        self._ask_next(now)
        return signals

    def _settled(self, refused: list[Zone], found: Found, now: float) -> list[Signal]:
        """Begin to serve; a scanner that refuses a setting serves as it is."""
        is_news = self._liveness.reach is not Reach.ANSWERING
        self._liveness.found()
        self._stage, self._dialogue = _Stage.SERVING, None
        self._alive_at = now + self._alive_every_s()
        if self._options.is_triggered_by_us:
            self._alive_at = now
        self._check_at = now + (self._options.check_every_s or inf)
        baud_value = found[wire.BAUD_ZONE]
        self._zones = settings.zones(self._options, baud_value)
        self._is_guarded = not refused
        signals: list[Signal] = []
        if is_news:
            detail = wire.describe_baud(baud_value)
            if refused:
                what = settings.describe(refused, found)
                detail = f"{detail}; settings refused: {what}"
            signals.append(Reachable(unit=self._unit, detail=detail))
        if not refused:
            signals += self._tamper(is_tampered=False, why="settings are as they were")
        return signals

    def _tamper(self, *, is_tampered: bool, why: str) -> list[Signal]:
        if is_tampered is self._is_tampered:
            return []
        self._is_tampered = is_tampered
        return [TamperChanged(unit=self._unit, is_tampered=is_tampered, why=why)]

    def _unanswered(self, now: float) -> list[Signal]:
        """Count a miss; ask again, or begin anew with what is left of the scanner."""
        self._is_asked = False
        is_counted = now >= self._deaf_until
        is_lost = is_counted and self._liveness.missed()
        if self._stage is _Stage.SERVING:
            self._alive_at = now + MISSED_HEARTBEAT_S
            if self._options.check_every_s:
                # It may have been reset, and print its codes elsewhere from now on.
                self._check_at = self._alive_at
        else:
            self._tries += 1
            self._ask_at = now + TRY_AGAIN_S
            if self._tries >= TRIES:
                self._begin_reading(now + PROBE_EVERY_S)
        if not is_lost:
            return []
        # Without flash its settings may be gone with its power: no sign of a hand.
        self._is_guarded = self._is_guarded and self._options.save
        self._zones = settings.zones(self._options, None)
        self._begin_reading(now + PROBE_EVERY_S)
        why = _BABBLE if self._is_babbling else _SILENT
        self._is_babbling = False
        return [Unreachable(unit=self._unit, why=why)]
