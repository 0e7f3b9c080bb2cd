# SPDX-License-Identifier: Apache-2.0
"""Giving one OSDP reader a key of its own, at a bench.

The law of the module: the default key of install mode is printed in the standard, so
whoever listens while a key is set has it for ever. So this happens only when asked
for, once, within a window of seconds, and with one reader on the line: every other
address is called first, and an answer ends the attempt. The key is sent inside a
channel, never in clear, and then proved by a handshake of its own:

    SEARCH -> LISTEN -> INSTALL (default key) -> SET_KEY -> PROVE (new key) -> DONE

Reachable says that the reader holds the new key now and names its cUID; Unreachable
says why not. No signal carries the key: whoever made it keeps it.

Source: Bishop Fox, "mellon", README (capture of KEYSET); libosdp, src/osdp_cp.c.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from drivers.device import OrderFailed, Reachable, Show, Unreachable
from drivers.errors import LocalError
from drivers.options import between
from drivers.osdp.line import OsdpLine
from drivers.osdp.messages import IDENTIFY, POLL, Ack, Busy, Nak, set_key
from drivers.osdp.secure_channel import DEFAULT_KEY, weakness
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
from drivers.osdp.wire import MAX_ADDRESS, encode
from drivers.waiting import WaitingSignals

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import Order, Signal
    from drivers.osdp.session import Verdict
    from drivers.osdp.wire import Packet

REPLY_TIMEOUT_S = 0.2
#: An answer of a reader that should not be there; the search takes 127 of these. A
#: slower one answers into a later question, or into the silence behind the last.
SEARCH_TIMEOUT_S = 0.03
MOST_WINDOW_S = 60.0
#: A question that was not answered so often ends the attempt.
SENDINGS = 3
BUSY_PAUSE_S = 0.05
_OTHERS_TALK = "something else answers on the line"


class _Step(StrEnum):
    SEARCH = "searching for other readers"
    LISTEN = "listening for other readers"
    INSTALL = "install mode"
    SET_KEY = "setting the key"
    PROVE = "proving the new key"
    DONE = "done"


class OsdpPairing:
    """A device for one port and one attempt; building it is arming it.

    ``key``: 16 random bytes that the caller keeps. The window begins when the port
    opens; a second opening finds the attempt over.
    """

    def __init__(
        self,
        *,
        address: int,
        key: bytes,
        window_s: float,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        if why := weakness(key):
            raise LocalError(f"key: {why}")
        between("address", address, 0, MAX_ADDRESS)
        between("window_s", window_s, 10.0, MOST_WINDOW_S)
        self._address = address
        self._key = key
        self._window_s = window_s
        self._random_bytes = random_bytes
        self._session = Session(
            address=address,
            key=DEFAULT_KEY,
            random_bytes=random_bytes,
            is_install=True,
        )
        self._line = OsdpLine(reply_timeout_s=REPLY_TIMEOUT_S)
        self._outbox = WaitingSignals()
        others = (other for other in range(MAX_ADDRESS + 1) if other != address)
        self._others = iter(others)
        self._step = _Step.DONE
        self._is_fresh = True
        self._sendings = 0
        self._due_at = 0.0
        self._ends_at = 0.0

    @property
    def is_done(self) -> bool:
        """Whether the attempt is over, well or not."""
        return self._step is _Step.DONE and not self._is_fresh

    def opened(self, now: float) -> None:
        """Begin the one attempt."""
        if not self._is_fresh:
            why = "this attempt is over; arm another one"
            self._outbox.add(Unreachable(unit=self._address, why=why))
            return
        self._is_fresh = False
        self._step = _Step.SEARCH
        self._due_at = now
        self._ends_at = now + self._window_s
        self._advance(now)

    def resumed(self, now: float) -> None:
        """End the attempt: nobody knows what happened meanwhile."""
        self._line.forget(now)
        self._end("the process stood still")

    def closed(self, now: float) -> list[Signal]:
        """End the attempt."""
        self._line.forget(now)
        self._end("the link was lost")
        return self._outbox.take()

    def receive(self, data: bytes, now: float) -> list[Signal]:
        """Take bytes of the line's."""
        if data and self._step is _Step.LISTEN:
            self._end(_OTHERS_TALK)
        self._line.receive(data, now)
        while packet := self._line.next_packet():
            if not self._line.is_idle:
                self._take(packet, now)
        self._advance(now)
        return self._outbox.take()

    def tick(self, now: float) -> list[Signal]:
        """Give up what was not answered, ask what is due."""
        unanswered = self._line.expire(now)
        if unanswered is not None:
            if self._step is _Step.SEARCH and len(unanswered.raw) > 1:
                self._end(_OTHERS_TALK)
            elif self._step is not _Step.SEARCH and self._sendings >= SENDINGS:
                self._end(f"{self._step}: {unanswered.why}")
            self._due_at = now
        if self._step is not _Step.DONE and now >= self._ends_at:
            self._line.forget(now)
            self._end(f"{self._step}: the window has closed")
        self._advance(now)
        return self._outbox.take()

    def deadline(self) -> float | None:
        """Return when something is due, at the latest the window's end."""
        if self._outbox:
            return 0.0
        if self._step is _Step.DONE:
            return None
        is_idle = self._line.is_idle
        at = max(self._due_at, self._line.ready_at) if is_idle else self._line.answer_by
        return min(at, self._ends_at)

    def order(self, order: Order, now: float) -> None:
        """Refuse all orders."""
        del now
        if not isinstance(order, Show):
            why = "the reader is being paired"
            self._outbox.add(OrderFailed(unit=order.unit, order=order, why=why))

    def take_outgoing(self) -> bytes:
        """Hand over the packet that is to be written."""
        return self._line.take_outgoing()

    def _advance(self, now: float) -> None:
        is_early = now < max(self._line.ready_at, self._due_at)
        if self._step is _Step.DONE or not self._line.is_idle or is_early:
            return
        if self._step is _Step.SEARCH:
            other = next(self._others, None)
            if other is not None:
                frame = encode(other, 0, IDENTIFY.code, IDENTIFY.data)
                self._line.ask(frame, other, now, SEARCH_TIMEOUT_S)
                return
            self._step = _Step.LISTEN
            self._due_at = now + REPLY_TIMEOUT_S
            return
        if self._step is _Step.LISTEN:
            self._step = _Step.INSTALL
        self._ask(now)

    def _ask(self, now: float) -> None:
        self._sendings += 1
        if self._session.is_waiting:
            frame = self._session.repeat()
        else:
            self._sendings = 1
            is_key = self._step is _Step.SET_KEY
            frame = self._session.ask(set_key(self._key) if is_key else POLL)
        self._line.ask(frame, self._address, now)

    def _take(self, packet: Packet, now: float) -> None:
        if self._step is _Step.SEARCH:
            self._line.answered(now)
            self._end(f"another reader is on the line, address {packet.address}")
            return
        verdict = self._session.take(packet)
        if isinstance(verdict, Ignored | Forged):
            return
        self._line.answered(now)
        self._due_at = now
        if isinstance(verdict, Busy):
            self._due_at = now + BUSY_PAUSE_S
        elif not isinstance(verdict, Advanced):
            self._go_on(verdict)

    def _go_on(self, verdict: Verdict) -> None:
        """Take the end of a step."""
        match self._step, verdict:
            case _Step.INSTALL, Secured():
                self._step = _Step.SET_KEY
            case _Step.SET_KEY, Answer(reply=Ack()):
                self._step = _Step.PROVE
                self._session = Session(
                    address=self._address,
                    key=self._key,
                    random_bytes=self._random_bytes,
                    known_uid=self._session.uid,
                )
            case _Step.PROVE, Secured():
                # One signed answer proves what the handshake promised.
                pass
            case _Step.PROVE, Answer() if self._session.stage is Stage.SECURE:
                self._step = _Step.DONE
                detail = f"paired, cuid {self._session.uid.hex().upper()}"
                self._outbox.add(Reachable(unit=self._address, detail=detail))
            case _:
                self._end(f"{self._step}: {_words_of(verdict)}")

    def _end(self, why: str) -> None:
        if self._step is not _Step.DONE:
            self._step = _Step.DONE
            self._outbox.add(Unreachable(unit=self._address, why=why))


def _words_of(verdict: Verdict) -> str:
    match verdict:
        case Lost(why=why) | Refused(why=why):
            return why
        case Answer(reply=Nak() as nak):
            return nak.why
        case Replaced():
            return "another reader answers"
    return "not what was asked for"
