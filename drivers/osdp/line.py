# SPDX-License-Identifier: Apache-2.0
"""One question at a time on an OSDP line.

The law of the module: a second question is never sent before the first was answered
or given up, nor within ``turnaround_s`` of an answer. It finds sound replies of the
asked address and judges nothing else about them; it repeats nothing by itself.

OSDP wants two characters of silence between packets. A serial port hands over the end
of a packet only after as much, and the mark before each packet is one more: so no
time needs to be added, except for transceivers that let go of the line late.

Source: libosdp, src/osdp_phy.c and osdp_config.h (reply time-out 200 ms); silence
between packets and inside one as OSDP v2.2, 5.2 has it: two characters, 20 ms.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.errors import LocalError
from drivers.osdp.wire import MAX_PACKET_BYTES, Packet, explain, find_reply

#: A byte at 9600 baud, the slowest of speeds; the line does not know its own.
BYTE_S = 10 / 9600
#: A reply that has begun may pause so long: 20 ms, and as much for a USB adapter.
PAUSE_S = 0.04
#: A reply behind its echo; of more only the newest is kept.
_MAX_BUFFER_BYTES = 2 * MAX_PACKET_BYTES


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question ran out of time; ``raw`` is what came instead, if anything."""

    why: str
    raw: bytes = field(repr=False)


class OsdpLine:
    """The line's one conversation; time comes in as ``now``."""

    def __init__(self, *, reply_timeout_s: float, turnaround_s: float = 0.0) -> None:
        self._reply_timeout_s = reply_timeout_s
        self._turnaround_s = turnaround_s
        self._address = 0
        self._sent = b""
        self._outgoing = b""
        self._buffer = bytearray()
        self._latest_by = 0.0
        self.is_idle = True
        self.ready_at = 0.0
        self.answer_by = 0.0

    @property
    def buffered_bytes(self) -> int:
        """How much waits for its rest, or for the next question."""
        return len(self._buffer)

    def ask(
        self, frame: bytes, address: int, now: float, timeout_s: float | None = None
    ) -> None:
        """Send a question; LocalError while another is in flight or too early."""
        if not self.is_idle or now < self.ready_at:
            raise LocalError("the line is busy")
        self.is_idle = False
        self._address = address
        self._sent = self._outgoing = frame
        self._buffer.clear()
        wait_s = self._reply_timeout_s if timeout_s is None else timeout_s
        self.answer_by = now + wait_s + len(frame) * BYTE_S
        self._latest_by = self.answer_by + MAX_PACKET_BYTES * BYTE_S

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes; a reply that has begun is waited for."""
        self._buffer += data
        excess = len(self._buffer) - _MAX_BUFFER_BYTES
        if excess > 0:
            del self._buffer[:excess]
        if not self.is_idle:
            by = max(self.answer_by, now + PAUSE_S)
            self.answer_by = min(by, self._latest_by)

    def next_packet(self) -> Packet | None:
        """Return the next sound reply of the address that was asked last."""
        found = find_reply(self._buffer, self._address)
        if found is None:
            return None
        packet, end = found
        del self._buffer[:end]
        return packet

    def answered(self, now: float) -> None:
        """End the question; what else has arrived stays to be looked at."""
        self.is_idle = True
        self.ready_at = now + self._turnaround_s

    def expire(self, now: float) -> Unanswered | None:
        """Give the question up, if its time has passed."""
        if self.is_idle or now < self.answer_by:
            return None
        raw = bytes(self._buffer)
        # Some RS-485 adapters hand back what they send; that is nobody's answer.
        said = raw.replace(self._sent, b"")
        why = str(explain(said, self._address)) if said else "no answer"
        self._buffer.clear()
        self.is_idle = True
        self.ready_at = now
        return Unanswered(why, said)

    def forget(self, now: float) -> None:
        """Drop what is in flight, sent or not."""
        self._outgoing = b""
        self._buffer.clear()
        self.is_idle = True
        self.ready_at = now

    def take_outgoing(self) -> bytes:
        """Hand over the packet that is to be written."""
        outgoing, self._outgoing = self._outgoing, b""
        return outgoing
