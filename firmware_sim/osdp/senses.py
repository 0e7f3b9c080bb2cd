# SPDX-License-Identifier: Apache-2.0
"""What an OSDP reader has felt and not told yet: cards, digits, inputs, tamper.

The law of the module: it tells one thing a poll, in the order in which they came; what
comes while too much waits is lost and counted. Digits that follow each other leave
together, up to ``keys_per_reply``.
Source: libosdp 3.2.9 src/osdp_pd.c (RAW, KEYPAD, LSTATR, ISTATR); ``*`` as 7F and ``#``
as 0D are a recollection of the standard.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_sim.errors import SimulationError
from firmware_sim.happening import What
from firmware_sim.osdp.commands import ACK, Answer
from firmware_sim.osdp.frames import Reply

if TYPE_CHECKING:
    from firmware_sim.happening import Diary
    from firmware_sim.osdp.settings import OsdpReaderSettings

#: What waits for polls: more than a hand can do in the 8 s until a channel dies.
MAX_WAITING = 64
#: The longest bit string that fits a packet of 256 bytes inside the secure channel.
MAX_CARD_BITS = 1_600
_KEYS = "0123456789*#"
_STANDARD_KEYS = {"*": 0x7F, "#": 0x0D}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Felt:
    """A reply that waits for a poll, and what is noted when it was told."""

    answer: Answer
    noted: What | None = None


class Senses:
    """Inputs count from 1; ``reader`` number is 0 in all replies."""

    def __init__(self, settings: OsdpReaderSettings, diary: Diary) -> None:
        self.lost = 0
        self.is_tampered = False
        self.has_failing_supply = False
        self.inputs = [
            one + 1 in settings.active_inputs for one in range(settings.inputs)
        ]
        self.settings = settings
        self._diary = diary
        self._waiting: deque[_Felt] = deque()
        self._release_at: float | None = None

    @property
    def waiting(self) -> int:
        """How many replies wait for a poll."""
        return len(self._waiting)

    def told(self, now: float) -> Answer:
        """Return what a poll is answered with."""
        if not self._waiting:
            return ACK
        felt = self._waiting.popleft()
        if felt.noted is not None:
            self._diary.note(felt.noted, now)
        return felt.answer

    def local_status(self) -> Answer:
        """Return tamper and supply."""
        data = bytes((self.is_tampered, self.has_failing_supply))
        return Answer(code=Reply.LSTATR, data=data)

    def input_status(self) -> Answer:
        """Return the inputs."""
        return Answer(code=Reply.ISTATR, data=bytes(self.inputs))

    def forget(self) -> None:
        """Lose the power: what was not told is gone."""
        self._waiting.clear()

    # -- the hand ------------------------------------------------------------------

    def present(self, bits: int, data: bytes, now: float, *, is_wiegand: bool) -> None:
        """Hold up a card of ``bits`` bits, most significant first."""
        if not 1 <= bits <= MAX_CARD_BITS or len(data) != (bits + 7) // 8:
            raise SimulationError(f"{len(data)} bytes do not hold {bits} bits exactly")
        self._diary.note(What.CARD_PUT, now)
        head = bytes((0, is_wiegand)) + bits.to_bytes(2, "little")
        answer = Answer(code=Reply.RAW, data=head + data)
        self._wait(_Felt(answer=answer, noted=What.CARD_READ))

    def type_keys(self, keys: str, now: float) -> None:
        """Press keys one after the other."""
        if not keys or any(key not in _KEYS for key in keys):
            raise SimulationError(f"a keypad has the keys {_KEYS}; type some of them")
        self._diary.note(What.KEYS_TYPED, now)
        is_ascii = self.settings.keys_are_ascii
        standard = {} if is_ascii else _STANDARD_KEYS
        typed = bytes(standard.get(key, ord(key)) for key in keys)
        size = self.settings.keys_per_reply or len(typed)
        for start in range(0, len(typed), size):
            piece = typed[start : start + size]
            answer = Answer(code=Reply.KEYPAD, data=bytes((0, len(piece))) + piece)
            self._wait(_Felt(answer=answer, noted=What.KEYS_READ))

    def tamper(self, now: float, *, is_tampered: bool) -> None:
        """Lift the reader off its wall, or put it back."""
        if is_tampered is not self.is_tampered:
            self.is_tampered = is_tampered
            self._diary.note(What.TAMPERED if is_tampered else What.TAMPER_MENDED, now)
            self._report(self.local_status())

    def fail_supply(self, now: float, *, is_failing: bool) -> None:
        """Let the supply sag so that the reader complains, or mend it."""
        if is_failing is not self.has_failing_supply:
            self.has_failing_supply = is_failing
            sign = What.SUPPLY_FAILED if is_failing else What.SUPPLY_MENDED
            self._diary.note(sign, now)
            self._report(self.local_status())

    def set_input(self, channel: int, now: float, *, is_active: bool) -> None:
        """Close or open what hangs on an input: a door contact, a button."""
        if not 1 <= channel <= len(self.inputs):
            count = len(self.inputs)
            raise SimulationError(f"no input {channel}; this reader has 1 to {count}")
        if self.inputs[channel - 1] is not is_active:
            self.inputs[channel - 1] = is_active
            sign = What.INPUT_ACTIVE if is_active else What.INPUT_AT_REST
            self._diary.note(sign, now, channel=channel)
            self._report(self.input_status())

    def press_exit(self, now: float, hold_s: float) -> None:
        """Press the exit button on its input for so long."""
        self.set_input(self.settings.exit_input, now, is_active=True)
        self._release_at = now + hold_s

    # -- time ----------------------------------------------------------------------

    def next_change(self) -> float | None:
        """Return when the exit button is let go."""
        return self._release_at

    def tick(self, now: float) -> None:
        """Let go of the exit button if it was due by ``now``."""
        if self._release_at is not None and self._release_at <= now:
            at, self._release_at = self._release_at, None
            self.set_input(self.settings.exit_input, at, is_active=False)

    def _report(self, answer: Answer) -> None:
        if self.settings.reports_changes:
            self._wait(_Felt(answer=answer))

    def _wait(self, felt: _Felt) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self.lost += 1
            return
        self._waiting.append(felt)
