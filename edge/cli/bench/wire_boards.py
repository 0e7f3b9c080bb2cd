# SPDX-License-Identifier: Apache-2.0
"""How long a board's driver takes from an order to its frame, and what the wire adds.

The law of the module: driver and simulated board in one process, joined without a
wire; their time is told to them and costs nothing, so that what is measured is the
driver's own work. The wire is reckoned from the frame's bytes and the usual rate.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.device import OpenLock, Pulse
from drivers.registry import DRIVERS, Unit, build
from edge.cli.bench.process_figures import SiteError
from edge.cli.bench.scan import at
from firmware_sim.lockers.cu48 import Cu48Settings
from firmware_sim.lockers.kerong import KerongSettings
from firmware_sim.lockers.locker_board import LockerBoard
from firmware_sim.lockers.locker_settings import LockerBoardSettings
from firmware_sim.lockers.wkly import WklySettings
from firmware_sim.relays.relay_board import RelayBoard
from firmware_sim.uhppote.controller import UhppoteController

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import Device, Order
    from firmware_sim.lockers.locker_settings import BoardTraits

BITS_PER_BYTE = 10
PACKET_BYTES = 64
STEP_S = 0.01
#: Steps between two orders: a pulse and all that is asked about it are over by then.
STEPS = 150
ORDERS = 200
#: Bytes move both ways so often in one instant at most.
_TURNS = 50
_HOUSE = ("127.0.0.1", 50_000)


class _Controller:
    """A controller in the network, spoken to as if it hung on a line."""

    def __init__(self) -> None:
        self._controller = UhppoteController()

    def receive(self, data: bytes, now: float) -> None:
        for start in range(0, len(data), PACKET_BYTES):
            packet = data[start : start + PACKET_BYTES]
            self._controller.receive(packet, _HOUSE, now)

    def take_outgoing(self, now: float) -> bytes:
        # Asked one by one, and so answered.
        return b"".join(one.data for one in self._controller.take_outgoing(now))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """A driver, its board, and an order that opens something."""

    board: Callable[[], RelayBoard | LockerBoard | _Controller]
    order: Order
    channels: int = 0


def _locker(settings: BoardTraits) -> _Kind:
    return _Kind(
        board=lambda: LockerBoard(settings),
        order=OpenLock(unit=settings.address, channel=1),
        channels=settings.channels,
    )


KINDS = {
    "modbus_relay_board": _Kind(
        board=RelayBoard, order=Pulse(unit=1, channel=1, duration_s=1.0)
    ),
    "uhppote": _Kind(board=_Controller, order=Pulse(unit=0, channel=1, duration_s=1.0)),
    "locker_8a": _locker(LockerBoardSettings()),
    "locker_kerong": _locker(KerongSettings(address=1)),
    "locker_cu48": _locker(Cu48Settings(address=1)),
    "locker_wkly": _locker(WklySettings(address=1)),
}


def boards(orders: int = ORDERS) -> dict[str, dict[str, object]]:
    """Return each board's figures, from an order to the frame that opens."""
    return {name: _measure(name, kind, orders) for name, kind in KINDS.items()}


def _measure(name: str, kind: _Kind, orders: int) -> dict[str, object]:
    options = {"channels": kind.channels} if kind.channels else {}
    driver = build(name, [Unit(address=kind.order.unit, options=options)])
    board, now, frame = kind.board(), 100.0, b""
    driver.opened(now)
    waits_ms: list[float] = []
    for _ in range(2 * orders):
        for _ in range(STEPS):
            now += STEP_S
            _settle(driver, board, now)
        begun_s = time.perf_counter()
        driver.order(kind.order, now)
        said = driver.take_outgoing()
        spent_ms = (time.perf_counter() - begun_s) * 1000
        if said:  # else a question was in flight: the order waits for its answer
            waits_ms.append(spent_ms)
            frame = said
            board.receive(said, now)
        _settle(driver, board, now)
        if len(waits_ms) >= orders:
            break
    else:
        raise SiteError(f"{name} let only {len(waits_ms)} orders out")
    waits_ms.sort()
    is_serial = not isinstance(board, _Controller)
    baud = DRIVERS[name].default_baud
    wire_ms = len(frame) * BITS_PER_BYTE * 1000 / baud if is_serial else 0.0
    return {
        "through": "driver in process",
        "frame_bytes": len(frame),
        "wire_ms": round(wire_ms, 2),
        "ours_p50_ms": round(at(waits_ms, 0.50), 4),
        "ours_p99_ms": round(at(waits_ms, 0.99), 4),
    }


def _settle(
    driver: Device, board: RelayBoard | LockerBoard | _Controller, now: float
) -> None:
    """Let both say what they have to say by ``now``."""
    for _ in range(_TURNS):
        deadline = driver.deadline()
        if deadline is not None and deadline <= now:
            driver.tick(now)
        said = driver.take_outgoing()
        if said:
            board.receive(said, now)
        heard = board.take_outgoing(now)
        if heard:
            driver.receive(heard, now)
        if not (said or heard):
            return
