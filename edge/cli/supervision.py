# SPDX-License-Identifier: Apache-2.0
"""How each device of the site stands, and what was last wrong with it, in words.

The law of the module: it stands between the links and the intake, listens, and
changes nothing; the intake hears first. What a port says of itself outweighs what a
driver says of a device behind it. Words are the links' and drivers' own: no number and
no code that somebody shows is among them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from drivers.device import (
    AddressConflict,
    Garbled,
    InputChanged,
    OrderFailed,
    OutputChanged,
    Reachable,
    TamperChanged,
    Unreachable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import Signal
    from edge.bindings.bindings import Bindings

#: A conflict has no end of its own; drivers tell one that lasts once a minute.
CONFLICT_LASTS_S = 150.0
#: Bytes without a meaning so shortly before the silence are its likeliest cause.
GARBLED_BEFORE_S = 10.0


class DeviceState(StrEnum):
    """What is to be known of a device first; the worst of what is true."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"
    CONFLICT = "CONFLICT"
    TAMPERED = "TAMPERED"


class Trouble(StrEnum):
    """What is wrong with a device; the panel has words for each."""

    PORT_MISSING = "PORT_MISSING"
    PORT_DENIED = "PORT_DENIED"
    PORT_HELD = "PORT_HELD"
    PORT_LOST = "PORT_LOST"
    NOT_SET_UP = "NOT_SET_UP"
    SILENT = "SILENT"
    GARBLED = "GARBLED"
    ORDER_FAILED = "ORDER_FAILED"
    CONFLICT = "CONFLICT"
    TAMPERED = "TAMPERED"


#: What the links' own texts say (drivers.links.port_faults, and others like it).
_PORT_TROUBLES = (
    ("has it open", Trouble.PORT_HELD),
    ("another program", Trouble.PORT_HELD),
    ("permission", Trouble.PORT_DENIED),
    ("No such file or directory", Trouble.PORT_MISSING),
    ("is gone or broken", Trouble.PORT_MISSING),
    ("is plugged in", Trouble.PORT_MISSING),
    ("no chip is labelled", Trouble.PORT_MISSING),
    ("install menshen with", Trouble.NOT_SET_UP),
    ("pcscd does not run", Trouble.NOT_SET_UP),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that was wrong, in the words of whoever noticed; monotonic seconds."""

    kind: Trouble
    why: str
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTested:
    """What the last self-test found; ``why`` is empty where it was passed."""

    why: str
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One device: its state, since when, why, and what was last wrong with it."""

    state: DeviceState
    since_s: float | None
    fault: Fault | None
    last: Fault | None
    detail: str
    tested: SelfTested | None


@dataclass(slots=True)
class _Record:
    outage: Fault | None = None
    conflict: Fault | None = None
    tamper: Fault | None = None
    garbled: Fault | None = None
    last: Fault | None = None
    detail: str = ""
    tested: SelfTested | None = None
    outputs: dict[int, bool] = field(default_factory=dict)
    told: set[int] = field(default_factory=set)


def kind_of(why: str) -> Trouble:
    """Return what a link's reason for not being open comes to."""
    found = (kind for words, kind in _PORT_TROUBLES if words in why)
    return next(found, Trouble.PORT_LOST)


class Supervision:
    """Listens to every link on behalf of the intake; see :class:`Standing`."""

    def __init__(
        self,
        bindings: Bindings,
        *,
        on_signals: Callable[[str, list[Signal]], None],
        on_state: Callable[[str, bool, str], None],
        now: Callable[[], float],
    ) -> None:
        self._bindings = bindings
        self._on_signals = on_signals
        self._on_state = on_state
        self._now = now
        self._records = {device: _Record() for device in bindings.devices}
        self._shut: set[str] = set()

    def line(self, port: str, is_open: bool, why: str) -> None:  # noqa: FBT001
        """Take a port's state."""
        self._on_state(port, is_open, why)
        if is_open:
            self._shut.discard(port)
            kind, why = Trouble.SILENT, "its port is open, it has not answered yet"
        else:
            self._shut.add(port)
            kind = kind_of(why)
        for device, place in self._bindings.wiring.places.items():
            record = self._records[device]
            if place[0] != port or (is_open and record.outage is None):
                continue
            record.outage = Fault(kind=kind, why=why, at_s=self._now())
            if not is_open:
                record.last = record.outage

    def signals(self, port: str, signals: list[Signal]) -> None:
        """Take what one link has to say."""
        self._on_signals(port, signals)
        for signal in signals:
            device = self._bindings.device_of(port, signal.unit)
            if device is not None:
                is_shut = port in self._shut
                self._take(device, self._records[device], signal, is_shut=is_shut)

    def of(self, device: str) -> Standing:
        """Return how a device stands now."""
        record, now_s = self._records[device], self._now()
        conflict = record.conflict
        if conflict is not None and now_s - conflict.at_s > CONFLICT_LASTS_S:
            conflict = None
        since_s = self._bindings.since_s.get(device)
        state, fault = DeviceState.OFFLINE, record.outage
        if record.tamper is not None:
            state, fault = DeviceState.TAMPERED, record.tamper
        elif conflict is not None:
            state, fault = DeviceState.CONFLICT, conflict
        elif device in self._bindings.online:
            state, fault = DeviceState.ONLINE, None
        if state in (DeviceState.TAMPERED, DeviceState.CONFLICT) and fault is not None:
            since_s = fault.at_s
        return Standing(
            state=state,
            since_s=since_s,
            fault=fault,
            last=record.last,
            detail=record.detail,
            tested=record.tested,
        )

    def outputs(self, device: str) -> dict[int, bool]:
        """Return the outputs that were read back; what was never told is off."""
        return dict(self._records[device].outputs)

    def told(self, device: str) -> frozenset[int]:
        """Return the inputs whose level was told since :meth:`forget_told`."""
        return frozenset(self._records[device].told)

    def forget_told(self, device: str) -> None:
        """Begin to listen for inputs anew."""
        self._records[device].told.clear()

    def tested(self, device: str, result: SelfTested) -> None:
        """Keep what a self-test found."""
        self._records[device].tested = result

    def _take(
        self, device: str, record: _Record, signal: Signal, *, is_shut: bool
    ) -> None:
        match signal:
            case Reachable(detail=detail):
                record.outage = record.garbled = None
                record.detail = detail
            case Unreachable(why=why) if not is_shut:
                self._gone(record, why)
            case AddressConflict(why=why):
                record.conflict = record.last = self._fault(Trouble.CONFLICT, why)
            case TamperChanged(is_tampered=True, why=why):
                begun = record.tamper
                record.tamper = record.last = self._fault(Trouble.TAMPERED, why)
                if begun is not None:  # one cause more, not a new beginning
                    record.tamper = Fault(kind=begun.kind, why=why, at_s=begun.at_s)
            case TamperChanged():
                record.tamper = None
            case Garbled(why=why):
                record.garbled = self._fault(Trouble.GARBLED, why)
                if device in self._bindings.online:
                    record.last = record.garbled
            case OrderFailed(why=why) if device in self._bindings.online:
                record.last = self._fault(Trouble.ORDER_FAILED, why)
            case OutputChanged(channel=channel, is_on=is_on):
                record.outputs[channel] = is_on
            case InputChanged(channel=channel):
                record.told.add(channel)
            case _:
                pass

    def _gone(self, record: _Record, why: str) -> None:
        """Take note of a silence; garbage just before it explains more."""
        garbled, now_s = record.garbled, self._now()
        if garbled is not None and now_s - garbled.at_s <= GARBLED_BEFORE_S:
            kind, why = Trouble.GARBLED, f"what it says makes no sense: {garbled.why}"
        else:
            kind = Trouble.SILENT
        record.outage = record.last = Fault(kind=kind, why=why, at_s=now_s)

    def _fault(self, kind: Trouble, why: str) -> Fault:
        return Fault(kind=kind, why=why, at_s=self._now())
