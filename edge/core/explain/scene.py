# SPDX-License-Identifier: Apache-2.0
"""A site's standing as its events tell it, at any moment that is looked back upon.

The law of the module: built of the house's own parts, moved by events alone, so that
what is asked of it goes the way that a scan would have gone. What no event tells is
not guessed: it is taken from the decision that is looked at, or said to be unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.access.answers import Denied, DenyReason
from edge.core.access.decision import decide
from edge.core.access.pairs import Pairs, pair_identity
from edge.core.access.question import Question
from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind
from edge.core.house import House
from edge.core.outcome import OutcomeBuilder
from edge.core.people.roster import EMPTY
from edge.core.reception import Reception

if TYPE_CHECKING:
    from edge.core.credential import Credential
    from edge.core.event import Event
    from edge.core.moment import Moment
    from edge.core.people.entries import Cardholder
    from edge.core.people.rolls import Rolls
    from edge.core.people.roster import Roster
    from edge.core.plan import AccessPointPlan, SitePlan

#: As often as a gateway forgets what is over.
PRUNE_AFTER = 500
_EMERGENCIES = frozenset(
    {EventKind.EMERGENCY_STARTED, EventKind.EMERGENCY_ENDED, EventKind.STARTED}
)
#: Of these, only the newest counts, and a restart forgets it.
_LEAF = {EventKind.DOOR_OPENED: True, EventKind.DOOR_CLOSED: False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A decision in short: granted where there is no ``reason``."""

    rule: str
    reason: DenyReason | None = None

    @property
    def is_granted(self) -> bool:
        """Whether the door would open."""
        return self.reason is None

    def is_as(self, other: Answer) -> bool:
        """Say whether the person would notice no difference."""
        return self.reason is other.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What was held to a reader, and everything about it that no scene can tell."""

    credential: Credential
    holder: Cardholder | None = None
    first_holder: str | None = None
    interlocked_by: str | None = None
    is_reader_sound: bool = True
    is_strike_sound: bool = True
    is_confirmed: bool = False
    #: How old the list was; None: too old, as it was said.
    age_ms: int | None = 0


class Scene:
    """One site file's house, as far as events and the roster of today tell."""

    def __init__(self, site: SitePlan, roster: Roster = EMPTY) -> None:
        self.site = site
        out = OutcomeBuilder(1, _hear_nothing)
        self._house = House(site, out, Reception(out, site.settings_revision))
        self._house.rolls.adopt(roster, 0)
        #: By holder, a card that the list of today calls back.
        self.called_back = called_back(roster)
        self._pairs = Pairs()
        self._open: set[str] = set()
        self._confirmed: tuple[int, str] = (0, "")
        self._followed = 0
        #: Where in the feed the roster stood, as the events tell; None: not told yet.
        self.cursor: tuple[str, int] | None = None

    @property
    def rolls(self) -> Rolls:
        """Who is known: by the roster of today, and by local orders of then."""
        return self._house.rolls

    @property
    def standing(self) -> tuple[str, ...]:
        """The emergencies that stand, in the order in which they count."""
        return tuple(sorted(self._house.emergency.standing, key=_precedence))

    def mode(self, door_id: str) -> str:
        """Return the mode in which a door stands."""
        return self._house.doors.mode(door_id).value

    def follow(self, event: Event) -> None:
        """Take one event into account."""
        for part in self._house.kept:
            part.follow(event)
        if event.kind in _EMERGENCIES:
            self._house.emergency.recovered()
        if event.kind is EventKind.STARTED:
            self._open.clear()
            self._pairs = Pairs()
        elif event.kind in _LEAF:
            (self._open.add if _LEAF[event.kind] else self._open.discard)(event.subject)
        elif event.kind is EventKind.ROSTER_APPLIED:
            epoch, revision = event.fact("epoch"), event.fact("fr")
            self.cursor = (str(epoch), int(revision or 0))
        elif event.kind is EventKind.CONFIRMATION_GIVEN:
            self._confirmed = (event.seq, event.subject)
        self._followed += 1
        if self._followed % PRUNE_AFTER == 0:
            self._house.prune(event.moment.earliest_ms)

    def is_confirmed(self, event: Event) -> bool:
        """Say whether a volunteer's word led to this decision."""
        return self._confirmed == (event.seq - 1, event.subject)

    def ask(self, point: AccessPointPlan, shown: Shown, now: Moment) -> Answer:
        """Decide about what is shown at a door's reader, as it would have been."""
        question = self._question(point, shown, now)
        decision = decide(question)
        reason = decision.reason if isinstance(decision, Denied) else None
        return Answer(rule=decision.rule, reason=reason)

    def learn(
        self, point: AccessPointPlan, shown: Shown, answer: Answer, now: Moment
    ) -> None:
        """Let somebody wait for a second person, or no longer, as answered."""
        if answer.reason is DenyReason.SECOND_PERSON_NEEDED:
            identity = pair_identity(self._question(point, shown, now))
            self._pairs.wait(point.access_point_id, identity, now.monotonic_s)
        elif answer.is_granted:
            self._pairs.end(point.access_point_id)

    def _question(self, point: AccessPointPlan, shown: Shown, now: Moment) -> Question:
        house, door = self._house, self.site.doors[point.door_id]
        age_ms = shown.age_ms
        house.rolls.confirmed_ms = 0 if age_ms is None else now.earliest_ms - age_ms
        first, partner = shown.first_holder, shown.interlocked_by
        if first is None:
            first = self._pairs.first(point.access_point_id, now.monotonic_s)
        return Question(
            now=now,
            site=self.site,
            point=point,
            door=door,
            space=house.rolls.spaces[door.space_id],
            mode=house.doors.mode(door.door_id),
            credential=shown.credential,
            holder=shown.holder,
            rolls=house.rolls,
            standing=house.emergency.standing,
            admissions=house.admissions.by_booking,
            redemptions=house.redemptions,
            presence=house.spaces.presence,
            is_staff_present=bool(house.duty.on_duty),
            first_holder=first,
            interlocked_by=self._partner(door.door_id) if partner is None else partner,
            is_reader_sound=shown.is_reader_sound,
            is_strike_sound=shown.is_strike_sound,
            is_confirmed=shown.is_confirmed,
        )

    def _partner(self, door_id: str) -> str:
        """Return a partner that is open, or released and not used yet, as told."""
        doors, points = self.site.doors, self.site.access_points
        grants = self._house.admissions.open_grants.values()
        at = {grant.access_point for grant in grants} & points.keys()
        busy = self._open | {points[name].door_id for name in at}
        for partner, plan in doors.items():
            is_partner = partner in doors[door_id].interlocked_with
            if (is_partner or door_id in plan.interlocked_with) and partner in busy:
                return partner
        return ""


def called_back(roster: Roster) -> dict[str, bytes]:
    """Return, by holder, a card of his that the platform has called back."""
    owners = ((token, roster.find(token)) for token in roster.tables.revoked)
    return {owner.holder_id: token for token, owner in owners if owner is not None}


def _precedence(state: EmergencyState) -> int:
    return list(EmergencyState).index(state)


def _hear_nothing(_: Event) -> None:
    """What a scene's parts might tell has been told already."""
