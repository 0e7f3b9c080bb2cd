# SPDX-License-Identifier: Apache-2.0
"""The medicine box opens: by whatever a reader can read, or at the panel.

The law of the module: it asks for no person, no roster, no clock and no mode: a
stranger may be bleeding. Every opening is told, which is the alert; the same again
within three seconds moves the lock under the same event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.access.rescans import AGAIN_S
from edge.core.event import NOBODY, EventKind

if TYPE_CHECKING:
    from edge.core.event import Facts, Person
    from edge.core.lockers.locker_state import Place
    from edge.core.lockers.lockers import Lockers
    from edge.core.moment import Moment
    from edge.core.outcome import OutcomeBuilder
    from edge.core.plan import BankPlan


class FirstAid:
    """Opens medicine boxes."""

    def __init__(self, out: OutcomeBuilder, lockers: Lockers) -> None:
        self._out = out
        self._lockers = lockers
        self._again_s: dict[Place, float] = {}

    def open(
        self, bank: BankPlan, now: Moment, facts: Facts, person: Person = NOBODY
    ) -> None:
        """Open every medicine box of the bank."""
        for number, plan in bank.compartments.items():
            if not plan.is_medicine_box:
                continue
            place = (bank.bank_id, number)
            cause = self._lockers.standing()[place].cause
            if now.monotonic_s >= self._again_s.get(place, 0.0):
                cause = self._out.event(
                    EventKind.MEDICINE_BOX_OPENED,
                    bank.bank_id,
                    now,
                    facts=(("number", number), *facts),
                    person=person,
                ).seq
                self._again_s[place] = now.monotonic_s + AGAIN_S
            self._lockers.first_aid(place, cause, now)
