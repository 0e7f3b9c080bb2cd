# SPDX-License-Identifier: Apache-2.0
"""Controllers behind one UDP port, and what a network does to their packets.

The law of the module: it knows no socket and no clock. Packets may be lost, doubled or
overtaken in either direction, by order (:meth:`UhppoteNetwork.spoil`) or by shares with
a seed; without either, all arrive once and in order.

Source: RFC 768 promises no more; losses as users of the boards report them.
"""

from __future__ import annotations

import random
from collections import deque
from typing import TYPE_CHECKING

from firmware_sim.errors import SimulationError
from firmware_sim.outbox import earliest
from firmware_sim.uhppote.settings import Direction, NetworkSettings, PacketFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firmware_sim.happening import Happening
    from firmware_sim.uhppote.controller import Address, Datagram, UhppoteController

#: Faults waiting for a packet; a test that needs more says so again.
MAX_FAULTS = 1_000
#: Packets that a network holds back; beyond, late ones are lost ones.
MAX_LATE = 1_000


class UhppoteNetwork:
    """Some controllers by name; ``settings`` may be replaced."""

    def __init__(
        self,
        controllers: Mapping[str, UhppoteController],
        settings: NetworkSettings | None = None,
    ) -> None:
        serials = {controller.serial for controller in controllers.values()}
        if not controllers or len(serials) != len(controllers):
            raise SimulationError("a port has controllers with serials of their own")
        self.controllers = dict(controllers)
        self.settings = settings or NetworkSettings()
        self._chance = random.Random(self.settings.seed)
        self._faults: dict[Direction, deque[PacketFault]] = {
            direction: deque(maxlen=MAX_FAULTS) for direction in Direction
        }
        self._late: list[tuple[float, Callable[[float], None]]] = []
        self._outgoing: list[Datagram] = []

    def spoil(self, fault: PacketFault, direction: Direction, packets: int = 1) -> None:
        """Spoil the next packets of one direction, behind those to be spoiled."""
        self._faults[direction].extend([fault] * min(packets, MAX_FAULTS))

    def receive(self, data: bytes, sender: Address, now: float) -> None:
        """Take a datagram of the host's."""
        self.tick(now)

        def arrive(at: float) -> None:
            for controller in self.controllers.values():
                controller.receive(data, sender, at)
            self._collect(at)

        self._carry(Direction.TO_CONTROLLER, arrive, now)

    def take_outgoing(self, now: float) -> list[Datagram]:
        """Return the datagrams that have come through by ``now``."""
        self.tick(now)
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def deadline(self) -> float | None:
        """Return when something happens by itself."""
        late = (due for due, _ in self._late)
        controllers = (one.deadline() for one in self.controllers.values())
        return earliest(*late, *controllers)

    def tick(self, now: float) -> None:
        """Let happen what was due by ``now``."""
        due = [entry for entry in self._late if entry[0] <= now]
        self._late = [entry for entry in self._late if entry[0] > now]
        for at, arrive in sorted(due, key=lambda entry: entry[0]):
            arrive(at)
        self._collect(now)

    def take_happenings(self) -> tuple[Happening, ...]:
        """Return what happened at all doors since the last call, in order."""
        boards = (controller.board for controller in self.controllers.values())
        news = [happening for board in boards for happening in board.take_happenings()]
        return tuple(sorted(news, key=lambda happening: happening.at))

    def _collect(self, now: float) -> None:
        for controller in self.controllers.values():
            for datagram in controller.take_outgoing(now):
                self._send(datagram, now)

    def _send(self, datagram: Datagram, now: float) -> None:
        def arrive(_at: float) -> None:
            self._outgoing.append(datagram)

        self._carry(Direction.TO_HOST, arrive, now)

    def _carry(
        self, direction: Direction, arrive: Callable[[float], None], now: float
    ) -> None:
        match self._fault(direction):
            case PacketFault.LOST:
                pass
            case PacketFault.DOUBLED:
                arrive(now)
                arrive(now)
            case PacketFault.LATE:
                if len(self._late) < MAX_LATE:
                    self._late.append((now + self.settings.late_s, arrive))
            case None:
                arrive(now)

    def _fault(self, direction: Direction) -> PacketFault | None:
        if self._faults[direction]:
            return self._faults[direction].popleft()
        shares = {
            PacketFault.LOST: self.settings.loss,
            PacketFault.DOUBLED: self.settings.duplication,
            PacketFault.LATE: self.settings.reordering,
        }
        for fault, share in shares.items():
            if share and self._chance.random() < share:
                return fault
        return None
