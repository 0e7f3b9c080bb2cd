# SPDX-License-Identifier: Apache-2.0
"""A small site and its people, written as one would tell them.

The law of the module: nothing here decides anything; times are local times of
Monday 2 March 2026 in China, rows are short sentences.
"""

from __future__ import annotations

from datetime import datetime

from edge.core.credential import Credential, CredentialKind
from edge.core.moment import Moment
from edge.core.people.roster import Cursor, Roster, RosterBuilder
from edge.core.people.roster_row import BookingRow, HolderRow, RevocationRow, RosterRow
from edge.core.plan import (
    SIZES,
    AccessPointPlan,
    BankPlan,
    CompartmentPlan,
    DoorPlan,
    SitePlan,
    Size,
    SpacePlan,
)

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
PEOPLE = ("wang", "li", "zhao", "qian")
VOLUNTEER = "chen"
RELEASE_S = 5.0
#: How much longer than its pulse a release may still be used.
SLACK_S = 1.0
EXTENDED_S = 12.0
HELD_S = 30.0


def clock_ms(local: str, *, days: int = 0) -> int:
    """Return ``HH:MM[:SS[.mmm]]`` of the scene's day, or days later, as UTC ms."""
    moment = datetime.fromisoformat(f"2026-03-02T{local}+08:00")
    return round(moment.timestamp() * 1000) + days * DAY_MS


def moment(
    earliest_ms: int,
    latest_ms: int | None = None,
    *,
    s: float = 0.0,
    boot: str = "boot-1",
) -> Moment:
    """Return a moment; exact unless it is given a second bound."""
    latest_ms = earliest_ms if latest_ms is None else latest_ms
    return Moment(
        monotonic_s=s, earliest_ms=earliest_ms, latest_ms=latest_ms, boot=boot
    )


def token(name: str) -> bytes:
    """Return the token of a person's card."""
    return name.encode().ljust(16, b".")


def card(name: str) -> Credential:
    """Return a person's card."""
    return Credential(kind=CredentialKind.CARD, token=token(name))


def holder(
    name: str,
    *,
    is_enabled: bool = True,
    needs_extended_time: bool = False,
    roles: tuple[str, ...] = ("RESIDENT",),
) -> HolderRow:
    """Return a resident with one card."""
    return HolderRow(
        holder_id=f"holder-{name}",
        roles=roles,
        language="zh-CN",
        is_enabled=is_enabled,
        needs_extended_time=needs_extended_time,
        credentials=((CredentialKind.CARD, token(name)),),
    )


def booking(told: str) -> BookingRow:
    """Read ``ID WHO SPACE HH:MM-HH:MM [xPARTY] [SIZE] [+DAYSd] [cancelled]``."""
    booking_id, who, space, hours, *more = told.split()
    start, end = hours.split("-")
    party = next((int(word[1:]) for word in more if word[0] == "x"), 1)
    days = next(
        (int(word[:-1]) for word in more if word[-1] == "d" and word[0] in "+-"), 0
    )
    return BookingRow(
        booking_id=booking_id,
        holder_id=f"holder-{who}",
        space_id=space,
        from_ms=clock_ms(start, days=days),
        to_ms=clock_ms(end, days=days),
        party=party,
        is_confirmed="cancelled" not in more,
        size=next((size for size in SIZES if size in more), None),
    )


def revocation(name: str) -> RevocationRow:
    """Return the loss of a person's card."""
    return RevocationRow(token=token(name), reason="LOST")


def roster(*rows: RosterRow, revision: int = 7) -> Roster:
    """Build a roster of exactly these rows."""
    builder = RosterBuilder()
    builder.add(rows)
    return builder.build(Cursor("0001-0a1b2c3d", revision))


def neighbours(*bookings: str, lost: tuple[str, ...] = ()) -> Roster:
    """Build the roster of ``PEOPLE`` and the volunteer with these bookings."""
    rows: list[RosterRow] = [holder(name) for name in PEOPLE]
    rows.append(holder(VOLUNTEER, roles=("RESIDENT", "VOLUNTEER")))
    rows += [booking(told) for told in bookings]
    rows += [revocation(name) for name in lost]
    return roster(*rows)


def _space(space_id: str) -> SpacePlan:
    return SpacePlan(space_id=space_id, lead_ms=10 * MINUTE_MS, grace_ms=5 * MINUTE_MS)


def door(
    door_id: str, space_id: str, *, is_escape: bool = False, has_contact: bool = True
) -> DoorPlan:
    """Return a door with the scene's times."""
    return DoorPlan(
        door_id=door_id,
        space_id=space_id,
        release_s=RELEASE_S,
        extended_release_s=EXTENDED_S,
        held_open_s=HELD_S,
        has_contact=has_contact,
        is_escape=is_escape,
    )


_DOORS = (
    door("kitchen-door", "kitchen", is_escape=True),
    door("lounge-door", "lounge"),
    door("store-door", "lounge", has_contact=False),
)
_READERS = {
    "kitchen-in": "kitchen-door",
    "kitchen-yard": "kitchen-door",
    "lounge-in": "lounge-door",
    "store-in": "store-door",
}


def bank(bank_id: str, space_id: str, sizes: str, *, medicine: int = 0) -> BankPlan:
    """Return a bank with a compartment for each letter, counted from 1."""
    letters: list[Size] = [size for letter in sizes for size in SIZES if letter == size]
    plans = [
        CompartmentPlan(number=n, size=size, is_medicine_box=n == medicine)
        for n, size in enumerate(letters, 1)
    ]
    return BankPlan(
        bank_id=bank_id,
        space_id=space_id,
        compartments={plan.number: plan for plan in plans},
    )


#: Number 5 of the hall is its medicine box.
_BANKS = (bank("hall", "lounge", "SSMLS", medicine=5), bank("yard", "kitchen", "S"))
_MORE_READERS = (
    AccessPointPlan(access_point_id="hall-in", bank_id="hall"),
    AccessPointPlan(access_point_id="yard-in", bank_id="yard"),
    AccessPointPlan(access_point_id="aid", bank_id="hall", is_medicine_box=True),
    AccessPointPlan(access_point_id="desk", is_desk=True),
)

SITE = SitePlan(
    site_id="site-1",
    spaces={name: _space(name) for name in ("kitchen", "lounge")},
    doors={plan.door_id: plan for plan in _DOORS},
    access_points={
        name: AccessPointPlan(access_point_id=name, door_id=door_id)
        for name, door_id in _READERS.items()
    }
    | {plan.access_point_id: plan for plan in _MORE_READERS},
    banks={plan.bank_id: plan for plan in _BANKS},
    settings_revision="set-3",
)
