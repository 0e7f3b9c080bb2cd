# SPDX-License-Identifier: Apache-2.0
"""Everything that a rule at a door may look at, gathered before the first is asked.

The law of the module: a question holds values and read-only views of the standing;
asking it changes nothing. It is built for every scan, so it is no frozen dataclass:
freezing would cost a sixth of the time of a decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from edge.core.access.admissions import Admission
    from edge.core.access.redemptions import Redemptions
    from edge.core.access.ticket import SpoiltTicket, Ticket
    from edge.core.credential import Credential
    from edge.core.doors.door import DoorMode
    from edge.core.emergency.state import EmergencyState
    from edge.core.moment import Moment
    from edge.core.people.entries import Cardholder
    from edge.core.people.rolls import Rolls
    from edge.core.plan import AccessPointPlan, DoorPlan, SitePlan, SpacePlan


class Presence(Protocol):
    """Who is inside, as far as the site can know (``edge.core.spaces.presence``)."""

    def persons(self, space_id: str) -> int:
        """Return how many people count as inside."""

    def is_inside(self, space_id: str, holder_id: str) -> bool:
        """Say whether the holder came in and did not leave, as readers saw it.

        False where only a soft knowledge is left (an exit by the handle may be his).
        """

    def inside_of(self, space_id: str, booking_id: str) -> int:
        """Return how many of a booking's party are surely inside."""

    def awaited(self, space_id: str, now: Moment) -> int:
        """Return for how many booked persons, not inside yet, places are kept."""


@dataclass(slots=True, kw_only=True)
class Question:
    """One scan at one access point of a door, and the whole scene around it.

    ``first_holder`` was granted there as the first of two persons within the last
    30 s. ``interlocked_by`` is a partner of the door that is released or open.
    ``is_confirmed``: a volunteer has let in who waited here (CHECKPOINT).
    """

    now: Moment
    site: SitePlan
    point: AccessPointPlan
    door: DoorPlan
    space: SpacePlan
    mode: DoorMode
    credential: Credential
    holder: Cardholder | None
    rolls: Rolls
    standing: Collection[EmergencyState]
    admissions: Mapping[str, Admission]
    redemptions: Redemptions
    presence: Presence
    ticket: Ticket | SpoiltTicket | None = None
    is_staff_present: bool = False
    first_holder: str = ""
    interlocked_by: str = ""
    is_reader_sound: bool = True
    is_strike_sound: bool = True
    is_confirmed: bool = False
