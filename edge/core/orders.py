# SPDX-License-Identifier: Apache-2.0
"""Orders of somebody in charge: checked, then done or rejected.

The law of the module: an order comes from outside and may name anything; the roof
checks it before it is queued, so that whoever gave it hears what there is instead.
One that still names what is not there, or cannot be done now, is written down as
rejected and moves nothing. Each part of the house answers for its own orders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.core.event import EventKind, Facts
from edge.core.stimulus import Noted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from edge.core.moment import Moment
    from edge.core.order import Order
    from edge.core.plan import SitePlan

    #: Carries an order out; "" when done, else why not, in plain words.
    Handler = Callable[[Any, Moment], str]

MAX_TEXT = 64


def check(order: Order, site: SitePlan) -> None:
    """Raise ValueError, with the names there are, if the order names another."""
    named: dict[str, Iterable[str | int]] = {
        "door": site.doors,
        "access_point": site.access_points,
        "space": site.spaces,
        "appliance": site.appliances,
        "bank": site.banks,
    }
    for what, there_are in named.items():
        if hasattr(order, what):
            _known(what.replace("_", " "), getattr(order, what), there_are)
    if hasattr(order, "bank") and hasattr(order, "number"):
        cells = site.banks[order.bank].compartments
        _known("compartment", order.number, cells)


def _known(what: str, name: str | int, there_are: Iterable[str | int]) -> None:
    names = tuple(there_are)
    if name not in names:
        known = ", ".join(map(str, names)) or "none"
        raise ValueError(f"there is no {what} {str(name)[:MAX_TEXT]!a}, known: {known}")


class Orders:
    """Has what somebody in charge wants done, or says why not."""

    def __init__(
        self,
        site: SitePlan,
        note: Callable[[Noted, Moment], None],
        handlers: Mapping[type[Order], Handler],
    ) -> None:
        self._site = site
        self._note = note
        self._handlers = handlers

    def carry_out(self, order: Order, now: Moment) -> str:
        """Do it, or write it down as rejected and return why."""
        try:
            check(order, self._site)
            why = self._handlers[type(order)](order, now)
        except ValueError as unknown:
            why = str(unknown)
        if why:
            self._reject(order, why, now)
        return why

    def _reject(self, order: Order, why: str, now: Moment) -> None:
        facts: Facts = (
            ("actor", order.actor[:MAX_TEXT]),
            ("what", type(order).__name__),
            ("why", why[:MAX_TEXT]),
        )
        rejected = EventKind.COMMAND_REJECTED
        self._note(Noted(kind=rejected, subject="gateway", facts=facts), now)
