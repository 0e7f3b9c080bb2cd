# SPDX-License-Identifier: Apache-2.0
"""A simulated UHPPOTE (Weigeng) UT0311-L0x controller at the end of a network.

The law of the module: it joins packets and board. A packet for another serial, of a
wrong size or with a wrong first byte is met with silence; a request is answered to
where it came from, an event goes unasked to the listener, and nothing is repeated.
There is no check sum and no password: whoever reaches it opens its doors.

Source: uhppoted/uhppote-core @117ff01c, messages/*.go; uhppoted/uhppote-simulator
@fa990832, UT0311L04; home-assistant integration, issue 18 (first byte 19).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from firmware_sim.outbox import earliest
from firmware_sim.uhppote import packets as wire
from firmware_sim.uhppote.board import UhppoteBoard
from firmware_sim.uhppote.commands import answer, status
from firmware_sim.uhppote.packets import ANY_SERIAL, Function
from firmware_sim.uhppote.settings import UhppoteSettings

if TYPE_CHECKING:
    from firmware_sim.uhppote.packets import Packet

#: IPv4 address and port.
Address = tuple[str, int]
#: Datagrams that wait for their time; a controller has far less memory.
MAX_WAITING = 1_000
NO_HOST = "0.0.0.0"  # noqa: S104 (what the wire says for none)


@dataclass(frozen=True, slots=True, kw_only=True)
class Datagram:
    """A packet on its way out."""

    data: bytes = field(repr=False)
    to: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class UhppoteSnapshot:
    """The controller as it stands; tuples count from door 1 on."""

    serial: int
    is_dark: bool
    is_hosted: bool
    relays: tuple[bool, ...]
    leaves_open: tuple[bool, ...]
    cards: int
    newest_event: int
    host_event: int
    listener: str
    requests: int


class UhppoteController:
    """The controller; the hand at its doors acts on :attr:`board`."""

    def __init__(
        self, settings: UhppoteSettings | None = None, *, name: str = "controller"
    ) -> None:
        self.settings = settings or UhppoteSettings()
        self.board = UhppoteBoard(self.settings, name=name)
        self._waiting: deque[tuple[float, Datagram]] = deque(maxlen=MAX_WAITING)
        self._own = (self.settings.address, self.settings.mask, self.settings.gateway)
        self._listener: Address = (NO_HOST, 0)
        self._interval_s = 0
        self._next_report_at: float | None = None
        self._requests = 0

    @property
    def serial(self) -> int:
        """The number by which it is called, as printed on it."""
        return self.settings.serial

    def receive(self, data: bytes, sender: Address, now: float) -> None:
        """Take a datagram; what is not for this controller changes nothing."""
        self.tick(now)
        packet = wire.parse(data)
        if packet is None or self.board.is_dark or not self._is_called(packet):
            return
        self._requests += 1
        self.board.host_heard(now)
        fields = self._answer(packet, now)
        if fields is not None:
            reply = wire.build(packet.function, self.serial, fields)
            self._put(reply, sender, now + self.settings.reply_delay_s)
        self._tell(now)

    def take_outgoing(self, now: float) -> list[Datagram]:
        """Return the datagrams that are due by ``now``, oldest first."""
        self.tick(now)
        taken = []
        while self._waiting and self._waiting[0][0] <= now:
            taken.append(self._waiting.popleft()[1])
        return taken

    def deadline(self) -> float | None:
        """Return when :meth:`take_outgoing` or :meth:`tick` has something new."""
        first = self._waiting[0][0] if self._waiting else None
        return earliest(first, self._next_report_at, self.board.deadline())

    def tick(self, now: float) -> None:
        """Let happen what was due by ``now``, and tell the listener."""
        self.board.tick(now)
        self._tell(now)
        if self._next_report_at is not None and self._next_report_at <= now:
            self._next_report_at = now + self._interval_s
            if not self.board.is_dark:
                self._report(self.board.ring.newest.fields(), now)

    def cut_power(self, now: float, dark_s: float = 2.0) -> None:
        """Cut the power for ``dark_s``; what was on its way out is lost."""
        self.tick(now)
        self._waiting.clear()
        self.board.cut_power(now, dark_s=dark_s)

    def snapshot(self, now: float) -> UhppoteSnapshot:
        """Return the controller as it stands."""
        board = self.board
        host, port = self._listener
        return UhppoteSnapshot(
            serial=self.serial,
            is_dark=board.is_dark,
            is_hosted=board.is_hosted(now),
            relays=tuple(post.relay_is_on for post in board.posts.values()),
            leaves_open=tuple(post.is_open for post in board.posts.values()),
            cards=len(board.cards),
            newest_event=board.ring.newest.index,
            host_event=board.ring.host_index,
            listener=f"{host}:{port}",
            requests=self._requests,
        )

    # -- inside --------------------------------------------------------------------

    @property
    def _has_listener(self) -> bool:
        host, port = self._listener
        return host != NO_HOST and port != 0

    def _is_called(self, packet: Packet) -> bool:
        if packet.serial == ANY_SERIAL:
            return packet.function == Function.GET_CONTROLLER
        return packet.serial == self.serial

    def _answer(self, packet: Packet, now: float) -> dict[int, bytes] | None:
        """Answer what concerns the network here, all else from the board."""
        match packet.function:
            case Function.SET_LISTENER:
                return self._set_listener(packet, now)
            case Function.GET_LISTENER:
                return self._listener_fields()
            case Function.GET_CONTROLLER:
                return self._introduction()
            case Function.SET_ADDRESS:
                self._set_address(packet)
                return None
            case _:
                return answer(self.board, packet, now)

    def _set_listener(self, packet: Packet, now: float) -> dict[int, bytes]:
        self._listener = (packet.address(8), packet.number(12, 2))
        self._interval_s = packet.number(14)
        is_wanted = self._interval_s and self._has_listener
        self._next_report_at = now + self._interval_s if is_wanted else None
        return {8: wire.flags(True)}  # noqa: FBT003 (a byte of the packet)

    def _listener_fields(self) -> dict[int, bytes]:
        host, port = self._listener
        return {
            8: wire.address(host),
            12: wire.number(port, 2),
            14: wire.number(self._interval_s),
        }

    def _introduction(self) -> dict[int, bytes]:
        address, mask, gateway = self._own
        return {
            8: wire.address(address),
            12: wire.address(mask),
            16: wire.address(gateway),
            20: bytes.fromhex(self.settings.mac.replace(":", "")),
            26: self.settings.version.to_bytes(2, "big"),
            28: wire.day(date.fromisoformat(self.settings.released)),
        }

    def _set_address(self, packet: Packet) -> None:
        if packet.is_magic(20):
            self._own = (packet.address(8), packet.address(12), packet.address(16))

    def _tell(self, now: float) -> None:
        for event in self.board.take_news():
            self._report(event.fields(), now)

    def _report(self, event: dict[int, bytes], now: float) -> None:
        if not self._has_listener:
            return
        is_old = self.settings.old_events
        begin = wire.BEGIN_OF_OLD_EVENTS if is_old else wire.BEGIN
        fields = status(self.board, event, now)
        data = wire.build(Function.STATUS, self.serial, fields, begin=begin)
        self._put(data, self._listener, now)

    def _put(self, data: bytes, to: Address, due: float) -> None:
        if self._waiting:
            due = max(due, self._waiting[-1][0])
        self._waiting.append((due, Datagram(data=data, to=to)))
