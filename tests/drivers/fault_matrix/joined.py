# SPDX-License-Identifier: Apache-2.0
"""A driver and a simulated device on one line, in a time that only this moves.

The law of the module: it moves bytes and time and nothing else. Bytes take their time
on a serial line; what the line does to them is :class:`Line`'s, which a mishap changes.
A driver that wants to be asked again and again in one instant is a fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Protocol

from drivers.links.device_link import FAREWELL_S
from firmware_sim.outbox import earliest
from firmware_sim.wire import WireTime, garbled

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import Device, Order, Signal

#: A turn of the line in one instant: no device says so much at once.
MAX_TURNS = 500
#: What an adapter hands over at a time, and how long it may wait in between.
PIECE_BYTES, PIECE_EVERY_S = 3, 0.002
NOISE_EVERY_S = 0.01
#: What is kept of what the house wrote: more than any beginning takes.
FIRST_WRITTEN = 16


class End(Protocol):
    """A simulated device; a datagram is one piece, of a serial line any is."""

    def receive(self, data: bytes, now: float) -> None:
        """Take what the house wrote."""

    def take_pieces(self, now: float) -> list[bytes]:
        """Return what is due by ``now``."""

    def deadline(self) -> float | None:
        """Return when it has something new."""

    def tick(self, now: float) -> None:
        """Let happen what was due."""


@dataclass(slots=True, kw_only=True)
class Line:
    """What lies between the two; ``baud`` is None for a network.

    ``is_deaf``: the device does not hear; ``is_mute``: it is not heard. ``house_baud``:
    the rate that the house has set. ``noise``: bytes that come all the time, by the
    moment. ``babbles``: what the device says turns into noise.
    """

    baud: int | None = 115_200
    house_baud: int | None = None
    is_deaf: bool = False
    is_mute: bool = False
    is_echoing: bool = False
    is_torn: bool = False
    babbles: bool = False
    noise: Callable[[], bytes] | None = None
    random: Random = field(default_factory=lambda: Random(20261122))

    def out(self, data: bytes) -> bytes:
        """Return what the device hears of what the house wrote."""
        if self.is_deaf:
            return b""
        return self._at_speeds(data, self.house_baud, self.baud)

    def back(self, data: bytes) -> bytes:
        """Return what the house hears of what the device said."""
        if self.is_mute:
            return b""
        if self.babbles:
            return self.random.randbytes(len(data))
        return self._at_speeds(data, self.baud, self.house_baud)

    def _at_speeds(self, data: bytes, sent: int | None, heard: int | None) -> bytes:
        if sent is None or heard is None:
            return data
        return garbled(data, sent_at=sent, heard_at=heard)


class Joined:
    """The two ends; ``told`` is what the house heard, each with its time."""

    def __init__(self, driver: Device, end: End, *, baud: int | None) -> None:
        self.driver = driver
        self.end = end
        self.line = Line(baud=baud)
        self.now = 1_000.0
        self.told: list[tuple[float, Signal]] = []
        self.is_plugged = False
        self.is_dead = False
        #: How often anything was written by either end.
        self.frames = 0
        self.dies_before_frame: int | None = None
        #: What the house wrote first since it was plugged in.
        self.written: list[bytes] = []
        self._to_house, self._to_device = WireTime(), WireTime()
        self._noise_at: float | None = None

    # -- the cable -----------------------------------------------------------------

    def plug(self) -> None:
        """Give the driver a fresh link."""
        self.is_plugged = True
        self.written.clear()
        self.driver.opened(self.now)
        self._settle()

    def unplug(self) -> None:
        """Take the link away, with what is on its way."""
        self.is_plugged = False
        self._take(self.driver.closed(self.now))
        self._to_house.clear()
        self._to_device.clear()

    def stop(self) -> None:
        """End in order, as a link does: the driver's last words have their time."""
        self._take(self.driver.closed(self.now))
        self.is_dead = True
        while words := self.driver.take_outgoing():
            self.run(FAREWELL_S)
            if self.line.baud:
                self._to_device.put(words, self.now, self.line.baud)
            else:
                self.end.receive(words, self.now)
        self.run(FAREWELL_S)
        self.is_plugged, self.is_dead = False, False
        self._to_house.clear()

    def replace(self, driver: Device) -> None:
        """Let another gateway take the place of the one that was killed."""
        self.driver = driver
        self.is_dead = False
        self.dies_before_frame = None

    def stand_still(self, for_s: float) -> None:
        """Let the gateway's process stand still; what came meanwhile is flushed."""
        self.is_dead = True
        self.run(for_s)
        self.is_dead = False
        self._to_house.clear()
        self.driver.resumed(self.now)
        self._settle()

    def order(self, order: Order) -> None:
        """Hand the driver an order."""
        self.driver.order(order, self.now)
        self._settle()

    def tell(self, signals: list[Signal]) -> None:
        """Take signals that the driver gave beside its line; let it go on."""
        self._take(signals)
        self._settle()

    # -- time ----------------------------------------------------------------------

    def run(self, for_s: float) -> None:
        """Let time pass."""
        self.until(lambda: False, within_s=for_s)

    def until(self, is_so: Callable[[], bool], *, within_s: float) -> float | None:
        """Let time pass until it is so; return how long it took, None if never."""
        begun, end = self.now, self.now + within_s
        self._settle()
        while not is_so():
            due = self._next()
            if due is None or due > end:
                self.now = end
                self._settle()
                return self.now - begun if is_so() else None
            self.now = max(self.now, due)
            self._settle()
        return self.now - begun

    def since(self, mark: int) -> list[Signal]:
        """Return what was told behind the first ``mark`` signals."""
        return [signal for _, signal in self.told[mark:]]

    # -- inside --------------------------------------------------------------------

    def _next(self) -> float | None:
        wires = (self._to_house.deadline(), self._to_device.deadline())
        noise = self._noise_at if self.line.noise else None
        return earliest(self.end.deadline(), self._driver_due(), noise, *wires)

    def _driver_due(self) -> float | None:
        if self.is_dead:
            return None
        return self.driver.deadline()

    def _settle(self) -> None:
        for _ in range(MAX_TURNS):
            if not self._turn():
                return
        raise AssertionError(f"no rest at {self.now}: {self.driver.deadline()}")

    def _turn(self) -> bool:
        """Move what moves in this instant; tell whether anything did."""
        has_moved = self._make_noise()
        if heard := self._to_device.take(self.now):
            self.end.receive(heard, self.now)
            has_moved = True
        self.end.tick(self.now)
        for piece in self.end.take_pieces(self.now):
            self._from_device(piece)
            has_moved = True
        if heard := self._to_house.take(self.now):
            self._to_driver(heard)
            has_moved = True
        due = self._driver_due()
        if due is not None and due <= self.now:
            self._take(self.driver.tick(self.now))
            has_moved = True
        return self._from_house() or has_moved

    def _make_noise(self) -> bool:
        if self.line.noise is None:
            self._noise_at = None
            return False
        if self._noise_at is None or self._noise_at <= self.now:
            self._noise_at = self.now + NOISE_EVERY_S
            self._to_driver(self.line.noise())
            return True
        return False

    def _from_house(self) -> bool:
        if self.is_dead:
            return False
        data = self.driver.take_outgoing()
        if not data or not self.is_plugged or self._dies():
            return bool(data)
        if len(self.written) < FIRST_WRITTEN:
            self.written.append(data)
        if self.line.is_echoing and self.line.baud:
            self._to_house.put(data, self.now, self.line.baud)
        data = self.line.out(data)
        if self.line.baud:
            self._to_device.put(data, self.now, self.line.baud)
        elif data:
            self.end.receive(data, self.now)
        return True

    def _from_device(self, data: bytes) -> None:
        if self._dies():
            return
        data = self.line.back(data)
        if not self.is_plugged or not data:
            return
        if not self.line.baud:
            self._to_driver(data)
        elif self.line.is_torn:
            for start in range(0, len(data), PIECE_BYTES):
                at = self.now + start / PIECE_BYTES * PIECE_EVERY_S
                piece = data[start : start + PIECE_BYTES]
                self._to_house.put(piece, at, self.line.baud)
        else:
            self._to_house.put(data, self.now, self.line.baud)

    def _dies(self) -> bool:
        """Count a frame; the gateway may be killed before it is written or read."""
        if self.dies_before_frame is not None and self.frames >= self.dies_before_frame:
            self.is_dead = True
        self.frames += 1
        return self.is_dead

    def _to_driver(self, data: bytes) -> None:
        if self.is_plugged and not self.is_dead:
            self._take(self.driver.receive(data, self.now))

    def _take(self, signals: list[Signal]) -> None:
        self.told += [(self.now, signal) for signal in signals]
