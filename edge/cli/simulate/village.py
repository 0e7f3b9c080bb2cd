# SPDX-License-Identifier: Apache-2.0
"""Who lives around the simulated site, and what they book: the same people always.

The law of the module: nobody exists; numbers bear the unassigned region 99. Tokens
are real ones, but each identity card's is derived once a process and remembered by
its number, since a scrypt takes longer than a simulated hour. The seed changes what
people book and do, never who they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from edge.bindings.tokens import TokenMaker
from edge.core.credential import FIRST_KEY
from firmware_sim.id_card.identity_card import IdentityCard
from firmware_sim.platform.feed import Row
from firmware_sim.platform.people import identity_number

if TYPE_CHECKING:
    from random import Random

    from edge.core.credential import Credential

#: People with an identity card at the reader, and people with a code.
CARDS, CODES = 16, 44
VOLUNTEERS = 5
#: Who else has a role, by number.
ROLES: dict[int, tuple[str, ...]] = {
    6: ("RESIDENT", "MANAGER"),
    7: ("RESPONDER",),
    19: ("COURIER",),
}
#: Those who agreed to be asked after when they were not seen for a day.
CARED_FOR = (20, 21, 22)
#: Not in the roster at all: some have a card, some a code.
STRANGERS = 8
CARD_STRANGERS = frozenset({1, 5, 6, 7, 8})
#: Bookings of one day and space follow each other in slots of so long.
SLOT_MS = 2 * 3_600_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SITE_KEY, EPOCH_SALT = bytes(range(32)), bytes(range(16))

_remembered: dict[tuple[bytes, bytes], Credential] = {}


class RememberedTokens(TokenMaker):
    """Derives each identity card's token once; all others as they come."""

    __slots__ = ()

    def id_card(self, number: bytearray) -> Credential:
        """Turn an identity number into its credential and wipe it."""
        key = self.site_key, bytes(number)
        if key not in _remembered:
            _remembered[key] = super().id_card(number)
        number[:] = bytes(len(number))
        return _remembered[key]


#: Of everybody who is to be fetched; who fetches him reads it, and no event.
ELDER_NAME, ELDER_PLACE = "AuntLinOfTheEastLane", "EastLane3House7Room201"


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """Somebody with a card or without, and a code; ``is_known`` to the platform.

    Who has a card holds it out wherever it can be read.
    """

    holder: str
    card: IdentityCard | None = field(repr=False)
    code: str = field(repr=False)
    roles: tuple[str, ...] = ("RESIDENT",)
    is_slow: bool = False
    is_known: bool = True
    care_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Village:
    """All neighbours, and their rows in the feed."""

    neighbours: tuple[Neighbour, ...]
    tokens: RememberedTokens

    @property
    def with_card(self) -> tuple[Neighbour, ...]:
        """Those who hold an identity card out."""
        return tuple(one for one in self.neighbours if one.card is not None)

    @property
    def with_code(self) -> tuple[Neighbour, ...]:
        """Those who have no card and hold a code out."""
        return tuple(one for one in self.neighbours if one.card is None)

    @property
    def volunteers(self) -> tuple[Neighbour, ...]:
        """Those whose card starts a shift."""
        return tuple(one for one in self.neighbours if "VOLUNTEER" in one.roles)

    @property
    def strangers(self) -> tuple[Neighbour, ...]:
        """Those with a card whom nobody knows."""
        return tuple(one for one in self.with_card if not one.is_known)

    def having(self, role: str) -> tuple[Neighbour, ...]:
        """Those of a role who have a card."""
        return tuple(one for one in self.with_card if role in one.roles)

    def credentials(self, neighbour: Neighbour) -> list[Credential]:
        """Return all that the neighbour can hold out, his card first."""
        code = self.tokens.code(neighbour.code.encode())
        return [code] if neighbour.card is None else [self.credential(neighbour), code]

    def credential(self, neighbour: Neighbour) -> Credential:
        """Return what the gateway makes of what the neighbour holds out."""
        if neighbour.card is not None:
            return self.tokens.id_card(bytearray(neighbour.card.number.encode()))
        return self.tokens.code(neighbour.code.encode())

    def rows(self) -> list[Row]:
        """Return the holders as the feed has them."""
        return [self.row(one) for one in self.neighbours if one.is_known]

    def row(self, neighbour: Neighbour, *, is_enabled: bool = True) -> Row:
        """Return one holder as the feed has it."""
        body: dict[str, int | str | list[int | str]] = {
            "enabled": int(is_enabled),
            "extended": int(neighbour.is_slow),
            "language": "zh",
            "roles": list(neighbour.roles),
            "credentials": [
                f"{one.kind.value}:{one.token.hex()}"
                for one in self.credentials(neighbour)
            ],
        }
        if neighbour.care_days:
            body["care_days"] = neighbour.care_days
        if self.tokens.number != FIRST_KEY:
            body["key"] = self.tokens.number
        return Row(kind="holder", id=neighbour.holder, body=body)

    def revocation(self, neighbour: Neighbour) -> Row:
        """Return the loss of what a neighbour holds out."""
        token = self.credential(neighbour).token.hex()
        body: dict[str, int | str | list[int | str]] = {
            "token": token,
            "reason": "LOST",
        }
        if self.tokens.number != FIRST_KEY:
            body["key"] = self.tokens.number
        return Row(kind="revocation", id=f"r-{neighbour.holder}", body=body)

    def under_next_key(self) -> Village:
        """Return the same people where the site has a new key beside this one."""
        now = self.tokens
        tokens = RememberedTokens(
            site_id=now.site_id,
            site_key=now.site_key[::-1],
            epoch_salt=now.epoch_salt,
            number=now.number + 1,
            former=(now, *now.former),
        )
        return replace(self, tokens=tokens)

    def planted(self) -> frozenset[str]:
        """Return the numbers and codes that must turn up nowhere."""
        numbers = {one.card.number for one in self.with_card if one.card}
        codes = {one.code for one in self.neighbours}
        return frozenset(numbers | codes | {ELDER_NAME, ELDER_PLACE})


def village(site_id: str) -> Village:
    """Return the people around a site."""
    tokens = RememberedTokens(site_id=site_id, site_key=SITE_KEY, epoch_salt=EPOCH_SALT)
    people = []
    for index in range(1, CARDS + CODES + STRANGERS + 1):
        has_card = index <= CARDS or index - CARDS - CODES in CARD_STRANGERS
        is_volunteer = index <= VOLUNTEERS or CARDS < index <= CARDS + 2
        usual = ("RESIDENT", "VOLUNTEER") if is_volunteer else ("RESIDENT",)
        people.append(
            Neighbour(
                holder=f"h-{index:04}",
                card=_card(index) if has_card else None,
                code=f"MSIM{index:04}-{(index * 7919) % 10**9:09}",
                roles=ROLES.get(index, usual),
                is_slow=index % 9 == 0,
                is_known=index <= CARDS + CODES,
                care_days=1 if index in CARED_FOR else 0,
            )
        )
    return Village(neighbours=tuple(people), tokens=tokens)


def _card(index: int) -> IdentityCard:
    birthday = date(1940 + index % 60, 1 + index % 12, 1 + index % 28)
    return IdentityCard(number=identity_number(index, birthday), name="测试")


def bookings_of_day(
    chance: Random, people: Village, day: int, midnight_ms: int
) -> list[Row]:
    """Return one day's bookings: the kitchen for cards, the living room for codes."""
    rows = []
    number = 0
    for space, among in (
        ("kitchen", people.with_card),
        ("living-room", people.with_code),
    ):
        known = [one for one in among if one.is_known]
        for slot in range(7, 21, 2):
            start_ms = midnight_ms + slot * HOUR_MS
            for holder in chance.sample(known, 5 if space == "kitchen" else 7):
                number += 1
                end_ms = start_ms + chance.choice((SLOT_MS // 2, SLOT_MS))
                party = chance.choice((1, 1, 2, 4, 50))
                name = f"b-{day:03}-{number:03}"
                times_ms = (start_ms, end_ms)
                rows.append(booking(name, holder, space, times_ms, party=party))
    for _ in range(2):  # with a card, where cards are not read
        number += 1
        holder = chance.choice(people.with_card[:CARDS])
        start_ms = midnight_ms + chance.randrange(7, 19) * HOUR_MS
        times_ms = (start_ms, start_ms + SLOT_MS)
        name = f"b-{day:03}-{number:03}"
        rows.append(booking(name, holder, "living-room", times_ms))
    for size in ("S", "S", "S", "M", "M", "L"):
        number += 1
        holder = chance.choice(people.with_code[:CODES])
        start_ms = midnight_ms + chance.randrange(7, 19) * HOUR_MS
        times_ms = (start_ms, start_ms + 4 * HOUR_MS)
        name = f"b-{day:03}-{number:03}"
        rows.append(booking(name, holder, "living-room", times_ms, size=size))
    return rows


def booking(
    name: str,
    holder: Neighbour,
    space: str,
    times_ms: tuple[int, int],
    *,
    party: int = 1,
    size: str = "",
) -> Row:
    """Return one booking as the feed has it."""
    body: dict[str, int | str | list[int | str]] = {
        "holder": holder.holder,
        "space": space,
        "from": times_ms[0],
        "to": times_ms[1],
        "party": party,
        "state": "CONFIRMED",
    }
    if size:
        body["size"] = size
    return Row(kind="booking", id=name, body=body)


def is_at(row: Row, now_ms: int) -> bool:
    """Say whether a booking runs at that time."""
    start_ms, end_ms = row.body["from"], row.body["to"]
    return (
        isinstance(start_ms, int)
        and isinstance(end_ms, int)
        and start_ms <= now_ms < end_ms
    )
