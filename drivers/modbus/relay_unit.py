# SPDX-License-Identifier: Apache-2.0
"""One relay and input board on a Modbus line: what to ask it next, what it said.

The law of the module: a unit knows its own board and nothing of the line. Its steps:

    ALL_OFF -> READ_MODES -> CLEAR_MODES -> CHECK_MODES -> READ_INPUTS -> READ_COILS
            -> SERVING (reachable): inputs at ``poll_s``, coils each second

A step that is not for this model is passed over; CLEAR_MODES and CHECK_MODES also
where ``linkage`` is wanted, as for an exit button that opens with the gateway dead.
Three unanswered questions in a row make the unit unreachable: then LISTEN, a read of
the coils, is its probe once a second, and all steps follow when it is back. Reads are
among the steps and are the probe, since the reply to a write may be an echo. Nothing
but ALL_OFF and orders moves a relay. No register of a communication watchdog is known:
a steady output outlives the gateway, a pulse does not.

Source: Waveshare wiki, "Modbus RTU Relay" and "Modbus RTU Relay (D)": coils and
inputs from 0000, all coils 00FF, flash-on 0200 in units of 100 ms, input modes in
1000 to 1007 (0 normal, 1 linkage: the input drives the relay).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from drivers.device import (
    InputChanged,
    Order,
    OutputChanged,
    Pulse,
    Reachable,
    SetOutput,
    Signal,
    Unreachable,
)
from drivers.limits import Liveness, Reach
from drivers.modbus.rtu import (
    Bits,
    Refused,
    Reply,
    Request,
    Words,
    read_coils,
    read_inputs,
    read_registers,
    write_coil,
    write_registers,
)
from drivers.options import between, one_of

ON, OFF = 0xFF00, 0x0000
ALL_COILS = 0x00FF
FLASH_ON = 0x0200
INPUT_MODES = 0x1000
#: Longest pulse that the board counts: 7FFF units of 100 ms.
MAX_PULSE_UNITS = 0x7FFF
COILS_EVERY_S = 1.0
#: How long after a pulse's end its relay is looked at.
PULSE_MARGIN_S = 0.1
PROBE_EVERY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a kind of board has besides relays."""

    has_inputs: bool
    has_modes: bool


MODELS = {
    "waveshare": Model(has_inputs=False, has_modes=False),
    "waveshare_b": Model(has_inputs=True, has_modes=False),
    "waveshare_d": Model(has_inputs=True, has_modes=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayBoardOptions:
    """``linkage``: leave the inputs' modes as they are, where the model has modes.

    Without it they are set to normal at each opening, since a board may come from the
    factory with inputs that switch relays past the gateway. The last two belong to the
    line: the largest of its units counts.
    """

    model: str = "waveshare_d"
    channels: int = 8
    poll_s: float = 0.1
    linkage: bool = False
    turnaround_s: float = 0.005
    reply_timeout_s: float = 0.15

    def __post_init__(self) -> None:
        one_of("model", self.model, MODELS)
        between("channels", self.channels, 1, 32)
        between("poll_s", self.poll_s, 0.02, 5.0)
        between("turnaround_s", self.turnaround_s, 0.0, 0.2)
        between("reply_timeout_s", self.reply_timeout_s, 0.02, 2.0)


class Step(StrEnum):
    """What a unit is asked next."""

    LISTEN = "LISTEN"
    ALL_OFF = "ALL_OFF"
    READ_MODES = "READ_MODES"
    CLEAR_MODES = "CLEAR_MODES"
    CHECK_MODES = "CHECK_MODES"
    READ_INPUTS = "READ_INPUTS"
    READ_COILS = "READ_COILS"
    SERVING = "SERVING"


_NEXT = {
    Step.LISTEN: Step.ALL_OFF,
    Step.ALL_OFF: Step.READ_MODES,
    Step.READ_MODES: Step.CLEAR_MODES,
    Step.CLEAR_MODES: Step.CHECK_MODES,
    Step.CHECK_MODES: Step.READ_INPUTS,
    Step.READ_INPUTS: Step.READ_COILS,
    Step.READ_COILS: Step.SERVING,
}


class RelayUnit:
    """The state of one board; the line asks it for requests and brings the replies."""

    def __init__(self, *, address: int, options: RelayBoardOptions) -> None:
        model = MODELS[options.model]
        self.address = address
        self.channels = options.channels
        self._has_inputs = model.has_inputs
        self._has_modes = model.has_modes
        self._wants_linkage = options.linkage
        self._poll_s = options.poll_s
        self._liveness = Liveness()
        self._step = Step.ALL_OFF
        self._due_at = 0.0
        self._coils_at = 0.0
        self._pulse_ends: dict[int, float] = {}
        self._inputs: tuple[bool, ...] = ()
        self._coils = (False,) * options.channels
        self._note = ""

    @property
    def reach(self) -> Reach:
        """Whether the board answers."""
        return self._liveness.reach

    def opened(self, now: float) -> None:
        """Begin with the first step; whatever was known of the board is void."""
        self._liveness.restart()
        self.begin(now)

    def begin(self, now: float) -> None:
        """Go through all steps, outputs off first, from ``now`` on."""
        self._step = Step.ALL_OFF
        self._due_at = now
        self._inputs = ()
        self._pulse_ends.clear()
        self._note = ""

    def resumed(self, now: float) -> None:
        """Read and report all levels anew, at once."""
        self._inputs = ()
        self._due_at = min(self._due_at, now)
        self._coils_at = min(self._coils_at, now)

    @property
    def is_switched_off(self) -> bool:
        """Whether ALL_OFF is behind this board."""
        return self._step is not Step.ALL_OFF

    def due_at(self) -> float:
        """When this unit wants to be asked."""
        if self._step is not Step.SERVING:
            return self._due_at
        polls = [*self._pulse_ends.values(), self._coils_at]
        return min([*polls, self._due_at] if self._has_inputs else polls)

    def next_request(self, now: float) -> tuple[Step, Request]:
        """Return the question to ask now, and the step it belongs to."""
        step = self._step
        if step is Step.SERVING:
            is_input = self._has_inputs and self._due_at <= now
            step = Step.READ_INPUTS if is_input else Step.READ_COILS
        return step, self._request_of(step)

    def answered(self, step: Step, reply: Reply, now: float) -> list[Signal]:
        """Take the reply to a question of :meth:`next_request`."""
        is_optional = step in (Step.READ_MODES, Step.CLEAR_MODES, Step.CHECK_MODES)
        if isinstance(reply, Refused) and not is_optional:
            return self.missed(reply.why, now)
        self._liveness.heard()
        signals = self._take(step, reply, now)
        if self._step is not Step.SERVING:
            signals += self._advance(step, reply, now)
        return signals

    def missed(self, why: str, now: float) -> list[Signal]:
        """Count an unanswered question; orders count too."""
        is_lost = self._liveness.missed()
        if self.reach is not Reach.SILENT:
            self._queue_behind_others(now)
            return []
        self.begin(now + PROBE_EVERY_S)
        self._step = Step.LISTEN
        return [Unreachable(unit=self.address, why=why)] if is_lost else []

    def obeyed(self, order: Order, now: float) -> None:
        """Take note that an order was carried out: look at the relay soon."""
        self._coils_at = now
        match order:
            case Pulse(channel=channel, duration_s=duration_s):
                self._pulse_ends[channel] = now + duration_s + PULSE_MARGIN_S
            case SetOutput(channel=channel):
                self._pulse_ends.pop(channel, None)

    def _queue_behind_others(self, now: float) -> None:
        """Let what is overdue at other units go before a second try here."""
        self._due_at = max(self._due_at, now)
        self._coils_at = max(self._coils_at, now)
        ends = self._pulse_ends.items()
        self._pulse_ends = {channel: max(end, now) for channel, end in ends}

    def _request_of(self, step: Step) -> Request:
        match step:
            case Step.ALL_OFF:
                return write_coil(self.address, ALL_COILS, OFF)
            case Step.CLEAR_MODES:
                return write_registers(self.address, INPUT_MODES, [0] * self.channels)
            case Step.READ_MODES | Step.CHECK_MODES:
                return read_registers(self.address, INPUT_MODES, self.channels)
            case Step.READ_INPUTS:
                return read_inputs(self.address, 0, self.channels)
            case Step.LISTEN | Step.READ_COILS | Step.SERVING:
                return read_coils(self.address, 0, self.channels)

    def _take(self, step: Step, reply: Reply, now: float) -> list[Signal]:
        match step, reply:
            case Step.READ_INPUTS, Bits(values=values):
                # Never in a burst after a delay: the next poll is at the earliest now.
                self._due_at = max(self._due_at + self._poll_s, now)
                return self._report_inputs(values)
            case Step.READ_COILS, Bits(values=values):
                self._coils_at = now + COILS_EVERY_S
                ends = self._pulse_ends.items()
                self._pulse_ends = {key: end for key, end in ends if end > now}
                return self._report_coils(values)
            case Step.READ_MODES, Words(values=values) if self._wants_linkage:
                self._note = f"input modes {list(values)} are kept"
            case Step.CHECK_MODES, Words(values=values) if any(values):
                self._note = f"input modes {list(values)} can't be set to normal"
            case _, Refused(why=why):
                self._note = f"input modes unknown: {why}"
        return []

    def _advance(self, step: Step, reply: Reply, now: float) -> list[Signal]:
        """Go on to the next step that this board needs."""
        is_clear = isinstance(reply, Words) and not any(reply.values)
        is_left = is_clear or self._wants_linkage or isinstance(reply, Refused)
        self._step = _NEXT[step]
        if self._step is Step.READ_MODES and not self._has_modes:
            self._step = Step.READ_INPUTS
        if self._step is Step.CLEAR_MODES and is_left:
            self._step = Step.READ_INPUTS
        if self._step is Step.READ_INPUTS and not self._has_inputs:
            self._step = Step.READ_COILS
        self._due_at = now
        if self._step is not Step.SERVING:
            return []
        self._due_at = now + self._poll_s
        self._liveness.found()
        return [Reachable(unit=self.address, detail=self._note)]

    def _report_inputs(self, values: tuple[bool, ...]) -> list[Signal]:
        before: tuple[bool | None, ...] = self._inputs or (None,) * len(values)
        self._inputs = values
        pairs = enumerate(zip(before, values, strict=True), start=1)
        return [
            InputChanged(unit=self.address, channel=channel, is_active=is_active)
            for channel, (was_active, is_active) in pairs
            if is_active is not was_active
        ]

    def _report_coils(self, values: tuple[bool, ...]) -> list[Signal]:
        pairs = enumerate(zip(self._coils, values, strict=True), start=1)
        self._coils = values
        return [
            OutputChanged(unit=self.address, channel=channel, is_on=is_on)
            for channel, (was_on, is_on) in pairs
            if is_on is not was_on
        ]
