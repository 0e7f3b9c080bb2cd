# SPDX-License-Identifier: Apache-2.0
"""Contactless card reader behind PC/SC (ACR122U and its like): each card's own number.

The law of the module: a number is news once in a presentation, which lasts until the
field was empty for ``same_card_s``: a card that lies still, trembles at the edge of
the field or was there before the service was started again is read once. Bytes are
APDUs here, one question at a time. Besides the verbs of every driver this one is told
what PC/SC tells: ``named``, ``arrived``, ``removed``, ``failed``.

Source: PC/SC part 3; see ``drivers.pcsc.apdu``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from drivers.device import (
    GARBLED_BYTES,
    CardFound,
    CardUnreadable,
    Garbled,
    Order,
    OrderFailed,
    Reachable,
    Show,
    Signal,
    TagRead,
    Unreachable,
    UnreadableCause,
)
from drivers.limits import RateLimit
from drivers.options import between
from drivers.pcsc import apdu as pcsc_apdu
from drivers.waiting import WaitingSignals

if TYPE_CHECKING:
    from drivers.device import Technology

#: A card that slides into the field fails at first; after three it is told.
ROUNDS = 3
ROUND_PAUSE_S = 0.1
#: How often a card that was told to try again, and lies there still, is asked; some
#: readers do not notice that it was lifted and laid down better.
LOOK_AGAIN_S = 1.0
#: Nobody taps faster by hand; beyond, somebody plays with many cards.
CARDS_A_SECOND = 5
GARBLED_A_SECOND = 5
#: An ACR122U that refuses twice to be quiet is a copy that cannot.
QUIET_TRIES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PcscOptions:
    """``allow_random_uid`` takes numbers that telephones draw anew at each tap."""

    same_card_s: float = 1.0
    allow_random_uid: bool = False

    def __post_init__(self) -> None:
        between("same_card_s", self.same_card_s, 0.0, 10.0)


class _Asked(StrEnum):
    NUMBER = "NUMBER"
    QUIET = "QUIET"
    CUE = "CUE"


class _Stay:
    """One card in the field: how it speaks, and whether it got its verdict."""

    def __init__(self, technology: Technology | None) -> None:
        self.technology = technology
        self.failed_rounds = 0
        self.next_round_at: float | None = None
        self.wants_round = technology is not None

    def settle(self) -> None:
        self.wants_round = False
        self.next_round_at = None

    @property
    def is_settled(self) -> bool:
        return not self.wants_round and self.next_round_at is None


class PcscReader:
    """The driver; see :class:`drivers.device.Device` for the verbs."""

    def __init__(self, *, unit: int = 0, options: PcscOptions) -> None:
        self._unit = unit
        self._options = options
        self._name = ""
        self._is_open = False
        self._stay: _Stay | None = None
        # What was said last in this presentation, and whether it was announced.
        self._said: TagRead | CardUnreadable | None = None
        self._is_announced = False
        self._away_since = 0.0
        self._lay_at_closing = False
        self._asked: _Asked | None = None
        self._asked_of: _Stay | None = None
        self._cue = b""
        self._quiet_tries = 0
        self._wants_quiet = False
        self._cards = RateLimit(most=CARDS_A_SECOND, within_s=1.0)
        self._garbled = RateLimit(most=GARBLED_A_SECOND, within_s=1.0)
        self._waiting = WaitingSignals()

    def named(self, reader: str) -> None:
        """Take the reader's name, before :meth:`opened`."""
        self._name = reader

    def opened(self, now: float) -> None:  # noqa: ARG002
        """Call the reader reachable; an ACR122U is told not to beep at each card."""
        self._is_open = True
        self._asked = self._asked_of = self._stay = None
        self._cue = b""
        self._quiet_tries = QUIET_TRIES if pcsc_apdu.has_cues(self._name) else 0
        self._wants_quiet = self._quiet_tries > 0
        self._waiting.add(Reachable(unit=self._unit, detail=self._name))

    def resumed(self, now: float) -> None:  # noqa: ARG002
        """Drop what was in flight; a card without a verdict is asked anew."""
        self._asked = self._asked_of = None
        self._cue = b""
        if self._stay is not None and not self._stay.is_settled:
            self._stay.wants_round = True

    def closed(self, now: float) -> list[Signal]:
        """Give up a card that was being read, and the reader."""
        signals = self._waiting.take()
        if self._is_open:
            lay_there = self._stay is not None
            signals += self.removed(now)
            self._lay_at_closing = lay_there
            signals.append(Unreachable(unit=self._unit, why="the link was lost"))
        self._is_open = False
        self._asked = self._asked_of = None
        self._cue = b""
        return signals

    def arrived(self, atr: bytes, now: float) -> list[Signal]:
        """Take a card that lies in the field; ``atr`` is empty if it does not speak."""
        signals = self.removed(now) if self._stay is not None else []
        is_apart = now - self._away_since >= self._options.same_card_s
        if is_apart and not self._lay_at_closing:
            self._said = None
            self._is_announced = True
            signals.append(CardFound(unit=self._unit))
        self._lay_at_closing = False
        self._stay = _Stay(pcsc_apdu.technology_of(atr))
        if self._stay.technology is not None:
            return signals
        cause = UnreadableCause.CARD_TYPE_UNKNOWN if atr else UnreadableCause.TRY_AGAIN
        return signals + self._unreadable(cause, now)

    def removed(self, now: float) -> list[Signal]:
        """Take an empty field: after a card, or at the first look of a link."""
        self._lay_at_closing = False
        stay, self._stay = self._stay, None
        self._away_since = now if stay is not None else self._away_since
        if stay is None or stay.is_settled:
            return []
        return self._unreadable(UnreadableCause.TRY_AGAIN, now)

    def receive(self, data: bytes, now: float) -> list[Signal]:
        """Take the answer to the APDU that was handed over last."""
        asked, stay = self._answered()
        match asked:
            case _Asked.NUMBER:
                return self._take_number(data, stay, now)
            case _Asked.QUIET:
                if data[-2:] == b"\x90\x00":
                    self._quiet_tries = 0
                return []
            case _Asked.CUE:
                return []
            case None:
                if not self._garbled.admit(now):
                    return []
                raw, why = data[:GARBLED_BYTES], "an answer that nobody asked for"
                return [Garbled(unit=self._unit, raw=raw, why=why)]
            case _ as never:
                assert_never(never)

    def failed(self, now: float) -> list[Signal]:
        """Learn that the APDU which was handed over last met no answer."""
        asked, stay = self._answered()
        if asked is _Asked.NUMBER and stay is not None:
            return self._round_failed(stay, now)
        return []

    def tick(self, now: float) -> list[Signal]:
        """Begin the next round, when its pause is over."""
        stay = self._stay
        due_at = None if stay is None else stay.next_round_at
        if stay is not None and due_at is not None and now >= due_at:
            stay.next_round_at = None
            stay.wants_round = True
        return self._waiting.take()

    def deadline(self) -> float | None:
        """Return when the next round begins."""
        if self._waiting:
            return 0.0
        return None if self._stay is None else self._stay.next_round_at

    def order(self, order: Order, now: float) -> None:  # noqa: ARG002
        """Show a cue where the reader can; refuse all else, a reader moves nothing."""
        if not isinstance(order, Show):
            why = "a card reader has no outputs"
            self._waiting.add(OrderFailed(unit=order.unit, order=order, why=why))
        elif self._is_open and pcsc_apdu.has_cues(self._name):
            self._cue = pcsc_apdu.CUES.get(order.cue, self._cue)

    def take_outgoing(self) -> bytes:
        """Hand over the next APDU; empty while one is unanswered."""
        if not self._is_open or self._asked is not None:
            return b""
        if self._stay is not None and self._stay.wants_round:
            return self._ask(_Asked.NUMBER, pcsc_apdu.GET_NUMBER)
        if self._cue:
            apdu, self._cue = self._cue, b""
            return self._ask(_Asked.CUE, apdu)
        if self._wants_quiet and self._quiet_tries:
            self._wants_quiet = False
            self._quiet_tries -= 1
            return self._ask(_Asked.QUIET, pcsc_apdu.BUZZER_OFF_ON_DETECT)
        return b""

    def _ask(self, asked: _Asked, apdu: bytes) -> bytes:
        self._asked, self._asked_of = asked, self._stay
        return apdu

    def _answered(self) -> tuple[_Asked | None, _Stay | None]:
        """Close the question; the card is None if it is not there any more."""
        asked, stay = self._asked, self._asked_of
        self._asked = self._asked_of = None
        return asked, stay if stay is self._stay else None

    def _take_number(
        self, answer: bytes, stay: _Stay | None, now: float
    ) -> list[Signal]:
        if stay is None or stay.technology is None:
            return []
        allow = self._options.allow_random_uid
        found = pcsc_apdu.number_in(answer, stay.technology, allow_random_uid=allow)
        if found is UnreadableCause.TRY_AGAIN:
            return self._round_failed(stay, now)
        stay.settle()
        self._wants_quiet = True
        if isinstance(found, UnreadableCause):
            return self._unreadable(found, now)
        tag = TagRead(
            unit=self._unit,
            technology=stay.technology,
            bits=8 * len(found),
            number=found,
        )
        return self._verdict(tag, now)

    def _round_failed(self, stay: _Stay, now: float) -> list[Signal]:
        stay.failed_rounds += 1
        stay.wants_round = False
        if stay.failed_rounds < ROUNDS:
            stay.next_round_at = now + ROUND_PAUSE_S
            return []
        stay.next_round_at = now + LOOK_AGAIN_S
        return self._unreadable(UnreadableCause.TRY_AGAIN, now)

    def _unreadable(self, why: UnreadableCause, now: float) -> list[Signal]:
        if why is UnreadableCause.TRY_AGAIN and self._said is not None:
            # It said something before: now it only leaves, or trembles.
            return []
        return self._verdict(CardUnreadable(unit=self._unit, why=why), now)

    def _verdict(self, verdict: TagRead | CardUnreadable, now: float) -> list[Signal]:
        """Say what was found, if it is news in this presentation."""
        if verdict == self._said:
            return []
        self._said = verdict
        if not self._cards.admit(now):
            # One word a burst.
            if self._cards.dropped > 1:
                return []
            return [Garbled(unit=self._unit, raw=b"", why="rate limit")]
        is_announced, self._is_announced = self._is_announced, False
        return [verdict] if is_announced else [CardFound(unit=self._unit), verdict]
