# SPDX-License-Identifier: Apache-2.0
"""What each emergency does to doors, lockers and drills, as one table.

The law of the module: everything that an emergency moves stands in ``EFFECTS``; of
several that stand at once, the first that has a word on a door decides for it. Any
exit stays free under all of them: that is no mode's to change.
Source: ARCHITECTURE.md, "Emergency".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from edge.core.doors.door import DoorMode
from edge.core.emergency.state import EmergencyState

if TYPE_CHECKING:
    from collections.abc import Collection

    from edge.core.plan import DoorPlan, SitePlan


class Origin(StrEnum):
    """By what an emergency began or ended: the fact ``by`` of its events."""

    INPUT = "input"
    PANEL = "panel"
    CARD = "card"
    #: Two operators of the platform, where the site allows it: a shelter alone.
    PLATFORM = "platform"
    #: The emergency file knew of what the journal had lost.
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What stands while the emergency stands; a mode of None moves no door.

    ``overtakes_drills``: people are in danger now, so a rehearsal ends.
    """

    escape_mode: DoorMode | None = None
    other_mode: DoorMode | None = None
    closes_lockers: bool = False
    overtakes_drills: bool = True
    begins_by: frozenset[Origin] = frozenset({Origin.PANEL, Origin.CARD, Origin.FILE})
    ends_by: frozenset[Origin] = frozenset({Origin.PANEL})


EFFECTS: dict[EmergencyState, Effect] = {
    EmergencyState.FIRE: Effect(
        escape_mode=DoorMode.LOCKED_OPEN,
        begins_by=frozenset({Origin.INPUT, Origin.PANEL, Origin.CARD, Origin.FILE}),
    ),
    EmergencyState.LOCK_DOWN: Effect(
        escape_mode=DoorMode.LOCKED_DOWN,
        other_mode=DoorMode.LOCKED_DOWN,
        closes_lockers=True,
    ),
    # It may stand for weeks, in which a place still has to rehearse.
    EmergencyState.CHECKPOINT: Effect(overtakes_drills=False),
    EmergencyState.SHELTER: Effect(
        begins_by=frozenset({Origin.PANEL, Origin.CARD, Origin.FILE, Origin.PLATFORM}),
    ),
}

#: What a drill with doors does to the escape doors: the same as the real thing.
REHEARSED_MODE = DoorMode.LOCKED_OPEN


def imposed_mode(
    door: DoorPlan, standing: Collection[EmergencyState], *, is_rehearsed: bool
) -> DoorMode | None:
    """Return the mode that stands over the door's own; None: its own counts."""
    for state in EmergencyState:
        if state in standing:
            effect = EFFECTS[state]
            mode = effect.escape_mode if door.is_escape else effect.other_mode
            if mode is not None:
                return mode
    return REHEARSED_MODE if is_rehearsed and door.is_escape else None


def overtaking(standing: Collection[EmergencyState]) -> EmergencyState | None:
    """Return the first of those standing under which nobody rehearses."""
    if not standing:  # asked at every step
        return None
    there = (state for state in EmergencyState if state in standing)
    return next((state for state in there if EFFECTS[state].overtakes_drills), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class EscapeDoor:
    """An escape door and who sees to it that people come through."""

    door_id: str
    zone: str
    responsible: str
    deputy: str


def escape_doors(site: SitePlan) -> tuple[EscapeDoor, ...]:
    """Return the escape doors of a site, for the panel and the emergency card."""
    return tuple(
        EscapeDoor(
            door_id=plan.door_id,
            zone=plan.zone,
            responsible=plan.responsible,
            deputy=plan.deputy,
        )
        for plan in site.doors.values()
        if plan.is_escape
    )
