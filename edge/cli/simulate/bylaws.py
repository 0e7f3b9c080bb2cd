# SPDX-License-Identifier: Apache-2.0
"""What the platform lays down for a site beyond its people, and how it books there.

The law of the module: a row is for places that the site has; a site without such
places has none of them and books as it always did.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from edge.cli.simulate.ticket_office import ticket_id_of
from edge.cli.simulate.village import ELDER_NAME, ELDER_PLACE
from edge.core.people.entries import EVERYWHERE
from firmware_sim.platform.feed import Row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.core.plan import SitePlan
    from firmware_sim.platform.feed import Body

#: Policies by role: the places, and the hours, "" for any time.
POLICIES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("VOLUNTEER", ("store",), "mon-fri 07:00-21:00; sat,sun 10:00-18:00"),
    ("VOLUNTEER", ("living-room-door", "store"), "daily 07:30-12:00 13:00-22:00"),
    ("MANAGER", ("kitchen", "living-room", "store-front"), ""),
    ("COURIER", ("living-room-front", "store"), "mon-sat 09:00-18:00"),
)
#: Who is called first when something happens, by the id of the row.
WARDEN = "c-warden"
ROUTES = ("walk", "wheelchair", "carry")
#: Every so many-th booking is to be paid, has a ticket, or counts for its party.
DUE_EVERY, TICKET_EVERY, WHOLE_EVERY = 9, 3, 4
DUE_FEN = 500


def is_laid_down(plan: SitePlan) -> bool:
    """Say whether the platform has more to say of a site than who lives there."""
    return any(space.number for space in plan.spaces.values())


def policies(plan: SitePlan) -> list[Row]:
    """Return the policies as the feed has them."""
    there = {EVERYWHERE, *plan.spaces, *plan.doors, *plan.access_points}
    rows = []
    for number, (role, places, hours) in enumerate(POLICIES, 1):
        body: Body = {"role": role, "places": list(places), "hours": hours}
        if is_laid_down(plan) and there.issuperset(places):
            rows.append(Row(kind="policy", id=f"p-{number}", body=body))
    return rows


def elders(plan: SitePlan, holders: Iterable[str]) -> list[Row]:
    """Return who is fetched first in an emergency, and who is called."""
    if not is_laid_down(plan):
        return []
    where: Body = {
        "name": f"{ELDER_NAME}*",
        "place": ELDER_PLACE,
        "needs": ["WHEELCHAIR"],
    }
    warden: Body = {"name": "warden", "phone": "020-81234567", "role": "warden"}
    return [
        Row(kind="contact", id=WARDEN, body=warden),
        *(
            Row(
                kind="elder",
                id=f"e-{place}",
                body={
                    "holder": holder,
                    "order": place,
                    "route": ROUTES[place % 3],
                    **where,
                },
            )
            for place, holder in enumerate(holders)
        ),
    ]


def adapted(rows: list[Row], plan: SitePlan) -> list[Row]:
    """Return a day's bookings as such a site has them: paid, by ticket, in parties.

    Of those that begin together no more are sold than there is room for.
    """
    if not is_laid_down(plan):
        return rows
    sold: Counter[tuple[str, str]] = Counter()
    kept = []
    for place, whole in enumerate(rows):
        row = _adapted(whole, place, plan)
        space, party = str(row.body["space"]), row.body["party"]
        capacity = plan.spaces[space].capacity
        slot = (space, str(row.body["from"]))
        if "size" not in row.body and capacity and isinstance(party, int):
            if sold[slot] + party > capacity:
                continue
            sold[slot] += party
        kept.append(row)
    return kept


def _adapted(row: Row, place: int, plan: SitePlan) -> Row:
    space = plan.spaces[str(row.body["space"])]
    body: Body = dict(row.body)
    party = body["party"]
    if space.capacity and isinstance(party, int):
        body["party"] = min(party, max(1, space.capacity // 3))
    if place % WHOLE_EVERY == 0:
        body["counts_all"] = 1
    if place % DUE_EVERY == 0:
        body["due"] = DUE_FEN
    elif place % TICKET_EVERY == 1 and "size" not in body:
        body["ticket"] = ticket_id_of(row.id).hex()
    return Row(kind=row.kind, id=row.id, body=body)
