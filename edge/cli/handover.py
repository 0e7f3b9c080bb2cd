# SPDX-License-Identifier: Apache-2.0
"""What one gateway of a box leaves to the next, where a disk came or went.

The law of the module: what stands and what people ended goes on as they left it,
whatever the files say.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.cli.control_orders import carry_out, read_order

if TYPE_CHECKING:
    from edge.core.emergency.state import EmergencyState
    from edge.core.stimulus import Noted
    from edge.gateway.gateway import Gateway

WHY_ENDED = "ended by hand while the disk was gone"
#: Orders that need no record that lasts.
WITHOUT_DISK = frozenset({"open", "emergency", "end-emergency"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What is to be noted, which emergencies stand, and which people have ended."""

    notes: tuple[Noted, ...] = ()
    standing: frozenset[EmergencyState] = frozenset()
    ended: frozenset[EmergencyState] = frozenset()

    def settle(self, gateway: Gateway, standing: frozenset[EmergencyState]) -> None:
        """End what was ended, at a gateway that started and knows of ``standing``."""
        for state in sorted(self.ended & standing):
            wish = {"state": state.value, "actor": "gateway", "reason": WHY_ENDED}
            with suppress(ValueError):  # the fire input is active
                carry_out(gateway, read_order("end-emergency", wish))
