# SPDX-License-Identifier: Apache-2.0
"""Stands whose outputs no board times: a pulse ends while the gateway lives.

The law of the module: what nobody can switch off stays on here, so that the table can
say it; the next gateway is a driver of its own, which knows nothing of the last.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from drivers.device import InputChanged, Order, Pulse
from drivers.gpio.wire import Wish, wishes
from drivers.registry import Unit, build
from firmware_sim.relays.lcus_relay import LcusRelay, LcusSettings
from tests.drivers.fault_matrix.ends import SerialEnd
from tests.drivers.fault_matrix.kernel_ends import ChipEnd
from tests.drivers.fault_matrix.stand import PULSE_S, Stand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.device import Device
    from tests.drivers.fault_matrix.joined import End

CHANNELS = 2
CONTACT, BUTTON, OUTPUT, SPARE_OUTPUT = 17, 27, 22, 23
#: How far a pulse may miss its length: two frames and their gap.
PULSE_MISSES_BY_S = 0.1


class Untimed(Stand):
    """A stand whose gateway may be replaced by the next."""

    untimed = True

    def __init__(
        self, name: str, options: Mapping[str, Any], end: End, *, baud: int | None
    ) -> None:
        self._name = name
        self._options = options
        super().__init__(self._driver(), end, baud=baud)

    def _driver(self) -> Device:
        return build(self._name, [Unit(address=0, options=dict(self._options))])

    def start_next(self) -> None:
        """Let the next gateway begin, on fresh links."""
        self.joined.replace(self._driver())
        self.plug_again()

    def order(self) -> Order:
        return Pulse(unit=0, channel=1, duration_s=PULSE_S)

    @abstractmethod
    def rests_first(self) -> bool:
        """Say whether all outputs were put to rest before anything else was written."""

    def _pulses_once(self) -> bool:
        joined, length_s = self.joined, 1.0
        joined.order(Pulse(unit=0, channel=1, duration_s=length_s))
        if joined.until(self.is_moving, within_s=0.5) is None:
            return False
        most_s = length_s + PULSE_MISSES_BY_S
        took = joined.until(lambda: not self.is_moving(), within_s=most_s)
        return took is not None and took >= length_s - PULSE_MISSES_BY_S


class UsbRelay(Untimed):
    """A USB relay that never answers; it has power of its own."""

    def __init__(self) -> None:
        self.relay = LcusRelay(LcusSettings(channels=CHANNELS))
        serial, options = SerialEnd(self.relay), {"channels": CHANNELS}
        super().__init__("usb_relay_lcus", options, serial, baud=self.relay.baud)

    def active_outputs(self) -> int:
        return sum(self.relay.snapshot().contacts)

    def works(self) -> bool:
        return self._pulses_once()

    def rests_first(self) -> bool:
        first = self.joined.written[:CHANNELS]
        return first == [bytes((0xA0, one, 0, 0xA0 + one)) for one in (1, 2)]


class GpioLines(Untimed):
    """A door's contact, a button and two outputs at the box's own pins."""

    levels_are_news = True

    def __init__(self) -> None:
        outputs = (OUTPUT, SPARE_OUTPUT)
        self.chip = ChipEnd(inputs=(CONTACT, BUTTON), outputs=outputs)
        options = {
            "inputs": f"{CONTACT} contact, {BUTTON} button",
            "outputs": f"{OUTPUT}, {SPARE_OUTPUT}",
        }
        super().__init__("gpio_lines", options, self.chip, baud=None)

    def plug_again(self) -> None:
        self.chip.requested()
        super().plug_again()

    def active_outputs(self) -> int:
        return sum(self.chip.outputs.values())

    def works(self) -> bool:
        is_told = all(self._hears(is_active=level) for level in (True, False))
        return is_told and self._pulses_once()

    def _hears(self, *, is_active: bool) -> bool:
        told = InputChanged(unit=0, channel=2, is_active=is_active)
        return self.causes(lambda: self.chip.move(BUTTON, is_active=is_active), told)

    def rests_first(self) -> bool:
        first = list(wishes(self.joined.written[0]))[:2]
        at_rest = Wish.SET_INACTIVE
        return first == [(at_rest, OUTPUT), (at_rest, SPARE_OUTPUT)]
