# SPDX-License-Identifier: Apache-2.0
"""What is asked at a bank of lockers, and what may be answered.

The law of the module: values alone; asking changes nothing, and no rule lives here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.access.answers import Denied, person_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.credential import Credential
    from edge.core.event import Facts, Person
    from edge.core.lockers.compartment import Compartment
    from edge.core.lockers.rental import Claim, Rental
    from edge.core.moment import Moment
    from edge.core.people.entries import Cardholder
    from edge.core.people.rolls import Rolls
    from edge.core.plan import BankPlan, SitePlan

Own = tuple[int, "Compartment", "Rental"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BankQuestion:
    """Everything that a rule may look at.

    ``closes_lockers``: an emergency stands under which they open for staff alone.
    """

    credential: Credential
    holder: Cardholder | None
    rolls: Rolls
    site: SitePlan
    bank: BankPlan
    compartments: Mapping[int, Compartment]
    now: Moment
    is_reader_sound: bool = True
    closes_lockers: bool = False

    @property
    def person(self) -> Person:
        """Whom an answer is about that concerns no rental and no booking."""
        return person_of(self.holder)

    @property
    def own(self) -> list[Own]:
        """What the person rents here, the one granted longest ago first."""
        mine = [each for each in self._mine() if not each[2].is_parcel]
        return sorted(mine, key=_cause)

    @property
    def parcels(self) -> list[Own]:
        """What waits here for the person: what is opening now goes before the rest."""
        mine = [each for each in self._mine() if each[2].is_deposited]
        return sorted(mine, key=lambda each: (not each[1].is_busy, _cause(each)))

    def _mine(self) -> list[Own]:
        holder_id = self.holder.holder_id if self.holder else None
        tokens = self.credential.tokens
        return [
            (number, compartment, compartment.rental)
            for number, compartment in self.compartments.items()
            if compartment.rental and compartment.rental.belongs_to(holder_id, *tokens)
        ]


def _cause(own: Own) -> int:
    return own[1].cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Open ``number``: anew for ``claims``, or as the person's own.

    ``moved_from`` is the compartment that did not open for the same claim.
    ``is_last``: the rental ends when it is closed again. ``shown`` is told to the
    person beside the number.
    """

    rule: str
    person: Person
    number: int
    claims: Claim | None = None
    moved_from: int | None = None
    is_last: bool = False
    facts: Facts = ()
    shown: Facts = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The person has finished: ``number`` becomes free and nothing opens."""

    rule: str
    person: Person
    number: int


BankDecision = Opening | Ending | Denied
