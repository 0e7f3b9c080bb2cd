# SPDX-License-Identifier: Apache-2.0
"""Signals that arose in a call that returns none, until the next tick fetches them.

The law of the module: bounded; reaching the bound is the house's mistake, since it
keeps giving orders and never calls ``tick``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.errors import LocalError

if TYPE_CHECKING:
    from drivers.device import Signal

#: A tick is due at once when one waits; so many mean that nobody calls it.
MAX_WAITING_SIGNALS = 1024


class WaitingSignals:
    """A bounded list; true while something waits."""

    def __init__(self) -> None:
        self._signals: list[Signal] = []

    def __bool__(self) -> bool:
        return bool(self._signals)

    def add(self, signal: Signal) -> None:
        """Keep a signal for the next tick; LocalError if too many wait."""
        if len(self._signals) >= MAX_WAITING_SIGNALS:
            raise LocalError("orders keep coming, but nobody calls tick()")
        self._signals.append(signal)

    def take(self) -> list[Signal]:
        """Hand over all that wait, in order."""
        signals, self._signals = self._signals, []
        return signals
