# SPDX-License-Identifier: Apache-2.0
"""An order to a UHPPOTE controller on its way: how its door must be held for it.

The law of the module: values alone. A pulse's length is a setting of the door in whole
seconds, so it is rounded up; a door that stands open does so by its mode.

Source: uhppoted/uhppote-core, messages/set_door_control.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil, isfinite

from drivers.device import Pulse, SetOutput
from drivers.uhppote.requests import MAX_DELAY_S
from drivers.uhppote.wire import DoorControl, DoorMode

#: Nothing old moves a relay.
ORDER_MAX_AGE_S = 2.0
#: A release where the controller told none that is possible.
USUAL_DELAY_S = 5


class Phase(StrEnum):
    """Where an order is: its door is set, it is opened, its relay is looked at."""

    SETTING = "SETTING"
    OPENING = "OPENING"
    LOOKING = "LOOKING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An order on its way; ``control`` is how its door must be held for it.

    ``was_on``: the door's relay was on before it was opened, and so proves nothing.
    """

    order: Pulse | SetOutput
    control: DoorControl
    taken_at: float
    phase: Phase = Phase.SETTING
    was_on: bool = False

    @property
    def old_at(self) -> float:
        """From when on it is too old to be sent."""
        return self.taken_at + ORDER_MAX_AGE_S


def control_of(
    order: Pulse | SetOutput, known: DoorControl | None
) -> DoorControl | None:
    """Return how the door must be held; None for a pulse that can't be timed.

    ``known`` is how it is held now: what stands open keeps its delay for later.
    """
    match order:
        case SetOutput(is_on=is_on):
            delay_s = known.delay_s if known is not None else 0
            mode = DoorMode.NORMALLY_OPEN if is_on else DoorMode.CONTROLLED
            return DoorControl(mode=mode, delay_s=delay_s or USUAL_DELAY_S)
        case Pulse(duration_s=duration_s):
            if not isfinite(duration_s) or not 0 < duration_s <= MAX_DELAY_S:
                return None
            delay_s = ceil(round(duration_s, 6)) or 1
            return DoorControl(mode=DoorMode.CONTROLLED, delay_s=delay_s)
