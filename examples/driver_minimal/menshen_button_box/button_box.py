# SPDX-License-Identifier: Apache-2.0
r"""A box of buttons on a serial line: each button is an input of a board.

The law of the module: pure. Time comes in as ``now``, bytes come in and go out as
values, and whatever the wire carries is a signal, never an exception. The box is asked
at each opening and tells changes by itself; one that dies later is noticed with its
port alone (docs/drivers.md: how a driver finds out sooner).

    box to us    DOWN 1\n, UP 1\n     a button was pressed, was let go
    us to box    PING\n               answered by a line for each button, then PONG\n

Source: none, since the box is invented; here stand the maker's document, its revision
and its paragraph.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from drivers import device
from drivers.framing import LineFramer
from drivers.limits import RateLimit
from drivers.options import between, defaults
from drivers.spec import DriverSpec, alone
from drivers.waiting import WaitingSignals


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonBoxOptions:
    """``channels``: how many buttons the box has."""

    channels: int = 4

    def __post_init__(self) -> None:
        between("channels", self.channels, 1, 8)


class ButtonBox:
    """The driver; see :class:`drivers.device.Device` for the verbs."""

    def __init__(self, *, unit: int, options: ButtonBoxOptions) -> None:
        self._unit, self._channels = unit, options.channels
        # Twice the longest line: what is longer is kept only to find its end.
        self._lines = LineFramer(max_line_bytes=16, silence_s=1.0)
        self._levels, self._outgoing, self._is_known = dict[int, bool](), b"", False
        # Garbled once a second: a noisy line must not fill the house's journal.
        self._garbled, self._waiting = RateLimit(most=1, within_s=1.0), WaitingSignals()

    def opened(self, now: float) -> None:  # noqa: ARG002
        """Drop what was half heard, and ask for all levels."""
        self._lines.reset()
        self._levels, self._outgoing = {}, b"PING\n"

    #: What came meanwhile was thrown away: the levels are to be heard anew.
    resumed = opened

    def closed(self, now: float) -> list[device.Signal]:  # noqa: ARG002
        """Call the box unreachable, if it was reachable."""
        lost = device.Unreachable(unit=self._unit, why="the link was lost")
        was_known, self._is_known = self._is_known, False
        return [*self._waiting.take(), *([lost] if was_known else [])]

    def receive(self, data: bytes, now: float) -> list[device.Signal]:
        """Take bytes of the box's, in pieces of any size."""
        lines = self._lines.receive(data, now)
        return [signal for line in lines for signal in self._take(line.content, now)]

    def tick(self, now: float) -> list[device.Signal]:  # noqa: ARG002
        """Tell what an order led to."""
        return self._waiting.take()

    def deadline(self) -> float | None:
        """Return 0, which is at once, while something waits to be told."""
        return 0.0 if self._waiting else None

    def order(self, order: device.Order, now: float) -> None:  # noqa: ARG002
        """Refuse: a box of buttons moves nothing. A cue is dropped."""
        if not isinstance(order, device.Show):
            why = "a box of buttons has no outputs"
            self._waiting.add(device.OrderFailed(unit=order.unit, order=order, why=why))

    def take_outgoing(self) -> bytes:
        """Hand over what is to be written."""
        outgoing, self._outgoing = self._outgoing, b""
        return outgoing

    def _take(self, line: bytes, now: float) -> list[device.Signal]:
        found = re.fullmatch(rb"(DOWN|UP) ([1-8])|PONG", line)
        if found is None or int(found[2] or 1) > self._channels:
            garbled = device.Garbled(unit=self._unit, raw=line, why="no line of a box")
            return [garbled] if self._garbled.admit(now) else []
        if found[1] is None:
            was_known, self._is_known = self._is_known, True
            return [] if was_known else [device.Reachable(unit=self._unit, detail="")]
        number, is_down = int(found[2]), found[1] == b"DOWN"
        before, self._levels[number] = self._levels.get(number), is_down
        change = device.InputChanged(unit=self._unit, channel=number, is_active=is_down)
        return [] if before is is_down else [change]


SPEC = DriverSpec(
    name="button_box",
    build=alone(ButtonBoxOptions, ButtonBox),
    options=defaults(ButtonBoxOptions),
    roles=frozenset({"board"}),
)
