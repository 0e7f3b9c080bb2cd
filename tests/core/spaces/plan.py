# SPDX-License-Identifier: Apache-2.0
"""The plan of a house with four rooms, and its people.

The law of the module: nothing here decides anything. The kitchen is booked by the
hour and left by button or handle; exits from the lounge are read; the hall's handle
is seen by nobody; the shed's door has no contact.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from edge.core.people.entries import Booking, Cardholder
from edge.core.plan import (
    AccessPointPlan,
    AppliancePlan,
    Direction,
    EntryRule,
    FareKind,
    FarePlan,
    SitePlan,
    SpacePlan,
)
from edge.core.schedule import Schedule, read_hours
from tests.core.scene import MINUTE_MS, clock_ms, door

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.core.emergency.state import EmergencyState

OFFSET_MS = 8 * 3_600_000
HOURS = Schedule(week=read_hours("daily 08:00-22:00"), utc_offset_ms=OFFSET_MS)
FREE_MIN = 60
HOUR_FEN = 300
VISIT_FEN = 500
WALK_IN_MIN = 120


def space(space_id: str, **changes: object) -> SpacePlan:
    """Return a space with the house's lead and grace."""
    plan = SpacePlan(space_id=space_id, lead_ms=10 * MINUTE_MS, grace_ms=5 * MINUTE_MS)
    return replace(plan, **changes)  # type: ignore[arg-type]


_SPACES = (
    space(
        "kitchen",
        fare=FarePlan(kind=FareKind.PER_HOUR, fen=HOUR_FEN, free_minutes=FREE_MIN),
    ),
    space(
        "lounge",
        entry=EntryRule.WALK_IN,
        hours=HOURS,
        has_exit_reader=True,
        fare=FarePlan(kind=FareKind.PER_VISIT, fen=VISIT_FEN),
    ),
    space("hall", entry=EntryRule.WALK_IN, hours=HOURS),
    space("shed"),
)
_DOORS = (
    door("kitchen-door", "kitchen"),
    door("lounge-door", "lounge"),
    replace(door("hall-door", "hall"), senses_exit=False),
    door("shed-door", "shed", has_contact=False),
)
_POINTS = (
    *((f"{plan.space_id}-in", plan.door_id, Direction.IN) for plan in _DOORS),
    ("lounge-out", "lounge-door", Direction.OUT),
)
HOUSE = SitePlan(
    site_id="site-1",
    spaces={plan.space_id: plan for plan in _SPACES},
    doors={plan.door_id: plan for plan in _DOORS},
    access_points={
        name: AccessPointPlan(access_point_id=name, door_id=door_id, direction=way)
        for name, door_id, way in _POINTS
    },
    appliances={"stove": AppliancePlan(appliance_id="stove", space_id="kitchen")},
    settings_revision="set-1",
)


def booked(told: str) -> tuple[str, Booking]:
    """Read ``ID WHO SPACE HH:MM-HH:MM [xPARTY]``."""
    booking_id, who, space_id, hours, *more = told.split()
    start, end = hours.split("-")
    party = int(more[0][1:]) if more else 1
    return who, Booking(
        booking_id=booking_id,
        space_id=space_id,
        from_ms=clock_ms(start),
        to_ms=clock_ms(end),
        party=party,
    )


@dataclass(slots=True)
class People:
    """Who is known and what they booked; whoever has no role here is a resident."""

    all_bookings: list[tuple[str, Booking]] = field(default_factory=list)
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def holder(self, holder_id: str) -> Cardholder | None:
        """Return a holder; everybody is one."""
        return Cardholder(
            holder_id=holder_id,
            roles=self.roles.get(holder_id, ("RESIDENT",)),
            language="zh-CN",
            is_enabled=True,
            needs_extended_time=False,
        )

    def bookings(self, holder_id: str) -> list[Booking]:
        """Return a holder's bookings."""
        return [each for who, each in self.all_bookings if who == holder_id]

    def booked(
        self, space_id: str, from_ms: int, to_ms: int
    ) -> Iterator[tuple[str, Booking]]:
        """Yield what touches the window."""
        for who, each in self.all_bookings:
            touches = each.from_ms < to_ms and each.to_ms > from_ms
            if each.space_id == space_id and touches:
                yield who, each


@dataclass(slots=True)
class Alarm:
    """The emergencies that stand."""

    standing: frozenset[EmergencyState] = frozenset()


@dataclass(slots=True)
class Desk:
    """Who is on duty."""

    on_duty: tuple[str, ...] = ()
