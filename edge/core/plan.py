# SPDX-License-Identifier: Apache-2.0
"""The site as the rules see it: spaces, doors, lockers, access points, no wiring.

The law of the module: read-only values made from the settings; the wiring (ports,
boards, channels) stays with the bindings. Every default is the kind of place that
asks the least: always open, free, no limit.
Source: ONVIF access control service specification (access point, door).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.schedule import Schedule

#: A compartment's size, as it is booked.
Size = Literal["S", "M", "L"]
#: From small to large: who finds none of the size booked gets a bigger one.
SIZES: tuple[Size, ...] = ("S", "M", "L")
MINUTE_MS = 60_000
DAY_MS = 86_400_000


class EntryRule(StrEnum):
    """Who may come into a space without a booking or a policy."""

    BOOKING = "booking"
    #: Any readable card, while there is room.
    WALK_IN = "walk_in"
    #: As WALK_IN, but everybody only while a volunteer is on duty.
    STAFFED = "staffed"


class Passback(StrEnum):
    """What a second entry without an exit between is: nothing, noted, or refused."""

    OFF = "off"
    SOFT = "soft"
    HARD = "hard"


class FareKind(StrEnum):
    """How a visit is charged."""

    FREE = "free"
    PER_VISIT = "per_visit"
    PER_HOUR = "per_hour"


class PersonClass(StrEnum):
    """Classes of person for the roster's age and for what binds whom.

    In the order in which a holder's roles are looked for: the first wins.
    """

    RESPONDER = "RESPONDER"
    MANAGER = "MANAGER"
    VOLUNTEER = "VOLUNTEER"
    COURIER = "COURIER"
    GUEST = "GUEST"
    RESIDENT = "RESIDENT"


#: How old a roster may be for policies of each class; None: never too old. Bookings
#: are good to their end, whatever the age.
ROSTER_AGE_MS: dict[PersonClass, int | None] = {
    PersonClass.RESPONDER: None,
    PersonClass.MANAGER: 30 * DAY_MS,
    PersonClass.VOLUNTEER: 30 * DAY_MS,
    PersonClass.COURIER: 7 * DAY_MS,
    PersonClass.GUEST: 7 * DAY_MS,
    PersonClass.RESIDENT: 7 * DAY_MS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FarePlan:
    """A visit's price in fen (1/100 yuan): once, or for each hour begun.

    ``free_minutes``: so many minutes a holder and local month cost nothing.
    """

    kind: FareKind = FareKind.FREE
    fen: int = 0
    free_minutes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpacePlan:
    """A room: who may come, when, how many, and what it costs.

    ``lead_ms`` and ``grace_ms``: before and after a booking in which it opens; they
    never widen ``hours``. ``capacity`` 0: no limit; ``shelter_capacity`` 0: as
    ``capacity``. ``no_show_ms``: after a booking's start, its places are given to
    others. ``walk_in_ms``: after which a walk-in counts as gone where no exit is
    read. ``roster_age_ms``: shorter limits than ``ROSTER_AGE_MS``, in the same words.
    """

    space_id: str
    lead_ms: int
    grace_ms: int
    entry: EntryRule = EntryRule.BOOKING
    hours: Schedule | None = None
    capacity: int = 0
    shelter_capacity: int = 0
    passback: Passback = Passback.OFF
    fare: FarePlan = field(default_factory=FarePlan)
    no_show_ms: int = 15 * MINUTE_MS
    walk_in_ms: int = 120 * MINUTE_MS
    roster_age_ms: Mapping[PersonClass, int] = field(default_factory=dict)
    #: Whether some access point tells who leaves.
    has_exit_reader: bool = False
    #: The number by which tickets name the space.
    number: int = 0

    @property
    def allows_walk_in(self) -> bool:
        """Whether any readable card may enter."""
        return self.entry is not EntryRule.BOOKING

    @property
    def needs_staff(self) -> bool:
        """Whether a volunteer must be on duty."""
        return self.entry is EntryRule.STAFFED


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorPlan:
    """A door: its times in seconds, how it is sensed, what else it asks for.

    ``interlocked_with``: while one of these is released or open, this one stays shut.
    ``unlock``: when it is free by schedule, ``first_person_in``: only once a
    volunteer has come in. ``warn_before_s``: so long before the held-open alarm the
    door warns. ``senses_exit`` False: people leave by a handle that nobody sees.
    ``responsible`` and ``deputy``: who opens the escape door in an emergency.
    """

    door_id: str
    space_id: str
    release_s: float
    extended_release_s: float
    held_open_s: float
    has_contact: bool
    is_escape: bool
    zone: str = ""
    needs_two_persons: bool = False
    interlocked_with: frozenset[str] = frozenset()
    unlock: Schedule | None = None
    first_person_in: bool = False
    warn_before_s: float = 0.0
    senses_exit: bool = True
    responsible: str = ""
    deputy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompartmentPlan:
    """One compartment of a bank, by the number that stands on its leaf."""

    number: int
    size: Size
    is_medicine_box: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BankPlan:
    """A bank of lockers; bookings of its space that name a size are for it.

    ``allows_walk_in``: any readable card may take a free compartment for
    ``walk_in_ms``. ``cleans``: a compartment is looked after before it is given again.
    """

    bank_id: str
    space_id: str
    compartments: Mapping[int, CompartmentPlan]
    allows_walk_in: bool = False
    walk_in_ms: int = 240 * MINUTE_MS
    cleans: bool = False
    fare: FarePlan = field(default_factory=FarePlan)


class Direction(StrEnum):
    """Which way an access point leads."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPointPlan:
    """One reader side of a door or of a bank, or the reader of a volunteers' desk.

    Exactly one of ``door_id``, ``bank_id`` and ``is_desk`` is set. At a bank with
    ``is_medicine_box`` the reader opens the bank's medicine boxes and nothing else.
    ``emergency``: the state that a responder's or manager's card begins here, by its
    name in ``EmergencyState``.
    """

    access_point_id: str
    door_id: str = ""
    bank_id: str = ""
    is_desk: bool = False
    is_medicine_box: bool = False
    direction: Direction = Direction.IN
    emergency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliancePlan:
    """A stove's gas valve or power: on only inside a slot with its holder there."""

    appliance_id: str
    space_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePlan:
    """Everything that the rules need to know of a site."""

    site_id: str
    spaces: Mapping[str, SpacePlan]
    doors: Mapping[str, DoorPlan]
    access_points: Mapping[str, AccessPointPlan]
    settings_revision: str
    banks: Mapping[str, BankPlan] = field(default_factory=dict)
    appliances: Mapping[str, AppliancePlan] = field(default_factory=dict)
    #: Whether a fire panel's contact is wired: then fire ends only once it is at rest.
    has_fire_input: bool = False
    #: Offset of local time from UTC, for "today" in refusals (China keeps no DST).
    utc_offset_ms: int = 8 * 3_600_000
    #: Minutes after local midnight at which forgotten shifts and visits are closed.
    closing_min: int = 24 * 60
    #: Days after which an elder who agreed to it and was not seen is asked after;
    #: 0: never. A holder's own number of days goes before.
    care_days: int = 0
    #: Whether the platform may let anybody in from afar.
    allows_remote_unlock: bool = True
    #: Whether two operators of the platform may begin a shelter here.
    allows_remote_shelter: bool = False
