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

from firmware_sim.platform.people import identity_number
from firmware_sim.platform.tokens import Pseudonyms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.cli.demo.stage import SiteSecrets

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part: the booking's start and end in minutes from now, if there is one."""

    name: str
    window_min: tuple[int, int] | None = None
    is_elsewhere: bool = False
    is_revoked: bool = False
    is_known: bool = True
    party: int = 1


PARTS = (
    Part(name="on time", window_min=(-20, 100), party=500),
    Part(name="on time", window_min=(-5, 55), party=500),
    Part(name="with friends", window_min=(-30, 90), party=3),
    Part(name="too early", window_min=(120, 180)),
    Part(name="too late", window_min=(-120, -30)),
    Part(name="at the wrong room", window_min=(-20, 100), is_elsewhere=True),
    Part(name="with a revoked card", window_min=(-20, 100), is_revoked=True),
    Part(name="without a booking"),
    Part(name="unknown", is_known=False),
)
#: How often each part walks up, against the others.
WEIGHTS = (6, 6, 2, 1, 1, 1, 1, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """Somebody at an access point, with a card's number or a code to show."""

    holder: str
    part: Part
    number: str
    code: str


def cast(seed: int, access_points: Sequence[str]) -> dict[str, list[Resident]]:
    """Return the people of each access point, one for each part."""
    random = Random(f"cast {seed}")  # noqa: S311  made-up people, no secret
    people: dict[str, list[Resident]] = {}
    index = 0
    for point in access_points:
        people[point] = []
        for part in PARTS:
            index += 1
            birthday = date(random.randrange(1940, 2005), 1, random.randrange(1, 29))
            people[point].append(
                Resident(
                    holder=f"h-{index:04}",
                    part=part,
                    number=identity_number(index, birthday),
                    code=f"MSDEMO{random.randrange(10**18):018}",
                )
            )
    return people


def population(
    people: dict[str, list[Resident]],
    spaces: dict[str, str],
    *,
    site: str,
    shared: SiteSecrets,
    now_ms: int,
) -> dict[str, Any]:
    """Return the platform's knowledge of the cast; ``spaces`` by access point."""
    pseudonyms = Pseudonyms(
        site=site, site_key=shared.site_key, epoch_salt=shared.epoch_salt
    )
    named, rows = [], []
    for point, residents in people.items():
        elsewhere = [space for space in spaces.values() if space != spaces[point]]
        for resident in residents:
            part = resident.part
            if not part.is_known:
                continue
            person = {"id": resident.holder, "code": resident.code}
            named.append(person | {"number": resident.number})
            space = elsewhere[0] if part.is_elsewhere and elsewhere else spaces[point]
            if part.window_min is not None:
                rows.append(_booking(resident, space, part.window_min, now_ms))
            if part.is_revoked:
                rows += _revocations(resident, pseudonyms)
    return {"named": named, "rows": rows}


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
    identifier = resident.holder.replace("h-", "b-")
    return {"kind": "booking", "id": identifier, "ver": 1, "body": body}


def _revocations(resident: Resident, pseudonyms: Pseudonyms) -> list[dict[str, Any]]:
    tokens = (
        pseudonyms.of_identity_card(resident.number),
        pseudonyms.of_code(resident.code.encode()),
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
