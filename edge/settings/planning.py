# SPDX-License-Identifier: Apache-2.0
"""The site file's values turned into the site as the rules see it.

The law of the module: values were checked before; minutes become milliseconds, texts
become schedules, and nothing is decided.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from edge.core.plan import (
    DAY_MS,
    MINUTE_MS,
    AccessPointPlan,
    AppliancePlan,
    BankPlan,
    CompartmentPlan,
    Direction,
    DoorPlan,
    EntryRule,
    FareKind,
    FarePlan,
    Passback,
    PersonClass,
    SitePlan,
    SpacePlan,
)
from edge.core.schedule import Schedule, read_hours, read_windows

if TYPE_CHECKING:
    from edge.core.plan import Size
    from edge.core.schedule import Window
    from edge.settings.site import AccessPoint, Bank, Door, Fare, Settings, Space

HOUR_MS = 60 * MINUTE_MS
_EPOCH = date(1970, 1, 1)


def plan(settings: Settings) -> SitePlan:
    """Return the site as the rules see it."""
    site = settings.site
    banks = [_bank(bank) for bank in settings.bank]
    points = [_access_point(point) for point in settings.access_point]
    doors = [_door(settings, door) for door in settings.door]
    return SitePlan(
        site_id=site.id,
        spaces={space.id: _space(settings, space) for space in settings.space},
        doors={door.door_id: door for door in doors},
        access_points={point.access_point_id: point for point in points},
        banks={bank.bank_id: bank for bank in banks},
        appliances={
            each.id: AppliancePlan(appliance_id=each.id, space_id=each.space)
            for each in settings.appliance
        },
        settings_revision=settings.revision,
        has_fire_input=settings.fire is not None,
        utc_offset_ms=site.utc_offset_hours * HOUR_MS,
        closing_min=_minutes(site.closing),
        care_days=site.care_days,
        allows_remote_unlock=settings.platform.remote_unlock == "on",
        allows_remote_shelter=bool(settings.platform.shelter),
    )


def _space(settings: Settings, space: Space) -> SpacePlan:
    return SpacePlan(
        space_id=space.id,
        number=space.number,
        lead_ms=space.lead_min * MINUTE_MS,
        grace_ms=space.grace_min * MINUTE_MS,
        entry=EntryRule(space.entry),
        hours=_schedule(settings, space.hours),
        capacity=space.capacity,
        shelter_capacity=space.shelter_capacity,
        passback=Passback(space.passback),
        fare=_fare(space.fare),
        no_show_ms=space.no_show_min * MINUTE_MS,
        walk_in_ms=space.walk_in_min * MINUTE_MS,
        roster_age_ms={
            PersonClass(role): days * DAY_MS
            for role, days in space.roster_age_days.items()
        },
        has_exit_reader=space.id in spaces_with_exit_reader(settings),
    )


def _fare(fare: Fare) -> FarePlan:
    return FarePlan(
        kind=FareKind(fare.kind), fen=fare.fen, free_minutes=fare.free_minutes
    )


def spaces_with_exit_reader(settings: Settings) -> frozenset[str]:
    """Return the spaces out of which some reader leads."""
    homes = {door.id: door.space for door in settings.door}
    return frozenset(
        homes[point.door]
        for point in settings.access_point
        if point.direction == "out" and point.door in homes
    )


def _schedule(settings: Settings, hours: str | None) -> Schedule | None:
    if hours is None:
        return None
    return Schedule(
        week=read_hours(hours),
        utc_offset_ms=settings.site.utc_offset_hours * HOUR_MS,
        holidays=_holidays(settings),
    )


def _holidays(settings: Settings) -> dict[int, tuple[Window, ...]]:
    return {
        (date.fromisoformat(each.date) - _EPOCH).days: read_windows(each.hours)
        for each in settings.holiday
    }


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


def _access_point(point: AccessPoint) -> AccessPointPlan:
    return AccessPointPlan(
        access_point_id=point.id,
        door_id=point.door or "",
        bank_id=point.bank or "",
        is_desk=point.desk,
        is_medicine_box=point.opens == "medicine",
        direction=Direction(point.direction),
        emergency=point.emergency,
    )


def _bank(bank: Bank) -> BankPlan:
    cells = bank.compartments
    sizes: tuple[tuple[Size, list[int], bool], ...] = (
        ("S", cells.small, False),
        ("M", cells.medium, False),
        ("L", cells.large, False),
        ("M", cells.medicine, True),
    )
    plans = [
        CompartmentPlan(number=number, size=size, is_medicine_box=is_medicine)
        for size, numbers, is_medicine in sizes
        for number in numbers
    ]
    return BankPlan(
        bank_id=bank.id,
        space_id=bank.space,
        compartments={plan.number: plan for plan in sorted(plans, key=_number)},
        allows_walk_in=bank.walk_in,
        walk_in_ms=bank.walk_in_min * MINUTE_MS,
        cleans=bank.cleans,
        fare=_fare(bank.fare),
    )


def _number(compartment: CompartmentPlan) -> int:
    return compartment.number


def _door(settings: Settings, door: Door) -> DoorPlan:
    return DoorPlan(
        door_id=door.id,
        space_id=door.space,
        zone=door.zone,
        release_s=door.release_s,
        extended_release_s=door.extended_release_s,
        held_open_s=door.held_open_s,
        warn_before_s=door.warn_before_s,
        has_contact=door.contact is not None,
        is_escape=door.escape,
        needs_two_persons=door.two_persons,
        interlocked_with=frozenset(door.interlocked_with),
        unlock=_schedule(settings, door.unlock),
        first_person_in=door.first_person_in,
        senses_exit=door.egress != "mechanical_unsensed",
        responsible=door.responsible,
        deputy=door.deputy,
    )
