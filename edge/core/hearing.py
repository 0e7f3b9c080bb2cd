# SPDX-License-Identifier: Apache-2.0
"""Who came in by which grant, as far as doors and readers wait to hear of it.

The law of the module: it learns from events and tells the house; it decides nothing
and keeps nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.duty.duty import ON_DUTY_ROLES
from edge.core.event import EventKind

if TYPE_CHECKING:
    from edge.core.event import Event
    from edge.core.house import House

#: After these the next code at the reader is no further guess in a row.
RIGHT = frozenset(
    {EventKind.ACCESS_GRANTED, EventKind.DUTY_STARTED, EventKind.DUTY_ENDED}
)
#: … but a card of one's own says nothing of the codes that were tried before it.
GUESSED = frozenset({"PIN", "QR"})


class Passers:
    """Hears of grants, and of staff that came in: some doors wait for it."""

    def __init__(self, house: House) -> None:
        self._house = house

    def follow(self, event: Event) -> None:
        """Tell the house of the door; the doors are in the middle of their step."""
        house, person = self._house, event.person
        if event.kind in RIGHT and event.fact("kind") in GUESSED:
            house.reception.tries.granted(event.subject, event.moment.monotonic_s)
        if event.kind is not EventKind.ACCESS_TAKEN or person.holder is None:
            return
        grant = house.admissions.open_grants.get(int(event.fact("cause") or 0))
        if grant is None or house.leads_out(grant.access_point):
            return
        holder = house.rolls.holder(person.holder)
        if holder is not None and not ON_DUTY_ROLES.isdisjoint(holder.roles):
            house.staff_came_in(event.subject)
