# SPDX-License-Identifier: Apache-2.0
"""The doors as an emergency or a drill with doors holds them.

The law of the module: what a door is held in is worked out from what stands, never
remembered beside it; the doors hear of differences alone, those that open first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edge.core.doors.door import DoorMode
from edge.core.emergency.effects import imposed_mode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from edge.core.emergency.state import EmergencyState
    from edge.core.moment import Moment
    from edge.core.plan import SitePlan


class Doors(Protocol):
    """The doors, as far as an emergency moves them (``edge.core.doors``)."""

    def impose(self, door_ids: Iterable[str], mode: DoorMode) -> None:
        """Lay a mode over the doors' own until it is lifted."""

    def lift(self, door_ids: Iterable[str]) -> None:
        """Return doors to their own mode; those that are in it stay as they are."""

    def settle(self, now: Moment) -> None:
        """Drive the outputs of doors whose imposed mode has changed."""

    def reassert(self, door_ids: Iterable[str]) -> None:
        """Drive the outputs of doors once more, as they stand."""


class HeldDoors:
    """Tells the doors what stands over their own modes."""

    def __init__(self, site: SitePlan, doors: Doors) -> None:
        self._site = site
        self._doors = doors
        #: What the doors were told last.
        self._told: dict[str, DoorMode] = {}

    def hold(
        self, now: Moment, standing: Collection[EmergencyState], *, is_rehearsed: bool
    ) -> None:
        """Move the doors for which something else stands now."""
        self._tell(self._wanted(standing, is_rehearsed=is_rehearsed))
        self._doors.settle(now)

    def insist(
        self, now: Moment, standing: Collection[EmergencyState], *, is_rehearsed: bool
    ) -> None:
        """As :meth:`hold`, and drive those again that were held so already.

        Somebody stands before a door that should have moved; and a fire release must
        not rest on the frame that a drill sent an hour ago.
        """
        before = self._told
        self.hold(now, standing, is_rehearsed=is_rehearsed)
        same = [name for name, mode in self._told.items() if before.get(name) is mode]
        if same:
            self._doors.reassert(same)

    def restore(
        self, standing: Collection[EmergencyState], *, is_rehearsed: bool
    ) -> None:
        """Tell every door what it is held in, whatever it remembers.

        Their outputs follow with the doors' next settling, which every start brings.
        """
        self._told = {}
        wanted = self._wanted(standing, is_rehearsed=is_rehearsed)
        self._doors.lift([name for name in self._site.doors if name not in wanted])
        self._tell(wanted)

    def _tell(self, wanted: dict[str, DoorMode]) -> None:
        told, self._told = self._told, wanted
        new = {name: mode for name, mode in wanted.items() if told.get(name) != mode}
        for mode in sorted(set(new.values()), key=_opening_first):
            self._doors.impose([name for name in new if new[name] is mode], mode)
        lifted = [name for name in told if name not in wanted]
        if lifted:
            self._doors.lift(lifted)

    def _wanted(
        self, standing: Collection[EmergencyState], *, is_rehearsed: bool
    ) -> dict[str, DoorMode]:
        modes = (
            (name, imposed_mode(door, standing, is_rehearsed=is_rehearsed))
            for name, door in self._site.doors.items()
        )
        return {name: mode for name, mode in modes if mode is not None}


def _opening_first(mode: DoorMode) -> tuple[bool, str]:
    return mode is not DoorMode.LOCKED_OPEN, mode.value
