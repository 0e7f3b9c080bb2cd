# SPDX-License-Identifier: Apache-2.0
"""Those who are known, and what they are entitled to, as the rules see them.

The law of the module: values alone; where they come from, and how they are kept
packed, is known to the rosters.
Source: ONVIF access rules and credential service specifications.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.core.moment import UNBOUNDED_MS
from edge.core.plan import PersonClass

if TYPE_CHECKING:
    from edge.core.plan import Size
    from edge.core.schedule import Schedule

#: In a policy's places: everywhere.
EVERYWHERE = "*"


# Cardholders and bookings are built for every scan: freezing them would cost a tenth
# of a decision's time. Nobody changes one.
@dataclass(slots=True, kw_only=True)
class Cardholder:
    """A person as the platform names one to this site; times are UTC ms, half-open.

    ``care_days``: he agreed to be asked after when not seen for so long; 0: not.
    """

    holder_id: str
    roles: tuple[str, ...]
    language: str
    is_enabled: bool
    needs_extended_time: bool
    valid_from_ms: int = 0
    valid_to_ms: int = UNBOUNDED_MS
    care_days: int = 0

    @property
    def person_class(self) -> PersonClass:
        """The class that counts for him."""
        return next((c for c in PersonClass if c in self.roles), PersonClass.RESIDENT)


@dataclass(slots=True, kw_only=True)
class Booking:
    """A confirmed booking: UTC ms, half-open.

    Of a room for ``party`` persons (``counts_all``: the first scan stands for all of
    them), or of one compartment of ``size`` in a bank. ``due_fen`` is still to be
    paid. ``ticket`` is the hex identifier of the ticket that was issued for it.
    """

    booking_id: str
    space_id: str
    from_ms: int
    to_ms: int
    party: int
    size: Size | None = None
    due_fen: int = 0
    counts_all: bool = False
    ticket: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a role may enter by schedule: spaces, doors or access points by their ids.

    No ``schedule``: at any time.
    """

    policy_id: str
    role: str
    places: frozenset[str]
    schedule: Schedule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Elder:
    """Somebody to be fetched in an emergency: in which order, and by which way.

    ``grid``: who looks after him, "" where nobody said so. ``label``: what neighbours
    call him, masked (陈*); ``place``: where he is, ``needs``: what fetching him takes.
    They are of the people who fetch him alone, and stand in no event.
    """

    holder_id: str
    order: int
    route: str
    grid: str = ""
    label: str = field(default="", repr=False)
    place: str = field(default="", repr=False)
    needs: tuple[str, ...] = field(default=(), repr=False)
