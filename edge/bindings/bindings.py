# SPDX-License-Identifier: Apache-2.0
"""Signals of devices become stimuli of the rules; commands become orders.

The law of the module: no decision is taken here and no time is read. An identity
card's secret is passed on unopened as :class:`CardScan`, since turning it into a
token is slow and belongs in a worker thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from drivers.device import (
    CardFound,
    CardRead,
    CardUnreadable,
    CodeRead,
    Garbled,
    InputChanged,
    OrderFailed,
    OutputChanged,
    Pulse,
    Reachable,
    SetOutput,
    Unreachable,
)
from edge.bindings.wiring import InputRole
from edge.core.command import HoldOpen, Indicate, Release, Relock
from edge.core.event import EventKind
from edge.core.stimulus import (
    ContactChanged,
    DeviceChanged,
    ExitButtonChanged,
    FireInputChanged,
    Noted,
    ReadingBegan,
    Scan,
    Unreadable,
)

if TYPE_CHECKING:
    from drivers.device import Order, Signal
    from drivers.secret import Secret
    from edge.bindings.tokens import TokenMaker
    from edge.bindings.wiring import Wiring
    from edge.core.command import Command
    from edge.core.stimulus import Stimulus

#: Longest detail of a device that is worth a place in the journal.
MAX_DETAIL = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class CardScan:
    """An identity card was read; its secret still has to become a token."""

    access_point: str
    secret: Secret
    received_s: float


class Bindings:
    """One site's translation, both ways."""

    def __init__(self, wiring: Wiring, tokens: TokenMaker) -> None:
        self.wiring = wiring
        self._tokens = tokens
        self._places = wiring.places
        self._devices = {place: device for device, place in wiring.places.items()}
        self._online: set[str] = set()
        self._silent: set[str] = set()

    @property
    def devices(self) -> frozenset[str]:
        """All devices of the site."""
        return frozenset(self._places)

    @property
    def online(self) -> frozenset[str]:
        """The devices that answer."""
        return frozenset(self._online)

    def device_of(self, port: str, unit: int) -> str | None:
        """Return the name of what hangs there, None if nothing should."""
        return self._devices.get((port, unit))

    def translate(
        self, port: str, signal: Signal, now_s: float
    ) -> Stimulus | CardScan | None:
        """Return what a signal means to the rules; None if nothing."""
        device = self.device_of(port, signal.unit)
        if device is None:
            return None
        point = self.wiring.access_points.get(device)
        match signal:
            case CardFound() if point:
                return ReadingBegan(access_point=point)
            case CardRead() if point:
                secret = signal.secret
                return CardScan(access_point=point, secret=secret, received_s=now_s)
            case CardUnreadable() if point:
                return Unreadable(access_point=point, cause=signal.why.value)
            case CodeRead() if point:
                credential = self._tokens.code(signal.payload)
                return Scan(access_point=point, credential=credential, received_s=now_s)
            case InputChanged():
                return self._input(device, signal)
            case Reachable():
                return self._reachable(device, signal.detail)
            case Unreachable():
                return self._unreachable(device, signal.why)
            case Garbled() | OrderFailed():
                return self._fault(device, signal)
            case CardFound() | CardRead() | CardUnreadable() | CodeRead():
                return None  # a reader that no access point uses
            case OutputChanged():
                return None  # the doors' own contacts tell what came of an order
            case _:
                assert_never(signal)

    def order(self, command: Command) -> tuple[str, Order] | None:
        """Return the port and the order that carry a command out."""
        match command:
            case Release():
                (port, unit), channel = self._strike(command.door)
                pulse_s = command.duration_s
                return port, Pulse(unit=unit, channel=channel, duration_s=pulse_s)
            case Relock():
                (port, unit), channel = self._strike(command.door)
                return port, SetOutput(unit=unit, channel=channel, is_on=False)
            case HoldOpen():
                (port, unit), channel = self._strike(command.door)
                return port, SetOutput(unit=unit, channel=channel, is_on=True)
            case Indicate():
                return None
            case _:
                assert_never(command)

    def _strike(self, door: str) -> tuple[tuple[str, int], int]:
        device, channel = self.wiring.strikes[door]
        return self._places[device], channel

    def _input(self, device: str, signal: InputChanged) -> Stimulus | None:
        wired = self.wiring.inputs.get((device, signal.channel))
        if wired is None:
            return None
        is_yes = signal.is_active is wired.is_yes_when_closed
        match wired.role:
            case InputRole.CONTACT:
                return ContactChanged(door=wired.door, is_open=is_yes)
            case InputRole.EXIT_BUTTON:
                return ExitButtonChanged(door=wired.door, is_pressed=is_yes)
            case InputRole.FIRE:
                return FireInputChanged(is_active=is_yes)
            case _:
                assert_never(wired.role)

    def _reachable(self, device: str, detail: str) -> Stimulus:
        is_news = device not in self._online
        self._online.add(device)
        self._silent.discard(device)
        return DeviceChanged(
            device=device,
            is_online=True,
            is_news=is_news,
            detail=detail[:MAX_DETAIL],
            doors=self.wiring.doors_of(device),
        )

    def _unreachable(self, device: str, why: str) -> Stimulus | None:
        if device in self._silent:
            return None
        # Also news of a device that never answered: it may be the strike's board.
        self._online.discard(device)
        self._silent.add(device)
        return DeviceChanged(device=device, is_online=False, detail=why[:MAX_DETAIL])

    def _fault(self, device: str, signal: Garbled | OrderFailed) -> Stimulus:
        what = "garbled" if isinstance(signal, Garbled) else "order_failed"
        return Noted(
            kind=EventKind.DEVICE_FAULT,
            subject=device,
            facts=(("detail", signal.why[:MAX_DETAIL]), ("what", what)),
        )
