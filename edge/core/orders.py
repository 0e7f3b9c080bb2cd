# SPDX-License-Identifier: Apache-2.0
"""Orders of somebody in charge: checked, then done or rejected.

The law of the module: an order comes from outside and may name anything; the roof
checks it before it is queued, so that whoever gave it hears what there is instead.
One that still names what is not there is written down as rejected and moves nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from edge.core.access.answers import Denied
from edge.core.access.decision import CLOSED_MODES
from edge.core.event import EventKind, Facts
from edge.core.stimulus import (
    MendOrdered,
    ModeOrdered,
    Noted,
    Order,
    PanelOpenOrdered,
    RentalEndOrdered,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edge.core.doors.doorkeeper import Doorkeeper
    from edge.core.lockers.lockers import Lockers
    from edge.core.moment import Moment
    from edge.core.people.roster import Roster
    from edge.core.plan import SitePlan
    from edge.core.reception import Reception

MAX_TEXT = 64


def check(order: Order, site: SitePlan) -> None:
    """Raise ValueError, with the names there are, if the order names another."""
    match order:
        case ModeOrdered() | PanelOpenOrdered():
            _known("door", order.door, site.doors)
        case RentalEndOrdered() | MendOrdered():
            _known("bank", order.bank, site.banks)
            _known("compartment", order.number, site.banks[order.bank].compartments)
        case _:
            assert_never(order)


def _known(what: str, name: str | int, there_are: Iterable[str | int]) -> None:
    names = tuple(there_are)
    if name not in names:
        known = ", ".join(map(str, names)) or "none"
        raise ValueError(f"there is no {what} {str(name)[:MAX_TEXT]!a}, known: {known}")


class Orders:
    """Does what somebody in charge wants, or says why not."""

    def __init__(
        self,
        site: SitePlan,
        doors: Doorkeeper,
        lockers: Lockers,
        reception: Reception,
        note: Callable[[Noted, Moment], None],
    ) -> None:
        self._site = site
        self._doors = doors
        self._lockers = lockers
        self._reception = reception
        self._note = note

    def carry_out(self, order: Order, roster: Roster, now: Moment) -> None:
        """Do it, or write it down as rejected."""
        try:
            check(order, self._site)
        except ValueError as unknown:
            self._reject(order, str(unknown), now)
            return
        match order:
            case ModeOrdered():
                self._doors.order_mode(order, now)
            case PanelOpenOrdered():
                self._open_by_hand(order, roster, now)
            case RentalEndOrdered():
                if not self._lockers.end_rental(order, now):
                    self._reject(order, "no rental to end", now)
            case MendOrdered():
                if not self._lockers.mend(order, now):
                    self._reject(order, "not out of order", now)
            case _:
                assert_never(order)

    def _open_by_hand(
        self, order: PanelOpenOrdered, roster: Roster, now: Moment
    ) -> None:
        mode = self._doors.mode(order.door)
        reason = CLOSED_MODES.get(mode)
        if reason is None:
            self._doors.open_by_hand(order, now)
            return
        who: Facts = (("actor", order.actor[:MAX_TEXT]), ("kind", "PANEL"))
        told: Facts = (("mode", mode.value),)
        denied = Denied(rule="mode", reason=reason, facts=told)
        self._reception.record(order.door, denied, now, who, roster)

    def _reject(self, order: Order, why: str, now: Moment) -> None:
        facts: Facts = (
            ("actor", order.actor[:MAX_TEXT]),
            ("what", type(order).__name__),
            ("why", why[:MAX_TEXT]),
        )
        rejected = EventKind.COMMAND_REJECTED
        self._note(Noted(kind=rejected, subject="gateway", facts=facts), now)
