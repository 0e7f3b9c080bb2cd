# SPDX-License-Identifier: Apache-2.0
"""A simulated Waveshare-style relay and input board on a Modbus RTU line.

The law of the module: it joins framing, register map and relay bank, and adds what can
go wrong: silence, a wrong CRC, a truncated reply, a brown-out. A foreign address and a
broken frame are met with silence.
Source: Waveshare wiki, "Modbus RTU Relay"; power-up with all relays off, while some
revisions restore the last state (recollection, hence ``restores_state``).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from firmware_sim.errors import SimulationError
from firmware_sim.happening import Diary, Subject, What
from firmware_sim.outbox import Outbox, earliest
from firmware_sim.relays.modbus_rtu import (
    BROADCAST,
    ModbusRequest,
    RequestFramer,
    framed,
)
from firmware_sim.relays.relay_bank import ControlMode, RelayBank
from firmware_sim.relays.waveshare_registers import Refusal, RegisterMap
from firmware_sim.wire import check_baud

#: Faults waiting for a reply; a test that needs more says so again.
MAX_FAULTS = 1_000
#: The largest board of the family has 32 relays.
MAX_CHANNELS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayBoardSettings:
    """A kind of board; channels count from 1, as printed on it.

    ``closed_inputs``: loops that are closed at the start (a fire panel's NC loop).
    ``modes``: control modes from channel 1 on, as the (D) may leave the factory.
    ``silence_s``: pause that ends a broken frame (3.5 characters at 9600 are 3.65 ms;
    more here, since an operating system may cut a frame in two).
    """

    address: int = 1
    relays: int = 8
    inputs: int = 8
    closed_inputs: tuple[int, ...] = ()
    modes: tuple[int, ...] = ()
    restores_state: bool = False
    reply_delay_s: float = 0.0
    silence_s: float = 0.02
    version: int = 200
    baud: int = 9_600

    def __post_init__(self) -> None:
        check_baud(self.baud)
        if not 1 <= self.address <= 0xFF:
            raise SimulationError(f"address {self.address} is outside 1 to 255")
        if not (1 <= self.relays <= MAX_CHANNELS and 0 <= self.inputs <= MAX_CHANNELS):
            raise SimulationError(f"a board has at most {MAX_CHANNELS} channels")
        if any(mode not in tuple(ControlMode) for mode in self.modes):
            raise SimulationError(f"modes {self.modes} are not all 0, 1, 2 or 3")
        if len(self.modes) > self.relays:
            raise SimulationError(f"{len(self.modes)} modes for {self.relays} relays")


class BoardFault(StrEnum):
    """What can be wrong with one reply."""

    WRONG_CRC = "wrong_crc"
    TRUNCATED = "truncated"
    DROPPED = "dropped"
    #: The command is not carried out either: noise met it on its way.
    UNHEARD = "unheard"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayBoardSnapshot:
    """The board as it stands; tuples count from channel 1 on."""

    address: int
    baud: int
    is_dark: bool
    coils: tuple[bool, ...]
    contacts: tuple[bool, ...]
    inputs: tuple[bool, ...]
    modes: tuple[int, ...]
    requests: int


class RelayBoard:
    """The board and the hand at its terminals; ``settings`` may be replaced."""

    def __init__(
        self, settings: RelayBoardSettings | None = None, *, name: str = "board"
    ) -> None:
        self.settings = settings = settings or RelayBoardSettings()
        self.diary = Diary(Subject.BOARD, name)
        self.bank = RelayBank(settings.relays, settings.inputs, self.diary)
        self._map = RegisterMap(
            self.bank,
            address=settings.address,
            baud=settings.baud,
            version=settings.version,
        )
        self._baud = settings.baud
        self._framer = RequestFramer(settings.silence_s)
        self._outbox = Outbox()
        self._faults: deque[BoardFault] = deque(maxlen=MAX_FAULTS)
        self._back_at: float | None = None
        self._requests = 0
        for channel in settings.closed_inputs:
            self.bank.inputs[self._input(channel)] = True
        for index, mode in enumerate(settings.modes):
            self.bank.modes[index] = ControlMode(mode)

    # -- the wire ------------------------------------------------------------------

    @property
    def baud(self) -> int:
        """The rate at present; register 2000 changes it behind the reply."""
        return self._baud

    @property
    def address(self) -> int:
        """The address at present; register 4000 changes it."""
        return self._map.address

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes of the line; a dark board hears nothing."""
        self.tick(now)
        if self._back_at is not None:
            return
        for request in self._framer.feed(data, now):
            if request.address in (self.address, BROADCAST):
                self._carry_out(request, now)

    def take_outgoing(self, now: float) -> bytes:
        """Return the replies that are due by ``now``."""
        self.tick(now)
        data = self._outbox.take(now)
        if self._outbox.deadline() is None:
            self._baud = self._map.baud
        return data

    def deadline(self) -> float | None:
        """Return when a reply is due, a pulse ends or the power comes back."""
        return earliest(self._outbox.deadline(), self.next_change())

    def next_change(self) -> float | None:
        """Return when the contacts may change by themselves."""
        return earliest(self.bank.next_change(), self._back_at)

    def tick(self, now: float) -> None:
        """Let the power come back and pulses end that were due by ``now``."""
        if self._back_at is not None and self._back_at <= now:
            back_at, self._back_at = self._back_at, None
            self.diary.note(What.POWER_BACK, back_at)
            restores = self.settings.restores_state
            self.bank.regain_power(back_at, restores_state=restores)
        self.bank.tick(now)

    # -- the hand in the world -----------------------------------------------------

    def set_input(self, channel: int, now: float, *, is_closed: bool) -> None:
        """Close or open the loop at an input (from 1)."""
        self.tick(now)
        self.bank.set_input(self._input(channel), now, is_closed=is_closed)

    def weld(self, channel: int, now: float, *, is_welded: bool = True) -> None:
        """Weld a relay's contact (from 1) shut, or mend it."""
        self.tick(now)
        self.bank.weld(self._relay(channel), now, is_welded=is_welded)

    def brown_out(self, now: float, dark_s: float = 0.5) -> None:
        """Cut the board's power: relays off, deaf for ``dark_s``.

        With ``restores_state`` a relay that was on, even by a pulse, comes back for
        good: the danger that a gateway must meet by reading after each silence.
        """
        self.tick(now)
        self._framer.forget()
        self._outbox.clear()
        self._baud = self._map.baud
        self.diary.note(What.POWER_LOST, now)
        if self._back_at is None:
            self.bank.lose_power(now)
        self._back_at = now + dark_s

    def spoil(self, fault: BoardFault, replies: int = 1) -> None:
        """Spoil the next ``replies`` replies, behind those already to be spoiled."""
        self._faults.extend([fault] * min(replies, MAX_FAULTS))

    def snapshot(self) -> RelayBoardSnapshot:
        """Return the board as it stands."""
        return RelayBoardSnapshot(
            address=self.address,
            baud=self._baud,
            is_dark=self._back_at is not None,
            coils=tuple(self.bank.coils),
            contacts=self.bank.contacts,
            inputs=tuple(self.bank.inputs),
            modes=tuple(int(mode) for mode in self.bank.modes),
            requests=self._requests,
        )

    # -- inside --------------------------------------------------------------------

    def _relay(self, channel: int) -> int:
        return _index("relay", channel, self.settings.relays)

    def _input(self, channel: int) -> int:
        return _index("input", channel, self.settings.inputs)

    def _carry_out(self, request: ModbusRequest, now: float) -> None:
        self._requests += 1
        fault = self._faults.popleft() if self._faults else None
        if fault is BoardFault.UNHEARD:
            return
        address = self.address
        answer = self._map.answer(request, now)
        is_broadcast = request.address == BROADCAST
        if is_broadcast and not self._map.is_answered_broadcast(request):
            return
        match answer:
            case Refusal():
                frame = framed(address, request.function | 0x80, bytes((answer,)))
            case bytes():
                frame = framed(address, request.function, answer)
        self._outbox.put(_spoiled(frame, fault), now + self.settings.reply_delay_s)


def _index(kind: str, channel: int, count: int) -> int:
    if not 1 <= channel <= count:
        raise SimulationError(f"no {kind} {channel}; this board has 1 to {count}")
    return channel - 1


def _spoiled(frame: bytes, fault: BoardFault | None) -> bytes:
    match fault:
        case BoardFault.WRONG_CRC:
            return frame[:-1] + bytes((frame[-1] ^ 0xFF,))
        case BoardFault.TRUNCATED:
            return frame[: len(frame) // 2]
        case BoardFault.DROPPED:
            return b""
        case _:
            return frame
