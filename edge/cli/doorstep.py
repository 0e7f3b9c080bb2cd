# SPDX-License-Identifier: Apache-2.0
"""What comes from the wires, on its way to the gateway's step.

The law of the module: levels (contacts, exit buttons, fire, devices) go straight in,
unless they chatter; scans wait until every board has told its levels, and what lay in
a buffer while the process stood still is thrown away unseen (law 5), but for who
answers and who does not, which no driver says twice. It owns no thread, no task and no
clock: how a standstill is noticed and a card's number becomes a token is the matter of
whoever builds on it, the machine's :mod:`edge.cli.intake` and the simulation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Protocol

from drivers.device import (
    AddressConflict,
    InputChanged,
    OrderFailed,
    Reachable,
    SetOutput,
    TamperChanged,
    Unreachable,
)
from edge.bindings.bindings import CardScan
from edge.cli.chatter import Chatter
from edge.core.access.answers import NextStep
from edge.core.command import Indicate, Indication
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
    OutputChanged,
    ReadingBegan,
    Scan,
    Unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import Signal
    from edge.bindings.bindings import Bindings
    from edge.core.command import Command
    from edge.core.credential import Credential
    from edge.core.event import Facts
    from edge.core.stimulus import Stimulus
    from edge.gateway.gateway import Gateway

#: Cards waiting for their token; a ninth in two seconds is a flood.
CARDS_WAITING = 8
#: What no driver says twice: it holds after a standstill as it did before.
LASTING = (Reachable, Unreachable, TamperChanged, AddressConflict)
#: A dead board must not keep the other doors shut.
LEVELS_WITHIN_S = 2.0
#: How soon a steady output whose order failed is sent again.
IN_LINE_AFTER_S = 1.0
#: Longer without a sign of life and the process stood still.
STALL_S = 2.0


class Time(Protocol):
    """Monotonic seconds, as asyncio's loop has them."""

    def time(self) -> float:
        """Return this instant."""

    def call_later(self, delay: float, callback: Callable[[], object]) -> object:
        """Call back after so many seconds."""


class Doorstep(ABC):
    """Takes every link's signals."""

    def __init__(
        self,
        bindings: Bindings,
        gateway: Gateway,
        time: Time,
        *,
        carry_out: Callable[[Command], None],
        flush: Callable[[], None],
    ) -> None:
        """Build it; ``flush`` forgets what lies unread in wires and sockets."""
        self._bindings = bindings
        self._gateway = gateway
        self._time = time
        self._carry_out = carry_out
        self._flush = flush
        #: Hears who holds something out, before anything is decided of it.
        self.on_scan: Callable[[Scan | Unreadable], None] | None = None
        self._cards = 0
        self._awry: set[str] = set()
        self._is_closed = False
        self._sensed = bindings.wiring.sensed()
        self._boards = sorted(bindings.wiring.boards())
        self._unread = set(self._boards)
        self._chatter = Chatter(bindings, time, hear=self._hear_last)
        self._open_at_s = self._time.time() + LEVELS_WITHIN_S

    @abstractmethod
    def _stood_still_s(self) -> float:
        """Return for how long the process has stood still; 0.0 when asked again."""

    @abstractmethod
    def _derive(self, card: CardScan) -> None:
        """Begin to make a card's token; it ends with :meth:`_derived`."""

    def close(self) -> None:
        """Take nothing any more: what comes from now on is the end of the wires."""
        self._is_closed = True

    def line(self, port: str, is_open: bool, why: str) -> None:  # noqa: FBT001
        """Take a port's state; what hangs on a port that will not open is offline."""
        if is_open or self._is_closed:
            return
        for device_port, unit in self._bindings.wiring.places.values():
            if device_port == port:
                self.signals(port, [Unreachable(unit=unit, why=why)])

    def signals(self, port: str, signals: list[Signal]) -> None:
        """Take what one link has to say."""
        if self._is_closed:
            return
        if self.check_stall():
            signals = [s for s in signals if isinstance(s, LASTING)]
        for signal in signals:
            is_kept = isinstance(signal, InputChanged) and not self._chatter.admits(
                port, signal
            )
            if not is_kept:
                self._hear(port, signal)
            self._take_heard(port, signal)
            if isinstance(signal, OrderFailed) and isinstance(signal.order, SetOutput):
                self._bring_in_line_soon(self._bindings.device_of(port, signal.unit))

    def _hear(self, port: str, signal: Signal) -> None:
        stimulus = self._bindings.translate(port, signal, self._time.time())
        if stimulus is not None:
            self._route(stimulus)

    def _hear_last(self, port: str, signal: InputChanged, dropped: int) -> None:
        """Take the last level of an input that chattered, and tell that it did."""
        device = self._bindings.device_of(port, signal.unit)
        if self._is_closed or device is None or device not in self._bindings.online:
            return
        if dropped:
            facts: Facts = (("count", dropped), ("input", signal.channel))
            full = Noted(kind=EventKind.QUEUE_FULL, subject=device, facts=facts)
            self._gateway.note(full)
        self._hear(port, signal)

    def check_stall(self) -> bool:
        """Return True if the process had stood still: what came is too old.

        The drivers then tell all inputs anew, but not that their board answers.
        """
        gap_s = self._stood_still_s()
        if gap_s <= STALL_S or self._is_closed:
            return False
        self._unread = set(self._sensed & self._bindings.online)
        self._open_at_s = self._time.time() + LEVELS_WITHIN_S
        self._gateway.forget_waiting()
        self._flush()
        for board in self._boards:
            self._bring_in_line_soon(board)
        facts = (("stall_ms", int(gap_s * 1000)),)
        stalled = Noted(kind=EventKind.STALLED, subject="gateway", facts=facts)
        self._gateway.note(stalled)
        return True

    def _bring_in_line_soon(self, device: str | None) -> None:
        """Send a board's steady outputs again: one that was lost must not stay lost."""
        if device is not None and device not in self._awry:
            self._awry.add(device)
            call = partial(self._bring_in_line, device)
            self._time.call_later(IN_LINE_AFTER_S, call)

    def _bring_in_line(self, device: str) -> None:
        self._awry.discard(device)
        # A board that is away is brought in line when it returns.
        if not self._is_closed and device in self._bindings.online:
            wiring = self._bindings.wiring
            returned = DeviceChanged(
                device=device,
                is_online=True,
                is_news=False,
                detail="",
                doors=wiring.doors_of(device),
                appliances=wiring.appliances_of(device),
            )
            self._gateway.arrive(returned)

    def _take_heard(self, port: str, signal: Signal) -> None:
        """Cross a board off once its levels are known: it tells them all at once."""
        device = self._bindings.device_of(port, signal.unit)
        match signal:
            case InputChanged() if device is not None:
                self._unread.discard(device)
            case Reachable() if device is not None and device not in self._sensed:
                self._unread.discard(device)
            case _:
                pass

    def _route(self, stimulus: Stimulus | CardScan) -> None:
        match stimulus:
            case (
                ContactChanged()
                | ExitButtonChanged()
                | FireInputChanged()
                | OutputChanged()
                | DeviceChanged()
                | CompartmentChanged()
                | CompartmentFailed()
            ):
                self._gateway.arrive(stimulus)
            case Noted():
                self._gateway.note(stimulus)
            case CardScan():
                self._card(stimulus)
            case Scan() | Unreadable():
                self._scan(stimulus)
            case ReadingBegan():
                self._gateway.offer(stimulus.access_point, stimulus)
            case BellPressed():
                self._gateway.offer(stimulus.door, stimulus)
            case _:
                pass  # nobody orders a mode or the end of a fire by wire

    def _scan(self, scan: Scan | Unreadable) -> None:
        if self.on_scan is not None:
            self.on_scan(scan)
        is_shut = self._unread and self._time.time() < self._open_at_s
        if is_shut or not self._gateway.offer(scan.access_point, scan):
            self._again(scan.access_point)

    def _again(self, access_point: str) -> None:
        self._carry_out(
            Indicate(
                access_point=access_point,
                indication=Indication.TRY_AGAIN,
                next_step=NextStep.SHOW_AGAIN.value,
            )
        )

    def _card(self, card: CardScan) -> None:
        if self._cards >= CARDS_WAITING:
            card.secret.wipe()
            self._again(card.access_point)
            return
        self._cards += 1
        self._derive(card)

    def _derived(self, card: CardScan, credential: Credential | None) -> None:
        """Take a card's token; None: there was no memory to make it."""
        self._cards -= 1
        if credential is None:
            self._again(card.access_point)
        elif not self._is_closed:  # decided now, it would come after the last event
            scan = Scan(
                access_point=card.access_point,
                credential=credential,
                received_s=card.received_s,
                is_secure=card.is_secure,
            )
            self._scan(scan)
