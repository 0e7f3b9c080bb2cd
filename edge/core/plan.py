# SPDX-License-Identifier: Apache-2.0
"""The site as the rules see it: spaces, doors and access points, no wiring.

The law of the module: read-only values made from the settings; the wiring (ports,
boards, channels) stays with the bindings.
Source: ONVIF access control service specification (access point, door).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class SpacePlan:
    """A bookable room: minutes before and after a booking in which it opens."""

    space_id: str
    lead_ms: int
    grace_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorPlan:
    """A door: its times in seconds, whether it is sensed, whether it is an escape."""

    door_id: str
    space_id: str
    release_s: float
    extended_release_s: float
    held_open_s: float
    has_contact: bool
    is_escape: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPointPlan:
    """One reader side of a door."""

    access_point_id: str
    door_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePlan:
    """Everything that the rules need to know of a site."""

    site_id: str
    spaces: Mapping[str, SpacePlan]
    doors: Mapping[str, DoorPlan]
    access_points: Mapping[str, AccessPointPlan]
    settings_revision: str
    #: Whether a fire panel's contact is wired: then fire ends only once it is at rest.
    has_fire_input: bool = False
    #: Offset of local time from UTC, for "today" in refusals (China keeps no DST).
    utc_offset_ms: int = 8 * 3_600_000
