# SPDX-License-Identifier: Apache-2.0
"""A simulated identity-card reader with a SAM_V module on a serial line.

The law of the module: a command is carried out when its reply is due, so that a card
taken away meanwhile spoils it as in life; nothing that the gateway sends raises.
Source: "SAM_V serial protocol" (softs.im, eastcoms.com): commands, status codes,
lengths of replies; public drivers for order and quirks (see the imported modules).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from random import Random
from typing import assert_never

from firmware_sim.happening import Diary, Subject, What
from firmware_sim.id_card.identity_card import (
    FINGERPRINT_BYTES,
    CardLayout,
    IdentityCard,
    address_block,
    text_block,
)
from firmware_sim.id_card.sam_frames import SamGarbage, SamRequest, SamRequests, reply
from firmware_sim.id_card.sam_settings import (
    MODULE_NUMBER_BYTES,
    SamFault,
    SamLatencies,
    SamReaderSettings,
)
from firmware_sim.id_card.sam_states import CardState, Status, Step, advance
from firmware_sim.outbox import Outbox, earliest

#: Commands waiting while one is carried out; a gateway asks one at a time, and a
#: reader with one buffer loses the rest.
MAX_WAITING_COMMANDS = 16
#: Faults waiting for a reply; a test that needs more says so again.
MAX_FAULTS = 1_000
#: PARA of command 60 to the UART's rate.
BAUD_RATES = (115_200, 57_600, 38_400, 19_200, 9_600)
_FORCED_STATUS = {
    SamFault.ANSWER_10: Status.WRONG_CHECKSUM,
    SamFault.ANSWER_21: Status.WRONG_COMMAND,
    SamFault.ANSWER_66: Status.NOT_AUTHORISED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SamReaderSnapshot:
    """The reader as it stands; ``layout`` is None without a card."""

    state: CardState
    layout: CardLayout | None
    is_deaf: bool
    baud: int
    commands: int
    cards_read: int
    lost_bytes: int


class SamReader:
    """The reader, the card in its field, and the hand that puts it there.

    ``settings`` may be replaced at any time.
    """

    def __init__(
        self, settings: SamReaderSettings | None = None, *, name: str = "reader"
    ) -> None:
        self.settings = settings or SamReaderSettings()
        self.diary = Diary(Subject.READER, name)
        self._baud = self._next_baud = self.settings.baud
        self._requests = SamRequests()
        self._outbox = Outbox()
        self._work: deque[tuple[float, SamRequest | SamGarbage]] = deque()
        self._faults: deque[SamFault] = deque(maxlen=MAX_FAULTS)
        self._card: IdentityCard | None = None
        self._state = CardState.NO_CARD
        self._module_number_lies = self.settings.first_module_number_is_garbage
        self._back_at: float | None = None
        self._noise = Random(self.settings.noise_seed)
        self._commands = 0
        self._cards_read = 0

    # -- the wire ------------------------------------------------------------------

    @property
    def baud(self) -> int:
        """The rate at present; command 60 changes it behind its reply."""
        return self._baud

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes of the gateway; lost while the reader starts up."""
        self.tick(now)
        if self._back_at is not None:
            return
        for item in self._requests.feed(data):
            if len(self._work) < MAX_WAITING_COMMANDS:
                begin = max(now, self._work[-1][0]) if self._work else now
                latency_s = _latency_s(item, self.settings.latencies)
                self._work.append((begin + latency_s, item))
        self.tick(now)

    def take_outgoing(self, now: float) -> bytes:
        """Return the replies that are due by ``now``."""
        self.tick(now)
        data = self._outbox.take(now)
        if self._outbox.deadline() is None:
            self._baud = self._next_baud
        return data

    def deadline(self) -> float | None:
        """Return when the next reply is due or the power-up ends."""
        work = self._work[0][0] if self._work else None
        return earliest(self._outbox.deadline(), work, self._back_at)

    def tick(self, now: float) -> None:
        """Carry out the commands whose reply is due by ``now``."""
        if self._back_at is not None and self._back_at <= now:
            self.diary.note(What.POWER_BACK, self._back_at)
            self._back_at = None
        while self._work and self._work[0][0] <= now:
            due, item = self._work.popleft()
            self._carry_out(item, due)

    # -- the hand in the world -----------------------------------------------------

    def put(self, card: IdentityCard, now: float) -> None:
        """Lay a card on the reader; one that lies there is taken away first."""
        self.take_away(now)
        self._card = card
        self._state = CardState.PRESENT
        self.diary.note(What.CARD_PUT, now)

    def take_away(self, now: float) -> None:
        """Take the card out of the field, if there is one."""
        self.tick(now)
        if self._card is not None:
            self._card = None
            self._state = CardState.NO_CARD
            self.diary.note(What.CARD_TAKEN, now)

    def power_cycle(self, now: float) -> None:
        """Cut the power and give it back: deaf for ``power_up_s``, all forgotten."""
        self.tick(now)
        self._work.clear()
        self._outbox.clear()
        self._requests.forget()
        self._baud = self._next_baud
        self._module_number_lies = self.settings.first_module_number_is_garbage
        self._state = self._rest()
        self._back_at = now + self.settings.power_up_s
        self.diary.note(What.POWER_LOST, now)

    def spoil(self, fault: SamFault, replies: int = 1) -> None:
        """Spoil the next ``replies`` replies, behind those already to be spoiled."""
        self._faults.extend([fault] * min(replies, MAX_FAULTS))

    def snapshot(self) -> SamReaderSnapshot:
        """Return the reader as it stands."""
        return SamReaderSnapshot(
            state=self._state,
            layout=self._card.layout if self._card else None,
            is_deaf=self._back_at is not None,
            baud=self._baud,
            commands=self._commands,
            cards_read=self._cards_read,
            lost_bytes=self._outbox.lost_bytes,
        )

    # -- inside --------------------------------------------------------------------

    def _rest(self) -> CardState:
        return CardState.PRESENT if self._card else CardState.NO_CARD

    def _carry_out(self, item: SamRequest | SamGarbage, due: float) -> None:
        self._commands += 1
        if isinstance(item, SamGarbage) and not self.settings.answers_bad_checksum:
            return
        fault = self._faults.popleft() if self._faults else None
        forced = _FORCED_STATUS.get(fault) if fault else None
        if forced is not None:
            self._outbox.put(reply(forced), due)
        else:
            frame = self._answer(item, due)
            self._outbox.put(self._spoiled(frame, fault), due)

    def _spoiled(self, frame: bytes, fault: SamFault | None) -> bytes:
        match fault:
            case SamFault.WRONG_CHECKSUM:
                return frame[:-1] + bytes((frame[-1] ^ 0x01,))
            case SamFault.CUT_FRAME:
                return frame[: len(frame) // 2]
            case SamFault.NOISE:
                return self._noise.randbytes(7) + b"\xaa\xaa" + frame
            case SamFault.DROPPED:
                return b""
            case SamFault.TIMEOUT_FRAME:
                return bytes.fromhex("AAAAAA96690005050505")
            case _:
                return frame

    def _answer(self, item: SamRequest | SamGarbage, due: float) -> bytes:
        match item:
            case SamGarbage.WRONG_CHECKSUM:
                return reply(Status.WRONG_CHECKSUM)
            case SamGarbage.WRONG_LENGTH:
                return reply(Status.WRONG_LENGTH)
            case SamRequest(command=0x20 | 0x30):
                return self._answer_about_card(item, due)
            case SamRequest():
                return self._answer_about_module(item)
            case _:
                assert_never(item)

    def _answer_about_module(self, request: SamRequest) -> bytes:
        match (request.command, request.parameter, len(request.data)):
            case (0x10, 0xFF, 0):
                self._state = self._rest()
                return reply(Status.OK)
            case (0x11, 0xFF, 0) | (0x61, 0xFF, 1):
                return reply(Status.OK)
            case (0x12, 0xFF, 0):
                return reply(Status.OK, self._module_number())
            case (0x60, index, 0) if index < len(BAUD_RATES):
                self._next_baud = BAUD_RATES[index]
                return reply(Status.OK)
            case _:
                return reply(Status.WRONG_COMMAND)

    def _answer_about_card(self, request: SamRequest, due: float) -> bytes:
        match (request.command, request.parameter, len(request.data)):
            case (0x20, 0x01, 0):
                status = self._step(Step.FIND)
                return reply(status, bytes(4) if status is Status.FOUND else b"")
            case (0x20, 0x02, 0):
                status = self._step(Step.SELECT)
                return reply(status, bytes(8) if status is Status.OK else b"")
            case (0x30, 0x01, 0):
                return self._read(due, with_fingerprint=False)
            case (0x30, 0x10, 0):
                return self._read(due, with_fingerprint=True)
            case (0x30, 0x03, 0):
                return self._newest_address()
            case _:
                return reply(Status.WRONG_COMMAND)

    def _step(self, step: Step) -> Status:
        status, self._state = advance(
            self._state, step, repeat_find=self.settings.repeat_find
        )
        return status

    def _module_number(self) -> bytes:
        if self._module_number_lies:
            self._module_number_lies = False
            return self._noise.randbytes(MODULE_NUMBER_BYTES)
        return self.settings.module_number

    def _read(self, due: float, *, with_fingerprint: bool) -> bytes:
        card = self._card
        if card and self._is_unknown_kind(card) and self._state is CardState.SELECTED:
            return reply(Status.UNKNOWN_CARD_KIND)
        status = self._step(Step.READ)
        if card is None or status is not Status.OK:
            return reply(status)
        self._cards_read += 1
        self.diary.note(What.CARD_READ, due)
        fingerprint = bytes(FINGERPRINT_BYTES if card.has_fingerprint else 0)
        parts = [text_block(card), card.photo]
        if with_fingerprint:
            parts.append(fingerprint)
        lengths = b"".join(len(part).to_bytes(2, "big") for part in parts)
        return reply(Status.OK, lengths + b"".join(parts))

    def _is_unknown_kind(self, card: IdentityCard) -> bool:
        return self.settings.old_sam and card.layout is not CardLayout.MAINLAND

    def _newest_address(self) -> bytes:
        if self._card is None or self._state not in (
            CardState.SELECTED,
            CardState.READ,
        ):
            return reply(Status.READ_FAILED)
        if not self._card.newest_address:
            return reply(Status.NO_SUCH_CONTENT)
        block = address_block(self._card)
        length = len(block).to_bytes(2, "big")
        prefix = length if self.settings.address_has_length else b""
        return reply(Status.OK, prefix + block)


def _latency_s(item: SamRequest | SamGarbage, latencies: SamLatencies) -> float:
    if isinstance(item, SamGarbage):
        return latencies.status_s
    return {
        (0x12, 0xFF): latencies.module_number_s,
        (0x20, 0x01): latencies.find_s,
        (0x20, 0x02): latencies.select_s,
        (0x30, 0x01): latencies.read_s,
        (0x30, 0x10): latencies.read_with_fingerprint_s,
        (0x30, 0x03): latencies.newest_address_s,
    }.get((item.command, item.parameter), latencies.status_s)
