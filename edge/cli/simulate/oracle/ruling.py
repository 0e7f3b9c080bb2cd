# SPDX-License-Identifier: Apache-2.0
"""What one rule says: the refusals that would be right, and whether one may pass.

The law of the module: values. Where the text, or what can be seen from outside,
leaves a choice, a ruling holds both answers; an oracle never guesses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.plan import PersonClass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.core.access.answers import DenyReason

#: The answer that is no refusal.
OPEN = "OPEN"
_CLASSES = (
    PersonClass.RESPONDER,
    PersonClass.MANAGER,
    PersonClass.VOLUNTEER,
    PersonClass.COURIER,
    PersonClass.GUEST,
    PersonClass.RESIDENT,
)
#: Whom hours, holidays, payment, capacity, passback and staff present bind.
BOUND = frozenset({PersonClass.RESIDENT, PersonClass.GUEST, PersonClass.COURIER})


@dataclass(frozen=True, slots=True)
class Ruling:
    """The refusals that would be right, and whether the next rule may be asked."""

    refusals: frozenset[DenyReason] = frozenset()
    may_pass: bool = True

    @property
    def is_sure(self) -> bool:
        """Whether there is one answer alone."""
        return len(self.refusals) + self.may_pass == 1


PASS = Ruling()


def refuse(*reasons: DenyReason) -> Ruling:
    """Return a ruling under which nobody passes."""
    return Ruling(frozenset(reasons), may_pass=False)


def either(*reasons: DenyReason) -> Ruling:
    """Return a ruling that leaves a choice: these refusals, or passing."""
    return Ruling(frozenset(reasons), may_pass=True)


def weighed(*reasons: DenyReason, must: bool, may: bool) -> Ruling:
    """Refuse where one must, leave the choice where one may."""
    if must:
        return refuse(*reasons)
    return either(*reasons) if may else PASS


def answers(rulings: Iterable[Ruling]) -> frozenset[str]:
    """Return every answer that is right: the rules are asked in their order."""
    found: set[str] = set()
    for ruling in rulings:
        found |= ruling.refusals
        if not ruling.may_pass:
            return frozenset(found)
    return frozenset({*found, OPEN})


def class_of(roles: Iterable[str]) -> PersonClass:
    """Return the class that counts: the first of the list among the roles."""
    held = set(roles)
    return next((one for one in _CLASSES if one in held), PersonClass.RESIDENT)
