# SPDX-License-Identifier: Apache-2.0
"""Scenes drawn at random, and a plain second opinion on who may come in.

The law of the module: the opinion reads the scene's own words and nothing of the
rules that it judges; each line of it is one sentence of the specification.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.core.access.admissions import Admission
from edge.core.doors.door import DoorMode
from edge.core.emergency.state import EmergencyState
from edge.core.people.rolls import Rolls
from edge.core.people.roster import Cursor, RosterBuilder
from edge.core.people.roster_row import PolicyRow, RevocationRow
from edge.core.plan import DAY_MS, EntryRule, Passback
from edge.core.schedule import Schedule, read_hours
from tests.core.decision_case import Room, question
from tests.core.scene import (
    SITE,
    booking,
    card,
    clock_ms,
    holder,
    moment,
    token,
)

if TYPE_CHECKING:
    import random

    from edge.core.access.question import Question
    from edge.core.people.roster import Roster
    from edge.core.plan import SpacePlan

NOW_MS = clock_ms("15:00")
BOUND = ("RESIDENT", "GUEST", "COURIER")
ROLES = (*BOUND, "RESIDENT", "RESIDENT", "VOLUNTEER", "MANAGER", "RESPONDER")
AGES_D = {"VOLUNTEER": 30, "MANAGER": 30, "RESPONDER": 10**6}
BOOKED = {
    "now": "kitchen 14:00-16:00",
    "later": "kitchen 18:00-19:00",
    "gone": "kitchen 09:00-10:00",
    "elsewhere": "lounge 14:00-16:00",
}
WINDOWS = {"always": "", "now": "daily 14:00-16:00", "later": "daily 18:00-19:00"}
VALID_MS = {
    "now": (NOW_MS, NOW_MS + 1),
    "later": (NOW_MS + 1, NOW_MS + 2),
    "gone": (0, NOW_MS),
}
MODES = ("LOCKED",) * 8 + ("BLOCKED", "LOCKED_DOWN", "UNLOCKED")
STATES = ("",) * 6 + ("FIRE", "CHECKPOINT", "SHELTER")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One scan at the kitchen door on a Monday at 15:00, by a clock that is sure."""

    is_known: bool
    role: str
    is_lost: bool
    is_enabled: bool
    valid: str
    booked: str
    party: int
    used: int
    left: int
    due_fen: int
    policy: str
    entry: str
    hours: str
    capacity: int
    count: int
    kept: int
    is_inside: bool
    passback: str
    has_staff: bool
    age_d: int
    mode: str
    state: str
    is_sound: bool
    needs_two: bool
    first: str
    partner: str
    is_confirmed: bool


def draw(chance: random.Random) -> Scene:
    """Draw a scene in which each trouble is rare enough that others are met."""

    def rarely() -> bool:
        return chance.random() < 0.08

    return Scene(
        is_known=chance.random() < 0.85,
        role=chance.choice(ROLES),
        is_lost=rarely(),
        is_enabled=not rarely(),
        valid=chance.choice(("now", "now", "now", "now", "later", "gone")),
        booked=chance.choice(("", "now", "now", "now", *BOOKED)),
        party=chance.choice((1, 2, 4)),
        used=chance.choice((0, 0, 0, 1, 2)),
        left=chance.choice((0, 0, 1)),
        due_fen=500 if chance.random() < 0.2 else 0,
        policy=chance.choice(("", "", *WINDOWS)),
        entry=chance.choice(("booking", "booking", "walk_in", "staffed")),
        hours=chance.choice(("", "open", "open", "closed")),
        capacity=chance.choice((0, 0, 3)),
        count=chance.choice((0, 1, 2, 3)),
        kept=chance.choice((0, 0, 1)),
        is_inside=chance.random() < 0.2,
        passback=chance.choice(("off", "soft", "hard")),
        has_staff=chance.random() < 0.6,
        age_d=chance.choice((0, 0, 7, 8, 31)),
        mode=chance.choice(MODES),
        state=chance.choice(STATES),
        is_sound=not rarely(),
        needs_two=rarely(),
        first=chance.choice(("", "other", "self")),
        partner="store-door" if rarely() else "",
        is_confirmed=chance.random() < 0.3,
    )


def opinion(scene: Scene) -> str:
    """Return the reason that a plain reading of the specification gives, or ""."""
    if not scene.is_sound:
        return "STRIKE_FAULT"
    if scene.mode == "UNLOCKED":
        return ""
    who = scene.role if scene.is_known else "RESIDENT"
    passing = {"BLOCKED": ("RESPONDER",), "LOCKED_DOWN": ("RESPONDER", "MANAGER")}
    if scene.mode in passing and not (
        scene.is_known and scene.role in passing[scene.mode]
    ):
        return f"DOOR_{scene.mode}"
    is_bound = who in BOUND
    if scene.state == "SHELTER":
        if is_bound and scene.capacity and scene.count >= scene.capacity:
            return "SPACE_FULL"
        return "DOOR_INTERLOCKED" if scene.partner else ""
    return _of_person(scene) or _of_place(scene, who, is_bound=is_bound)


def _of_person(scene: Scene) -> str:
    if scene.is_lost:
        return "CREDENTIAL_REVOKED"
    if not scene.is_known:
        return "CREDENTIAL_NOT_FOUND" if scene.entry == "booking" else ""
    if not scene.is_enabled:
        return "CREDENTIAL_NOT_ENABLED"
    return {
        "later": "CREDENTIAL_NOT_ACTIVE",
        "gone": "CREDENTIAL_EXPIRED",
        "now": "",
    }[scene.valid]


def ground(scene: Scene) -> str:
    """Return what entitles the person: booking, else policy, else the space."""
    if scene.is_known:
        if scene.booked == "now" and scene.used - scene.left < scene.party:
            return "booking"
        is_window = scene.policy in ("always", "now")
        if is_window or (scene.policy and scene.role == "RESPONDER"):
            return "policy"
    return "" if scene.entry == "booking" else "walk-in"


def _remedy(scene: Scene) -> str:
    if scene.booked == "now":
        return "PARTY_FULL"
    if scene.booked == "elsewhere":
        return "WRONG_SPACE"
    if scene.booked == "later" or scene.policy == "later":
        return "TOO_EARLY"
    return "TOO_LATE" if scene.booked == "gone" else "UNAUTHORIZED"


def _of_place(scene: Scene, who: str, *, is_bound: bool) -> str:
    by = ground(scene)
    if not by:
        return _remedy(scene)
    if is_bound and scene.hours == "closed":
        return "CLOSED"
    if by == "booking" and is_bound and scene.due_fen:
        return "PAYMENT_DUE"
    leans = by == "policy" or not scene.is_known
    if leans and scene.age_d > AGES_D.get(who, 7):
        return "ROSTER_STALE"
    if is_bound and scene.entry == "staffed" and not scene.has_staff:
        return "STAFF_ABSENT"
    coming = 1 + scene.needs_two + (scene.kept if by == "walk-in" else 0)
    if is_bound and scene.capacity and scene.count + coming > scene.capacity:
        return "SPACE_FULL"
    shares = by == "booking" and scene.party > 1
    is_again = scene.is_inside and scene.is_known and is_bound
    if scene.passback == "hard" and is_again and not shares:
        return "ALREADY_INSIDE"
    if scene.needs_two and (scene.first != "other"):
        return "SECOND_PERSON_NEEDED"
    if scene.partner and scene.state != "FIRE":
        return "DOOR_INTERLOCKED"
    waits = scene.state == "CHECKPOINT" and not scene.is_confirmed
    return "AWAITING_CONFIRMATION" if waits else ""


def asked(scene: Scene) -> Question:
    """Build the question that the scene tells."""
    site = replace(
        SITE,
        spaces={**SITE.spaces, "kitchen": _space(scene)},
        doors={
            **SITE.doors,
            "kitchen-door": replace(
                SITE.doors["kitchen-door"], needs_two_persons=scene.needs_two
            ),
        },
    )
    confirmed_ms = NOW_MS - scene.age_d * DAY_MS
    known = question(
        Rolls(site, roster=_roster(scene), confirmed_ms=confirmed_ms),
        card("wang"),
        moment(NOW_MS),
        site=site,
        mode=DoorMode(scene.mode),
        standing={EmergencyState(scene.state)} if scene.state else set(),
        admissions={"b1": Admission(persons=scene.used)},
        presence=Room(
            count=scene.count,
            inside=("holder-wang",) if scene.is_inside else (),
            kept=scene.kept,
            of_party=max(0, scene.used - scene.left),
        ),
        is_staff_present=scene.has_staff,
        is_strike_sound=scene.is_sound,
        interlocked_by=scene.partner,
        is_confirmed=scene.is_confirmed,
    )
    me = "holder-wang" if scene.is_known else f"card {token('wang').hex()}"
    names = {"": "", "other": "holder-li", "self": me}
    return replace(known, first_holder=names[scene.first])


def _space(scene: Scene) -> SpacePlan:
    told = {"open": "daily 08:00-22:00", "closed": "daily 16:00-22:00"}
    hours = None
    if scene.hours:
        week = read_hours(told[scene.hours])
        hours = Schedule(week=week, utc_offset_ms=SITE.utc_offset_ms)
    return replace(
        SITE.spaces["kitchen"],
        entry=EntryRule(scene.entry),
        hours=hours,
        capacity=scene.capacity,
        passback=Passback(scene.passback),
    )


def _roster(scene: Scene) -> Roster:
    builder = RosterBuilder()
    if scene.is_known:
        row = holder("wang", is_enabled=scene.is_enabled, roles=(scene.role,))
        from_ms, to_ms = VALID_MS[scene.valid]
        builder.add([replace(row, valid_from_ms=from_ms, valid_to_ms=to_ms)])
    if scene.is_lost:
        builder.add([RevocationRow(token=token("wang"), reason="LOST")])
    if scene.booked:
        row_b = booking(f"b1 wang {BOOKED[scene.booked]} x{scene.party}")
        builder.add([replace(row_b, due_fen=scene.due_fen)])
    if scene.policy:
        told = WINDOWS[scene.policy]
        policy = PolicyRow(
            policy_id="p1",
            role=scene.role,
            places=frozenset({"kitchen"}),
            week=read_hours(told) if told else None,
        )
        builder.add([policy])
    return builder.build(Cursor("0001-0a1b2c3d", 7))
