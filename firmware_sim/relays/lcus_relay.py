# SPDX-License-Identifier: Apache-2.0
"""A simulated USB relay of the LCUS kind: four bytes switch a relay, and no more.

The law of the module: a relay stays as it was told until it is told otherwise or the
plug is pulled; there is no pulse and no watchdog. The one-channel kind never answers.
What comes too soon behind another command is lost, and so is a frame that does not
hold.

Source: sellers' text of LCUS-1, LCUS-2, LCUS-4 and LCUS-8 (CH340, 1A86:7523): ``A0``,
channel, 00 off or 01 on, sum of the three; several channels answer a single ``FF`` with
a byte each; a variant answers 05. Unverified, and so settled here: that the variant's
answer has the form of a command, and the gap of 30 ms (users keep 50).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from firmware_sim.errors import SimulationError
from firmware_sim.happening import Diary, Subject, What
from firmware_sim.lockers.silence_framer import SilenceFramer
from firmware_sim.outbox import Outbox, earliest
from firmware_sim.relays.relay_bank import RelayBank
from firmware_sim.wire import check_baud

#: The largest of the kind.
MAX_CHANNELS = 8
#: Faults waiting for a command; a test that needs more says so again.
MAX_FAULTS = 1_000
HEAD = 0xA0
ASK_ALL = 0xFF
OFF, ON = 0x00, 0x01
_FRAME_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LcusSettings:
    """A kind of relay; ``inputs`` it has none, a door's contact needs another board.

    ``answers``: whether a question is answered (FF; with ``knows_query`` also 05).
    ``min_gap_s``: what comes sooner behind a command is lost. ``silence_s``: pause that
    ends a broken frame.
    """

    channels: int = 1
    answers: bool = False
    knows_query: bool = False
    reply_delay_s: float = 0.0
    min_gap_s: float = 0.03
    silence_s: float = 0.02
    baud: int = 9_600

    def __post_init__(self) -> None:
        check_baud(self.baud)
        if not 1 <= self.channels <= MAX_CHANNELS:
            raise SimulationError(f"{self.channels} is not 1 to {MAX_CHANNELS} relays")
        if min(self.reply_delay_s, self.min_gap_s, self.silence_s) < 0:
            raise SimulationError("delays and gaps are not negative")

    @property
    def relays(self) -> int:
        """How many relays it has."""
        return self.channels

    @property
    def inputs(self) -> int:
        """How many inputs it has: none."""
        return 0


class LcusFault(StrEnum):
    """What can be wrong with one command and its reply."""

    #: Not carried out: noise met it on its way.
    UNHEARD = "unheard"
    #: Carried out, and what would be said is lost.
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class LcusSnapshot:
    """The relays as they stand, from channel 1 on."""

    is_dark: bool
    contacts: tuple[bool, ...]
    commands: int
    missed: int


class LcusRelay:
    """The adapter and its relays; ``settings`` may be replaced save the channels."""

    def __init__(
        self, settings: LcusSettings | None = None, *, name: str = "relay"
    ) -> None:
        self.settings = settings = settings or LcusSettings()
        self.diary = Diary(Subject.BOARD, name)
        self.bank = RelayBank(settings.channels, 0, self.diary)
        self._framer = SilenceFramer(
            settings.silence_s, size_of=_size_of, is_sound=_is_sound
        )
        self._outbox = Outbox()
        self._faults: deque[LcusFault] = deque(maxlen=MAX_FAULTS)
        self._heard_at = float("-inf")
        self._back_at: float | None = None
        self._commands = 0
        self._missed = 0

    @property
    def baud(self) -> int:
        """The rate, which nothing changes."""
        return self.settings.baud

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes of the line; a dark relay hears nothing."""
        self.tick(now)
        if self._back_at is not None:
            return
        for frame in self._framer.cut(data, now):
            if now - self._heard_at < self.settings.min_gap_s:
                self._missed += 1
            else:
                self._carry_out(frame, now)
            self._heard_at = now

    def take_outgoing(self, now: float) -> bytes:
        """Return the replies that are due by ``now``."""
        self.tick(now)
        return self._outbox.take(now)

    def deadline(self) -> float | None:
        """Return when a reply is due or the power comes back."""
        return earliest(self._outbox.deadline(), self.next_change())

    def next_change(self) -> float | None:
        """Return when the power comes back, or None."""
        return self._back_at

    def tick(self, now: float) -> None:
        """Let the power come back if it was due by ``now``: all relays off."""
        if self._back_at is not None and self._back_at <= now:
            back_at, self._back_at = self._back_at, None
            self.diary.note(What.POWER_BACK, back_at)
            self.bank.regain_power(back_at, restores_state=False)

    # -- the hand in the world -----------------------------------------------------

    def weld(self, channel: int, now: float, *, is_welded: bool = True) -> None:
        """Weld a relay's contact (from 1) shut, or mend it."""
        self.tick(now)
        if not 1 <= channel <= self.settings.channels:
            count = self.settings.channels
            raise SimulationError(f"no relay {channel}; this board has 1 to {count}")
        self.bank.weld(channel - 1, now, is_welded=is_welded)

    def brown_out(self, now: float, dark_s: float = 0.5) -> None:
        """Cut the power, as pulling the plug does: relays off, deaf for ``dark_s``."""
        self.tick(now)
        self._framer.forget()
        self._outbox.clear()
        self.diary.note(What.POWER_LOST, now)
        if self._back_at is None:
            self.bank.lose_power(now)
        self._back_at = now + dark_s

    def spoil(self, fault: LcusFault, replies: int = 1) -> None:
        """Spoil the next commands, behind those already to be spoiled."""
        self._faults.extend([fault] * min(replies, MAX_FAULTS))

    def snapshot(self) -> LcusSnapshot:
        """Return the relays as they stand."""
        return LcusSnapshot(
            is_dark=self._back_at is not None,
            contacts=self.bank.contacts,
            commands=self._commands,
            missed=self._missed,
        )

    # -- inside --------------------------------------------------------------------

    def _carry_out(self, frame: bytes, now: float) -> None:
        self._commands += 1
        fault = self._faults.popleft() if self._faults else None
        if fault is LcusFault.UNHEARD:
            return
        reply = self._states() if frame[0] == ASK_ALL else self._obey(frame, now)
        if reply and self.settings.answers and fault is not LcusFault.DROPPED:
            self._outbox.put(reply, now + self.settings.reply_delay_s)

    def _obey(self, frame: bytes, now: float) -> bytes:
        _, channel, wish, _ = frame
        if not 1 <= channel <= self.settings.channels:
            return b""
        match wish:
            case 0x00 | 0x01:
                self.bank.set(channel - 1, now, is_on=wish == ON)
            case 0x05 if self.settings.knows_query:
                return framed(channel, int(self.bank.coils[channel - 1]))
            case _:
                pass
        return b""

    def _states(self) -> bytes:
        return bytes(self.bank.coils)


def framed(channel: int, state: int) -> bytes:
    """Return a frame with its sum."""
    return bytes((HEAD, channel, state, (HEAD + channel + state) & 0xFF))


def _size_of(buffer: bytearray) -> int:
    if buffer[0] == ASK_ALL:
        return 1
    return _FRAME_BYTES if buffer[0] == HEAD else 0


def _is_sound(frame: bytes) -> bool:
    return frame[0] == ASK_ALL or sum(frame[:-1]) & 0xFF == frame[-1]
