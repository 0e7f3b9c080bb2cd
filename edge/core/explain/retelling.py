# SPDX-License-Identifier: Apache-2.0
"""A decision made anew from what its event kept, or why it cannot be.

The law of the module: nothing is guessed. A ticket's claims, a token and the memory of
wrong tries stand in no event; who asks again for such a decision is told so. What was
asked anew under the file of then and gives another answer than then is no ground for
anything further.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from edge.core.access.answers import DenyReason
from edge.core.access.tries import RULE as TRIES
from edge.core.credential import Credential, CredentialKind
from edge.core.event import EventKind
from edge.core.explain.kept import is_decision
from edge.core.explain.scene import Answer, Shown

if TYPE_CHECKING:
    from edge.core.event import Event
    from edge.core.explain.kept import Kept
    from edge.core.explain.scene import Scene
    from edge.core.plan import AccessPointPlan, SitePlan

#: Stands for a token: the rules only ask whether one was called back.
NO_TOKEN = bytes(16)
#: Stands for the first of two persons, where the event says that there was one.
SOMEBODY = "\0somebody"
_INTERLOCKED = DenyReason.DOOR_INTERLOCKED
_ANOTHER_WAY = frozenset({DenyReason.UNREADABLE.value, DenyReason.RULE_FAULT.value})


class Unknown(StrEnum):
    """Why a decision cannot be made anew."""

    COUNTED = "refusals that were only counted"
    ERASED = "the person has been erased"
    TICKET = "a ticket's claims are not kept"
    TRIES = "the memory of wrong tries is not kept"
    NOTHING_ASKED = "nothing could be read, or a rule failed"
    BY_HAND = "opened by hand"
    NOT_A_DOOR = "lockers and desks are not decided anew"
    NO_SUCH_READER = "the site file has no such reader"
    HOLDER_GONE = "the person is on no list any more"
    ANOTHER_ANSWER = "decided anew by what is known today it comes out otherwise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retold:
    """What was shown, at which reader of a scene's site."""

    point: AccessPointPlan
    shown: Shown


def recorded(event: Event) -> Answer:
    """Return what was decided then."""
    reason = event.fact("reason")
    rule = str(event.fact("rule") or "")
    if event.kind is EventKind.ACCESS_GRANTED or reason not in list(DenyReason):
        return Answer(rule=rule)
    return Answer(rule=rule, reason=DenyReason(str(reason)))


def retell(kept: Kept, scene: Scene) -> Retold | Unknown:
    """Return what was shown then, before a scene follows the event itself."""
    event = kept.event
    unknown = _unknown(kept)
    if unknown is not None:
        return unknown
    point = _door_point(event, scene.site)
    if isinstance(point, Unknown):
        return point
    holder_id = event.person.holder
    holder = None if holder_id is None else scene.rolls.holder(holder_id)
    if holder_id is not None and holder is None:
        return Unknown.HOLDER_GONE
    reason = recorded(event).reason
    token = NO_TOKEN
    if reason is DenyReason.CREDENTIAL_REVOKED:
        token = scene.called_back.get(holder_id or "", NO_TOKEN)
    shown = Shown(
        credential=Credential(kind=_kind(event), token=token),
        holder=holder,
        first_holder=SOMEBODY if event.fact("pair") is not None else None,
        interlocked_by=str(event.fact("place")) if reason is _INTERLOCKED else None,
        is_reader_sound=reason is not DenyReason.READER_INSECURE,
        is_strike_sound=reason is not DenyReason.STRIKE_FAULT,
        is_confirmed=scene.is_confirmed(event),
        age_ms=_age_ms(event, reason),
    )
    return Retold(point=point, shown=shown)


def _age_ms(event: Event, reason: DenyReason | None) -> int | None:
    """Return how old the list was; rows of before that was kept take it as fresh."""
    if reason is DenyReason.ROSTER_STALE:
        return None
    return 1000 * int(event.fact("age_s") or 0)


def _unknown(kept: Kept) -> Unknown | None:
    event = kept.event
    if not is_decision(event):
        return Unknown.COUNTED
    if kept.is_erased:
        return Unknown.ERASED
    if event.fact("kind") == CredentialKind.PANEL.value:
        return Unknown.BY_HAND
    if event.fact("rule") == TRIES:
        return Unknown.TRIES
    if event.fact("reason") in _ANOTHER_WAY or event.fact("error") is not None:
        return Unknown.NOTHING_ASKED
    if event.person.ticket is not None or event.fact("detail") is not None:
        return Unknown.TICKET
    return None


def _door_point(event: Event, site: SitePlan) -> AccessPointPlan | Unknown:
    if event.fact("bank") is not None:
        return Unknown.NOT_A_DOOR
    point = site.access_points.get(event.subject)
    if point is None:
        return Unknown.NO_SUCH_READER
    return point if point.door_id else Unknown.NOT_A_DOOR


def _kind(event: Event) -> CredentialKind:
    told = event.fact("kind")
    known = list(CredentialKind)
    return CredentialKind(str(told)) if told in known else CredentialKind.CARD


def decided_anew(kept: Kept, scene: Scene) -> Answer | Unknown:
    """Decide once more, before the scene follows the event; it learns who waits."""
    retold = retell(kept, scene)
    if isinstance(retold, Unknown):
        return retold
    now = kept.event.moment
    answer = scene.ask(retold.point, retold.shown, now)
    scene.learn(retold.point, retold.shown, answer, now)
    return answer
