# SPDX-License-Identifier: Apache-2.0
"""The shape of one case of the decision's table: a scan, its scene and its answer.

The law of the module: it tells cases, asks them, and judges none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.core.access.question import Question
from edge.core.access.redemptions import Redemptions
from edge.core.doors.door import DoorMode
from edge.core.moment import UNBOUNDED_MS
from edge.core.people.rolls import Rolls
from edge.core.plan import AccessPointPlan
from tests.core.scene import RELEASE_S, SITE, clock_ms

if TYPE_CHECKING:
    from edge.core.credential import Credential
    from edge.core.event import Facts
    from edge.core.moment import Moment
    from edge.core.people.roster import Roster
    from edge.core.plan import SitePlan

B1 = "b1 wang kitchen 14:00-16:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Who is inside, as a case tells it: the same in every space.

    Of any booking's party ``of_party`` are: by default all that were let in.
    """

    count: int = 0
    inside: tuple[str, ...] = ()
    kept: int = 0
    of_party: int = 1_000_000

    def persons(self, _space_id: str) -> int:
        """Return how many people count as inside."""
        return self.count

    def is_inside(self, _space_id: str, holder_id: str) -> bool:
        """Say whether the holder is told to be inside."""
        return holder_id in self.inside

    def inside_of(self, _space_id: str, _booking_id: str) -> int:
        """Return how many of a party are told to be inside."""
        return self.of_party

    def awaited(self, _space_id: str, _now: Moment) -> int:
        """Return for how many places are kept."""
        return self.kept


def question(
    known: Roster | Rolls,
    credential: Credential,
    now: Moment,
    *,
    door: str = "kitchen-door",
    site: SitePlan = SITE,
    **fields: Any,
) -> Question:
    """Ask at the entry of a door, with an empty room and in peace by default."""
    rolls = known if isinstance(known, Rolls) else Rolls(site, roster=known)
    plan = site.doors[door]
    usual: dict[str, Any] = {
        "point": AccessPointPlan(access_point_id="in", door_id=door),
        "mode": DoorMode.LOCKED,
        "holder": rolls.find(credential.token),
        "standing": frozenset(),
        "admissions": {},
        "redemptions": Redemptions(),
        "presence": Room(),
    }
    return Question(
        now=now,
        site=site,
        door=plan,
        space=site.spaces[plan.space_id],
        credential=credential,
        rolls=rolls,
        **usual | fields,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A scan and its answer; ``reason`` is None for a grant."""

    name: str
    # the scene
    who: str = "wang"
    at: str = "15:00"
    days: int = 0
    until: str | None = None  # the clock's other bound, or "?" for none at all
    door: str = "kitchen-door"
    mode: str = "LOCKED"
    bookings: tuple[str, ...] = (B1,)
    used: tuple[tuple[str, int, int], ...] = ()  # booking, persons, unverified
    lost: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    slow: tuple[str, ...] = ()
    # the answer
    rule: str = "booking"
    reason: str | None = None
    next_step: str | None = None
    params: Facts = ()
    booking: str | None = None
    is_anonymous: bool = False
    release_s: float = RELEASE_S

    @property
    def earliest_ms(self) -> int:
        """The first instant that it could be."""
        return clock_ms(self.at, days=self.days)

    @property
    def latest_ms(self) -> int:
        """The last instant that it could be."""
        if self.until == "?":
            return UNBOUNDED_MS
        return clock_ms(self.until or self.at, days=self.days)


def granted(name: str, **fields: Any) -> Case:
    """Tell a grant under ``b1`` until 16:00, unless told otherwise."""
    booking = fields.pop("booking", "b1")
    params = fields.pop("params", (("end", clock_ms("16:00")),))
    return Case(name=name, booking=booking, params=params, **fields)


def free(name: str, **fields: Any) -> Case:
    """Tell an entry through a door that is free."""
    return Case(name=name, rule="mode", release_s=0.0, **fields)


def refused(name: str, reason: str, next_step: str, **fields: Any) -> Case:
    """Tell a refusal, its reason and its next step."""
    return Case(name=name, reason=reason, next_step=next_step, **fields)
