# SPDX-License-Identifier: Apache-2.0
"""What of a person must be kept for now, so that he can't be forgotten yet.

The law of the module: it reads and changes nothing. What is kept is what somebody is
liable for, or needs to be found: things in a locker, a visit and its fare, a shift
and its hours, an opening on its way, and the list of those to be fetched while people
are in danger. Each ends by itself or by hand, and then nothing bars the work.
Source: docs/commands.md, "Erasing a person"; PIPL article 47 (a period that the law
sets is not over).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from edge.core.emergency.effects import overtaking

if TYPE_CHECKING:
    from edge.core.access.admissions import Admissions
    from edge.core.duty.duty import Duty
    from edge.core.emergency.emergency import Emergency
    from edge.core.erasing.names import Names
    from edge.core.event import Person
    from edge.core.house import House
    from edge.core.lockers.lockers import Lockers
    from edge.core.people.rolls import Rolls
    from edge.core.plan import SitePlan
    from edge.core.spaces.presence import Presence


class Bar(StrEnum):
    """Why somebody can't be forgotten yet."""

    RENTAL = "rental"
    VISIT = "visit"
    SHIFT = "shift"
    OPENING = "opening"
    EMERGENCY = "emergency"


class Bars:
    """Looks through the parts that may still need to know a person."""

    def __init__(
        self,
        site: SitePlan,
        *,
        lockers: Lockers,
        presence: Presence,
        duty: Duty,
        admissions: Admissions,
        emergency: Emergency,
        rolls: Rolls,
    ) -> None:
        self._site = site
        self._lockers = lockers
        self._presence = presence
        self._duty = duty
        self._admissions = admissions
        self._emergency = emergency
        self._rolls = rolls

    def of(self, names: Names) -> tuple[Bar, ...]:
        """Return what bars the work now, in the order of :class:`Bar`."""
        holder = names.holder
        stays = (
            stay.person
            for space_id in self._site.spaces
            for stay in self._presence.stays(space_id)
        )
        grants = (grant.person for grant in self._admissions.open_grants.values())
        leaves = self._lockers.standing().values()
        found = {
            Bar.RENTAL: any(
                leaf.rental is not None
                and leaf.rental.holder == holder
                and (leaf.rental.was_opened or leaf.is_ordered)
                for leaf in leaves
            ),
            Bar.VISIT: any(_is_his(person, names) for person in stays),
            Bar.SHIFT: holder in self._duty.on_duty,
            Bar.OPENING: any(_is_his(person, names) for person in grants),
            Bar.EMERGENCY: self._is_sought(holder),
        }
        return tuple(bar for bar, is_so in found.items() if is_so)

    def _is_sought(self, holder: str) -> bool:
        """Say whether people may be looking for him just now."""
        if overtaking(self._emergency.standing) is None:
            return False
        return any(elder.holder_id == holder for elder in self._rolls.elders)


def bars_of(site: SitePlan, house: House) -> Bars:
    """Return the bars of a house, whose parts are made."""
    return Bars(
        site,
        lockers=house.lockers,
        presence=house.spaces.presence,
        duty=house.duty,
        admissions=house.admissions,
        emergency=house.emergency,
        rolls=house.rolls,
    )


def _is_his(person: Person, names: Names) -> bool:
    return person.holder == names.holder or (
        person.holder is None and person.booking in names.bookings
    )
