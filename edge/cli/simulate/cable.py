# SPDX-License-Identifier: Apache-2.0
"""A cable between the box and one simulated port: bytes take their time, or a turn.

The law of the module: it understands no byte. On a good day all that is said arrives,
whole, ten bits a byte later; in a noisy spell a piece may be split, held up, dropped,
flipped, echoed or mixed with another's. What is on its way when the cable is pulled
is gone.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from firmware_sim.shared_pair import collided
from firmware_sim.wire import BITS_PER_BYTE

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from edge.cli.simulate.clockwork import Clockwork
    from edge.cli.simulate.weather import Weather

#: The longest that a converter holds a piece up.
HELD_UP_S = 0.4


class Cable:
    """One cable; it lasts as long as the site, whichever boot listens to it."""

    def __init__(
        self,
        port: str,
        clockwork: Clockwork,
        *,
        baud: int,
        to_device: Callable[[bytes], None],
        chance: Random,
        weather: Weather,
    ) -> None:
        self.port = port
        self.weather = weather
        self.is_plugged = True
        #: Pieces on their way, in either direction.
        self.on_way = 0
        self.frames = 0
        self.listener: Callable[[bytes], None] | None = None
        self.watcher: Callable[[], None] | None = None
        self._clockwork = clockwork
        self._byte_s = BITS_PER_BYTE / baud
        self._to_device = to_device
        self._chance = chance
        self._noisy_until_s = 0.0
        self._life = 0

    @property
    def now_s(self) -> float:
        """The second of the world's, by which its devices live."""
        return self._clockwork.now_s

    @property
    def is_noisy(self) -> bool:
        """Whether bytes may suffer at this moment."""
        return self._clockwork.now_s < self._noisy_until_s

    def disturb(self, for_s: float) -> None:
        """Begin a noisy spell."""
        self._noisy_until_s = self._clockwork.now_s + for_s
        self._clockwork.later(for_s, self._wake)
        self._wake()

    def clear(self) -> None:
        """End a noisy spell."""
        self._noisy_until_s = 0.0

    def unplug(self) -> None:
        """Pull the cable; whoever listened is told."""
        self.is_plugged = False
        self.forget()
        self._wake()

    def plug(self) -> None:
        """Put the cable in again."""
        self.is_plugged = True
        self._wake()

    def forget(self) -> None:
        """Lose what is on its way."""
        self._life += 1
        self.on_way = 0

    def send(self, data: bytes) -> None:
        """Carry what the box says to the device."""
        if self.is_plugged:
            self.frames += 1
            self._carry(data, self._reach_device)

    def send_later(self, delay_s: float, data: bytes) -> None:
        """Carry the last words of a box that is going."""
        self._clockwork.later(delay_s, partial(self.send, data))

    def say(self, data: bytes) -> None:
        """Carry what the device says to the box."""
        if self.is_plugged:
            self._carry(data, self._reach_box)

    def _carry(self, data: bytes, arrive: Callable[[int, bytes], None]) -> None:
        if not self.is_noisy:
            self._post(len(data) * self._byte_s, data, arrive)
            return
        for delay_s, piece in self._spoilt(data):
            self._post(delay_s, piece, arrive)

    def _post(
        self, delay_s: float, piece: bytes, arrive: Callable[[int, bytes], None]
    ) -> None:
        self.on_way += 1
        self._clockwork.later(delay_s, partial(arrive, self._life, piece))

    def _reach_device(self, life: int, piece: bytes) -> None:
        if life == self._life:
            self.on_way -= 1
            self._to_device(piece)

    def _reach_box(self, life: int, piece: bytes) -> None:
        if life == self._life:
            self.on_way -= 1
            if self.listener is not None:
                self.listener(piece)

    def _spoilt(self, data: bytes) -> list[tuple[float, bytes]]:
        """Return what becomes of a piece in a noisy spell, and how late it comes."""
        chance, weather = self._chance, self.weather
        pieces = [data]
        if len(data) > 1 and chance.random() < weather.split_share:
            cut = chance.randrange(1, len(data))
            pieces = [data[:cut], data[cut:]]
        if chance.random() < weather.echo_share:
            pieces = [*pieces, *pieces]
        if chance.random() < weather.collide_share:
            noise = chance.randbytes(len(pieces[0]))
            pieces[0] = collided([pieces[0], noise])
        arriving = []
        late_s = 0.0
        for piece in pieces:
            late_s += len(piece) * self._byte_s
            if chance.random() < weather.delay_share:
                late_s += chance.uniform(0.0, HELD_UP_S)
            if chance.random() >= weather.drop_share:
                arriving.append((late_s, self._flipped(piece)))
        return arriving

    def _flipped(self, piece: bytes) -> bytes:
        if self._chance.random() >= self.weather.flip_share:
            return piece
        at = self._chance.randrange(len(piece))
        bit = 1 << self._chance.randrange(8)
        return piece[:at] + bytes((piece[at] ^ bit,)) + piece[at + 1 :]

    def _wake(self) -> None:
        if self.watcher is not None:
            self.watcher()
