# SPDX-License-Identifier: Apache-2.0
"""A made-up neighbourhood: people, cards and bookings, the same for the same seed.

The law of the module: nobody in it exists. Identity numbers begin with 99, which no
region of the country has, and still carry a right check character.
Source: GB 11643-1999 (identity number, check character by ISO 7064 MOD 11-2).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING

from firmware_sim.platform.feed import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"
_HOUR_MS = 3_600_000
_FIRST_BIRTHDAY = date(1930, 1, 1)
_BIRTHDAYS = 80 * 365
#: One in so many needs more time at the door, volunteers, or speaks English.
_ONE_IN_EXTENDED, _ONE_IN_VOLUNTEERS, _ONE_IN_ENGLISH = 8, 20, 25
#: Bookings lie within so many hours before and after the time given.
_SPREAD_HOURS = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One resident; the number is what a simulated card would give."""

    holder: str
    number: str = field(repr=False)
    language: str
    extended: bool
    roles: tuple[str, ...]

    def row(self, credentials: Sequence[str], *, enabled: bool = True) -> Row:
        """Return the feed's row; credentials are ``"{KIND}:{token hex}"``."""
        return Row(
            kind="holder",
            id=self.holder,
            body={
                "enabled": int(enabled),
                "extended": int(self.extended),
                "language": self.language,
                "roles": list(self.roles),
                "credentials": list(credentials),
            },
        )


def check_character(first_seventeen: str) -> str:
    """Return the 18th character of an identity number."""
    total = sum(
        int(digit) * weight
        for digit, weight in zip(first_seventeen, _WEIGHTS, strict=True)
    )
    return _CHECK_CHARACTERS[total % 11]


def identity_number(index: int, birthday: date) -> str:
    """Return the made-up number of person ``index`` (below 10 million)."""
    region, serial = divmod(index, 1000)
    digits = f"99{region:04}{birthday:%Y%m%d}{serial:03}"
    return digits + check_character(digits)


def people(seed: int, count: int) -> list[Person]:
    """Make ``count`` residents, ``h-000001`` and on."""
    random = Random(f"people {seed}")
    return [_person(random, index) for index in range(1, count + 1)]


def _person(random: Random, index: int) -> Person:
    birthday = _FIRST_BIRTHDAY + timedelta(days=random.randrange(_BIRTHDAYS))
    volunteers = random.randrange(_ONE_IN_VOLUNTEERS) == 0
    return Person(
        holder=f"h-{index:06}",
        number=identity_number(index, birthday),
        language="en" if random.randrange(_ONE_IN_ENGLISH) == 0 else "zh",
        extended=random.randrange(_ONE_IN_EXTENDED) == 0,
        roles=("RESIDENT", "VOLUNTEER") if volunteers else ("RESIDENT",),
    )


def random_tokens(seed: int) -> Iterator[bytes]:
    """Yield tokens of residents nobody will play: 50 ms of scrypt saved for each."""
    random = Random(f"tokens {seed}")
    while True:
        yield random.randbytes(16)


def bookings(
    seed: int,
    residents: Sequence[Person],
    spaces: Sequence[str],
    *,
    count: int,
    around_ms: int,
) -> list[Row]:
    """Make ``count`` bookings of 1 to 3 hours within two days of ``around_ms``."""
    random = Random(f"bookings {seed}")
    full_hour = around_ms - around_ms % _HOUR_MS
    rows = []
    for index in range(1, count + 1):
        hour = random.randrange(-_SPREAD_HOURS, _SPREAD_HOURS)
        start = full_hour + hour * _HOUR_MS
        body: dict[str, int | str | list[int | str]] = {
            "holder": random.choice(residents).holder,
            "space": random.choice(spaces),
            "from": start,
            "to": start + random.randint(1, 3) * _HOUR_MS,
            "party": random.randint(1, 6),
            "state": "CANCELLED" if random.randrange(10) == 0 else "CONFIRMED",
        }
        rows.append(Row(kind="booking", id=f"b-{index:06}", body=body))
    return rows
