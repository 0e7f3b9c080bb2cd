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
    AddressConflict,
    CardFound,
    CardRead,
    CardUnreadable,
    CodeRead,
    Garbled,
    InputChanged,
    OpenLock,
    OrderFailed,
    OutputChanged,
    PinEntered,
    Pulse,
    Reachable,
    SetOutput,
    Show,
    TagRead,
    TamperChanged,
    Unreachable,
)
from edge.bindings.cues import cue_of
from edge.bindings.wiring import InputRole
from edge.core.access.ticket import Ticket
from edge.core.command import (
    HoldOpen,
    OpenCompartment,
    Release,
    Relock,
    SwitchAppliance,
)
from edge.core.event import EventKind
from edge.core.stimulus import (
    BellPressed,
    CompartmentChanged,
    CompartmentFailed,
    ContactChanged,
    DeviceChanged,
    ExitButtonChanged,
    FireInputChanged,
    Noted,
    ReadingBegan,
    Scan,
    Unreadable,
)
from edge.core.stimulus import OutputChanged as DoorOutputChanged

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import Order, Signal
    from drivers.secret import Secret
    from edge.bindings.tokens import TokenMaker
    from edge.bindings.wiring import Wire, WiredInput, Wiring
    from edge.core.access.ticket import ShownTicket
    from edge.core.command import Indicate
    from edge.core.credential import Credential
    from edge.core.event import Facts
    from edge.core.stimulus import Stimulus

#: Longest detail of a device that is worth a place in the journal.
MAX_DETAIL = 48


#: What a sensor's "no" and "yes" are called.
_SENSED = {
    InputRole.TAMPER: (EventKind.DEVICE_TAMPER_ENDED, EventKind.DEVICE_TAMPERED),
    InputRole.SUPPLY: (EventKind.SUPPLY_RESTORED, EventKind.SUPPLY_FAILED),
}


#: How a code begins that is a ticket; any other is a name in the roster.
TICKET_PREFIXES = (b"MS1:", b"MSR:")


@dataclass(frozen=True, slots=True, kw_only=True)
class CardScan:
    """An identity card was read; its secret still has to become a token."""

    access_point: str
    secret: Secret
    received_s: float
    is_secure: bool = True


class Bindings:
    """One site's translation, both ways; ``read_ticket`` knows tickets and the time.

    Without it a ticket is a code like others.
    """

    def __init__(
        self,
        wiring: Wiring,
        tokens: TokenMaker,
        read_ticket: Callable[[bytes], ShownTicket] | None = None,
    ) -> None:
        self.wiring = wiring
        self._tokens = tokens
        self._read_ticket = read_ticket
        self._places = wiring.places
        self._devices = {place: device for device, place in wiring.places.items()}
        self._cells = {wire: cell for cell, wire in wiring.locks.items()}
        self._doors = {wire: door for door, wire in wiring.strikes.items()}
        self._guards = wiring.guards()
        self._tampered: set[str] = set()
        self._online: set[str] = set()
        self._silent: set[str] = set()
        self._alert: set[str] = set()
        #: Monotonic seconds since when each device answers, or does not.
        self.since_s: dict[str, float] = {}

    def use(self, tokens: TokenMaker) -> None:
        """Make tokens by these site keys from now on."""
        self._tokens = tokens

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
        match signal:
            case (
                CardFound()
                | CardRead()
                | CardUnreadable()
                | CodeRead()
                | TagRead()
                | PinEntered()
            ):
                point = self.wiring.access_points.get(device)
                # A reader that no access point uses is read by nobody.
                if not point:
                    return None
                is_secure = self._is_secure(device)
                return self._presented(point, signal, now_s, is_secure=is_secure)
            case InputChanged():
                return self._input(device, signal)
            case Reachable():
                return self._reachable(device, signal.detail, now_s)
            case Unreachable():
                return self._unreachable(device, signal.why, now_s)
            case OrderFailed(order=OpenLock(channel=channel)) if (
                cell := self._cells.get((device, channel))
            ):
                bank, number = cell
                return CompartmentFailed(bank=bank, number=number, why=signal.why)
            case TamperChanged(is_tampered=is_on):
                (self._tampered.add if is_on else self._tampered.discard)(device)
                return _trouble(device, signal)
            case Garbled() | OrderFailed() | AddressConflict():
                return _trouble(device, signal)
            case OutputChanged(channel=channel, is_on=is_on):
                door = self._doors.get((device, channel))
                return DoorOutputChanged(door=door, is_on=is_on) if door else None
            case _:
                assert_never(signal)

    def _is_secure(self, reader: str) -> bool:
        """Say whether neither it nor a switch that guards it tells of a hand."""
        opened = (self._guards.get(sensor, ()) for sensor in self._alert)
        return reader not in self._tampered and not any(reader in of for of in opened)

    def _presented(
        self,
        point: str,
        signal: CardFound | CardRead | CardUnreadable | CodeRead | TagRead | PinEntered,
        now_s: float,
        *,
        is_secure: bool,
    ) -> Stimulus | CardScan | None:
        """Return what somebody held up at an access point."""
        ticket: ShownTicket | None = None
        match signal:
            case CardFound():
                return ReadingBegan(access_point=point)
            case CardRead():
                return CardScan(
                    access_point=point,
                    secret=signal.secret,
                    received_s=now_s,
                    is_secure=is_secure,
                )
            case CardUnreadable():
                return Unreadable(access_point=point, cause=signal.why.value)
            case CodeRead():
                credential, ticket = self._code(signal.payload)
            case TagRead():
                tag = signal.technology.value, signal.bits, signal.number
                credential = self._tokens.tag(*tag)
            case PinEntered():
                credential = self._tokens.pin(signal.secret.take())
            case _:
                assert_never(signal)
        return Scan(
            access_point=point,
            credential=credential,
            received_s=now_s,
            ticket=ticket,
            is_secure=is_secure,
        )

    def _code(self, payload: bytes) -> tuple[Credential, ShownTicket | None]:
        """Tell a ticket from a code; the same ticket is one whatever its digits."""
        if self._read_ticket is None or payload[:4] not in TICKET_PREFIXES:
            return self._tokens.code(payload), None
        shown = self._read_ticket(payload)
        if isinstance(shown, Ticket):
            return self._tokens.ticket(shown.ticket_id), shown
        return self._tokens.code(payload), shown

    def shown(self, wish: Indicate, text: str = "") -> list[tuple[str, Show]]:
        """Return the ports and orders that tell the person at the access point.

        ``text`` is the line for a reader's own screen: never a reason of the rules.
        """
        orders = []
        for device in self.wiring.displays.get(wish.access_point, ()):
            port, unit = self._places[device]
            orders.append((port, Show(unit=unit, cue=cue_of(wish), text=text)))
        return orders

    def lamp(self, wire: Wire, *, is_lit: bool) -> tuple[str, SetOutput]:
        """Return the port and the order that switch a lamp."""
        device, channel = wire
        port, unit = self._places[device]
        return port, SetOutput(unit=unit, channel=channel, is_on=is_lit)

    def order(
        self, command: Release | Relock | HoldOpen | OpenCompartment | SwitchAppliance
    ) -> tuple[str, Order]:
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
            case OpenCompartment():
                device, channel = self.wiring.locks[command.bank, command.number]
                port, unit = self._places[device]
                return port, OpenLock(unit=unit, channel=channel)
            case SwitchAppliance(is_on=is_on):
                device, channel = self.wiring.appliances[command.appliance]
                port, unit = self._places[device]
                return port, SetOutput(unit=unit, channel=channel, is_on=is_on)
            case _:
                assert_never(command)

    def _strike(self, door: str) -> tuple[tuple[str, int], int]:
        device, channel = self.wiring.strikes[door]
        return self._places[device], channel

    def _input(self, device: str, signal: InputChanged) -> Stimulus | None:
        cell = self._cells.get((device, signal.channel))
        if cell is not None:
            bank, number = cell
            return CompartmentChanged(
                bank=bank, number=number, is_open=not signal.is_active
            )
        wired = self.wiring.inputs.get((device, signal.channel))
        if wired is None:
            return None
        is_yes = signal.is_active is wired.is_yes_when_closed
        match wired.role:
            case InputRole.CONTACT:
                return ContactChanged(door=wired.of, is_open=is_yes)
            case InputRole.EXIT_BUTTON:
                return ExitButtonChanged(door=wired.of, is_pressed=is_yes)
            case InputRole.FIRE:
                return FireInputChanged(is_active=is_yes)
            case InputRole.BELL:
                return BellPressed(door=wired.of) if is_yes else None
            case InputRole.TAMPER | InputRole.SUPPLY:
                return self._sensor(wired, is_yes=is_yes)
            case _:
                assert_never(wired.role)

    def _sensor(self, wired: WiredInput, *, is_yes: bool) -> Noted | None:
        """Tell what a sensor tells, once: its level is read anew at each opening."""
        if is_yes is (wired.of in self._alert):
            return None
        self._alert.symmetric_difference_update({wired.of})
        kinds = _SENSED[wired.role]
        return Noted(kind=kinds[is_yes], subject=wired.of, facts=())

    def _reachable(self, device: str, detail: str, now_s: float) -> Stimulus:
        is_news = device not in self._online
        if is_news:
            self.since_s[device] = now_s
        self._online.add(device)
        self._silent.discard(device)
        return DeviceChanged(
            device=device,
            is_online=True,
            is_news=is_news,
            detail=detail[:MAX_DETAIL],
            doors=self.wiring.doors_of(device),
            appliances=self.wiring.appliances_of(device),
        )

    def _unreachable(self, device: str, why: str, now_s: float) -> Stimulus | None:
        if device in self._silent:
            return None
        self.since_s[device] = now_s
        # Also news of a device that never answered: it may be the strike's board.
        self._online.discard(device)
        self._silent.add(device)
        return DeviceChanged(
            device=device,
            is_online=False,
            detail=why[:MAX_DETAIL],
            doors=self.wiring.doors_of(device),
            appliances=self.wiring.appliances_of(device),
            senses_fire=self.wiring.senses_fire(device),
        )


def _trouble(
    device: str, signal: Garbled | OrderFailed | TamperChanged | AddressConflict
) -> Noted:
    """Return the event of what is wrong with a device."""
    facts: Facts = (("detail", signal.why[:MAX_DETAIL]),)
    match signal:
        case Garbled():
            kind, facts = EventKind.DEVICE_FAULT, (*facts, ("what", "garbled"))
        case OrderFailed():
            kind, facts = EventKind.DEVICE_FAULT, (*facts, ("what", "order_failed"))
        case TamperChanged(is_tampered=is_on):
            kind = EventKind.DEVICE_TAMPERED if is_on else EventKind.DEVICE_TAMPER_ENDED
        case AddressConflict():
            kind = EventKind.ADDRESS_CONFLICT
        case _:
            assert_never(signal)
    return Noted(kind=kind, subject=device, facts=facts)
