# SPDX-License-Identifier: Apache-2.0
"""Whose a compartment is, why, and until when.

The law of the module: values alone. A walk-in's token stands here and in the snapshot
until the rental ends, in no event and in no ``repr``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from edge.core.credential import FIRST_KEY
from edge.core.event import Person


class RentalKind(StrEnum):
    """Why somebody has a compartment."""

    BOOKED = "BOOKED"
    #: Any readable card, for a while, where the bank allows it.
    WALK_IN = "WALK_IN"
    #: Something that a volunteer puts in for its holder.
    PARCEL = "PARCEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a new rental is to be: its kind, its end (UTC ms), its booking if any."""

    kind: RentalKind
    end_ms: int
    booking: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rental:
    """Whose it is and until when (UTC ms, without grace).

    ``token``: of a walk-in whom nobody knows, under the site key of number ``key``.
    ``was_opened``: things may lie inside.
    ``is_last``: it ends at the next closing. ``is_deposited``: the parcel is inside.
    """

    holder: str
    booking: str
    end_ms: int
    kind: RentalKind = RentalKind.BOOKED
    token: bytes = field(default=b"", repr=False)
    key: int = FIRST_KEY
    was_opened: bool = False
    is_last: bool = False
    is_overdue: bool = False
    is_deposited: bool = False

    @property
    def person(self) -> Person:
        """Whom its events are about."""
        return Person(holder=self.holder or None, booking=self.booking or None)

    @property
    def is_parcel(self) -> bool:
        """Say whether it holds, or is to hold, something put in for its holder."""
        return self.kind is RentalKind.PARCEL

    @property
    def awaits_parcel(self) -> bool:
        """Say whether the volunteer has not shut it with the parcel inside yet."""
        return self.is_parcel and not self.is_deposited

    def belongs_to(self, holder_id: str | None, *tokens: bytes) -> bool:
        """Say whether this is the rental of whoever shows what has these tokens."""
        if holder_id is not None and self.holder == holder_id:
            return True
        return bool(self.token) and self.token in tokens
