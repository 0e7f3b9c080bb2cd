# SPDX-License-Identifier: Apache-2.0
"""The people of the demonstration: made up, with a part to play each.

The law of the module: nobody here exists; identity numbers bear the unassigned
region 99 and a right check character; the same seed gives the same people.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import TYPE_CHECKING, Any

from edge.cli.demo.street import street
from edge.cli.demo.week import week
from firmware_sim.osdp.cards import CardFormat, encoded
from firmware_sim.platform.people import identity_number
from firmware_sim.platform.tokens import Pseudonyms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.cli.demo.stage import SiteSecrets
    from edge.core.plan import AccessPointPlan, SitePlan

MINUTE_MS = 60_000
#: Technology, bits and number of a tag.
Tag = tuple[str, int, bytes]
WIEGAND = "WIEGAND"
#: What a controller tells of a card, and how much of it a 26-bit card has.
BARE_BITS, TAG_BITS = 32, 24
#: More than the parts at all access points that a site can have.
MAX_CAST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part: the booking's start and end in minutes from now, if there is one.

    ``weight`` says how often the part walks up, against the others of its place.
    """

    name: str
    weight: int = 1
    window_min: tuple[int, int] | None = None
    is_elsewhere: bool = False
    is_revoked: bool = False
    is_known: bool = True
    party: int = 1
    size: str = ""
    role: str = "RESIDENT"


NOW = (-20, 100)
AT_A_DOOR = (
    Part(name="on time", weight=6, window_min=NOW, party=500),
    Part(name="on time", weight=6, window_min=(-5, 55), party=500),
    Part(name="with friends", weight=2, window_min=(-30, 90), party=3),
    Part(name="too early", window_min=(120, 180)),
    Part(name="too late", window_min=(-120, -30)),
    Part(name="at the wrong room", window_min=NOW, is_elsewhere=True),
    Part(name="with a revoked card", window_min=NOW, is_revoked=True),
    Part(name="without a booking"),
    Part(name="unknown", is_known=False),
)
AT_THE_LOCKERS = (
    Part(name="with shopping", weight=3, window_min=NOW, size="S"),
    Part(name="with a bag", weight=3, window_min=NOW, size="M"),
    Part(name="with a suitcase", weight=2, window_min=NOW, size="L"),
    Part(name="without a locker"),
)
AT_THE_MEDICINE_BOX = (
    Part(name="with a cut finger"),
    Part(name="a stranger in need", is_known=False),
)
AT_THE_DESK = (
    Part(name="a volunteer", weight=3, role="VOLUNTEER"),
    Part(name="another volunteer", weight=3, role="VOLUNTEER"),
    Part(name="a resident at the desk"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """Somebody at an access point, with a card's number, a code and a tag to show."""

    holder: str
    part: Part
    number: str
    code: str
    tag: int

    def tags(self) -> list[Tag]:
        """Return the tag as readers tell it: in 26 bits, or its bare 32."""
        bits, data = encoded(CardFormat.WIEGAND_26, self.tag)
        return [
            (WIEGAND, bits, data),
            (WIEGAND, BARE_BITS, self.tag.to_bytes(4, "big")),
        ]


def parts_at(point: AccessPointPlan) -> Sequence[Part]:
    """Return the parts that are played at an access point."""
    if point.is_desk:
        return AT_THE_DESK
    if point.is_medicine_box:
        return AT_THE_MEDICINE_BOX
    return AT_THE_LOCKERS if point.bank_id else AT_A_DOOR


def cast(seed: int, site: SitePlan) -> dict[str, list[Resident]]:
    """Return the people of each access point, one for each of its parts."""
    random = Random(f"cast {seed}")  # noqa: S311  made-up people, no secret
    tags = Random(f"tags {seed}").sample(range(1, 1 << TAG_BITS), MAX_CAST)  # noqa: S311
    people: dict[str, list[Resident]] = {}
    index = 0
    for name, point in site.access_points.items():
        people[name] = []
        for part in parts_at(point):
            index += 1
            birthday = date(random.randrange(1940, 2005), 1, random.randrange(1, 29))
            people[name].append(
                Resident(
                    holder=f"h-{index:04}",
                    part=part,
                    number=identity_number(index, birthday),
                    code=f"MSDEMO{random.randrange(10**18):018}",
                    tag=tags[index],
                )
            )
    return people


def population(
    people: dict[str, list[Resident]],
    site: SitePlan,
    *,
    shared: SiteSecrets,
    now_ms: int,
) -> dict[str, Any]:
    """Return the platform's knowledge of the cast."""
    pseudonyms = Pseudonyms(
        site=site.site_id, site_key=shared.site_key, epoch_salt=shared.epoch_salt
    )
    named, rows = [], []
    for name, residents in people.items():
        space = _space(site, site.access_points[name])
        for resident in residents:
            part = resident.part
            if not part.is_known:
                continue
            person: dict[str, Any] = {"id": resident.holder, "code": resident.code}
            tags = [
                {"technology": kind, "bits": bits, "number": number.hex()}
                for kind, bits, number in resident.tags()
            ]
            person |= {"number": resident.number, "roles": [part.role]}
            named.append(person | {"tags": tags})
            others = [other for other in site.spaces if other != space]
            booked = others[0] if part.is_elsewhere and others else space
            if part.window_min is not None:
                rows.append(_booking(resident, booked, part.window_min, now_ms))
            if part.is_revoked:
                rows += _revocations(resident, pseudonyms)
    return {"named": named, "rows": rows + street(people) + week(people, site, now_ms)}


def _space(site: SitePlan, point: AccessPointPlan) -> str:
    if point.bank_id:
        return site.banks[point.bank_id].space_id
    return site.doors[point.door_id].space_id if point.door_id else ""


def _booking(
    resident: Resident, space: str, window_min: tuple[int, int], now_ms: int
) -> dict[str, Any]:
    start, end = (now_ms + minutes * MINUTE_MS for minutes in window_min)
    body = {
        "holder": resident.holder,
        "space": space,
        "from": start,
        "to": end,
        "party": resident.part.party,
        "state": "CONFIRMED",
    }
    if resident.part.size:
        body["size"] = resident.part.size
    identifier = resident.holder.replace("h-", "b-")
    return {"kind": "booking", "id": identifier, "ver": 1, "body": body}


def _revocations(resident: Resident, pseudonyms: Pseudonyms) -> list[dict[str, Any]]:
    tokens = (
        pseudonyms.of_identity_card(resident.number),
        pseudonyms.of_code(resident.code.encode()),
        *(pseudonyms.of_tag(*tag) for tag in resident.tags()),
    )
    return [
        {
            "kind": "revocation",
            "id": f"r-{token.hex()}",
            "ver": 1,
            "body": {"token": token.hex(), "reason": "LOST"},
        }
        for token in tokens
    ]
