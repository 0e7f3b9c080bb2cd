# SPDX-License-Identifier: Apache-2.0
"""Builds the table's people: their cards, bookings and policies, and what was revoked.

The law of the module: rows go through the same roster as the platform's.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from edge.core.credential import CredentialKind
from edge.core.moment import UNBOUNDED_MS
from edge.core.people.local import Cash, LocalHolder, LocalRoster
from edge.core.people.rolls import Rolls
from edge.core.people.roster import Cursor, RosterBuilder
from edge.core.people.roster_row import (
    BookingRow,
    HolderRow,
    PolicyRow,
    RevocationRow,
    RosterRow,
)
from edge.core.plan import DAY_MS, SIZES
from edge.core.schedule import read_hours
from tests.core.access.case_words import duration_ms, utc_ms

if TYPE_CHECKING:
    from edge.core.moment import Moment
    from edge.core.plan import SitePlan
    from tests.core.access.case_table import Scene

ROLES: dict[str, tuple[str, ...]] = {
    "bai": (),
    "gu": ("GUEST",),
    "sun": ("COURIER",),
    "chen": ("RESIDENT", "VOLUNTEER"),
    "hua": ("VOLUNTEER",),
    "ma": ("MANAGER",),
    "fang": ("RESPONDER",),
}


def build_rolls(scene: Scene, site: SitePlan, now: Moment) -> Rolls:
    builder = RosterBuilder()
    builder.add(_rows(scene))
    is_never = scene.roster_age == "never"
    age_ms = 0 if is_never else duration_ms(scene.roster_age)
    local = LocalRoster()
    for told in scene.cash:
        booking_id, fen, _, due_fen = told.split()
        local.cash[booking_id] = Cash(
            fen=int(fen), due_fen=int(due_fen), noted_ms=now.earliest_ms
        )
    for told in scene.vouched:
        who, *roles = told.split()
        local.holders[f"holder-{who}"] = LocalHolder(
            roles=tuple(roles), until_ms=UNBOUNDED_MS
        )
    return Rolls(
        site,
        local,
        builder.build(Cursor("0001-0a1b2c3d", 7)),
        confirmed_ms=0 if is_never else now.earliest_ms - age_ms,
    )


def _rows(scene: Scene) -> list[RosterRow]:
    rows: list[RosterRow] = [_holder(scene, name) for name in scene.people]
    rows += [_booking(told) for told in scene.bookings]
    rows += [_policy(told) for told in scene.policies]
    rows += [RevocationRow(token=token(name), reason="LOST") for name in scene.lost]
    rows += [
        RevocationRow(holder_id=f"holder-{name}", reason="MOVED_AWAY")
        for name in scene.barred
    ]
    for ticket in scene.cancelled_tickets:
        rows.append(RevocationRow(ticket=ticket, reason="CANCELLED"))
    return rows


def token(name: str) -> bytes:
    return name.encode().ljust(16, b".")


def _holder(scene: Scene, name: str) -> HolderRow:
    start, _, end = scene.valid.get(name, "").partition(" to ")
    owner = scene.shared_card[0] if name in scene.shared_card else name
    return HolderRow(
        holder_id=f"holder-{name}",
        roles=ROLES.get(name, ("RESIDENT",)),
        language="zh-CN",
        is_enabled=name not in scene.disabled,
        needs_extended_time=name in scene.slow,
        credentials=((CredentialKind.CARD, token(owner)),),
        valid_from_ms=utc_ms(start) if start else 0,
        valid_to_ms=utc_ms(end) if end else UNBOUNDED_MS,
    )


def _booking(told: str) -> BookingRow:
    """Read ``ID WHO SPACE FROM-TO [+DAYSd] [xPARTY] [all] [due FEN] [size S]``."""
    booking_id, who, space, hours, *more = told.split()
    start, _, end = hours.partition("-")
    day = next((word for word in more if word[0] in "+-"), "+0d")
    from_ms, to_ms = utc_ms(f"{day} {start}"), utc_ms(f"{day} {end}")
    after = dict(pairwise(more))
    return BookingRow(
        booking_id=booking_id,
        holder_id=f"holder-{who}",
        space_id=space,
        from_ms=from_ms,
        to_ms=to_ms if to_ms > from_ms else to_ms + DAY_MS,
        party=next((int(word[1:]) for word in more if word[0] == "x"), 1),
        is_confirmed="cancelled" not in more,
        size=next((size for size in SIZES if size == after.get("size")), None),
        due_fen=int(after.get("due", 0)),
        counts_all="all" in more,
    )


def _policy(told: str) -> PolicyRow:
    """Read ``ID ROLE PLACE[,PLACE] [WEEKLY HOURS]``."""
    policy_id, role, places, *hours = told.split(maxsplit=3)
    return PolicyRow(
        policy_id=policy_id,
        role=role,
        places=frozenset(places.split(",")),
        week=read_hours(hours[0]) if hours else None,
    )
