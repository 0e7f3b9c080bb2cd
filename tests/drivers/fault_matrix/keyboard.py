# SPDX-License-Identifier: Apache-2.0
"""A stand of a scanner that types what it reads."""

from __future__ import annotations

from drivers.device import CodeRead
from drivers.registry import Unit, build
from tests.drivers.fault_matrix.kernel_ends import KeyboardEnd
from tests.drivers.fault_matrix.stand import Stand
from tests.drivers.key_lists import events, typed

EVENT_BYTES = 24


class KeyWedge(Stand):
    """The scanner; a new code is typed each time."""

    def __init__(self) -> None:
        self.keyboard = KeyboardEnd()
        self.codes = 0
        unit = Unit(address=0, options={"event_bytes": EVENT_BYTES})
        super().__init__(build("key_wedge", [unit]), self.keyboard, baud=None)

    def works(self) -> bool:
        self.codes += 1
        code = b"MSTICKET%06d" % self.codes
        typing = events(typed(code), size=EVENT_BYTES)
        told = CodeRead(unit=0, payload=code)
        return self.causes(lambda: self.keyboard.say(typing), told)
