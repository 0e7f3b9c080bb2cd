# SPDX-License-Identifier: Apache-2.0
"""Inputs that chatter: a loose wire must fill neither the journal nor the memory.

The law of the module: an input may change as often as people move; beyond that its
changes are kept back, of which the last one is told once the pause is over, and how
many there were. What is told of an input is never better than what it says: an open
leaf and a tampered case are told at once, and it is their end that waits. An exit
button or the fire input is never kept back.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.bindings.wiring import InputRole

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import InputChanged
    from edge.bindings.bindings import Bindings
    from edge.cli.doorstep import Time

#: A leaf that is swung as fast as one can; a contact's own bouncing is the driver's.
CHANGES = 20
#: Time for so many changes; and the pause of an input that changes more often.
WINDOW_S = 10.0
#: What people's lives may depend on.
EXEMPT = frozenset({InputRole.EXIT_BUTTON, InputRole.FIRE})


@dataclass(slots=True)
class _Input:
    """One input: the ``level`` that was told, and what is kept back in a pause."""

    at_s: deque[float] = field(default_factory=lambda: deque(maxlen=CHANGES))
    level: bool | None = None
    kept: InputChanged | None = None
    dropped: int = 0


class Chatter:
    """Stands before the bindings.

    ``hear`` takes a level that was kept back, its port, and how many changes it
    replaces, itself among them.
    """

    def __init__(
        self,
        bindings: Bindings,
        time: Time,
        *,
        hear: Callable[[str, InputChanged, int], None],
    ) -> None:
        self._bindings = bindings
        self._time = time
        self._hear = hear
        self._inputs: dict[tuple[str, int], _Input] = {}
        self._locks = frozenset(bindings.wiring.locks.values())

    def admits(self, port: str, signal: InputChanged) -> bool:
        """Say whether to take a level now; if not, it comes later or a newer does."""
        device = self._bindings.device_of(port, signal.unit)
        if device is None or self._is_exempt(device, signal.channel):
            return True
        wire = self._inputs.setdefault((device, signal.channel), _Input())
        if wire.kept is None:
            if signal.is_active is wire.level:
                return True  # read anew
            now_s = self._time.time()
            if len(wire.at_s) < CHANGES or now_s >= wire.at_s[0] + WINDOW_S:
                wire.at_s.append(now_s)
                wire.level = signal.is_active
                return True
            self._time.call_later(WINDOW_S, lambda: self._go_on(port, wire))
        wire.kept = signal
        if signal.is_active is not wire.level and self._is_bad(device, signal):
            wire.level = signal.is_active
            return True
        wire.dropped += 1
        return False

    def _is_exempt(self, device: str, channel: int) -> bool:
        wired = self._bindings.wiring.inputs.get((device, channel))
        if wired is None:
            return (device, channel) not in self._locks  # it is nobody's, and ignored
        return wired.role in EXEMPT

    def _is_bad(self, device: str, signal: InputChanged) -> bool:
        """Say whether a level is what somebody has to know: open, tampered, failed."""
        wired = self._bindings.wiring.inputs.get((device, signal.channel))
        return wired is not None and signal.is_active is wired.is_yes_when_closed

    def _go_on(self, port: str, wire: _Input) -> None:
        """Tell the last level; the next change waits for quiet, or as long again."""
        last, wire.kept = wire.kept, None
        count, wire.dropped = wire.dropped, 0
        if last is not None:
            wire.at_s.extend([self._time.time()] * CHANGES)
            wire.level = last.is_active
            self._hear(port, last, count)
