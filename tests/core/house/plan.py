# SPDX-License-Identifier: Apache-2.0
"""A place with a bit of everything, and the people who come to it.

The law of the module: values alone, nothing here decides anything; people, places and
times are told in short sentences.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.core.access.ticket import Ticket
from edge.core.credential import Credential, CredentialKind
from edge.core.people.entries import EVERYWHERE, Elder
from edge.core.people.roster_row import HolderRow, PolicyRow
from edge.core.plan import (
    AccessPointPlan,
    AppliancePlan,
    Direction,
    EntryRule,
    FareKind,
    FarePlan,
    Passback,
    SitePlan,
    SpacePlan,
)
from edge.core.schedule import Schedule, read_hours
from tests.core.scene import MINUTE_MS, bank, booking, clock_ms, door, token

if TYPE_CHECKING:
    from edge.core.people.roster_row import BookingRow, RosterRow

OFFSET_MS = 8 * 3_600_000
HOUR_FEN = 500
VISIT_FEN = 200
FREE_MIN = 30
WARN_S = 10.0
KITCHEN_ROOM = 4
HALL_ROOM = 3
HALL_SHELTER_ROOM = 5
#: When the gate and the garden's door are free; the scene begins before.
OPEN_FROM, OPEN_TO = "16:00", "18:00"
#: Number 5 of the bank.
MEDICINE = 5
CARE_DAYS = 3


def hours(told: str) -> Schedule:
    """Read local hours."""
    return Schedule(week=read_hours(told), utc_offset_ms=OFFSET_MS)


def _space(space_id: str, number: int) -> SpacePlan:
    return SpacePlan(
        space_id=space_id,
        number=number,
        lead_ms=10 * MINUTE_MS,
        grace_ms=5 * MINUTE_MS,
    )


_SPACES = (
    replace(
        _space("kitchen", 1),
        hours=hours("daily 08:00-22:00"),
        capacity=KITCHEN_ROOM,
        passback=Passback.SOFT,
        fare=FarePlan(kind=FareKind.PER_HOUR, fen=HOUR_FEN, free_minutes=FREE_MIN),
        has_exit_reader=True,
    ),
    replace(_space("studio", 2), passback=Passback.HARD, has_exit_reader=True),
    replace(
        _space("living", 3),
        entry=EntryRule.STAFFED,
        hours=hours("daily 09:00-21:00"),
        has_exit_reader=True,
    ),
    replace(
        _space("hall", 4),
        entry=EntryRule.WALK_IN,
        capacity=HALL_ROOM,
        shelter_capacity=HALL_SHELTER_ROOM,
        fare=FarePlan(kind=FareKind.PER_VISIT, fen=VISIT_FEN),
    ),
    _space("store", 5),
    _space("lobby", 6),
)
_DOORS = (
    door("kitchen-door", "kitchen", is_escape=True),
    door("studio-door", "studio"),
    door("living-door", "living"),
    door("hall-door", "hall", is_escape=True),
    replace(door("gate", "hall"), unlock=hours(f"daily {OPEN_FROM}-{OPEN_TO}")),
    replace(
        door("garden-door", "living"),
        unlock=hours(f"daily {OPEN_FROM}-{OPEN_TO}"),
        first_person_in=True,
    ),
    replace(door("store-door", "store"), needs_two_persons=True),
    replace(door("outer-door", "lobby"), interlocked_with=frozenset({"inner-door"})),
    door("inner-door", "lobby"),
)


def _reader(name: str, door_id: str, **more: str) -> AccessPointPlan:
    way = Direction.OUT if name.endswith("-out") else Direction.IN
    emergency = more.get("emergency", "")
    return AccessPointPlan(
        access_point_id=name, door_id=door_id, direction=way, emergency=emergency
    )


_POINTS = (
    _reader("kitchen-in", "kitchen-door"),
    _reader("kitchen-out", "kitchen-door"),
    _reader("studio-in", "studio-door"),
    _reader("studio-out", "studio-door"),
    _reader("living-in", "living-door"),
    _reader("hall-in", "hall-door", emergency="SHELTER"),
    _reader("gate-in", "gate"),
    _reader("garden-in", "garden-door"),
    _reader("garden-out", "garden-door"),
    _reader("store-in", "store-door"),
    _reader("outer-in", "outer-door"),
    _reader("inner-in", "inner-door"),
    AccessPointPlan(access_point_id="bank-in", bank_id="bank"),
    AccessPointPlan(access_point_id="aid", bank_id="bank", is_medicine_box=True),
    AccessPointPlan(access_point_id="desk", is_desk=True),
    AccessPointPlan(access_point_id="alarm", is_desk=True, emergency="LOCK_DOWN"),
)
_BANK = replace(bank("bank", "hall", "SSMLS", medicine=MEDICINE), allows_walk_in=True)

PLACE = SitePlan(
    site_id="place-1",
    spaces={plan.space_id: plan for plan in _SPACES},
    doors={plan.door_id: replace(plan, warn_before_s=WARN_S) for plan in _DOORS},
    access_points={plan.access_point_id: plan for plan in _POINTS},
    banks={_BANK.bank_id: _BANK},
    appliances={"stove": AppliancePlan(appliance_id="stove", space_id="kitchen")},
    settings_revision="set-5",
    has_fire_input=True,
    closing_min=23 * 60,
)
ESCAPES = tuple(name for name, plan in PLACE.doors.items() if plan.is_escape)
INNER = tuple(name for name, plan in PLACE.doors.items() if not plan.is_escape)

_KINDS = {
    "": CredentialKind.CARD,
    "id": CredentialKind.ID_CARD,
    "qr": CredentialKind.QR,
    "pin": CredentialKind.PIN,
}


def shown(told: str) -> Credential:
    """Return a credential: ``wang`` is his card, ``wang:pin`` his number."""
    kind = _KINDS[told.partition(":")[2]]
    return Credential(kind=kind, token=token(told))


#: Everybody, by role, with what they carry beside a card.
_PEOPLE = (
    ("wang", "RESIDENT", "wang:qr"),
    ("li", "RESIDENT", "li:pin"),
    ("zhao", "RESIDENT", ""),
    ("qian", "RESIDENT", ""),
    ("hu", "RESIDENT", ""),
    ("guo", "GUEST", ""),
    ("kuai", "COURIER", ""),
    ("chen", "VOLUNTEER", ""),
    ("luo", "VOLUNTEER", ""),
    ("sun", "MANAGER", ""),
    ("ma", "RESPONDER", ""),
)
NAMES = tuple(name for name, _, _ in _PEOPLE)


def person(name: str, role: str, *also: str) -> HolderRow:
    """Return somebody with a card and what else he carries."""
    held = [shown(each) for each in (name, *also) if each]
    return HolderRow(
        holder_id=f"holder-{name}",
        roles=(role,),
        language="zh-CN",
        is_enabled=True,
        needs_extended_time=name == "hu",
        credentials=tuple((each.kind, each.token) for each in held),
        care_days=CARE_DAYS if name == "zhao" else 0,
    )


def policy(role: str, told: str, *places: str) -> PolicyRow:
    """Return what a role may enter, at any time where no hours are told."""
    return PolicyRow(
        policy_id=f"p-{role.lower()}",
        role=role,
        places=frozenset(places) or frozenset({EVERYWHERE}),
        week=read_hours(told) if told else None,
    )


PEOPLE: tuple[RosterRow, ...] = (
    *(person(name, role, also) for name, role, also in _PEOPLE),
    policy("VOLUNTEER", "daily 07:00-23:00"),
    policy("MANAGER", ""),
    policy("RESPONDER", ""),
    policy("COURIER", "mon-fri 09:00-18:00", "lobby"),
    Elder(holder_id="holder-zhao", order=1, route="ramp"),
    Elder(holder_id="holder-qian", order=2, route="stairs"),
)


def booked(told: str) -> BookingRow:
    """Read a booking as the scene does, and ``dueFEN``, ``all`` and ``ticket``.

    ``all``: the first scan stands for the whole party. ``ticket``: that of ``TICKET``
    was issued for it.
    """
    words = told.split()
    due = next((int(word[3:]) for word in words if word.startswith("due")), 0)
    return replace(
        booking(told),
        due_fen=due,
        counts_all="all" in words,
        ticket=TICKET.ticket_id if "ticket" in words else "",
    )


#: For the kitchen, once, 14:30 to 16:00.
TICKET = Ticket(
    ticket_id="00112233445566778899aabbccddeeff",
    not_before_ms=clock_ms("14:30"),
    expires_ms=clock_ms("16:00"),
    doors=("kitchen",),
    audience=PLACE.site_id,
    issued_ms=clock_ms("13:00"),
    uses=1,
)
