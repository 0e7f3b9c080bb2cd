# SPDX-License-Identifier: Apache-2.0
"""The blocking half of a PC/SC link: one thread that watches one reader.

The law of the module: it decides nothing. It tells what it sees, waits until that was
taken, and carries out what was asked meanwhile; so at most one piece of news is under
way. pyscard's own monitor dies for good when pcscd is absent or restarted (pyscard
issues 82 and 128); this loop lets go, waits one to ten seconds and begins anew.

Source: pcsc-lite 1.9, SCardGetStatusChange.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drivers.links.device_link import place_of
from drivers.pcsc.apdu import is_for_reader
from drivers.pcsc.service import PcscError

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.pcsc.service import PcscService, ReaderState

#: How long the service is asked to wait: also how late a stop, and a cue that no card
#: explains, may be.
WAIT_MS = 1000
#: After news of a card its verdict's cue is expected; meanwhile requests go out at
#: once, and only a removal is seen so much later.
LINGER_S = 0.3
FIRST_RETRY_S = 1.0
#: Also how long a session must have lasted for the steps to begin anew.
LAST_RETRY_S = 10.0
#: A driver asks one question at a time; so many mean a thread that is stuck.
MAX_REQUESTS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """The reader is there and ours to use."""

    reader: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Detached:
    """There is no reader to be used, for the reason given."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A card lies in the field; ``atr`` is empty if it does not speak."""

    atr: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """The field is empty; also told at the first look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One APDU; its number stands in the answer."""

    number: int
    apdu: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a request brought, and when; None if nothing came."""

    number: int
    at: float
    answer: bytes | None = field(repr=False)


News = Attached | Detached | Arrived | Removed | Answered


class Watch:
    """The thread's work; :meth:`run` ends soon after :meth:`stop`.

    ``tell`` is called in the thread; whoever takes the news puts what he asks for
    into ``requests``, and then None.
    """

    def __init__(
        self,
        prefix: str,
        service: PcscService,
        tell: Callable[[News], None],
        *,
        now: Callable[[], float],
    ) -> None:
        self.requests: queue.Queue[Request | None] = queue.Queue(MAX_REQUESTS)
        #: Grows with each look, as a sign of life.
        self.looks = 0
        self._prefix = prefix
        self._service = service
        self._report = tell
        self._now = now
        self._stopped = threading.Event()
        self._is_renewing = False
        self._taken: deque[Request] = deque()
        self._reader = ""
        self._state: ReaderState | None = None
        self._is_attached = False
        self._linger_until = 0.0

    def stop(self) -> None:
        """Ask the thread to end; from any thread."""
        self._stopped.set()

    def renew(self) -> None:
        """Ask the thread to let go of the service and begin anew; from any thread."""
        self._is_renewing = True

    def run(self) -> None:
        """Watch until stopped, through every loss of reader and service."""
        retry_s = FIRST_RETRY_S
        while not self._stopped.is_set():
            began_at = self._now()
            self._tell(Detached(why=self._session()))
            if self._now() - began_at >= LAST_RETRY_S:
                retry_s = FIRST_RETRY_S
            self._stopped.wait(retry_s)
            retry_s = min(2 * retry_s, LAST_RETRY_S)

    def _session(self) -> str:
        """Serve until the service is lost; return why."""
        self._is_renewing = False
        self._forget()
        try:
            self._service.open()
            while not self._stopped.is_set() and not self._is_renewing:
                self._look()
        except PcscError as fault:
            return str(fault)
        except Exception as fault:  # noqa: BLE001
            return f"link fault: {place_of(fault)}"
        finally:
            self._service.close()
        return "the link begins anew"

    def _look(self) -> None:
        self.looks += 1
        try:
            self._choose(self._service.readers())
            flags = 0 if self._state is None else self._state.flags
            state = self._service.wait(self._reader, flags, WAIT_MS)
            if state is not None:
                self._compare(state)
            self._serve()
        except PcscError as fault:
            if not fault.means_no_reader:
                raise
            self._detach("the reader was unplugged")

    def _choose(self, names: list[str]) -> None:
        """Keep the reader that we have, or take the only one that fits."""
        if self._reader in names:
            return
        if self._reader:
            self._detach("the reader was unplugged")
        fitting = [name for name in names if name.startswith(self._prefix)]
        if len(fitting) == 1:
            self._reader = fitting[0]
            return
        wanted = f"reader named {self._prefix!r}" if self._prefix else "PC/SC reader"
        self._tell(
            Detached(
                why=f"no {wanted} is plugged in"
                if not fitting
                else f"more than one {wanted}: {', '.join(fitting)}"
            )
        )

    def _compare(self, state: ReaderState) -> None:
        """Tell how the reader differs from what was told before."""
        before, self._state = self._state, state
        if state.is_held:
            self._is_attached = False
            why = "another program has the reader for itself (sharing violation)"
            self._tell(Detached(why=why))
            return
        if not self._is_attached:
            self._is_attached = True
            before = None
            self._tell(Attached(reader=self._reader))
        if before is None:
            first = Arrived(atr=state.atr) if state.is_card_present else Removed()
            self._tell_of_card(first)
            return
        has_moved = before.events != state.events
        if before.is_card_present and (has_moved or not state.is_card_present):
            self._tell_of_card(Removed())
        if state.is_card_present and (has_moved or not before.is_card_present):
            self._tell_of_card(Arrived(atr=state.atr))
        elif has_moved and not before.is_card_present:
            # Somebody was faster than we look.
            self._tell_of_card(Arrived(atr=b""))
            self._tell_of_card(Removed())

    def _tell_of_card(self, news: Arrived | Removed) -> None:
        self._tell(news)
        self._linger_until = self._now() + LINGER_S

    def _serve(self) -> None:
        """Carry out what is asked, and linger after news of a card."""
        while (request := self._next_request()) is not None:
            answer = self._carry_out(request)
            number, at = request.number, self._now()
            self._tell(Answered(number=number, at=at, answer=answer))
            self._linger_until = self._now() + LINGER_S

    def _next_request(self) -> Request | None:
        while not self._taken:
            rest_s = self._linger_until - self._now()
            try:
                request = self.requests.get(block=rest_s > 0, timeout=max(0, rest_s))
            except queue.Empty:
                return None
            if request is not None:
                self._taken.append(request)
            elif self._stopped.is_set():
                return None
        return self._taken.popleft()

    def _carry_out(self, request: Request) -> bytes | None:
        """Send an APDU; None if the card is gone or does not answer."""
        try:
            return self._send(request.apdu)
        except PcscError as fault:
            if fault.means_no_service or fault.means_no_reader:
                raise
            return None

    def _send(self, apdu: bytes) -> bytes:
        try:
            return self._service.transmit(self._reader, apdu)
        except PcscError as fault:
            if not (is_for_reader(apdu) and fault.means_no_card):
                raise
        return self._service.escape(self._reader, apdu)

    def _detach(self, why: str) -> None:
        self._forget()
        self._tell(Detached(why=why))

    def _forget(self) -> None:
        self._reader = ""
        self._state = None
        self._is_attached = False
        self._taken.clear()

    def _tell(self, news: News) -> None:
        """Tell, and wait until it was taken; keep what is asked for meanwhile."""
        if self._stopped.is_set():
            return
        self._report(news)
        while not self._stopped.is_set():
            request = self.requests.get()
            if request is None:
                return
            self._taken.append(request)
