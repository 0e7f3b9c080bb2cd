# SPDX-License-Identifier: Apache-2.0
"""Builds what a case of the table tells: a scan, and everything around it.

The law of the module: nothing here decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from edge.core.access.admissions import Admission, policy_key
from edge.core.access.question import Question
from edge.core.access.redemptions import Redemption, Redemptions
from edge.core.access.ticket import Rotation, SpoiltTicket, Ticket, TicketFlaw
from edge.core.credential import Credential, CredentialKind
from edge.core.doors.door import DoorMode
from edge.core.emergency.state import EmergencyState
from edge.core.event import Event, EventKind, Person
from edge.core.moment import UNBOUNDED_MS, Moment
from edge.core.plan import DAY_MS
from tests.core.access.case_people import build_rolls, token
from tests.core.access.case_site import build_site
from tests.core.access.case_words import utc_ms

if TYPE_CHECKING:
    from edge.core.people.rolls import Rolls
    from tests.core.access.case_table import Scene, TicketTold

#: What ``broken`` may name, and whose answer it then spoils.
BREAKABLE = {
    "bookings": "bookings",
    "policies": "policies",
    "payments": "is_paid",
    "revocations": "revocation",
}


def question(scene: Scene) -> Question:
    """Return the scan that a scene tells, with everything around it."""
    site, now = build_site(scene), _now(scene)
    side = "out" if scene.exit else "in"
    door = site.doors[scene.door]
    point = site.access_points[f"{door.space_id}-{side}"]
    rolls = build_rolls(scene, site, now)
    kind = "QR" if scene.ticket else scene.kind
    credential = Credential(kind=CredentialKind(kind), token=token(scene.who))
    holder = None if scene.ticket else rolls.find(credential.token)
    _break(scene, rolls)
    return Question(
        now=now,
        site=site,
        point=point,
        door=door,
        space=site.spaces[door.space_id],
        mode=DoorMode(scene.mode),
        credential=credential,
        holder=holder,
        rolls=rolls,
        standing=frozenset(EmergencyState(each) for each in scene.emergencies),
        admissions=_admissions(scene),
        redemptions=_redemptions(scene, now),
        presence=_Inside(scene, door.space_id),
        ticket=_ticket(scene.ticket) if scene.ticket else None,
        is_staff_present=scene.staff,
        first_holder=f"holder-{scene.first}" if scene.first else "",
        interlocked_by=scene.interlocked_by,
        is_reader_sound=scene.reader_sound,
        is_strike_sound=scene.strike_sound,
        is_confirmed=scene.confirmed,
    )


def _now(scene: Scene) -> Moment:
    earliest_ms = utc_ms(scene.at)
    latest_ms = utc_ms(scene.until) if scene.until not in ("", "?") else earliest_ms
    if scene.until == "?":
        latest_ms = UNBOUNDED_MS
    return Moment(
        monotonic_s=1000.0, earliest_ms=earliest_ms, latest_ms=latest_ms, boot="boot-1"
    )


def _ticket(told: TicketTold) -> Ticket | SpoiltTicket:
    if told.flaw:
        return SpoiltTicket(flaw=TicketFlaw(told.flaw), ticket_prefix="t1")
    proven = Rotation.STATIC if told.step is None else Rotation.PROVEN
    return Ticket(
        ticket_id="t1",
        not_before_ms=utc_ms(told.start),
        expires_ms=utc_ms(told.end),
        doors=told.doors,
        audience=told.audience or None,
        issued_ms=utc_ms(told.issued) if told.issued else None,
        key_to_ms=utc_ms(told.key_to) if told.key_to else UNBOUNDED_MS,
        uses=told.uses,
        party=told.party,
        is_emergency=told.emergency,
        rotation=Rotation(told.rotation) if told.rotation else proven,
        rotation_step=told.step,
    )


def _admissions(scene: Scene) -> dict[str, Admission]:
    admissions = {}
    for told in scene.used:
        booking_id, persons, _, *unverified = told.split()
        admissions[booking_id] = Admission(
            persons=int(persons), unverified=int(unverified[0]) if unverified else 0
        )
    for told in scene.unverified_by_policy:
        who, times, day = told.split()
        ends_ms = utc_ms(scene.at) + (DAY_MS - 1 if day == "today" else 0)
        admissions[policy_key(f"holder-{who}")] = Admission(
            persons=int(times), unverified=int(times), end_ms=ends_ms
        )
    return admissions


def _redemptions(scene: Scene, now: Moment) -> Redemptions:
    redemptions = Redemptions()
    told = scene.ticket
    if told is None:
        return redemptions
    if told.entries or told.unverified or told.last_step is not None:
        redemptions.by_ticket["t1"] = Redemption(
            expires_ms=utc_ms(told.end),
            entries=told.entries,
            unverified=told.unverified,
            day_ms=now.earliest_ms - (DAY_MS if told.day == "yesterday" else 0),
            step=-1 if told.last_step is None else told.last_step,
        )
    if told.shown_ago_s:
        redemptions.follow(_shown(told, now))
    return redemptions


def _shown(told: TicketTold, now: Moment) -> Event:
    """Return the grant by this ticket some seconds ago."""
    return Event(
        seq=1,
        kind=EventKind.ACCESS_GRANTED,
        moment=replace(now, monotonic_s=now.monotonic_s - told.shown_ago_s),
        subject=told.shown_at,
        facts=(("exp", utc_ms(told.end)), ("step", told.step or 0)),
        person=Person(ticket="t1"),
    )


@dataclass(frozen=True, slots=True)
class _Inside:
    """Who is inside, as the scene tells it: ``wang, 2 others``."""

    scene: Scene
    space_id: str

    def persons(self, space_id: str) -> int:
        self._check()
        words = self._told(space_id)
        return sum(
            int(word.split()[0]) if word.endswith("others") else 1 for word in words
        )

    def is_inside(self, space_id: str, holder_id: str) -> bool:
        self._check()
        return holder_id.removeprefix("holder-") in self._told(space_id)

    def inside_of(self, space_id: str, booking_id: str) -> int:
        self._check()
        left = self._persons(self.scene.left, booking_id)
        used = self._persons(self.scene.used, booking_id)
        return used - left if space_id == self.space_id else 0

    @staticmethod
    def _persons(told: tuple[str, ...], booking_id: str) -> int:
        words = [each.split() for each in told]
        return sum(int(persons) for who, persons, *_ in words if who == booking_id)

    def awaited(self, space_id: str, now: Moment) -> int:
        self._check()
        return self.scene.awaited if space_id == self.space_id else 0

    def _told(self, space_id: str) -> list[str]:
        told = self.scene.inside if space_id == self.space_id else ""
        told = self.scene.inside_of.get(space_id, told)
        return told.split(", ") if told else []

    def _check(self) -> None:
        if "presence" in self.scene.broken:
            _fail()


def _break(scene: Scene, rolls: Rolls) -> None:
    for name in scene.broken:
        if name != "presence":
            setattr(rolls, BREAKABLE[name], _fail)


def _fail(*_: object) -> NoReturn:
    raise RuntimeError("broken on purpose")
