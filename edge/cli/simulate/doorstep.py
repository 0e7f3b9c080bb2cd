# SPDX-License-Identifier: Apache-2.0
"""What comes from the wires, on its way to the gateway's step, in the simulation.

The law of the module: it does what :mod:`edge.cli.intake` does, in the same order, on
simulated time: levels go straight in, scans wait until every board has told its
levels, a standstill throws away what lay in buffers, and an identity card takes the
time of its scrypt. The beat that notices a standstill is told of it instead of
beating ten times a second.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from drivers.device import InputChanged, OrderFailed, Reachable, SetOutput, Unreachable
from edge.bindings.bindings import CardScan
from edge.cli.intake import (
    CARDS_AT_ONCE,
    CARDS_WAITING,
    IN_LINE_AFTER_S,
    LASTING,
    LEVELS_WITHIN_S,
    STALL_S,
)
from edge.core.command import Indicate, Indication
from edge.core.event import EventKind
from edge.core.stimulus import DeviceChanged, Noted, ReadingBegan, Scan, Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import Signal
    from edge.bindings.bindings import Bindings
    from edge.bindings.tokens import TokenMaker
    from edge.cli.simulate.clockwork import BootTime
    from edge.core.command import Command
    from edge.core.stimulus import Stimulus
    from edge.gateway.gateway import Gateway

#: One scrypt on a small board, and a worker each for two of them.
SCRYPT_S = 0.2


class Doorstep:
    """Takes every line's signals."""

    def __init__(
        self,
        bindings: Bindings,
        tokens: TokenMaker,
        gateway: Gateway,
        boot: BootTime,
        *,
        carry_out: Callable[[Command], None],
        flush: Callable[[], None],
    ) -> None:
        self._bindings = bindings
        self._tokens = tokens
        self._gateway = gateway
        self._boot = boot
        self._carry_out = carry_out
        self._flush = flush
        self._cards = 0
        self._awry: set[str] = set()
        self._is_closed = False
        self._sensed = bindings.wiring.sensed()
        self._boards = sorted(bindings.wiring.boards())
        self._unread = set(self._boards)
        self._open_at_s = boot.time() + LEVELS_WITHIN_S

    def close(self) -> None:
        """Take nothing any more: what comes now is the end of the wires."""
        self._is_closed = True

    def line(self, port: str, is_open: bool, why: str) -> None:  # noqa: FBT001
        """Take a port's state; what hangs on a port that will not open is offline."""
        if is_open or self._is_closed:
            return
        for device_port, unit in self._bindings.wiring.places.values():
            if device_port == port:
                self.signals(port, [Unreachable(unit=unit, why=why)])

    def signals(self, port: str, signals: list[Signal]) -> None:
        """Take what one line has to say."""
        if self._is_closed:
            return
        if self.check_stall():
            signals = [s for s in signals if isinstance(s, LASTING)]
        now_s = self._boot.time()
        for signal in signals:
            stimulus = self._bindings.translate(port, signal, now_s)
            if stimulus is not None:
                self._route(stimulus)
            self._take_heard(port, signal)
            if isinstance(signal, OrderFailed) and isinstance(signal.order, SetOutput):
                self._bring_in_line_soon(self._bindings.device_of(port, signal.unit))

    def check_stall(self) -> bool:
        """Return True if the process had stood still: what came is too old."""
        gap_s, self._boot.stood_still_s = self._boot.stood_still_s, 0.0
        if gap_s <= STALL_S or self._is_closed:
            return False
        self._unread = set(self._sensed & self._bindings.online)
        self._open_at_s = self._boot.time() + LEVELS_WITHIN_S
        self._gateway.forget_waiting()
        self._flush()
        for board in self._boards:
            self._bring_in_line_soon(board)
        facts = (("stall_ms", int(gap_s * 1000)),)
        stalled = Noted(kind=EventKind.STALLED, subject="gateway", facts=facts)
        self._gateway.note(stalled)
        return True

    def _bring_in_line_soon(self, device: str | None) -> None:
        if device is not None and device not in self._awry:
            self._awry.add(device)
            call = partial(self._bring_in_line, device)
            self._boot.call_later(IN_LINE_AFTER_S, call)

    def _bring_in_line(self, device: str) -> None:
        self._awry.discard(device)
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
            case Noted():
                self._gateway.note(stimulus)
            case CardScan():
                self._card(stimulus)
            case Scan() | Unreadable():
                self._scan(stimulus)
            case ReadingBegan():
                self._gateway.offer(stimulus.access_point, stimulus)
            case _:  # levels, and the fate of orders: nothing else comes by wire
                self._gateway.arrive(stimulus)  # type: ignore[arg-type]

    def _scan(self, scan: Scan | Unreadable) -> None:
        is_shut = self._unread and self._boot.time() < self._open_at_s
        if is_shut or not self._gateway.offer(scan.access_point, scan):
            self._again(scan.access_point)

    def _again(self, access_point: str) -> None:
        again = Indication.TRY_AGAIN
        self._carry_out(Indicate(access_point=access_point, indication=again))

    def _card(self, card: CardScan) -> None:
        if self._cards >= CARDS_WAITING:
            card.secret.wipe()
            self._again(card.access_point)
            return
        turns = 1 + self._cards // CARDS_AT_ONCE
        self._cards += 1
        self._boot.call_later(SCRYPT_S * turns, partial(self._derived, card))

    def _derived(self, card: CardScan) -> None:
        self._cards -= 1
        credential = self._tokens.id_card(card.secret.take())
        if not self._is_closed:
            self._scan(
                Scan(
                    access_point=card.access_point,
                    credential=credential,
                    received_s=card.received_s,
                    is_secure=card.is_secure,
                )
            )
