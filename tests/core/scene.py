# SPDX-License-Identifier: Apache-2.0
"""A small site and its people, written as one would tell them.

The law of the module: nothing here decides anything; times are local times of
Monday 2 March 2026 in China, rows are short sentences.
"""

from __future__ import annotations

from datetime import datetime

from edge.core.credential import Credential, CredentialKind
from edge.core.moment import Moment
from edge.core.plan import AccessPointPlan, DoorPlan, SitePlan, SpacePlan
from edge.core.roster import Cursor, Roster, RosterBuilder
from edge.core.roster_row import BookingRow, HolderRow, RevocationRow, RosterRow

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
PEOPLE = ("wang", "li", "zhao", "qian")
RELEASE_S = 5.0
#: How much longer than its pulse a release may still be used.
SLACK_S = 1.0
EXTENDED_S = 12.0
HELD_S = 30.0


def clock_ms(local: str, *, days: int = 0) -> int:
    """Return ``HH:MM[:SS[.mmm]]`` of the scene's day, or days later, as UTC ms."""
    moment = datetime.fromisoformat(f"2026-03-02T{local}+08:00")
    return round(moment.timestamp() * 1000) + days * DAY_MS


def moment(earliest_ms: int, latest_ms: int | None = None, *, s: float = 0.0) -> Moment:
    """Return a moment; exact unless it is given a second bound."""
    latest_ms = earliest_ms if latest_ms is None else latest_ms
    return Moment(
        monotonic_s=s, earliest_ms=earliest_ms, latest_ms=latest_ms, boot="boot-1"
    )


def token(name: str) -> bytes:
    """Return the token of a person's card."""
    return name.encode().ljust(16, b".")


def card(name: str) -> Credential:
    """Return a person's card."""
    return Credential(kind=CredentialKind.CARD, token=token(name))


def holder(
    name: str, *, is_enabled: bool = True, needs_extended_time: bool = False
) -> HolderRow:
    """Return a resident with one card."""
    return HolderRow(
        holder_id=f"holder-{name}",
        roles=("resident",),
        language="zh-CN",
        is_enabled=is_enabled,
        needs_extended_time=needs_extended_time,
        credentials=((CredentialKind.CARD, token(name)),),
    )


def booking(told: str) -> BookingRow:
    """Read ``ID WHO SPACE HH:MM-HH:MM [xPARTY] [+DAYSd] [cancelled]``."""
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
    """Build the roster of everybody in ``PEOPLE`` with these bookings."""
    rows: list[RosterRow] = [holder(name) for name in PEOPLE]
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

SITE = SitePlan(
    site_id="site-1",
    spaces={name: _space(name) for name in ("kitchen", "lounge")},
    doors={plan.door_id: plan for plan in _DOORS},
    access_points={
        name: AccessPointPlan(access_point_id=name, door_id=door_id)
        for name, door_id in _READERS.items()
    },
    settings_revision="set-3",
)
