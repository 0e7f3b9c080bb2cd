# SPDX-License-Identifier: Apache-2.0
"""When nothing disturbed the box and one of its devices, so that it had to answer.

The law of the module: it errs towards trouble: each fault is taken to last somewhat
longer than the weather says, and a box that has just started is not blamed yet.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Booted, Handled, PowerLost, Stormed
from edge.core.stimulus import DeviceChanged

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Observation

#: After a fault a line is opened anew and everything is read again.
RECOVERY_S = 60.0
BOOT_S = 30.0
#: Faults that touch neither the box nor its wires.
ELSEWHERE = frozenset({"network", "fire"})


class Calm:
    """Remembers until when there was, or may have been, trouble."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._troubled_to_s = inf

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        match seen:
            case Booted():
                self._troubled_to_s = seen.at_s + BOOT_S
            case PowerLost():
                self._troubled_to_s = inf
            case Stormed(kind=kind, on=on, for_s=for_s):
                is_ours = self._device in on or on == "gateway"
                if is_ours and kind not in ELSEWHERE:
                    self._trouble(seen.at_s + for_s + RECOVERY_S)
            case Handled(stimulus=DeviceChanged(device=device)):
                if device == self._device:
                    self._trouble(seen.at_s + RECOVERY_S)
            case _:
                pass

    def was_calm(self, from_s: float, to_s: float) -> bool:
        """Say whether nothing disturbed it, so far as was seen until ``to_s``."""
        return self._troubled_to_s < from_s <= to_s

    def _trouble(self, until_s: float) -> None:
        self._troubled_to_s = max(self._troubled_to_s, until_s)
