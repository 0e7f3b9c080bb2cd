# SPDX-License-Identifier: Apache-2.0
"""Finding the addresses on a Modbus RTU line: which of them answer a read of coils.

The law of the module: it reads and never writes, so that no relay moves; one question
at a time, one address after the other. Silence is taken at its first word; garbage is
asked again, and what stays garbage is two boards on one address (or a wrong speed,
then every address with a board is so). An exception is an answer.

Source: Modbus Application Protocol V1.1b3, 6.1; addresses 1 to 247 from Modbus over
serial line V1.02, 2.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.device import (
    AddressConflict,
    Order,
    OrderFailed,
    Reachable,
    Show,
    Signal,
)
from drivers.errors import LocalError
from drivers.modbus.master import ModbusMaster
from drivers.modbus.rtu import Fault, Refused, read_coils
from drivers.waiting import WaitingSignals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drivers.modbus.master import Unanswered
    from drivers.modbus.rtu import Reply

FIRST_ADDRESS, LAST_ADDRESS = 1, 247
#: What every board of ours has; a smaller one refuses, which is an answer.
COILS = 8
#: Question and answer take 15 ms at 9600 baud; a board and its adapter think for less
#: than the rest. All addresses take 26 s.
REPLY_TIMEOUT_S = 0.1
TURNAROUND_S = 0.005
#: The first asking and two more, where what came was garbage.
ASKINGS = 3


class AddressScan:
    """A device for a link that finds addresses; see :class:`drivers.device.Device`.

    It signals Reachable for each address that answers and AddressConflict for each
    that answers in garbage, as they are found; ``is_done`` when all were asked.
    """

    def __init__(
        self,
        addresses: Iterable[int] = range(FIRST_ADDRESS, LAST_ADDRESS + 1),
        *,
        reply_timeout_s: float = REPLY_TIMEOUT_S,
        turnaround_s: float = TURNAROUND_S,
    ) -> None:
        self._addresses = tuple(dict.fromkeys(addresses))
        for address in self._addresses:
            if not FIRST_ADDRESS <= address <= LAST_ADDRESS:
                raise LocalError(f"an address is 1 to {LAST_ADDRESS}, not {address}")
        self._master = ModbusMaster(
            turnaround_s=turnaround_s, reply_timeout_s=reply_timeout_s
        )
        self._waiting = WaitingSignals()
        self._at = 0
        self._askings = 0
        self._is_open = False
        self.answering: tuple[int, ...] = ()
        self.garbled: tuple[int, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether every address was asked."""
        return self._at >= len(self._addresses)

    @property
    def asked(self) -> int:
        """How many addresses are behind it, for a bar of progress."""
        return self._at

    @property
    def buffered_bytes(self) -> int:
        """How much of an answer waits for its rest."""
        return self._master.buffered_bytes

    def opened(self, now: float) -> None:
        """Begin with the first address; what was found before is forgotten."""
        self._master.opened(now)
        self._at = self._askings = 0
        self.answering = self.garbled = ()
        self._is_open = True
        self._advance(now)

    def closed(self, now: float) -> list[Signal]:
        """Stop asking; nothing was served, so nothing is lost."""
        self._master.forget(now)
        self._is_open = False
        return self._waiting.take()

    def resumed(self, now: float) -> None:
        """Ask again what was in flight."""
        if self._is_open:
            self._master.forget(now)
            self._askings = 0

    def receive(self, data: bytes, now: float) -> list[Signal]:
        """Take bytes of the line's."""
        reply = self._master.receive(data, now)
        signals = [self._answered(reply)] if reply is not None else []
        self._advance(now)
        return [*self._waiting.take(), *signals]

    def tick(self, now: float) -> list[Signal]:
        """Give an address up, ask the next."""
        unanswered = self._master.expire(now)
        signals = self._unanswered(unanswered) if unanswered is not None else []
        self._advance(now)
        return [*self._waiting.take(), *signals]

    def deadline(self) -> float | None:
        """Return the end of the wait for a reply, else the time of a question."""
        if self._waiting:
            return 0.0
        if not self._is_open or self.is_done:
            return None
        is_idle = self._master.is_idle
        return self._master.ready_at if is_idle else self._master.answer_by

    def order(self, order: Order, now: float) -> None:
        """Refuse: a search moves nothing."""
        del now
        if not isinstance(order, Show):
            why = "addresses are being looked for, nothing is moved"
            self._waiting.add(OrderFailed(unit=order.unit, order=order, why=why))

    def take_outgoing(self) -> bytes:
        """Hand over the question that is to be written."""
        return self._master.take_outgoing()

    def _advance(self, now: float) -> None:
        if self.is_done or not self._is_open or not self._master.is_idle:
            return
        if now >= self._master.ready_at:
            self._askings += 1
            self._master.ask(read_coils(self._addresses[self._at], 0, COILS), now)

    def _answered(self, reply: Reply) -> Signal:
        address = self._next_address()
        self.answering += (address,)
        detail = reply.why if isinstance(reply, Refused) else ""
        return Reachable(unit=address, detail=detail)

    def _unanswered(self, unanswered: Unanswered) -> list[Signal]:
        is_garbled = bool(unanswered.raw) and unanswered.why != Fault.ECHO
        if is_garbled and self._askings < ASKINGS:
            return []
        address = self._next_address()
        if not is_garbled:
            return []
        self.garbled += (address,)
        why = f"what answers is garbled ({unanswered.why}): two boards, or the speed"
        return [AddressConflict(unit=address, why=why)]

    def _next_address(self) -> int:
        """Go on to the next address; return the one that is done."""
        self._at += 1
        self._askings = 0
        return self._addresses[self._at - 1]
