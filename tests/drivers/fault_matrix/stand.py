# SPDX-License-Identifier: Apache-2.0
"""What every stand is: a driver before its simulator, and how one sees its work.

The law of the module: built as a site would have it, the driver by its own name and
options, the simulator by its settings. ``works`` is what people come for: a card, a
code, an order carried out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from drivers.device import OutputChanged, Reachable
from tests.drivers.fault_matrix.joined import End, Joined

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import Device, Order, Signal

#: Until every device of a stand has been found; no stand has more to say at first.
FOUND_WITHIN_S = 5.0
PULSE_S = 2.0


class Stand(ABC):
    """A driver and its device, joined; ``unit`` is the one that mishaps befall."""

    unit = 0
    units: tuple[int, ...] = (0,)
    #: Whether the driver's device has an output that a pulse switches on.
    pulses = False
    #: Whether it has one that nothing but the gateway switches off again.
    untimed = False
    #: Whether a level that no line of the table tells of must not be told.
    levels_are_news = False

    def __init__(self, driver: Device, end: End, *, baud: int | None) -> None:
        self.joined = Joined(driver, end, baud=baud)

    def find(self) -> float | None:
        """Plug in; return after how long all devices were found."""
        self.joined.plug()
        return self.joined.until(self._are_found, within_s=FOUND_WITHIN_S)

    def plug_again(self) -> None:
        """Plug in once more, with whatever begins anew then."""
        self.joined.plug()

    def _are_found(self) -> bool:
        told = [signal for _, signal in self.joined.told]
        found = {signal.unit for signal in told if isinstance(signal, Reachable)}
        return found == set(self.units)

    @abstractmethod
    def works(self) -> bool:
        """Do what people come for, at every unit; tell whether it was told."""

    def order(self) -> Order | None:
        """Return an order that moves something at ``unit``; None if nothing can."""
        return None

    def active_outputs(self) -> int:
        """Return how many coils and relays are on at this moment."""
        return 0

    def is_moving(self) -> bool:
        """Say whether any coil or relay is on at this moment."""
        return self.active_outputs() > 0

    def causes(
        self, act: Callable[[], object], *signals: Signal, within_s: float = 3.0
    ) -> bool:
        """Act, and let time pass until the house was told all of that, in order."""
        mark = len(self.joined.told)
        act()

        def are_told() -> bool:
            news = iter(self.joined.since(mark))
            return all(signal in news for signal in signals)

        return self.joined.until(are_told, within_s=within_s) is not None


def on_and_off(unit: int) -> tuple[Signal, Signal]:
    """Return what is told of a pulse at output 1."""
    return (
        OutputChanged(unit=unit, channel=1, is_on=True),
        OutputChanged(unit=unit, channel=1, is_on=False),
    )
