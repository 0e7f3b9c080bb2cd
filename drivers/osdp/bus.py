# SPDX-License-Identifier: Apache-2.0
"""OSDP readers on one RS-485 line: who is asked next.

The law of the module: one question at a time, to whoever is due longest; a reader
that is silent costs its neighbours one time-out a second. Readers are heard through
their secure channels alone. A line on which two readers answer to one address says
so: the second of two different answers to one question, or three questions in a row
answered by bytes that make no sense.

Source: OSDP v2.2 as libosdp has it (src/osdp_cp.c); two readers on one address as in
a replacement whose address was never set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.device import GARBLED_BYTES, AddressConflict, Garbled, OrderFailed, Show
from drivers.errors import LocalError
from drivers.limits import RateLimit
from drivers.osdp.line import OsdpLine, Unanswered
from drivers.osdp.messages import ReplyCode
from drivers.osdp.unit import OsdpUnit
from drivers.osdp.wire import MAX_ADDRESS, Fault
from drivers.waiting import WaitingSignals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.device import Order, Signal
    from drivers.osdp.options import OsdpReaderOptions
    from drivers.osdp.wire import Packet

#: Garbled at most once in so long for the whole line.
GARBLED_EVERY_S = 1.0
#: AddressConflict at most once in so long for one reader.
CONFLICT_EVERY_S = 60.0
#: Less than a packet is noise; two packets on top of each other are more.
COLLISION_BYTES = 6
#: One collision may be noise, two an unlucky line.
COLLISIONS = 3
_COLLISION_FAULTS = frozenset({Fault.CHECKSUM, Fault.LENGTH, Fault.NOISE})
_LINK_LOST = "the link was lost"


class OsdpReaders:
    """The driver; see :class:`drivers.device.Device` for the verbs.

    ``random_bytes`` makes the nonces: ``os.urandom``, or what a test can foretell.
    """

    def __init__(
        self,
        *,
        readers: Mapping[int, OsdpReaderOptions],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        if not readers:
            raise LocalError("an OSDP line needs at least one reader")
        wrong = [address for address in readers if not 0 <= address <= MAX_ADDRESS]
        if wrong:
            raise LocalError(f"a reader has an address 0 to {MAX_ADDRESS}, not {wrong}")
        _refuse_shared_keys(readers)
        self._outbox = WaitingSignals()
        self._units = {
            address: OsdpUnit(
                address=address,
                options=options,
                random_bytes=random_bytes,
                outbox=self._outbox,
            )
            for address, options in readers.items()
        }
        timeouts = [options.reply_timeout_ms for options in readers.values()]
        turnarounds = [options.turnaround_ms for options in readers.values()]
        self._line = OsdpLine(
            reply_timeout_s=max(timeouts) / 1000,
            turnaround_s=max(turnarounds) / 1000,
        )
        self._conflicts = {
            address: RateLimit(most=1, within_s=CONFLICT_EVERY_S) for address in readers
        }
        self._collisions = dict.fromkeys(readers, 0)
        self._garbled = RateLimit(most=1, within_s=GARBLED_EVERY_S)
        self._everyone = tuple(self._units.values())
        self._unit = self._everyone[0]
        self._answer: Packet | None = None
        self._is_open = False

    @property
    def buffered_bytes(self) -> int:
        """How much of a reply waits for its rest."""
        return self._line.buffered_bytes

    def opened(self, now: float) -> None:
        """Begin all sessions anew."""
        self._line.forget(now)
        self._answer = None
        for unit in self._units.values():
            unit.opened(now)
        self._is_open = True
        self._advance(now)

    def resumed(self, now: float) -> None:
        """Give the question in flight up; it is asked again, and all levels too."""
        if not self._is_open:
            return
        self._line.forget(now)
        self._answer = None
        for unit in self._units.values():
            unit.resumed(now)

    def closed(self, now: float) -> list[Signal]:
        """Call all readers unreachable."""
        self._is_open = False
        self._line.forget(now)
        self._answer = None
        for unit in self._units.values():
            unit.closed(_LINK_LOST)
        return self._outbox.take()

    def receive(self, data: bytes, now: float) -> list[Signal]:
        """Take bytes of the line's."""
        if not self._is_open:
            return []
        self._line.receive(data, now)
        while packet := self._line.next_packet():
            is_once = self._unit.sendings == 1
            if not self._line.is_idle and self._unit.answered(packet, now):
                self._answer = packet if is_once else None
                self._collisions[self._unit.address] = 0
                self._line.answered(now)
            else:
                self._compare(packet, now)
        self._advance(now)
        return self._outbox.take()

    def tick(self, now: float) -> list[Signal]:
        """Give up what was not answered, ask what is due."""
        unanswered = self._line.expire(now)
        if unanswered is not None:
            self._take_silence(unanswered, now)
        self._advance(now)
        return self._outbox.take()

    def deadline(self) -> float | None:
        """Return the end of the wait for a reply, else the time of a question."""
        if self._outbox:
            return 0.0
        if not self._is_open:
            return None
        if not self._line.is_idle:
            return self._line.answer_by
        return max(self._most_due().due_at, self._line.ready_at)

    def order(self, order: Order, now: float) -> None:
        """Take an order and send it at once if the line is free.

        A cue for a reader that is not there is dropped in silence.
        """
        unit = self._units.get(order.unit)
        if unit is None or not self._is_open:
            why = _LINK_LOST if unit else "no reader has this address"
        else:
            why = unit.order(order, now)
        if why and not isinstance(order, Show):
            self._outbox.add(OrderFailed(unit=order.unit, order=order, why=why))
        self._advance(now)

    def take_outgoing(self) -> bytes:
        """Hand over the packet that is to be written."""
        return self._line.take_outgoing()

    def _most_due(self) -> OsdpUnit:
        """Return the reader that has waited longest, or that is due first.

        Of one beat always in the same order, so that each is asked at an even pace.
        """
        most = self._everyone[0]
        for unit in self._everyone:
            if unit.due_at < most.due_at:
                most = unit
        return most

    def _advance(self, now: float) -> None:
        """Ask the next question, if the line is free."""
        if not self._is_open or not self._line.is_idle or now < self._line.ready_at:
            return
        unit = self._most_due()
        if unit.due_at <= now:
            self._unit = unit
            self._line.ask(unit.next_frame(now), unit.address, now)

    def _take_silence(self, unanswered: Unanswered, now: float) -> None:
        unit, raw = self._unit, unanswered.raw
        self._answer = None
        if raw and self._garbled.admit(now):
            raw = raw[:GARBLED_BYTES]
            garbled = Garbled(unit=unit.address, raw=raw, why=unanswered.why)
            self._outbox.add(garbled)
        # Nothing but 00 or FF is a line that is stuck, by a short or by a dead driver.
        is_stuck = len(set(unanswered.raw)) == 1
        is_crowded = len(unanswered.raw) >= COLLISION_BYTES and not is_stuck
        if is_crowded and unanswered.why in _COLLISION_FAULTS:
            self._collisions[unit.address] += 1
        else:
            self._collisions[unit.address] = 0
        if self._collisions[unit.address] >= COLLISIONS:
            self._collisions[unit.address] = 0
            self._say_conflict("answers make no sense, as when two readers talk", now)
        unit.missed(unanswered.why, now)

    def _compare(self, packet: Packet, now: float) -> None:
        """Look whether this is another answer to a question that was sent once."""
        first = self._answer
        if first is None or first.address != packet.address:
            return
        is_busy = ReplyCode.BUSY in (first.code, packet.code)
        if packet.sequence == first.sequence and packet != first and not is_busy:
            self._say_conflict("two different answers came to one question", now)

    def _say_conflict(self, why: str, now: float) -> None:
        if self._conflicts[self._unit.address].admit(now):
            self._outbox.add(AddressConflict(unit=self._unit.address, why=why))


def _refuse_shared_keys(readers: Mapping[int, OsdpReaderOptions]) -> None:
    """Raise LocalError where whoever opens one reader holds another's key too."""
    holders: dict[bytes, int] = {}
    for address, options in readers.items():
        other = holders.setdefault(options.key, address)
        if other != address:
            why = f"the readers {other} and {address} have the same scbk"
            raise LocalError(f"{why}; pair each with a key of its own")
