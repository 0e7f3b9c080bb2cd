# SPDX-License-Identifier: Apache-2.0
"""A simulated OSDP reader with keypad, lamp, buzzer, screen, inputs and outputs.

The law of the module: it joins frames, dialogue, front and senses, and adds time: the
reply's delay, a power cut, a wire that is off. Foreign addresses and broken frames are
met with silence.
Source: SIA OSDP 2.2 as libosdp 3.2.9 speaks it (src/osdp_pd.c). Settled here without a
source: a dark reader remembers its base key, its address and its inputs, nothing else;
a broadcast is answered from address FF.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_sim.errors import SimulationError
from firmware_sim.happening import Diary, Subject, What
from firmware_sim.osdp.cards import CardFormat, encoded
from firmware_sim.osdp.channel import KEY_BYTES
from firmware_sim.osdp.commands import ACK, Answer, act, refused
from firmware_sim.osdp.dialogue import Dialogue
from firmware_sim.osdp.frames import (
    BROADCAST,
    MARK,
    Code,
    CommandFrame,
    CommandFramer,
    Refusal,
    Reply,
)
from firmware_sim.osdp.front import Front
from firmware_sim.osdp.senses import Senses
from firmware_sim.osdp.settings import (
    MAX_ADDRESS,
    OsdpFault,
    OsdpReaderSettings,
    capabilities_of,
    is_rate,
)
from firmware_sim.outbox import Outbox, earliest

if TYPE_CHECKING:
    from collections.abc import Callable

#: Faults waiting for a reply; a test that needs more says so again.
MAX_FAULTS = 1_000
_KEY_HEAD = bytes((0x01, KEY_BYTES))
_COMSET_BYTES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class OsdpReaderSnapshot:
    """The reader as it stands; tuples count from channel 1 on."""

    address: int
    baud: int
    is_dark: bool
    is_secure: bool
    has_own_key: bool
    sessions: int
    requests: int
    waiting: int
    lamps: tuple[str, ...]
    is_buzzing: bool
    text: str
    inputs: tuple[bool, ...]
    outputs: tuple[bool, ...]
    is_tampered: bool
    has_failing_supply: bool


class OsdpReader:
    """The reader and the hand before it; ``nonce`` gives its random numbers.

    ``settings`` may be replaced at any time; counts of channels, the base key and the
    address stay what the reader was built with.
    """

    def __init__(
        self,
        settings: OsdpReaderSettings | None = None,
        *,
        name: str = "reader",
        nonce: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._settings = settings = settings or OsdpReaderSettings()
        self.diary = Diary(Subject.READER, name)
        self.front = Front(settings, self.diary)
        self.senses = Senses(settings, self.diary)
        self._dialogue = Dialogue(settings, nonce, self._carry_out)
        self._framer = CommandFramer(settings.silence_s)
        self._outbox = Outbox()
        self._faults: deque[tuple[OsdpFault, int]] = deque(maxlen=MAX_FAULTS)
        self._address, self._baud = settings.address, settings.baud
        self._next_line = (settings.address, settings.baud)
        self._power_at: float | None = None
        self._wire_at: float | None = None
        self._requests = 0
        self._replies = 0
        self._now = float("-inf")

    @property
    def settings(self) -> OsdpReaderSettings:
        """The knobs at present."""
        return self._settings

    @settings.setter
    def settings(self, settings: OsdpReaderSettings) -> None:
        self._settings = settings
        self._dialogue.settings = self.senses.settings = settings

    # -- the wire ------------------------------------------------------------------

    @property
    def baud(self) -> int:
        """The rate at present; COMSET changes it behind the reply."""
        return self._baud

    @property
    def address(self) -> int:
        """The address at present; COMSET changes it behind the reply."""
        return self._address

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes of the line."""
        self.tick(now)
        if self._is_away():
            return
        for frame in self._framer.feed(data, now):
            if frame.address in (self._address, BROADCAST):
                self._hear(frame, now)

    def take_outgoing(self, now: float) -> bytes:
        """Return the replies that are due by ``now``."""
        self.tick(now)
        data = self._outbox.take(now)
        if self._outbox.deadline() is None:
            self._address, self._baud = self._next_line
        return data

    def deadline(self) -> float | None:
        """Return when a reply is due or something changes by itself."""
        return earliest(self._outbox.deadline(), self._next_change())

    def tick(self, now: float) -> None:
        """Let happen what was due by ``now``, each thing at its own time."""
        self._now = max(self._now, now)
        while (due := self._next_change()) is not None and due <= now:
            if self._power_at is not None and self._power_at <= due:
                self._power_at = None
                self.diary.note(What.POWER_BACK, due)
            if self._wire_at is not None and self._wire_at <= due:
                self._wire_at = None
                self.diary.note(What.PLUGGED, due)
            self.front.tick(due)
            self.senses.tick(due)

    # -- the hand in the world -----------------------------------------------------

    def present_card(
        self, bits: int, data: bytes, now: float, *, is_wiegand: bool = True
    ) -> bool:
        """Hold up a card by its bits; False if the reader has no power to read it."""
        return self._by_hand(
            now, lambda: self.senses.present(bits, data, now, is_wiegand=is_wiegand)
        )

    def swipe(self, card: CardFormat, number: int, now: float) -> bool:
        """Hold up a card by its format and number."""
        bits, data = encoded(card, number)
        is_wiegand = card is not CardFormat.RAW_64
        return self.present_card(bits, data, now, is_wiegand=is_wiegand)

    def type_keys(self, keys: str, now: float) -> bool:
        """Press keys, such as ``1234#``; False without power."""
        return self._by_hand(now, lambda: self.senses.type_keys(keys, now))

    def tamper(self, now: float, *, is_tampered: bool = True) -> None:
        """Lift the reader off its wall, or put it back."""
        self.tick(now)
        self.senses.tamper(now, is_tampered=is_tampered)

    def fail_supply(self, now: float, *, is_failing: bool = True) -> None:
        """Let the supply sag so that the reader complains, or mend it."""
        self.tick(now)
        self.senses.fail_supply(now, is_failing=is_failing)

    def set_input(self, channel: int, now: float, *, is_active: bool) -> None:
        """Close or open what hangs on an input (from 1)."""
        self.tick(now)
        self.senses.set_input(channel, now, is_active=is_active)

    def press_exit(self, now: float, hold_s: float = 0.5) -> None:
        """Press the exit button on the reader's input."""
        self.tick(now)
        self.senses.press_exit(now, hold_s)

    def brown_out(self, now: float, dark_s: float = 10.0) -> None:
        """Cut the power: lamps off, channel and what waited forgotten."""
        self.tick(now)
        self.diary.note(What.POWER_LOST, now)
        self.front.go_dark(now)
        self.senses.forget()
        self._dialogue.forget()
        self._fall_silent()
        self._power_at = now + dark_s

    def pull_wire(self, now: float, off_s: float = 10.0) -> None:
        """Take the reader off the pair, its power left: what waits is kept."""
        self.tick(now)
        self.diary.note(What.UNPLUGGED, now)
        self._fall_silent()
        self._wire_at = now + off_s

    def spoil(
        self, fault: OsdpFault, replies: int = 1, *, nak_code: int = Refusal.COMMAND
    ) -> None:
        """Spoil the next ``replies`` replies, behind those already to be spoiled."""
        if not 0 <= nak_code <= 0xFF:
            raise SimulationError(f"nak_code {nak_code} is no byte")
        self._faults.extend([(fault, nak_code)] * min(replies, MAX_FAULTS))

    def snapshot(self) -> OsdpReaderSnapshot:
        """Return the reader as it stands."""
        front, senses = self.front, self.senses
        return OsdpReaderSnapshot(
            address=self._address,
            baud=self._baud,
            is_dark=self._power_at is not None,
            is_secure=self._dialogue.is_secure(self._now),
            has_own_key=self._dialogue.base_key is not None,
            sessions=self._dialogue.sessions,
            requests=self._requests,
            waiting=senses.waiting,
            lamps=tuple(str(lamp) for lamp in front.lamps),
            is_buzzing=front.buzzer.is_sounding,
            text=front.screen.text if front.screen else "",
            inputs=tuple(senses.inputs),
            outputs=tuple(output.is_on for output in front.outputs),
            is_tampered=senses.is_tampered,
            has_failing_supply=senses.has_failing_supply,
        )

    # -- inside --------------------------------------------------------------------

    def _next_change(self) -> float | None:
        own = (self._power_at, self._wire_at)
        return earliest(self.front.next_change(), self.senses.next_change(), *own)

    def _is_away(self) -> bool:
        is_off = self._power_at is not None or self._wire_at is not None
        return is_off or self._settings.is_silent

    def _by_hand(self, now: float, act_now: Callable[[], None]) -> bool:
        self.tick(now)
        if self._power_at is not None:
            return False
        act_now()
        return True

    def _fall_silent(self) -> None:
        self._framer.forget()
        self._outbox.clear()
        self._address, self._baud = self._next_line

    def _hear(self, frame: CommandFrame, now: float) -> None:
        settings = self._settings
        if not frame.is_sound and not settings.answers_bad_check:
            return
        self._requests += 1
        fault, nak_code = self._fault_for(frame)
        reply = self._dialogue.answer(frame, now, fault, nak_code)
        self._replies += bool(reply)
        is_lost = settings.lose_every and not self._replies % settings.lose_every
        if reply and not is_lost:
            mark = bytes((MARK,)) if settings.sends_mark else b""
            self._outbox.put(mark + reply, now + settings.reply_delay_s)

    def _fault_for(self, frame: CommandFrame) -> tuple[OsdpFault | None, int]:
        """Take the next fault, unless it waits for another kind of command."""
        if not self._faults:
            return None, 0
        fault, nak_code = self._faults[0]
        waits = fault is OsdpFault.WRONG_MAC and not frame.has_mac
        if waits or (fault is OsdpFault.STALE_MAC and frame.code != Code.SCRYPT):
            return None, 0
        self._faults.popleft()
        return fault, nak_code

    def _carry_out(self, code: int, data: bytes, now: float) -> Answer:
        senses = self.senses
        match code:
            case Code.POLL:
                return senses.told(now)
            case Code.ID:
                return Answer(code=Reply.PDID, data=self._settings.device_id)
            case Code.CAP:
                return Answer(code=Reply.PDCAP, data=self._capabilities())
            case Code.LSTAT:
                return senses.local_status()
            case Code.ISTAT:
                return senses.input_status()
            case Code.OSTAT:
                levels = bytes(output.is_on for output in self.front.outputs)
                return Answer(code=Reply.OSTATR, data=levels)
            case Code.RSTAT:
                return Answer(code=Reply.RSTATR, data=bytes(1))
            case Code.COMSET:
                return self._set_line(data)
            case Code.KEYSET:
                return self._set_key(data, now)
            case Code.ACURXSIZE | Code.ABORT | Code.KEEPACTIVE:
                return ACK
            case _:
                return act(self.front, code, data, now)

    def _set_line(self, data: bytes) -> Answer:
        if len(data) != _COMSET_BYTES:
            return refused(Refusal.LENGTH)
        address, baud = data[0], int.from_bytes(data[1:], "little")
        if address > MAX_ADDRESS or not is_rate(baud):
            return refused(Refusal.RECORD)
        self._next_line = (address, baud)
        return Answer(code=Reply.COM, data=data)

    def _set_key(self, data: bytes, now: float) -> Answer:
        """Take a new base key, in the channel alone; the next handshake uses it."""
        if not self._dialogue.is_secure(now):
            return refused(Refusal.SECURITY_STATE)
        if len(data) != len(_KEY_HEAD) + KEY_BYTES or not data.startswith(_KEY_HEAD):
            return refused(Refusal.LENGTH)
        self._dialogue.base_key = data[len(_KEY_HEAD) :]
        return ACK

    def _capabilities(self) -> bytes:
        known = self._settings.capabilities
        if known is None:
            has_own_key = self._dialogue.base_key is not None
            known = capabilities_of(self._settings, has_own_key=has_own_key)
        return b"".join(one.packed() for one in known)
