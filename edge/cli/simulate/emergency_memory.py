# SPDX-License-Identifier: Apache-2.0
"""The emergency file of the simulated box: a few words that outlive every boot.

The law of the module: the only place of the simulation that asks the rules which
emergencies stand, so that it alone changes when their way of saying it does.
Source: edge/cli/emergency_keeper.py and edge/storage/emergency_file.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.cli.simulate.disk import Disk
    from edge.core.controller import Controller


class EmergencyMemory:
    """Remembers on disk which emergencies stand."""

    def __init__(self, controller: Controller, disk: Disk) -> None:
        self._controller = controller
        self._disk = disk

    @property
    def wants_write(self) -> bool:
        """Whether the file says something else than the rules."""
        return self._disk.emergency != self._controller.emergency.standing

    def recall(self) -> None:
        """Let the rules begin with what the file says."""
        self._controller.emergency.assume(self._disk.emergency)

    def write(self) -> None:
        """Bring the file in line."""
        self._disk.emergency = self._controller.emergency.standing
