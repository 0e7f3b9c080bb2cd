# SPDX-License-Identifier: Apache-2.0
"""Who else could have opened a door at a moment, as far as is kept.

The law of the module: each is asked of the decision itself, with a good card of his;
nobody is counted in by a rule of this module. People are told by platform identifiers
and roles, as the box knows them, and roles by their number alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.credential import Credential, CredentialKind
from edge.core.explain.retelling import NO_TOKEN
from edge.core.explain.scene import Shown
from edge.core.people.entries import EVERYWHERE, Cardholder
from edge.core.people.rolls import LANGUAGE

if TYPE_CHECKING:
    from edge.core.explain.scene import Answer, Scene
    from edge.core.moment import Moment
    from edge.core.people.entries import Booking
    from edge.core.people.roster import Roster
    from edge.core.plan import AccessPointPlan

#: Bookings that are told one by one; a hall has no more at one time.
MAX_BOOKED = 50
#: Stands for anybody who has a role; no holder of the platform's is called so.
_ANYBODY = "\0anybody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """Somebody with a booking of the space around that moment."""

    holder: str
    booking: str
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class ByPolicy:
    """Everybody who has a policy's role and no other, and how many have it.

    ``holders`` are enabled and may be valid then.
    """

    policy: str
    role: str
    holders: int
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whom the question was about; ``answer`` None: nobody of that name is known.

    ``has_lost_card``: a card of his is called back today, perhaps not then.
    """

    holder: str
    answer: Answer | None
    has_lost_card: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Openers:
    """Who could have opened; by the list of today, which may be another's.

    ``then``: where the list of that moment stood, ("", 0) if that is not kept.
    """

    then: tuple[str, int]
    today: tuple[str, int]
    stranger: Answer
    booked: tuple[Booked, ...]
    booked_beyond: int
    by_policy: tuple[ByPolicy, ...]
    asked: Asked | None

    @property
    def is_same_list(self) -> bool:
        """Whether the list of today is known to be the one of then."""
        return self.then == self.today


def openers(
    scene: Scene,
    point: AccessPointPlan,
    now: Moment,
    *,
    revision: int | None = None,
    holder: str = "",
) -> Openers:
    """Ask everybody; ``revision`` is the one that the decision names."""
    booked = _booked(scene, point, now)
    told_epoch, told_revision = scene.cursor or ("", 0)
    then = (told_epoch, told_revision if revision is None else revision)
    cursor = scene.rolls.cursor
    return Openers(
        then=then,
        today=(cursor.epoch, cursor.revision),
        stranger=scene.ask(point, _with_card(None), now),
        booked=tuple(booked[:MAX_BOOKED]),
        booked_beyond=max(0, len(booked) - MAX_BOOKED),
        by_policy=tuple(_by_policy(scene, point, now)),
        asked=_asked(scene, point, now, holder) if holder else None,
    )


def _with_card(holder: Cardholder | None) -> Shown:
    card = Credential(kind=CredentialKind.CARD, token=NO_TOKEN)
    return Shown(credential=card, holder=holder)


def _asked(scene: Scene, point: AccessPointPlan, now: Moment, name: str) -> Asked:
    holder = scene.rolls.holder(name)
    answer = None if holder is None else scene.ask(point, _with_card(holder), now)
    return Asked(holder=name, answer=answer, has_lost_card=name in scene.called_back)


def _booked(scene: Scene, point: AccessPointPlan, now: Moment) -> list[Booked]:
    space = scene.site.spaces[scene.site.doors[point.door_id].space_id]
    from_ms = now.earliest_ms - space.grace_ms
    to_ms = now.latest_ms + space.lead_ms + 1
    found = scene.rolls.booked(space.space_id, from_ms, to_ms)
    return [
        Booked(holder=name, booking=booking.booking_id, answer=answer)
        for name, booking in found
        if (answer := _of(scene, point, now, name, booking)) is not None
    ]


def _of(
    scene: Scene, point: AccessPointPlan, now: Moment, name: str, booking: Booking
) -> Answer | None:
    holder = None if booking.size is not None else scene.rolls.holder(name)
    return None if holder is None else scene.ask(point, _with_card(holder), now)


def _by_policy(scene: Scene, point: AccessPointPlan, now: Moment) -> list[ByPolicy]:
    space_id = scene.site.doors[point.door_id].space_id
    here = {EVERYWHERE, space_id, point.door_id, point.access_point_id}
    roster = scene.rolls.roster
    rows = [row for row in roster.tables.policies if not row.places.isdisjoint(here)]
    counted = count_roles(roster, now) if rows else Counter()
    return [
        ByPolicy(
            policy=row.policy_id,
            role=row.role,
            holders=counted[row.role],
            answer=scene.ask(point, _with_card(_anybody(row.role)), now),
        )
        for row in rows
    ]


def _anybody(role: str) -> Cardholder:
    return Cardholder(
        holder_id=_ANYBODY,
        roles=(role,),
        language=LANGUAGE,
        is_enabled=True,
        needs_extended_time=False,
    )


def count_roles(roster: Roster, now: Moment) -> Counter[str]:
    """Count, by role, the holders who are enabled and may be valid at a moment."""
    columns = roster.columns
    times, words = columns.holder_times, columns.holder_words
    by_word = Counter(
        words[2 * place]
        for place, flags in enumerate(columns.holder_flags)
        if flags & 1
        and times[2 * place] <= now.latest_ms
        and now.earliest_ms < times[2 * place + 1]
    )
    counted: Counter[str] = Counter()
    for word, holders in by_word.items():
        for role in columns.tables.words[word].split():
            counted[role] += holders
    return counted
