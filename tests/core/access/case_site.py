# SPDX-License-Identifier: Apache-2.0
"""Builds the small site of the table: two spaces, a door each, readers on both sides.

The law of the module: what a scene tells of a space holds for both of them, unless it
names one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.plan import (
    MINUTE_MS,
    AccessPointPlan,
    Direction,
    DoorPlan,
    EntryRule,
    Passback,
    PersonClass,
    SitePlan,
    SpacePlan,
)
from edge.core.schedule import Schedule, local_day, read_hours, read_windows
from tests.core.access.case_words import OFFSET_MS, duration_ms, utc_ms

if TYPE_CHECKING:
    from tests.core.access.case_table import Scene

RELEASE_S = 5.0
EXTENDED_S = 12.0
#: The spaces, by the numbers that tickets give them.
SPACES = {"kitchen": 1, "lounge": 2}


def build_site(scene: Scene) -> SitePlan:
    doors = {f"{space_id}-door": _door(scene, space_id) for space_id in SPACES}
    points = [
        AccessPointPlan(
            access_point_id=f"{space_id}-{direction}",
            door_id=f"{space_id}-door",
            direction=direction,
        )
        for space_id in SPACES
        for direction in Direction
    ]
    return SitePlan(
        site_id="site-1",
        spaces={space_id: _space(scene, space_id) for space_id in SPACES},
        doors=doors,
        access_points={point.access_point_id: point for point in points},
        settings_revision="set-3",
        utc_offset_ms=OFFSET_MS,
    )


def _door(scene: Scene, space_id: str) -> DoorPlan:
    return DoorPlan(
        door_id=f"{space_id}-door",
        space_id=space_id,
        release_s=RELEASE_S,
        extended_release_s=EXTENDED_S,
        held_open_s=30.0,
        has_contact=True,
        is_escape=scene.mode == "LOCKED_OPEN",
        needs_two_persons=scene.two_persons,
        interlocked_with=frozenset({scene.interlocked_by} - {""}),
    )


def _space(scene: Scene, space_id: str) -> SpacePlan:
    limits = scene.roster_limits
    return SpacePlan(
        space_id=space_id,
        number=SPACES[space_id],
        lead_ms=scene.lead_min * MINUTE_MS,
        grace_ms=scene.grace_min * MINUTE_MS,
        entry=EntryRule(scene.entry_of.get(space_id, scene.entry)),
        hours=_hours(scene),
        capacity=scene.capacity,
        shelter_capacity=scene.shelter_capacity,
        passback=Passback(scene.passback),
        roster_age_ms={PersonClass(k): duration_ms(v) for k, v in limits.items()},
        has_exit_reader=True,
    )


def _hours(scene: Scene) -> Schedule | None:
    if not scene.hours:
        return None
    today = local_day(utc_ms("00:00"), OFFSET_MS)
    return Schedule(
        week=read_hours(scene.hours),
        utc_offset_ms=OFFSET_MS,
        holidays={
            today + int(day[:-1]): read_windows(windows)
            for day, windows in scene.holidays.items()
        },
    )
