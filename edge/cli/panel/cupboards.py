# SPDX-License-Identifier: Apache-2.0
"""Lockers and medicine boxes as a tablet reads them, while somebody may.

The law of the module: reading changes nothing and keeps nobody's turn awake. No name,
token or identifier of a holder leaves the gateway: of a rental goes out what kind it
is, until when, and the last four characters of its booking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.accounts.people import Role
from edge.cli.panel.receivers import Receivers
from edge.core.lockers.locker_terms import booking_of, over_ms

if TYPE_CHECKING:
    from edge.cli.panel.desk import Desk, Who
    from edge.control.server import Act
    from edge.core.lockers.compartment import Compartment
    from edge.core.lockers.rental import Rental
    from edge.core.plan import BankPlan

#: Who sees the cells; an installer mends them.
LOOKERS = frozenset(Role)
ON_DUTY = frozenset({Role.VOLUNTEER, Role.MANAGER})
#: So much of a booking's code is shown.
TAIL = 4


def cupboards(desk: Desk) -> dict[str, Act]:
    """Return the verbs of lockers, first aid and parcels."""
    return Cupboards(desk).acts() | Receivers(desk).acts()


class Cupboards:
    """The readings."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def acts(self) -> dict[str, Act]:
        """Return the verbs."""
        return {
            "lockers": self._lockers,
            "bags": self._bags,
            "medicine": self._medicine,
        }

    async def _lockers(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return every bank's cells as they stand; ``bank``: that one's alone."""
        who = self._desk.who(request, is_own=is_own)
        if not who.is_shell and (
            who.session is None or who.session.role not in LOOKERS
        ):
            raise ValueError("nobody is logged in at this tablet")
        wanted, banks = request.get("bank"), self._desk.plan.banks
        return {
            "banks": {
                name: {"cells": self._cells(bank)}
                for name, bank in banks.items()
                if wanted in (None, name)
            }
        }

    async def _bags(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return the sealed bags that wait for their owners, the oldest first."""
        who = self._desk.who(request, is_own=is_own)
        if not _is_on_duty(who):
            raise ValueError("nobody on duty is logged in at this tablet")
        waiting = self._desk.controller.house.bags.waiting
        return {
            "bags": [
                {
                    "bag": number,
                    "bank": bag.bank,
                    "number": bag.number,
                    "since_ms": bag.since_ms,
                    "tail": (bag.person.booking or "")[-TAIL:],
                }
                for number, bag in waiting.items()
            ]
        }

    async def _medicine(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return the medicine boxes and their lists.

        While an emergency stands anybody at a paired tablet may open them, and see
        what is inside.
        """
        desk = self._desk
        who = desk.who(request, is_own=is_own)
        may_note = _is_on_duty(who)
        is_emergency = bool(desk.controller.emergency.standing)
        if not (may_note or is_emergency):
            raise ValueError("nobody who opens it here is logged in")
        boxes = {
            name: self._box(bank)
            for name, bank in desk.plan.banks.items()
            if any(each.is_medicine_box for each in bank.compartments.values())
        }
        return {"boxes": boxes, "may_note": may_note, "is_emergency": is_emergency}

    def _cells(self, bank: BankPlan) -> list[dict[str, Any]]:
        standing = self._desk.controller.lockers.standing()
        return [
            {
                "number": number,
                "size": plan.size,
                "is_medicine": plan.is_medicine_box,
                **self._cell(standing[bank.bank_id, number], bank),
            }
            for number, plan in sorted(bank.compartments.items())
        ]

    def _cell(self, cell: Compartment, bank: BankPlan) -> dict[str, Any]:
        return {
            "phase": cell.phase.value,
            "is_ordered": cell.is_ordered,
            "is_out_of_order": cell.is_out_of_order,
            "needs_cleaning": cell.needs_cleaning,
            "rental": cell.rental and self._rental(cell.rental, bank),
        }

    def _rental(self, rental: Rental, bank: BankPlan) -> dict[str, Any]:
        """Return what a volunteer has to know of a rental; ``over_ms``: with grace."""
        desk = self._desk
        bookings = desk.controller.rolls.bookings(rental.holder)
        booking = booking_of(rental, bookings)
        return {
            "kind": rental.kind.value,
            "end_ms": rental.end_ms if booking is None else booking.to_ms,
            "over_ms": over_ms(rental, booking, bank, desk.plan),
            "is_overdue": rental.is_overdue,
            "is_deposited": rental.is_deposited,
            "tail": rental.booking[-TAIL:],
        }

    def _box(self, bank: BankPlan) -> dict[str, Any]:
        stock = self._desk.controller.house.medicine.stock(bank.bank_id)
        return {
            "cells": [cell for cell in self._cells(bank) if cell["is_medicine"]],
            "items": [
                {"item": item, "count": held.count, "expires_ms": held.expires_ms}
                for item, held in stock.items()
            ],
        }


def _is_on_duty(who: Who) -> bool:
    role = who.session.role if who.session else None
    return who.is_shell or role in ON_DUTY
