# SPDX-License-Identifier: Apache-2.0
"""What stands at an access point while nobody holds anything out.

The law of the module: pure; it reads the doors' standing and decides nothing. A way
out is shown only where fire has opened it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.command import Indicate, Indication
from edge.core.doors.door import DoorMode, DoorPhase

if TYPE_CHECKING:
    from edge.core.controller import Controller


def standing_at(point: str, door_id: str | None, controller: Controller) -> Indicate:
    """Return what lasts at an access point of a door; None: at a bank or a desk."""
    lasting = Indication.READY
    if door_id is not None:
        lasting = _of_door(door_id, controller)
    return Indicate(access_point=point, indication=lasting)


def _of_door(door_id: str, controller: Controller) -> Indication:
    doors = controller.doors
    mode = doors.mode(door_id)
    if controller.emergency.is_fire and mode is DoorMode.LOCKED_OPEN:
        return Indication.EVACUATE
    if mode is DoorMode.LOCKED_DOWN:
        return Indication.LOCKED_DOWN
    if not doors.strike_is_sound(door_id):
        return Indication.OUT_OF_ORDER
    return Indication.READY


def is_left_open(door_id: str, controller: Controller) -> bool:
    """Say whether somebody should shut the leaf."""
    door = controller.doors.standing()[door_id]
    if door.is_free:
        return False
    return door.phase is DoorPhase.OPEN_TOO_LONG or (door.is_open and door.is_warned)
