# SPDX-License-Identifier: Apache-2.0
"""The site as the rules see it: spaces, doors, lockers, access points, no wiring.

The law of the module: read-only values made from the settings; the wiring (ports,
boards, channels) stays with the bindings.
Source: ONVIF access control service specification (access point, door).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A compartment's size, as it is booked.
Size = Literal["S", "M", "L"]
#: From small to large: who finds none of the size booked gets a bigger one.
SIZES: tuple[Size, ...] = ("S", "M", "L")


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
class CompartmentPlan:
    """One compartment of a bank, by the number that stands on its leaf."""

    number: int
    size: Size
    is_medicine_box: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BankPlan:
    """A bank of lockers; bookings of its space that name a size are for it."""

    bank_id: str
    space_id: str
    compartments: Mapping[int, CompartmentPlan]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPointPlan:
    """One reader side of a door or of a bank, or the reader of a volunteers' desk.

    Exactly one of ``door_id``, ``bank_id`` and ``is_desk`` is set. At a bank with
    ``is_medicine_box`` the reader opens the bank's medicine boxes and nothing else.
    """

    access_point_id: str
    door_id: str = ""
    bank_id: str = ""
    is_desk: bool = False
    is_medicine_box: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePlan:
    """Everything that the rules need to know of a site."""

    site_id: str
    spaces: Mapping[str, SpacePlan]
    doors: Mapping[str, DoorPlan]
    access_points: Mapping[str, AccessPointPlan]
    settings_revision: str
    banks: Mapping[str, BankPlan] = field(default_factory=dict)
    #: Whether a fire panel's contact is wired: then fire ends only once it is at rest.
    has_fire_input: bool = False
    #: Offset of local time from UTC, for "today" in refusals (China keeps no DST).
    utc_offset_ms: int = 8 * 3_600_000
